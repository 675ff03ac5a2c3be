"""Codecs: the circuits of number formats, a file each."""
