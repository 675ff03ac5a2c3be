"""What nodes share that take one site at a time: the output has the sites of the input."""

from __future__ import annotations

import numpy as np

from models.ir.frame import Frame
from models.ir.node import Node, NodeSites, Shape


class ElementwiseNode(Node):
    """A node whose output site depends on that site of its inputs alone."""

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def sites(self, source: Frame, sparse: bool) -> NodeSites:
        return NodeSites.without_window(source.sites, source.sites)

    def departures(self, arrivals: np.ndarray, sites: NodeSites) -> np.ndarray:
        return arrivals

    def work(self, sites: NodeSites, before: np.ndarray) -> np.ndarray:
        return before
