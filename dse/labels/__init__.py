"""Exact label search along a graph: dynamic programming with dominance, in integers only."""
