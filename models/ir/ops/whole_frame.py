"""What nodes share that take a whole frame for the one site of a 1x1 frame, also of an empty one."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from models.ir.accumulator import AccumulatingNode
from models.ir.frame import Frame
from models.ir.node import NodeSites

ORIGIN = np.zeros((1, 2), dtype=np.int64)
"""The one site."""


class WholeFrameNode(AccumulatingNode):
    """A node that sums over all sites of a frame."""

    takes_frame: ClassVar[bool] = True

    def sites(self, source: Frame, sparse: bool) -> NodeSites:
        return NodeSites.without_window(source.sites, ORIGIN)

    def departures(self, arrivals: np.ndarray, sites: NodeSites) -> np.ndarray:
        return arrivals[-1:] if len(arrivals) else np.zeros(1)

    def work(self, sites: NodeSites, before: np.ndarray) -> np.ndarray:
        return np.ones(1)
