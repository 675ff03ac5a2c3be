"""One file format a module, each with ``read(path, policy, size)``."""
