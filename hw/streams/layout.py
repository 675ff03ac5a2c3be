"""What travels on a stream: frames as lists of beats. Features are always codes.

Between ops a beat is ``{end, y, x, features}``. A token of C channels takes C/lanes beats, lowest channels first.
Sites come in raster order. A frame closes with one ``end`` beat, whose other fields are zero. The payload is packed
lowest field first: ``end`` is bit 0.

A frame can also enter an accelerator as a bit-mask of its active sites followed by their packed features. A processor
keeps frames like this in memory, and a DMA engine reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import unsigned
from amaranth.lib import data, stream

from hw.fpga.mapping import FrameInput
from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Shape


def index_bits(count: int) -> int:
    """Bits of an index below ``count``; at least 1, because a field of 0 bits is of no use.

    Parameters
        count      number of values, at least 1
    """
    return max(1, (count - 1).bit_length())


MASK_BITS = 32
"""The fewest bits of a mask beat: the width of a processor's memory port."""


@dataclass(frozen=True)
class TokenLayout:
    """The payload of an edge: frames as tokens.

    Parameters
        shape      height and width of the frames, and their channels
        dtype      format of the features
        lanes      features per beat; divides the channels
    Raises         ValueError: when ``lanes`` does not divide the channels
    """

    shape: Shape
    dtype: DType
    lanes: int

    def __post_init__(self) -> None:
        _check_lanes(self.shape, self.lanes)

    @property
    def beats_per_token(self) -> int:
        """Beats that carry one token."""
        return self.shape.channels // self.lanes

    @property
    def struct(self) -> data.StructLayout:
        """The fields of a payload."""
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
        """The Amaranth stream of these payloads."""
        return stream.Signature(self.struct)

    @property
    def width(self) -> int:
        """Bits of a payload."""
        y, x = index_bits(self.shape.height), index_bits(self.shape.width)
        return 1 + y + x + self.lanes * self.dtype.width

    def beats(self, frame: Frame) -> list[int]:
        """The payloads of one frame, with its ``end``."""
        _check_frame(self.shape, frame)
        y_bits, x_bits = index_bits(self.shape.height), index_bits(self.shape.width)
        codes = self.dtype.encode(frame.features).reshape(len(frame.sites), self.beats_per_token, self.lanes)
        payloads = []
        for (y, x), token in zip(frame.sites.tolist(), codes.tolist(), strict=True):
            site = y << 1 | x << 1 + y_bits
            payloads += [_pack(lanes, self.dtype.width) << 1 + y_bits + x_bits | site for lanes in token]
        return [*payloads, 1]

    def split(self, payloads: Sequence[int]) -> list[slice]:
        """The payloads of each complete frame, with its ``end``; those of an incomplete last frame are left out."""
        ends = [index + 1 for index, payload in enumerate(payloads) if payload & 1]
        return [slice(start, stop) for start, stop in zip([0, *ends], ends, strict=False)]

    def frames(self, payloads: Iterable[int]) -> Iterator[Frame]:
        """The frames that payloads carry; an incomplete last frame is a ValueError."""
        y_bits, x_bits = index_bits(self.shape.height), index_bits(self.shape.width)
        sites: list[tuple[int, int]] = []
        codes: list[list[int]] = []
        for payload in payloads:
            if payload & 1:
                yield self._frame(sites, codes)
                sites, codes = [], []
                continue
            site = payload >> 1 & (1 << y_bits) - 1, payload >> 1 + y_bits & (1 << x_bits) - 1
            lanes = _unpack(payload >> 1 + y_bits + x_bits, self.dtype.width, self.lanes)
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
            actual = len(codes[-1])
            raise ValueError(f"end after {actual} of the {self.shape.channels} channels of site {sites[-1]}")
        features = self.dtype.decode(np.array(codes, dtype=np.int64).reshape(-1, self.shape.channels))
        return Frame(self.shape.height, self.shape.width, np.array(sites, dtype=np.int64).reshape(-1, 2), features)


