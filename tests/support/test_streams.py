# amaranth: UnusedElaboratable=no
from __future__ import annotations

from typing import Any

import pytest
from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from tests.support.streams import Pace, run_op

LAYOUT = data.StructLayout({"end": 1, "value": 7})


class Register(wiring.Component):
    """One register; ``fault`` breaks one stream rule."""

    i: Any
    o: Any
    busy: Any

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        super().__init__({"i": In(stream.Signature(LAYOUT)), "o": Out(stream.Signature(LAYOUT)), "busy": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        full = Signal()
        waited = Signal()
        m.d.comb += [self.i.ready.eq(~full | (self.o.valid & self.o.ready)), self.o.valid.eq(full), self.busy.eq(full)]
        payload: Any = Signal(LAYOUT)
        m.d.comb += self.o.payload.eq(payload)
        with m.If(self.i.ready):
            m.d.sync += [full.eq(self.i.valid), payload.eq(self.i.payload)]
        m.d.sync += waited.eq(full & ~self.o.ready)
        if self.fault == "withdraws":
            m.d.comb += self.o.valid.eq(full & ~waited)
        elif self.fault == "changes":
            m.d.comb += self.o.payload.as_value().eq(Mux(waited, 0x55 << 1, payload.as_value()))
        elif self.fault == "waits":
            m.d.comb += self.o.valid.eq(full & self.o.ready)
        elif self.fault == "hangs":
            m.d.comb += self.o.valid.eq(0)
        return m


BEATS = [2 * n for n in range(1, 30)] + [1] + [2 * n for n in range(30)] + [1]


@pytest.mark.parametrize("source", [0.0, 0.4])
@pytest.mark.parametrize("sink", [0.0, 0.4, Pace.AFTER_VALID])
def test_passes_every_beat_in_order(source: float, sink: float | Pace) -> None:
    run = run_op(Register(), [BEATS], 2, source_stall=source, sink_stall=sink, seed=3)
    assert run.payloads == BEATS
    assert len(run.accepted[0]) == len(BEATS)
    assert run.flags == {"busy": 0}


def test_cycles_without_stalls_and_with_chosen_ones() -> None:
    run = run_op(Register(), [BEATS], 2)
    assert run.accepted[0] == list(range(len(BEATS)))
    assert [cycle for cycle, _ in run.outputs] == list(range(1, len(BEATS) + 1))
    assert run.end_cycles == [30, 61]
    run = run_op(Register(), [BEATS], 2, source_stall=lambda cycle: cycle < 5)
    assert run.accepted[0][0] == 5
    run = run_op(Register(), [BEATS], 2, sink_stall=lambda cycle: cycle % 2 == 0)
    assert {cycle % 2 for cycle, _ in run.outputs} == {1}


@pytest.mark.parametrize(
    ("fault", "sink", "message"),
    [
        ("withdraws", 0.5, "o.valid fell before the sink took"),
        ("changes", 0.5, "o.payload went from 0x.* to 0xaa while it waited"),
        ("waits", Pace.AFTER_VALID, "hang: after 501 cycles 0 of 2 frames and 0 beats came out; .*: i 1 of 61"),
        ("hangs", 0.0, "hang: .*i 1 of 61"),
    ],
)
def test_broken_rules_are_found(fault: str, sink: float | Pace, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        run_op(Register(fault), [BEATS], 2, sink_stall=sink, limit_cycles=500)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"1 input streams \(i\), not 2"):
        run_op(Register(), [BEATS, BEATS], 2)
    with pytest.raises(ValueError, match=r"below 1, not 1.0"):
        run_op(Register(), [BEATS], 2, source_stall=1.0)
