"""How much a network has to do: tokens a frame at each node, and how full its windows are.

Cycle counts depend on the input only through these figures. They follow from the active sites
alone, never from features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.ir.frame import Frame
from models.ir.golden import window_sites, window_taps
from models.ir.graph import GlobalPool, Graph, Input, Linear, Node, Window


@dataclass(frozen=True)
class Activity:
    """Mean figures a frame of one node.

    ``tokens_in``: active sites of one of its inputs; for the input node, of the frame.
    ``tokens_out``: active sites of its output.
    ``taps``: ``taps[j]`` output sites see j active input sites, j from 0 to kernel^2; ``()`` where
    the node has no window.
    """

    tokens_in: float
    tokens_out: float
    taps: tuple[float, ...] = ()


def activity(graph: Graph, masks: Sequence[np.ndarray] | None) -> dict[str, Activity]:
    """Each node's activity over the frames whose active sites ``masks`` give, bool ``[height, width]``.

    None is the dense frame, in which every site is active; its figures are whole numbers.
    """
    side = graph.input.shape[:2]
    frames = [np.ones(side, dtype=bool)] if masks is None else [np.asarray(mask, dtype=bool) for mask in masks]
    if not frames:
        raise ValueError(f"graph {graph.name!r}: activity needs at least one mask")
    totals = {node.name: np.zeros(2 + _bins(node), dtype=np.int64) for node in graph.nodes}
    for mask in frames:
        if mask.shape != side:
            raise ValueError(f"graph {graph.name!r}: masks must have shape {side}, not {mask.shape}")
        for name, counts in _count(graph, Frame.from_dense(np.zeros((*side, 1), np.int64), mask)).items():
            totals[name] += counts
    means = {name: (total / len(frames)).tolist() for name, total in totals.items()}
    return {name: Activity(mean[0], mean[1], tuple(mean[2:])) for name, mean in means.items()}


def _bins(node: Node) -> int:
    return node.kernel**2 + 1 if isinstance(node, Window) else 0


def _count(graph: Graph, frame: Frame) -> dict[str, np.ndarray]:
    """int64 ``[2 + bins]`` a node, of one frame: tokens in, tokens out, sites by active taps."""
    frames: dict[str, Frame] = {}
    counts: dict[str, np.ndarray] = {}
    for node in graph.nodes:
        source = frame if isinstance(node, Input) else frames[node.inputs[0]]
        taps = np.zeros(_bins(node), dtype=np.int64)
        out = source
        if isinstance(node, Window):
            height, width, sites = window_sites(node, source)
            seen = (window_taps(node, source, sites) >= 0).sum(axis=0)
            taps = np.bincount(seen, minlength=_bins(node))
            out = Frame(height, width, sites, np.zeros((len(sites), 1), np.int64))
        elif isinstance(node, GlobalPool | Linear):
            out = Frame.from_dense(np.zeros((1, 1, 1), np.int64))
        frames[node.name] = out
        counts[node.name] = np.array([len(source.sites), len(out.sites), *taps])
    return counts
