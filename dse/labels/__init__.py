"""Exact search along a graph by labels: what no choice beats, in integers alone."""
