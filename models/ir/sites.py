"""Which sites are active at each node of a graph, frame by frame, and when their tokens leave in the reference."""

from __future__ import annotations

import numpy as np

from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.node import NodeSites


def walk(graph: Graph, mask: np.ndarray) -> dict[str, NodeSites]:
    """Each node's active sites in one frame.

    Parameters
        graph      the network
        mask       active sites of the frame, bool ``[height, width]``
    Raises         ValueError: the mask has another shape than the input
    """
    side = graph.input.shape[:2]
    if mask.shape != side:
        raise ValueError(f"graph {graph.name!r}: masks must have shape {side}, not {mask.shape}")
    whole = Frame.from_dense(np.zeros((*side, 1), np.int64), mask)
    frames: dict[str, Frame] = {}
    result: dict[str, NodeSites] = {}
    for node in graph.nodes:
        own = node.sites(frames[node.inputs[0]] if node.inputs else whole, graph.input.sparse)
        height, width, _ = graph.shapes[node.name]
        frames[node.name] = Frame(height, width, own.sites, np.zeros((len(own.sites), 1), np.int64))
        result[node.name] = own
    return result


def reference_times(graph: Graph, sites: dict[str, NodeSites]) -> dict[str, np.ndarray]:
    """When each node's tokens leave, in frames, in a reference design.

    In it every node takes the same time for the frame, each tap costs the same, and a token passes between nodes
    without delay.

    Parameters
        graph      the network
        sites      each node's sites, the result of ``walk``
    """
    times: dict[str, np.ndarray] = {}
    for node in graph.nodes:
        arrivals = np.zeros(0)
        for number, name in enumerate(node.inputs):
            arrivals = np.maximum(arrivals, times[name]) if number else times[name]
        times[node.name] = node.departures(arrivals, sites[node.name])
    return times
