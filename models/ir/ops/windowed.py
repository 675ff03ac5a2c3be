"""What nodes share that slide a window over their input: its fields, their check, and which sites become active."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Node, NodeSites, Shape
from models.ir.window import Sizes, Window

KERNELS = range(1, 16)
MOST_TAPS = 64
"""Of a window."""
STRIDES = range(1, 5)
DILATIONS = range(1, 9)
LONGEST = {"kernel": 2, "stride": 2, "padding": 4, "dilation": 2}
"""How many numbers each size has at most."""


def refusal(window: Window, shape: Shape) -> tuple[str, str] | None:
    """The field of the first size that is not possible over inputs of a shape, and why; None if all sizes are."""
    for axis, side in ((window.y, shape.height), (window.x, shape.width)):
        for name, own, valid in (
            ("kernel", axis.kernel, KERNELS), ("stride", axis.stride, STRIDES), ("dilation", axis.dilation, DILATIONS)
        ):  # fmt: skip
            if own not in valid:
                return name, f"must be {valid[0]} to {valid[-1]}"
        most = (axis.span - 1) // 2, axis.span // 2
        if not (0 <= axis.before <= most[0] and 0 <= axis.after <= most[1]):
            spread = f" of dilation {axis.dilation}" if axis.dilation > 1 else ""
            limits = f"0 to {most[0]}" if most[0] == most[1] else f"0 to {most[0]} before and 0 to {most[1]} after"
            return "padding", f"must be {limits} for kernel {axis.kernel}{spread}"
        if axis.padded(side) < axis.span:
            return "kernel", f"is larger than its padded input {shape}"
    if window.taps > MOST_TAPS:
        return "kernel", f"has {window.taps} taps; at most {MOST_TAPS} are possible"
    return None


@dataclass(frozen=True, eq=False, kw_only=True)
class WindowNode(Node):
    """A node that sees its input through a window: convolution and pooling.

    Parameters
        kernel     side of the window, or (rows, columns)
        stride     stride of the window, or (down, right)
        padding    zeros on each side, or (above and below, left and right), or (top, left, bottom, right)
    """

    kernel: Sizes
    stride: Sizes = 1
    padding: Sizes = 0

    @property
    def window(self) -> Window:
        return Window.of(self.kernel, self.stride, self.padding)

    def out_shape(self, *inputs: Shape) -> Shape:
        (i,) = inputs
        return Shape(*self.window.out_sides(i.height, i.width), i.channels)

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        for name, most in LONGEST.items():
            value = getattr(self, name, 1)
            if isinstance(value, tuple) and len(value) not in {2, most}:
                raise self.error(name, value, "must be one number" + (", 2 or 4" if most == 4 else " or 2"))
        refused = refusal(self.window, shapes[0])
        if refused:
            field, why = refused
            raise self.error(field, getattr(self, field, 1), why)

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
