"""The input of a graph: frames from outside, as integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Node, NodeSites, Shape
from models.ir.normalization import Normalization

MAX_SIDE = 4096
MAX_CHANNELS = 1 << 20


@dataclass(frozen=True, eq=False, kw_only=True)
class Input(Node):
    """Frames from outside: in each channel an integer stands for ``offset + unit * scale * integer``.

    Parameters
        inputs     always empty
        shape      shape of the frames
        sparse     whether frames may have inactive sites; otherwise every site of a frame is active, or none
        offset     the offset of each channel; empty where all are 0 and all units 1
        unit       the unit of each channel; empty where all are 1 and all offsets 0
    """

    op: ClassVar[str] = "input"
    arity: ClassVar[int] = 0
    owns_format: ClassVar[bool] = False

    inputs: tuple[str, ...] = ()
    shape: Shape
    sparse: bool = False
    """Whether frames may have any active sites; without it every site of a frame is active, or none is."""
    offset: tuple[float, ...] = ()
    unit: tuple[float, ...] = ()

    def encode(self, real: np.ndarray) -> np.ndarray:
        """int64: the nearest representable integers of ``real`` [..., channels]."""
        # clipped before they become integers, which do not hold every float
        return self.dtype.nearest_value(self._steps(real).clip(self.dtype.min, self.dtype.max).astype(np.int64))

    def out_of_range(self, real: np.ndarray) -> np.ndarray:
        """bool: which of ``real`` [..., channels] lie beyond the format's range."""
        steps = self._steps(real)
        return (steps < self.dtype.min) | (steps > self.dtype.max)

    def _steps(self, real: np.ndarray) -> np.ndarray:
        pixels = Normalization(self.offset, self.unit).pixels(real) if self.unit else np.asarray(real, np.float64)
        return np.rint(pixels / self.scale)

    def out_shape(self, *inputs: Shape) -> Shape:
        return self.shape

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        height, width, channels = self.shape
        if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE and 1 <= channels <= MAX_CHANNELS):
            valid = f"1 to {MAX_SIDE} high and wide, with 1 to {MAX_CHANNELS} channels"
            raise self.error("shape", str(self.shape), f"must be {valid}")
        try:
            count = len(Normalization(self.offset, self.unit).unit)
        except ValueError as error:
            raise self.error("offset, unit", (self.offset, self.unit), f"is no normalization: {error}") from None
        if count not in (0, self.shape.channels):
            raise self.error(
                "unit", self.unit, f"must be empty, or one number for each of {self.shape.channels} channels"
            )

    def check_frame(self, frame: Frame, graph: str) -> None:
        """Raise a ValueError where a frame is none that the graph of that name takes."""
        if (frame.height, frame.width, frame.channels) != self.shape:
            actual = f"{frame.height}x{frame.width}x{frame.channels}"
            raise ValueError(f"graph {graph!r} takes frames of {self.shape}, not {actual}")
        if not self.sparse and 0 < len(frame.sites) < frame.height * frame.width:
            sites = f"{len(frame.sites)} of {frame.height * frame.width}"
            raise ValueError(f"graph {graph!r} takes dense frames, not one with {sites} sites active")
        if not np.array_equal(self.dtype.nearest_value(frame.features), frame.features):
            raise ValueError(f"graph {graph!r} takes values of {self.dtype}; the frame has others")

    def compute(self, *inputs: Frame) -> Frame:
        raise TypeError(f"node {self.name!r}: the frames of an input come from outside")

    def sites(self, source: Frame, sparse: bool) -> NodeSites:
        return NodeSites.without_window(source.sites, source.sites)

    def departures(self, arrivals: np.ndarray, sites: NodeSites) -> np.ndarray:
        return np.arange(1, len(sites.sites) + 1) / max(1, len(sites.sites))

    def work(self, sites: NodeSites, before: np.ndarray) -> np.ndarray:
        return np.ones(len(sites.sites))
