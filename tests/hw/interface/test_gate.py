# amaranth: UnusedElaboratable=no
"""The gate alone, against a list of answers: what leaves, what is dropped, and what a reset takes away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Value

from benchmarks.inputs.packets import random_frame
from hw.interface.axi_layout import AxiLayout, Form
from hw.interface.gate import Gate
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from tests.hw.interface.simulate import packed, simulate

LAYOUTS = {
    "tokens": AxiLayout(Form.TOKENS, TokenLayout(Shape(2, 3, 2), IntType(4), 1)),
    "many tokens": AxiLayout(Form.TOKENS, TokenLayout(Shape(9, 8, 2), IntType(4), 1)),
    "pixels": AxiLayout(Form.PIXELS, TokenLayout(Shape(2, 2, 2), IntType(4), 1)),
    "vector": AxiLayout(Form.PIXELS, TokenLayout(Shape(1, 1, 5), IntType(16), 1)),
    "number": AxiLayout(Form.PIXELS, TokenLayout(Shape(1, 1, 1), IntType(16), 1)),
}


class World:
    """An accelerator, verdicts, a sink and resets around a gate, with what is expected at every beat.

    ``whole`` are the good answers that have not left, as beats still to come; only the first may have been offered.
    """

    def __init__(self, gate: Gate, layout: AxiLayout, answers: int, stall: float, seed: int) -> None:
        self.gate, self.layout, self.left_over, self.stall = gate, layout, answers, stall
        self.rng = np.random.default_rng(seed)
        self.coming: list[int] = []
        self.words: list[int] = []
        self.bad = self.judged = self.valid = self.ready = self.drop = False
        self.whole: list[list[int]] = []
        self.offered = False
        self.gone = self.dropped = 0
        self.since_drop = 9
        self.waits = self.held = False

    def watched(self) -> list[Any]:
        gate = self.gate
        return [gate.i.ready, gate.done, gate.o.valid, Value.cast(gate.o.payload), gate.left, gate.waits]

    def drive(self, ctx: Any, cycle: int, values: Sequence[int] | None) -> None:
        if values:
            self._happened(*values)
        if not self.coming and self.left_over:
            self._next()
        gate, rng = self.gate, self.rng
        self.valid = bool(self.coming) and (self.valid or rng.random() >= self.stall)
        self.judged = bool(self.coming) and (self.judged or rng.random() >= self.stall)
        self.ready = rng.random() >= self.stall
        # resets are rare, but one may follow another at once
        self.drop = rng.random() < (0.3 if self.since_drop < 4 else 0.4 / (8 + self.layout.most_beats))
        self.since_drop = 0 if self.drop else self.since_drop + 1
        if self.coming:
            ctx.set(Value.cast(gate.i.payload), self.coming[0])
        for port, value in ((gate.i.valid, self.valid), (gate.judged, self.judged), (gate.bad, self.bad)):
            ctx.set(port, bool(value))
        ctx.set(gate.o.ready, bool(self.ready))
        ctx.set(gate.drop, bool(self.drop))

    def _next(self) -> None:
        """What the accelerator gives next, and what of it is to leave."""
        frame = random_frame(self.rng, self.layout, self.layout.form is Form.PIXELS)
        self.coming = self.layout.core.beats(frame)
        self.words = [packed(self.layout, beat) for beat in self.layout.beats(frame)]
        self.bad, self.judged, self.valid = bool(self.rng.random() < 0.3), False, False
        self.left_over -= 1

    def _happened(self, i_ready: int, done: int, valid: int, payload: int, left: int, waits: int) -> None:
        """What the last cycle did, in the order: out, in, reset."""
        assert not (self.offered and not valid and self.held), "an offered beat was withdrawn"
        if valid:
            assert self.whole, "a beat of nothing"
            assert payload == self.whole[0][0]
            self.offered = True
        last = bool(valid and self.ready and len(self.whole[0]) == 1)
        assert left == last
        if valid and self.ready:
            del self.whole[0][0]
        if last:
            del self.whole[0]
            self.offered = False
            self.gone += 1
        if self.valid and i_ready and not self.drop:
            ends = bool(self.coming.pop(0) & 1)
            assert done == ends
            self.valid = False
            if ends and not self.bad:
                self.whole.append(list(self.words))
        else:
            assert not done
        if self.drop:
            kept = 1 if self.offered else 0
            self.dropped += len(self.whole) - kept
            self.whole = self.whole[:kept]
            self.coming = []
        self.held = valid and not self.ready
        self.waits = bool(waits)

    @property
    def done(self) -> bool:
        return not self.left_over and not self.coming and not self.whole and not self.waits


@pytest.mark.parametrize("stall", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("name", LAYOUTS)
def test_answers_leave_whole_or_not_at_all(name: str, stall: float) -> None:
    layout = LAYOUTS[name]
    gate = Gate(layout)
    world = World(gate, layout, 30 if name == "many tokens" else 250, stall, seed=len(name))
    simulate(gate, [world], lambda _: world.done)
    assert world.gone
    assert world.dropped or not stall or name == "many tokens"