@dataclass(frozen=True)
class MaskLayout:
    """The payload of an accelerator's input: frames as bit-masks and packed features.

    A frame of H x W sites starts with ceil(H*W/bits) beats of mask. Each site has a bit, in raster order from bit 0 up;
    the bits after the last site are ignored. The features of the active sites follow in raster order, lowest channels
    first, from bit 0 of each beat up; the bits above them are ignored. The mask implies how many beats the frame has.
    An empty frame is its mask alone.

    Parameters
        shape      height and width of the frames, and their channels
        dtype      format of the features
        lanes      features per beat; divides the channels
        bits       bits of a beat, at least ``lanes * dtype.width``
    Raises         ValueError: when ``lanes`` or ``bits`` is not valid
    """

    shape: Shape
    dtype: DType
    lanes: int
    bits: int

    def __post_init__(self) -> None:
        _check_lanes(self.shape, self.lanes)
        if self.bits < self.lanes * self.dtype.width:
            min_bits = self.lanes * self.dtype.width
            raise ValueError(
                f"bits must be at least {min_bits}, for {self.lanes} lanes of {self.dtype}, not {self.bits}"
            )

    @classmethod
    def of(cls, tokens: TokenLayout) -> MaskLayout:
        """The layout for frames that become ``tokens``: its ``bits`` are a power of two and at least ``MASK_BITS``."""
        bits = max(MASK_BITS, 1 << (tokens.lanes * tokens.dtype.width - 1).bit_length())
        return cls(tokens.shape, tokens.dtype, tokens.lanes, bits)

    @property
    def tokens(self) -> TokenLayout:
        """The layout of the same frames as tokens, with the same lanes."""
        return TokenLayout(self.shape, self.dtype, self.lanes)

    @property
    def words(self) -> int:
        """Mask beats per frame."""
        return -(-self.shape.height * self.shape.width // self.bits)

    @property
    def union(self) -> data.UnionLayout:
        """The two meanings of a payload."""
        features = data.ArrayLayout(unsigned(self.dtype.width), self.lanes)
        return data.UnionLayout({"mask": unsigned(self.bits), "features": features})

    @property
    def signature(self) -> stream.Signature:
        """The Amaranth stream of these payloads."""
        return stream.Signature(self.union)

    @property
    def width(self) -> int:
        """Bits of a payload."""
        return self.bits

    def beats(self, frame: Frame) -> list[int]:
        """The payloads of one frame."""
        _check_frame(self.shape, frame)
        sites = frame.mask.ravel()
        padded = np.zeros(self.words * self.bits, dtype=bool)
        padded[: len(sites)] = sites
        rows = np.packbits(padded.reshape(self.words, self.bits), axis=1, bitorder="little")
        codes = self.dtype.encode(frame.features).reshape(-1, self.lanes)
        return [
            *(int.from_bytes(row.tobytes(), "little") for row in rows),
            *(_pack(lanes, self.dtype.width) for lanes in codes.tolist()),
        ]

    def split(self, payloads: Sequence[int]) -> list[slice]:
        """The payloads of each complete frame; those of an incomplete last frame are left out."""
        parts, start = [], 0
        while start + self.words <= len(payloads):
            sites = sum(word.bit_count() for word in self._mask(payloads[start : start + self.words]))
            stop = start + self.words + sites * self.tokens.beats_per_token
            if stop > len(payloads):
                break
            parts.append(slice(start, stop))
            start = stop
        return parts

    def frames(self, payloads: Iterable[int]) -> Iterator[Frame]:
        """The frames that payloads carry; an incomplete last frame is a ValueError."""
        payloads = list(payloads)
        parts = self.split(payloads)
        for part in parts:
            words, beats = payloads[part.start :][: self.words], payloads[part.start + self.words : part.stop]
            height, width, channels = self.shape
            raster = [n * self.bits + bit for n, word in enumerate(self._mask(words)) for bit in _ones(word)]
            codes = [_unpack(beat, self.dtype.width, self.lanes) for beat in beats]
            features = self.dtype.decode(np.array(codes, dtype=np.int64).reshape(-1, channels))
            sites = np.array([divmod(place, width) for place in raster], dtype=np.int64).reshape(-1, 2)
            yield Frame(height, width, sites, features)
        if remaining := len(payloads) - (parts[-1].stop if parts else 0):
            raise ValueError(f"the stream stops inside a frame, after {remaining} beat(s)")

    def _mask(self, words: Sequence[int]) -> list[int]:
        """The mask words of a frame, with the bits after the last site cleared."""
        unused_bits = self.words * self.bits - self.shape.height * self.shape.width
        return [*words[:-1], words[-1] & (1 << self.bits - unused_bits) - 1]


InputLayout = TokenLayout | MaskLayout
"""What the input stream of an accelerator carries."""


def input_layout(tokens: TokenLayout, frame_input: FrameInput) -> InputLayout:
    """The layout of an accelerator's input stream.

    Parameters
        tokens         layout of the tokens that the frames become
        frame_input    whether the frames arrive as tokens or as masks
    """
    return MaskLayout.of(tokens) if frame_input is FrameInput.MASK else tokens


def _check_lanes(shape: Shape, lanes: int) -> None:
    if lanes < 1 or shape.channels % lanes:
        raise ValueError(f"lanes must divide the {shape.channels} channels, not {lanes}")


def _check_frame(shape: Shape, frame: Frame) -> None:
    if (frame.height, frame.width, frame.channels) != shape:
        actual = f"{frame.height}x{frame.width}x{frame.channels}"
        raise ValueError(f"this stream carries frames of {shape}, not {actual}")


def _pack(codes: Sequence[int], width: int) -> int:
    """Codes side by side, the first one lowest."""
    word = 0
    for code in reversed(codes):
        word = word << width | code
    return word


def _unpack(word: int, width: int, count: int) -> list[int]:
    return [word >> lane * width & (1 << width) - 1 for lane in range(count)]


def _ones(word: int) -> Iterator[int]:
    """The positions of the set bits of a word, lowest first."""
    while word:
        lowest = word & -word
        yield lowest.bit_length() - 1
        word ^= lowest
