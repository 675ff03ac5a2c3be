"""The frame checker: whatever comes from outside, the accelerator gets whole, legal frames."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.interface.axi_layout import AxiLayout
from hw.interface.rules import Fault, frame_rules

TIME_BITS = 32

VERDICT = data.StructLayout({"bad": unsigned(1), "start": unsigned(TIME_BITS)})
"""Whether a frame was bad, and the time (``now``) of its first beat."""


class FrameChecker(wiring.Component):
    """Turns any beats from outside into legal frames for the accelerator, and reports the frames that were bad.

    A right beat passes on in the cycle in which it comes. The first wrong beat ends its frame: neither it nor what
    follows up to ``tlast`` passes. The frame is brought to a legal end with zeros, one beat per cycle, while the rest
    is swallowed. A beat without bytes and without ``tlast`` is ignored. In form ``PIXELS`` the ``end`` beat takes a
    cycle of its own after a frame. Only the next frame waits for the ``tlast`` of a bad one.

    Parameters
        layout        layout of the beats from outside
        dense_only    True where the accelerator takes only frames with every site active, and empty ones
    Ports
        i             in, any beats of ``layout``
        now           in, the time in cycles
        cut           in, high for a cycle without a beat at ``i``: what follows up to the next ``tlast`` is the rest of
                      a frame that a reset dropped, and is swallowed
        room          in, high while the queue of verdicts has room; no frame is closed without it, and it falls only
                      after a frame was closed
        o             out, legal frames of ``layout.core``
        closed        out, high in the cycle in which the last beat of a frame leaves at ``o``
        verdict       out, with ``closed``: whether the frame was bad, and when its first beat came
        fault         out, the kind of each bad frame, one bit per ``Fault``, for one cycle
        inside        out, high while a frame is begun and not yet closed at ``o``
        swallowing    out, high while the rest of a bad or dropped frame is swallowed
    Timing
        II            1 beat per cycle
        latency       0 cycles
    Reset             drops everything
    """

    def __init__(self, layout: AxiLayout, dense_only: bool) -> None:
        self.layout, self.dense_only = layout, dense_only
        super().__init__(
            {
                "i": In(layout.signature),
                "now": In(TIME_BITS),
                "cut": In(1),
                "room": In(1),
                "o": Out(layout.core.signature),
                "closed": Out(1),
                "verdict": Out(VERDICT),
                "fault": Out(len(Fault)),
                "inside": Out(1),
                "swallowing": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.rules = rules = frame_rules(self.layout, self.dense_only)
        bad, start = Signal(), Signal(TIME_BITS)
        closing, judged, wrong, may, filling, step = (Signal() for _ in range(6))
        nothing = (self.i.payload.keep == 0) & ~self.i.payload.last
        m.d.comb += [
            rules.beat.eq(self.i.payload),
            filling.eq(closing | rules.alone),
            judged.eq(self.i.valid & ~nothing & ~filling & ~self.swallowing),
            wrong.eq(rules.wrong.any()),
            may.eq(~rules.closes | self.room),
            rules.fill.eq(filling),
            rules.step.eq(step),
            step.eq(self.o.valid & self.o.ready),
            Value.cast(self.o.payload).eq(rules.payload),
            self.o.valid.eq((filling | (judged & ~wrong)) & may),
            self.i.ready.eq(self.swallowing | (~filling & (nothing | wrong | (self.o.ready & may)))),
            self.closed.eq(step & rules.closes),
            self.verdict.bad.eq(bad),
            self.verdict.start.eq(Mux(self.inside, start, self.now)),
        ]
        with m.If(judged & wrong):
            m.d.comb += self.fault.eq(rules.wrong)
            m.d.sync += [closing.eq(1), bad.eq(1), self.swallowing.eq(~self.i.payload.last)]
        with m.If(judged & (wrong | step) & ~self.inside):
            m.d.sync += [self.inside.eq(1), start.eq(self.now)]
        with m.If(self.closed):
            m.d.sync += [closing.eq(0), bad.eq(0), self.inside.eq(0)]
        with m.If(self.swallowing & self.i.valid & self.i.payload.last):
            m.d.sync += self.swallowing.eq(0)
        with m.If(self.cut):
            m.d.sync += self.swallowing.eq(1)
        return m
