"""How deep the queues before an add must be so that no frame can make an accelerator hang."""

from __future__ import annotations

from functools import cache

from models.ir.graph import GlobalPool, Graph, Linear, Window


def least_queue(graph: Graph, producer: str, consumer: str, beats_per_token: int) -> int:
    """Beats that the edge from ``producer`` into the add ``consumer`` must hold, whatever sites are active.

    Two ways part at a node and meet at the add. A site there waits for its other input, whose windows wait for input
    that comes later; what is ahead of it on this edge must find room, or the node where they part never sends that
    input. A window op needs the tokens up to the place that completes a site, the later corner of its window and its
    cell; where that place is not active, the next token beyond instead must show. Either way these are at most
    as many as the places between: ``reach`` rows and ``reach`` more. Over a way they add up, and a frame has no more
    than all of its sites and its ``end``.

    The frame with every site active needs that many where rows are longer than all reaches together. In narrower images
    it needs less: its windows end at the border, while the next token beyond a missing one can lie further down.
    """
    shape = graph.shapes[consumer]
    parting = _parting(graph, consumer)
    order = {node.name: place for place, node in enumerate(graph.nodes)}

    @cache
    def ahead(name: str, scale: int) -> int:
        """Sites of the add; ``scale``: how many strides of the node's output make one of the add's."""
        node = graph[name]
        if order[name] <= order[parting]:
            return 0
        if isinstance(node, GlobalPool | Linear):
            return shape.height * shape.width
        own, stride = 0, 1
        if isinstance(node, Window):
            stride = node.stride
            reach = -(-(node.reach - node.cell_offset - stride + 1) // stride)
            own = -(-reach // scale) * (shape.width + 1)
        return own + max(ahead(before, scale * stride) for before in node.inputs)

    most = max((ahead(name, 1) for name in graph[consumer].inputs if name != producer), default=0)
    return max(2, min((most + 1) * beats_per_token, shape.height * shape.width * beats_per_token + 1))


def _parting(graph: Graph, consumer: str) -> str:
    """The last node that every way from the graph's input to ``consumer`` passes."""
    passed: dict[str, set[str]] = {}
    for node in graph.nodes:
        before = [passed[name] for name in node.inputs]
        passed[node.name] = set.intersection(*before) if before else set()
        if node.name == consumer:
            break
        passed[node.name].add(node.name)
    return max(passed[consumer], key=[node.name for node in graph.nodes].index)
