"""A report as a page to step through."""
