"""Number formats, a file each."""
