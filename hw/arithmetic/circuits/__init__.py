"""Circuits of products: a file each, with its hardware, its registers and what it takes of a device."""
