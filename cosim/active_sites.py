"""Which sites are active at each node of a sparse graph, and what each window waits for: all that times follow from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.ir.frame import Frame
from models.ir.golden import window_taps
from models.ir.graph import GlobalPool, Graph, Linear, Window


@dataclass(frozen=True, eq=False)
class WindowSites:
    """The output sites of a window op on one frame, in raster order; its n tokens lie in some rows of the input.

    ``starts_row``: bool ``[n]``, whether a token is the first of its row. Of each site: ``tokens``, how many tokens
    come up to its last one, the later of its window's and its cell's corner; ``whole``, whether there is one in just
    that place, which completes it; otherwise only what follows shows that none is to come. ``taps``: its active taps.
    ``rows``: rows with tokens that no later site reads, ``[sites + 1]``, the last for the frame's ``end``.
    ``blank``: of no site, but in its place among them: tokens in columns of no cell, whose rows must be freed as well.
    """

    starts_row: np.ndarray
    tokens: np.ndarray
    whole: np.ndarray
    taps: np.ndarray
    rows: np.ndarray
    blank: np.ndarray


class ActiveSites:
    """The active sites of one frame at one node; nodes with the same ones share the object."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._windows: dict[tuple[int, int, int], tuple[ActiveSites, WindowSites]] = {}

    @classmethod
    def of(cls, mask: np.ndarray) -> ActiveSites:
        return cls(Frame.from_dense(np.zeros((*mask.shape, 1), np.int64), mask))

    @property
    def tokens(self) -> int:
        return len(self.frame.sites)

    def through(self, node: Window) -> tuple[ActiveSites, WindowSites]:
        """(the active sites after the op, its windows)."""
        key = node.kernel, node.stride, node.padding
        if key not in self._windows:
            self._windows[key] = self._through(node)
        return self._windows[key]

    def _through(self, node: Window) -> tuple[ActiveSites, WindowSites]:
        frame, s, off = self.frame, node.stride, node.cell_offset
        height, width = node.out_side(frame.height), node.out_side(frame.width)
        cells = (frame.sites - off) // s
        cells = cells[(cells[:, 0] >= 0) & (cells[:, 0] < height)]
        # columns of no cell, held to one beside the first or the last
        places = np.unique(cells[:, 0] * (width + 2) + np.clip(cells[:, 1], -1, width) + 1)
        y, x = places // (width + 2), places % (width + 2) - 1
        blank = (x < 0) | (x == width)
        sites = np.stack([y, x], axis=1)[~blank]
        taps = np.zeros(len(places), np.int64)
        taps[~blank] = (window_taps(node, frame, sites) >= 0).sum(axis=0)

        last = np.minimum(s * y + node.reach, frame.height - 1) * frame.width
        last += np.minimum(s * x + node.reach, frame.width - 1)
        raster = frame.sites[:, 0] * frame.width + frame.sites[:, 1]
        tokens = np.searchsorted(raster, last, side="right")
        rows, starts = np.unique(frame.sites[:, 0], return_index=True)
        starts_row = np.zeros(len(raster), dtype=bool)
        starts_row[starts] = True
        freed = np.append(np.searchsorted(rows, s * y - node.padding), len(rows))
        windows = WindowSites(starts_row, tokens, raster[tokens - 1] == last, taps, freed, blank)
        if (height, width) == (frame.height, frame.width) and np.array_equal(sites, frame.sites):
            return self, windows
        return ActiveSites(Frame(height, width, sites, np.zeros((len(sites), 1), np.int64))), windows


Walk = list[dict[str, ActiveSites]]
"""For each frame the active sites at each node's output."""


def walk(graph: Graph, masks: Sequence[np.ndarray]) -> Walk:
    """Through a sparse graph, from the active sites of each frame, bool ``[height, width]``."""
    known: dict[bytes, dict[str, ActiveSites]] = {}
    return [known.setdefault(mask.tobytes(), _walk(graph, mask)) for mask in masks]


def _walk(graph: Graph, mask: np.ndarray) -> dict[str, ActiveSites]:
    found = {graph.input.name: ActiveSites.of(mask)}
    one = ActiveSites.of(np.ones((1, 1), dtype=bool))
    for node in graph.nodes[1:]:
        if isinstance(node, Window):
            found[node.name], _ = found[node.inputs[0]].through(node)
        else:
            found[node.name] = one if isinstance(node, GlobalPool | Linear) else found[node.inputs[0]]
    return found
