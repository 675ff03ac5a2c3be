"""What travels on a stream: beats of ``{end, y, x, features}``, and frames as lists of beats.

A token of C channels takes C/lanes beats, lowest channels first; sites come in raster order; a
frame closes with one ``end`` beat whose other fields are zero. Features travel as codes.
The payload is packed lowest field first: ``end`` is bit 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import unsigned
from amaranth.lib import data, stream

from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.graph import Shape


def index_bits(count: int) -> int:
    """Bits of an index below ``count``; at least 1, as a field of no bits helps nobody."""
    return max(1, (count - 1).bit_length())


@dataclass(frozen=True)
class TokenLayout:
    """The payload of an edge: tokens of ``shape``'s frame, ``lanes`` features of ``dtype`` a beat."""

    shape: Shape
    dtype: DType
    lanes: int

    def __post_init__(self) -> None:
        if self.lanes < 1 or self.shape.channels % self.lanes:
            raise ValueError(f"lanes must divide the {self.shape.channels} channels, not {self.lanes}")

    @property
    def beats_per_token(self) -> int:
        return self.shape.channels // self.lanes

    @property
    def struct(self) -> data.StructLayout:
        return data.StructLayout(
            {
                "end": unsigned(1),
                "y": unsigned(index_bits(self.shape.height)),
                "x": unsigned(index_bits(self.shape.width)),
                "features": data.ArrayLayout(unsigned(self.dtype.width), self.lanes),
            }
        )

    @property
    def signature(self) -> stream.Signature:
        return stream.Signature(self.struct)

    @property
    def width(self) -> int:
        """Bits of a payload."""
        y, x = index_bits(self.shape.height), index_bits(self.shape.width)
        return 1 + y + x + self.lanes * self.dtype.width

    def beats(self, frame: Frame) -> list[int]:
        """The payloads of one frame, its ``end`` included."""
        if (frame.height, frame.width, frame.channels) != self.shape:
            got = f"{frame.height}x{frame.width}x{frame.channels}"
            raise ValueError(f"this stream carries frames of {self.shape}, not {got}")
        y_bits, x_bits = index_bits(self.shape.height), index_bits(self.shape.width)
        codes = self.dtype.encode(frame.features).reshape(len(frame.sites), self.beats_per_token, self.lanes)
        payloads = []
        for (y, x), token in zip(frame.sites.tolist(), codes.tolist(), strict=True):
            site = y << 1 | x << 1 + y_bits
            for lanes in token:
                word = 0
                for code in reversed(lanes):
                    word = word << self.dtype.width | code
                payloads.append(word << 1 + y_bits + x_bits | site)
        return [*payloads, 1]

    def frames(self, payloads: Iterable[int]) -> Iterator[Frame]:
        """The frames that a list of payloads carries; a last one without ``end`` is an error."""
        y_bits, x_bits = index_bits(self.shape.height), index_bits(self.shape.width)
        code_mask = (1 << self.dtype.width) - 1
        sites: list[tuple[int, int]] = []
        codes: list[list[int]] = []
        for payload in payloads:
            if payload & 1:
                yield self._frame(sites, codes)
                sites, codes = [], []
                continue
            site = payload >> 1 & (1 << y_bits) - 1, payload >> 1 + y_bits & (1 << x_bits) - 1
            word = payload >> 1 + y_bits + x_bits
            lanes = [word >> i * self.dtype.width & code_mask for i in range(self.lanes)]
            if codes and len(codes[-1]) < self.shape.channels:
                if site != sites[-1]:
                    raise ValueError(f"site {site} starts before the {self.shape.channels} channels of {sites[-1]}")
                codes[-1] += lanes
            else:
                sites.append(site)
                codes.append(lanes)
        if sites:
            raise ValueError(f"the stream stops inside a frame, after {len(sites)} token(s) and no end")

    def _frame(self, sites: list[tuple[int, int]], codes: list[list[int]]) -> Frame:
        if codes and len(codes[-1]) != self.shape.channels:
            got = len(codes[-1])
            raise ValueError(f"end after {got} of the {self.shape.channels} channels of site {sites[-1]}")
        features = self.dtype.decode(np.array(codes, dtype=np.int64).reshape(-1, self.shape.channels))
        return Frame(self.shape.height, self.shape.width, np.array(sites, dtype=np.int64).reshape(-1, 2), features)
