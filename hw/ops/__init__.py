"""The hardware ops, a file each: the mappings of an op, its cycles and resources, and its component."""
