"""Families of FPGAs, a file each: what they are made of, and their devices."""
