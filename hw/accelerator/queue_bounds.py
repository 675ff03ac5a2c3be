"""How deep the queues before an add must be so that no frame makes an accelerator hang: the deadlock-free depth."""

from __future__ import annotations

from functools import cache

from models.ir.graph import Graph
from models.ir.window import Axis


def min_deadlock_free_depth(graph: Graph, producer: str, consumer: str, beats_per_token: int) -> int:
    """The fewest beats that the queue on an edge into an add must hold, whatever sites are active.

    Two paths fork at a node and meet at the add. For a site the add waits for its other input, and the windows on that
    path wait for tokens that come later. The tokens that are ahead on this edge must fit into its queue. Otherwise the
    fork stops and never sends the later tokens.

    A window op needs the tokens up to the last place that can change a site: the later corner of its window and of its
    stride cell. Where that place is not active, it needs the next token after it instead. In both cases the tokens
    ahead are at most the places between the two: so many rows and places as the window extends beyond its cell. The sum
    over a path is the bound, and a frame never has more than all of its sites and its ``end``.

    The frame with every site active needs the whole bound where rows are longer than the sum of all extents. In
    narrower images it needs less: its windows end at the border, while the next token after an inactive place can be
    further down.

    Parameters
        graph              the network
        producer           node that writes the edge
        consumer           the add that reads it
        beats_per_token    beats per token on the edge
    Returns                beats, at least 2
    """
    shape = graph.shapes[consumer]
    dominator = _immediate_dominator(graph, consumer)
    order = {node.name: place for place, node in enumerate(graph.nodes)}

    @cache
    def tokens_ahead(name: str, rows: int, columns: int) -> int:
        """The bound up to a node, in sites of the add; each is ``rows`` x ``columns`` sites of the node's output."""
        node = graph[name]
        if order[name] <= order[dominator]:
            return 0
        if node.takes_frame:
            return shape.height * shape.width
        own = 0
        if window := node.window:
            own = _ahead(window.y, rows) * shape.width + _ahead(window.x, columns)
            rows, columns = rows * window.y.stride, columns * window.x.stride
        return own + max(tokens_ahead(before, rows, columns) for before in node.inputs)

    max_ahead = max((tokens_ahead(name, 1, 1) for name in graph[consumer].inputs if name != producer), default=0)
    return max(2, min((max_ahead + 1) * beats_per_token, shape.height * shape.width * beats_per_token + 1))


def _ahead(axis: Axis, scale: int) -> int:
    """The sites of the add along an axis by which a window's input runs ahead; each is ``scale`` of its outputs."""
    outputs = -(-(axis.extent - axis.cell_offset - axis.stride + 1) // axis.stride)
    return -(-outputs // scale)


def _immediate_dominator(graph: Graph, consumer: str) -> str:
    """The last node that every path from the graph's input to ``consumer`` passes."""
    dominators: dict[str, set[str]] = {}
    for node in graph.nodes:
        before = [dominators[name] for name in node.inputs]
        dominators[node.name] = set.intersection(*before) if before else set()
        if node.name == consumer:
            break
        dominators[node.name].add(node.name)
    return max(dominators[consumer], key=[node.name for node in graph.nodes].index)
