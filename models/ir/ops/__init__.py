"""The operations of a graph: a file each, with fields, shape rule, golden and activity."""
