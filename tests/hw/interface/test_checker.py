# amaranth: UnusedElaboratable=no
"""The checker: whatever comes in, legal frames go on, and every bad frame is told with its kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Value
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.inputs.packets import DAMAGES, damaged, random_frame, random_traffic, verdicts
from hw.interface.axi_layout import AxiLayout, Beat, Form
from hw.interface.checker import FrameChecker
from hw.interface.rules import Fault
from hw.streams.layout import MaskLayout, TokenLayout
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape
from tests.hw.interface.simulate import Sink, Source, Watch, packed, simulate

INT4, UINT8 = IntType(4), IntType(8, False)
CASES = {
    "tokens": (AxiLayout(Form.TOKENS, TokenLayout(Shape(3, 5, 4), INT4, 2)), False),
    "tokens, a beat each": (AxiLayout(Form.TOKENS, TokenLayout(Shape(6, 2, 1), UINT8, 1)), False),
    "one site": (AxiLayout(Form.TOKENS, TokenLayout(Shape(1, 1, 3), UINT8, 1)), False),
    "pixels": (AxiLayout(Form.PIXELS, TokenLayout(Shape(2, 3, 4), INT4, 2)), True),
    "pixels, one site": (AxiLayout(Form.PIXELS, TokenLayout(Shape(1, 1, 2), UINT8, 2)), True),
    "mask": (AxiLayout(Form.MASK, MaskLayout(Shape(3, 5, 4), INT4, 2, 8)), False),
    "mask, one word": (AxiLayout(Form.MASK, MaskLayout(Shape(2, 3, 1), UINT8, 1, 32)), False),
    "mask, all sites": (AxiLayout(Form.MASK, MaskLayout(Shape(3, 5, 2), INT4, 2, 8)), True),
}


class Room:
    """Room for verdicts: gone only after one came, as in a queue, and back sooner or later."""

    def __init__(self, checker: FrameChecker, share: float) -> None:
        self.checker, self.share, self.room = checker, share, True
        self.rng = np.random.default_rng(3)

    def watched(self) -> list[Any]:
        return [self.checker.closed]

    def drive(self, ctx: Any, cycle: int, values: Sequence[int] | None) -> None:
        if (values and values[0]) or not self.room:
            self.room = self.rng.random() >= self.share
        ctx.set(self.checker.room, self.room)


def check(
    name: str, traffic: list[Beat], source_stall: float = 0.0, sink_stall: float = 0.0, room: float = 0.0
) -> list[Frame | Fault]:
    """Play ``traffic``, which ends with ``tlast``; compare with the model; give its verdicts."""
    layout, whole = CASES[name]
    expected = verdicts(layout, whole, traffic)
    checker = FrameChecker(layout, whole)
    i, o = checker.i, checker.o
    source = Source(
        Value.cast(i.payload), i.valid, i.ready, [packed(layout, beat) for beat in traffic], source_stall, 1
    )
    sink = Sink(Value.cast(o.payload), o.valid, o.ready, sink_stall, 2)
    closed = Watch(checker.closed, checker.verdict.bad, checker.verdict.start)
    faults = Watch(checker.fault, checker.fault)
    rooms = Room(checker, room)

    stop = [0]

    def done(cycle: int) -> bool:
        if source.done and len(closed.seen) >= len(expected):
            stop[0] = stop[0] or cycle + 10
        return bool(stop[0]) and cycle > stop[0]

    simulate(checker, [source, sink, closed, faults, rooms], done, limit=40 * len(traffic) + 2000)
    assert [bool(bad) for bad, _ in closed.seen] == [isinstance(one, Fault) for one in expected]
    assert [kinds for (kinds,) in faults.seen] == [1 << one for one in expected if isinstance(one, Fault)]
    frames = list(layout.core.frames(sink.words))
    assert len(frames) == len(expected)
    for frame, one in zip(frames, expected, strict=True):
        assert isinstance(one, Fault) or frame == one
        assert not whole or len(frame.sites) in (0, layout.sites)
    return expected


@pytest.mark.parametrize("name", CASES)
def test_good_frames_pass_without_a_gap(name: str) -> None:
    layout, whole = CASES[name]
    rng = np.random.default_rng(1)
    frames = [random_frame(rng, layout, whole) for _ in range(12)]
    assert check(name, [beat for frame in frames for beat in layout.beats(frame)]) == frames


@pytest.mark.few(3)
@pytest.mark.parametrize("name", CASES)
def test_every_damage_at_every_beat(name: str) -> None:
    """One damaged frame after the other, each between good ones; every kind that the form knows comes up."""
    layout, whole = CASES[name]
    rng = np.random.default_rng(2)
    draws = [random_frame(rng, layout, whole) for _ in range(50)]
    full = max(draws, key=lambda frame: len(frame.sites))
    other = next(frame for frame in draws if len(frame.sites) < layout.sites)
    traffic: list[Beat] = []
    for frame in (full, other) * (1 + 20 // layout.most_beats):
        beats = layout.beats(frame)
        for kind in DAMAGES:
            for at in range(len(beats)):
                traffic += [*layout.beats(other), *damaged(rng, layout, beats, kind, at)]
    traffic += [*layout.beats(other), *layout.beats(other)]
    kinds = {one for one in check(name, traffic, 0.1, 0.2, 0.2) if isinstance(one, Fault)}
    known = {Fault.KEEP, Fault.LONG}
    if layout.form is Form.TOKENS:
        known |= {Fault.RANGE, Fault.ORDER, Fault.SHORT}
        known |= {Fault.PLACE} if layout.tokens.beats_per_token > 1 else set()
    elif layout.form is Form.MASK:
        known |= {Fault.SHORT, *([Fault.MASK] if whole else [])}
    elif layout.sites > 1:
        known |= {Fault.SHORT}
    assert kinds == known


@settings(max_examples=25)
@given(name=st.sampled_from(list(CASES)), seed=st.integers(0, 2**32 - 1), share=st.sampled_from([0.3, 0.6, 0.8]))
def test_any_traffic(name: str, seed: int, share: float) -> None:
    layout, whole = CASES[name]
    rng = np.random.default_rng(seed)
    frames = [random_frame(rng, layout, whole) for _ in range(8)]
    stalls = rng.choice([0.0, 0.3, 0.8], 3).tolist()
    check(name, random_traffic(rng, layout, whole, frames, share), *stalls)
