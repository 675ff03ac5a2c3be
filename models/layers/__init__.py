"""The layers of a float network, one file each: their float and integer computation, and their graph nodes."""
