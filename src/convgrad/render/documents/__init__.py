"""Reports as documents that people read and print."""
