"""What nodes share that slide a window over their input: its fields, their check, and which sites become active."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Node, NodeSites, Shape
from models.ir.window import Window

KERNELS = range(1, 8)
STRIDES = (1, 2)


@dataclass(frozen=True, eq=False, kw_only=True)
class WindowNode(Node):
    """A node that sees its input through a window: convolution and pooling.

    Parameters
        kernel     side of the window
        stride     stride of the window
        padding    zero padding on each side
    """

    kernel: int
    stride: int = 1
    padding: int = 0

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.stride, self.padding)

    def out_shape(self, *inputs: Shape) -> Shape:
        (i,) = inputs
        return Shape(self.window.out_side(i.height), self.window.out_side(i.width), i.channels)

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        if self.kernel not in KERNELS:
            raise self.error("kernel", self.kernel, f"must be {KERNELS[0]} to {KERNELS[-1]}")
        if self.stride not in STRIDES:
            raise self.error("stride", self.stride, f"must be one of {STRIDES}")
        if not 0 <= self.padding <= (self.kernel - 1) // 2:
            raise self.error("padding", self.padding, f"must be 0 to {(self.kernel - 1) // 2} for kernel {self.kernel}")
        if min(shapes[0].height, shapes[0].width) + 2 * self.padding < self.kernel:
            raise self.error("kernel", self.kernel, f"is larger than its padded input {shapes[0]}")

    def sites(self, source: Frame, sparse: bool) -> NodeSites:
        _, _, sites = self.window.out_sites(source)
        taps = (self.window.input_rows(source, sites) >= 0).sum(axis=0)
        return NodeSites(source.sites, sites, taps, *self.window.needs(source, sites, sparse))

    def departures(self, arrivals: np.ndarray, sites: NodeSites) -> np.ndarray:
        work = np.cumsum(np.maximum(sites.taps, 1))
        finished = work / max(1, work[-1:].sum())
        started = np.append(0, finished)[:-1]
        complete = arrivals[np.minimum(sites.needs, len(arrivals)) - 1]
        return np.maximum.accumulate(complete - started) + finished

    def work(self, sites: NodeSites, before: np.ndarray) -> np.ndarray:
        return np.maximum(sites.taps, 1)
