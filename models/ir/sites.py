"""Which sites are active at each node of a graph, frame by frame, and when their tokens come in the reference."""

from __future__ import annotations

import numpy as np

from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.node import NodeSites


def walk(graph: Graph, mask: np.ndarray) -> dict[str, NodeSites]:
    """Each node's active sites on the frame whose active sites ``mask`` gives, bool ``[height, width]``."""
    side = graph.input.shape[:2]
    if mask.shape != side:
        raise ValueError(f"graph {graph.name!r}: masks must have shape {side}, not {mask.shape}")
    whole = Frame.from_dense(np.zeros((*side, 1), np.int64), mask)
    frames: dict[str, Frame] = {}
    found: dict[str, NodeSites] = {}
    for node in graph.nodes:
        own = node.sites(frames[node.inputs[0]] if node.inputs else whole, graph.input.sparse)
        height, width, _ = graph.shapes[node.name]
        frames[node.name] = Frame(height, width, own.sites, np.zeros((len(own.sites), 1), np.int64))
        found[node.name] = own
    return found


def reference(graph: Graph, sites: dict[str, NodeSites]) -> dict[str, np.ndarray]:
    """When each node's tokens leave, in frames, if every node takes equally long for the frame, as long as its taps
    take one by one, and a token passes from node to node at once.
    """
    times: dict[str, np.ndarray] = {}
    for node in graph.nodes:
        came = np.zeros(0)
        for number, name in enumerate(node.inputs):
            came = np.maximum(came, times[name]) if number else times[name]
        times[node.name] = node.leaves(came, sites[node.name])
    return times
