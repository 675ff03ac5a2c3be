"""How frames lie on an AXI4-Stream: which beats a frame has, what a beat holds, where ``tlast`` is set.

A beat has a power of two of bytes. Its fields lie from bit 0 of ``tdata`` up; the bits above them are ignored.
``tlast`` is set on the last beat of a frame and nowhere else. There are three forms:

- ``TOKENS``: the beats of a ``TokenLayout``. The last is the ``end`` beat; an empty frame is that beat alone.
- ``MASK``: the beats of a ``MaskLayout``. An empty frame is its mask alone.
- ``PIXELS``, where every site is active: the features of all sites in raster order, ``lanes`` codes per beat, without
  coordinates and without ``end``. An empty frame is one beat without bytes: ``tkeep`` 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from amaranth.hdl import unsigned
from amaranth.lib import data, stream

from hw.accelerator.composition import AcceleratorPlan
from hw.streams.layout import InputLayout, MaskLayout, TokenLayout
from models.ir.frame import Frame


class Form(StrEnum):
    """The three forms of a stream of frames; the module describes each."""

    TOKENS = "tokens"
    MASK = "mask"
    PIXELS = "pixels"


class Beat(NamedTuple):
    """One transfer of an AXI4-Stream.

    Parameters
        data    ``tdata``
        keep    ``tkeep``, one bit per byte
        last    ``tlast``
    """

    data: int
    keep: int
    last: bool


@dataclass(frozen=True)
class AxiLayout:
    """An AXI4-Stream that carries the frames of one stream of the accelerator.

    Parameters
        form    how the frames lie on the AXI4-Stream
        core    layout of the accelerator's own stream
    Raises      ValueError: ``MASK`` without a ``MaskLayout``, or another form with one
    """

    form: Form
    core: InputLayout

    def __post_init__(self) -> None:
        if (self.form is Form.MASK) != isinstance(self.core, MaskLayout):
            raise ValueError(f"form {str(self.form)!r} does not carry frames of a {type(self.core).__name__}")

    @property
    def tokens(self) -> TokenLayout:
        """The same frames as tokens."""
        return self.core.tokens if isinstance(self.core, MaskLayout) else self.core

    @property
    def bits(self) -> int:
        """Bits of ``tdata`` that carry data."""
        if self.form is Form.PIXELS:
            return self.tokens.lanes * self.tokens.dtype.width
        return self.core.width

    @property
    def bytes(self) -> int:
        """Bytes of ``tdata``."""
        return 1 << (-(-self.bits // 8) - 1).bit_length()

    @property
    def keep_all(self) -> int:
        """The ``tkeep`` of a beat with all of its bytes."""
        return (1 << self.bytes) - 1

    @property
    def sites(self) -> int:
        """Sites of a frame, active or not."""
        return self.tokens.shape.height * self.tokens.shape.width

    @property
    def most_beats(self) -> int:
        """Beats of a frame with every site active, the most that a frame has."""
        features = self.sites * self.tokens.beats_per_token
        if isinstance(self.core, MaskLayout):
            return self.core.words + features
        return features + (self.form is Form.TOKENS)

    @property
    def struct(self) -> data.StructLayout:
        """The layout of one beat: ``data``, ``keep``, ``last``."""
        return data.StructLayout({"data": unsigned(8 * self.bytes), "keep": unsigned(self.bytes), "last": unsigned(1)})

    @property
    def signature(self) -> stream.Signature:
        """The Amaranth stream of these beats."""
        return stream.Signature(self.struct)

    def beats(self, frame: Frame) -> list[Beat]:
        """The beats of one frame.

        Raises    ValueError: in form ``PIXELS``, a frame with some of its sites active and others not
        """
        payloads = self.core.beats(frame)
        if self.form is Form.PIXELS:
            if len(frame.sites) not in (0, self.sites):
                raise ValueError(f"a frame of pixels has all {self.sites} sites or none, not {len(frame.sites)}")
            offset = self.tokens.width - self.bits
            payloads = [payload >> offset for payload in payloads[:-1]]
            if not payloads:
                return [Beat(0, 0, True)]
        last = len(payloads) - 1
        return [Beat(payload, self.keep_all, number == last) for number, payload in enumerate(payloads)]

    def frames(self, beats: Iterable[Beat]) -> list[Frame]:
        """The frames that these beats carry.

        Raises    ValueError: beats that break the rules of the form, or stop inside a frame
        """
        frames, payloads = [], []
        for beat in beats:
            if beat.keep:
                payloads.append(beat.data)
            if beat.last:
                frames += self._complete_frames(payloads)
                payloads = []
        if payloads:
            raise ValueError(f"the stream stops inside a frame, after {len(payloads)} beat(s) and no tlast")
        return frames

    def _complete_frames(self, payloads: list[int]) -> list[Frame]:
        if self.form is not Form.PIXELS:
            frames = list(self.core.frames(payloads))
            if len(frames) != 1:
                raise ValueError(f"tlast closes {len(frames)} frames")
            return frames
        height, width, channels = self.tokens.shape
        if len(payloads) not in (0, self.most_beats):
            raise ValueError(f"a frame of pixels has {self.most_beats} beats or none, not {len(payloads)}")
        bits, lanes = self.tokens.dtype.width, self.tokens.lanes
        codes = [payload >> bits * lane & (1 << bits) - 1 for payload in payloads for lane in range(lanes)]
        features = self.tokens.dtype.decode(np.array(codes, np.int64).reshape(-1, channels))
        sites = np.argwhere(np.ones((height, width), bool)) if payloads else np.zeros((0, 2), np.int64)
        return [Frame(height, width, sites, features)]


def axi_input(plan: AcceleratorPlan) -> AxiLayout:
    """The layout of the frames that go in.

    The form is ``MASK`` where the mapping asks for it; otherwise ``TOKENS`` where the network's input is sparse and
    ``PIXELS`` where every site is active.

    Parameters
        plan    the accelerator
    """
    if isinstance(plan.input_layout, MaskLayout):
        return AxiLayout(Form.MASK, plan.input_layout)
    return AxiLayout(Form.TOKENS if plan.graph.input.sparse else Form.PIXELS, plan.input_layout)


def axi_output(plan: AcceleratorPlan) -> AxiLayout:
    """The layout of the frames that come out: ``TOKENS`` where the output is sparse, otherwise ``PIXELS``.

    Parameters
        plan    the accelerator
    """
    return AxiLayout(Form.TOKENS if plan.graph.sparse[plan.graph.output] else Form.PIXELS, plan.output)
