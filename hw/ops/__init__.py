"""The ops, one file each: what it may be folded into, its cycles and resources, its component."""
