"""The frame checker: whatever comes from outside, the accelerator sees whole, legal frames."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.interface.axi_layout import AxiLayout
from hw.interface.rules import Fault, frame_rules

TIME_BITS = 32

VERDICT = data.StructLayout({"bad": unsigned(1), "start": unsigned(TIME_BITS)})
"""What became of a frame, and ``now`` when its first beat came."""


class FrameChecker(wiring.Component):
    """Frames from outside, in beats of ``layout``, to frames of ``layout.core`` that follow its rules.

    In: ``i``, any beats whatever; ``now``, the time; ``cut``, while ``i`` is silent: what comes up to the next
    ``tlast`` is the rest of a frame that a reset took away; ``room`` for a verdict, without which no frame is closed
    and which goes only after one was. Out: ``o``, the accelerator's input; ``closed``, in the cycle in which a
    frame's last beat leaves at ``o``, with its ``verdict``; ``fault``, the kind of each bad frame, for one cycle;
    ``inside``: a frame is begun and not yet closed at ``o``; ``swallowing``: the rest of a bad frame is awaited.

    A right beat passes in the cycle in which it comes (latency 0, II 1). The first wrong one ends its frame: neither
    it nor what follows up to ``tlast`` passes, and the frame is brought to a legal end with zeros, a beat a cycle,
    while the rest is swallowed. A beat without bytes and without ``tlast`` is nothing. In the form of pixels ``end``
    takes a cycle of its own after a frame. Nothing here waits for ``tlast`` but the next frame. Reset drops
    everything.
    """

    def __init__(self, layout: AxiLayout, whole: bool) -> None:
        self.layout, self.whole = layout, whole
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
        m.submodules.rules = rules = frame_rules(self.layout, self.whole)
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
