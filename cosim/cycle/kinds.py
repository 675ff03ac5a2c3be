"""Kinds of process of the cycle simulator."""

SOURCE, MASK_SOURCE, SINK, QUEUE, TOKENS, WINDOWS, ELEMENTWISE, POOL = range(8)
