"""Golden: the exact integers every stage must reproduce.

Written as a sparse computation over active sites; the dense network is the case in which every site is active. Each
node computes itself (``Node.compute``), in int64, which no number of a valid graph leaves (``Node.check``).
"""

from __future__ import annotations

from models.ir.frame import Frame
from models.ir.graph import Graph


def run(graph: Graph, frame: Frame) -> dict[str, Frame]:
    """Every node's frame, by node name.

    Parameters
        graph      the network
        frame      the frame of the input node
    Raises         ValueError: the graph does not take such a frame
    """
    graph.input.check_frame(frame, graph.name)
    frames = {graph.input.name: frame}
    for node in graph.nodes[1:]:
        frames[node.name] = node.compute(*(frames[name] for name in node.inputs))
    return frames
