"""How much a network has to do: tokens a frame at each node, and how full its windows are.

Cycle counts depend on the input only through these figures. They follow from the active sites
alone, never from features. ``measured`` keeps those of a data set in a graph's ``stats``, from
where cost, exploration and the report read them with ``expected``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from models.ir.frame import Frame
from models.ir.golden import window_sites, window_taps
from models.ir.graph import GlobalPool, Graph, GraphError, Input, Linear, Node, Window

Load = Literal["mean", "p99"]
"""The mean frame of a data set, or one that 99 % of its frames do not exceed."""
LOADS: tuple[Load, ...] = get_args(Load)


@dataclass(frozen=True)
class Activity:
    """Figures of one node, of a frame or of several on average.

    ``tokens_in``: active sites of one of its inputs; for the input node, of the frame.
    ``tokens_out``: active sites of its output.
    ``taps``: ``taps[j]`` output sites see j active input sites, j from 0 to kernel^2; ``()`` where
    the node has no window.
    """

    tokens_in: float
    tokens_out: float
    taps: tuple[float, ...] = ()


def frame_activity(graph: Graph, mask: np.ndarray) -> dict[str, Activity]:
    """Each node's activity on the frame whose active sites ``mask`` gives, bool ``[height, width]``."""
    frames: dict[str, Frame] = {}
    found: dict[str, Activity] = {}
    side = graph.input.shape[:2]
    if mask.shape != side:
        raise ValueError(f"graph {graph.name!r}: masks must have shape {side}, not {mask.shape}")
    for node in graph.nodes:
        if isinstance(node, Input):
            source = Frame.from_dense(np.zeros((*side, 1), np.int64), mask)
        else:
            source = frames[node.inputs[0]]
        taps: tuple[float, ...] = ()
        out = source
        if isinstance(node, Window):
            height, width, sites = window_sites(node, source)
            seen = (window_taps(node, source, sites) >= 0).sum(axis=0)
            taps = tuple(np.bincount(seen, minlength=node.kernel**2 + 1).tolist())
            out = Frame(height, width, sites, np.zeros((len(sites), 1), np.int64))
        elif isinstance(node, GlobalPool | Linear):
            out = Frame.from_dense(np.zeros((1, 1, 1), np.int64))
        frames[node.name] = out
        found[node.name] = Activity(len(source.sites), len(out.sites), taps)
    return found


def activity(graph: Graph, masks: Sequence[np.ndarray] | None) -> dict[str, Activity]:
    """Each node's mean activity over the frames that ``masks`` give.

    None is the dense frame, in which every site is active; its figures are whole numbers.
    """
    if masks is None:
        return frame_activity(graph, np.ones(graph.input.shape[:2], dtype=bool))
    frames = [frame_activity(graph, np.asarray(mask, dtype=bool)) for mask in masks]
    if not frames:
        raise ValueError(f"graph {graph.name!r}: activity needs at least one mask")
    return {node.name: _mean([frame[node.name] for frame in frames]) for node in graph.nodes}


def measured(
    graph: Graph, masks: Sequence[np.ndarray], progress: Callable[[int, int], None] = lambda *_: None
) -> Graph:
    """The graph with the activity of a data set in its ``stats``.

    By node: ``frames``, how many there were; ``density``, the mean share of output sites that are
    active; and an ``Activity`` for each of ``LOADS``. That of ``p99`` is the figure of the one
    frame in whose place stand 99 % when they are sorted by what the node has to do.
    """
    frames = []
    for number, mask in enumerate(masks):
        progress(number, len(masks))
        frames.append(frame_activity(graph, np.asarray(mask, dtype=bool)))
    if not frames:
        raise ValueError(f"graph {graph.name!r}: activity needs at least one mask")
    stats = {name: dict(entry) for name, entry in graph.stats.items()}
    for node in graph.nodes:
        own = [frame[node.name] for frame in frames]
        mean = _mean(own)
        shape = graph.shapes[node.name]
        stats.setdefault(node.name, {})["activity"] = {
            "frames": len(own),
            "density": mean.tokens_out / (shape.height * shape.width),
            "mean": _encoded(mean),
            "p99": _encoded(sorted(own, key=_work)[-(-99 * len(own) // 100) - 1]),
        }
    return graph.replace(stats=stats)


def expected(graph: Graph, load: Load = "mean") -> dict[str, Activity]:
    """Each node's activity for costs: of the dense frame, or for a sparse graph what ``measured`` left in it."""
    if not graph.input.sparse:
        return activity(graph, None)
    if load not in LOADS:
        raise ValueError(f"load: {load!r} must be one of {', '.join(LOADS)}")
    return {node.name: _decoded(_entry(graph, node), load) for node in graph.nodes}


def density(graph: Graph, node: Node) -> float:
    """The mean share of active sites at a node's output that ``measured`` found; 1 for a dense graph."""
    return float(_entry(graph, node)["density"]) if graph.input.sparse else 1.0


def occupancy(figures: Activity) -> tuple[float, ...]:
    """The share of output sites that see j active input sites, j from 0; ``()`` where there is no window."""
    sites = sum(figures.taps)
    return tuple(taps / sites if sites else 0.0 for taps in figures.taps)


def _entry(graph: Graph, node: Node) -> dict[str, Any]:
    try:
        return graph.stats[node.name]["activity"]
    except KeyError:
        why = "holds no activity; models.ir.activity.measured adds that of a data set"
        raise GraphError(node.name, "stats", sorted(graph.stats.get(node.name, {})), why) from None


def _work(figures: Activity) -> tuple[float, float]:
    return sum(taps * sites for taps, sites in enumerate(figures.taps)), figures.tokens_in


def _mean(figures: Sequence[Activity]) -> Activity:
    rows = np.array([[own.tokens_in, own.tokens_out, *own.taps] for own in figures])
    tokens_in, tokens_out, *taps = rows.mean(axis=0).tolist()
    return Activity(tokens_in, tokens_out, tuple(taps))


def _encoded(figures: Activity) -> dict[str, Any]:
    return {"tokens_in": figures.tokens_in, "tokens_out": figures.tokens_out, "taps": list(figures.taps)}


def _decoded(entry: dict[str, Any], load: Load) -> Activity:
    figures = entry[load]
    return Activity(figures["tokens_in"], figures["tokens_out"], tuple(figures["taps"]))
