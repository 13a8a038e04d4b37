"""Reports for programs: JSON, CSV, npy, npz."""
