"""Sums over a whole frame: two banks of accumulators, of which one collects while the other is sent."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw.streams.layout import index_bits


class FrameAccumulator(wiring.Component):
    """Accumulators of a whole frame (ping-pong): one bank adds up a frame while the sums of the frame before leave.

    The groups of a token come in ascending order, and all of them come. The sums of an empty frame are 0.

    Parameters
        pe              sums per group
        neuron_folds    groups of sums per frame
        beats           cycles that each group takes to leave
        width           bits of a sum, signed; every sum must fit
    Ports
        sum0, ...      in, ``pe`` numbers to add to those of ``group``
        last           in, high when ``sum0``, ... and ``group`` are valid
        group          in, number of the group
        end            in, high when the frame is over
        total0, ...    out, the ``pe`` sums of a group
        out_last       out, high in the first cycle of each group's ``total0``, ...
        out_end        out, high in the cycle after the ``beats`` cycles of the last group
    Timing
        II         1 group per cycle; ``end`` at most every ``neuron_folds * beats + 1`` cycles, which the op ensures
        latency    1 cycle from ``end`` to the first group; the others follow in order, every ``beats`` cycles
    Reset          drops all sums
    """

    def __init__(self, pe: int, neuron_folds: int, beats: int, width: int) -> None:
        self.pe, self.neuron_folds, self.beats, self.width = pe, neuron_folds, beats, width
        super().__init__(
            {
                **{f"sum{p}": In(signed(width)) for p in range(pe)},
                "last": In(1),
                "group": In(index_bits(neuron_folds)),
                "end": In(1),
                **{f"total{p}": Out(signed(width)) for p in range(pe)},
                "out_last": Out(1),
                "out_end": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = unsigned(self.pe * self.width)
        m.submodules.banks = banks = memory.Memory(shape=word, depth=2 * self.neuron_folds, init=[])
        write = banks.write_port()
        collect, send = banks.read_port(domain="comb"), banks.read_port(domain="comb")
        bank, fresh, empty = Signal(), Signal(init=1), Signal()
        sending, closing, part = Signal(), Signal(), Signal(range(self.beats))
        group = Signal(index_bits(self.neuron_folds))
        m.d.comb += [
            collect.addr.eq(bank * self.neuron_folds + self.group),
            write.addr.eq(collect.addr),
            write.en.eq(self.last),
            send.addr.eq(Mux(bank, 0, self.neuron_folds) + group),
            self.out_last.eq(sending & (part == 0)),
            self.out_end.eq(closing),
        ]
        for p in range(self.pe):
            so_far = collect.data.word_select(p, self.width).as_signed()
            total = (Mux(fresh, 0, so_far) + getattr(self, f"sum{p}"))[: self.width]
            m.d.comb += write.data.word_select(p, self.width).eq(total)
            sent = send.data.word_select(p, self.width).as_signed()
            m.d.comb += getattr(self, f"total{p}").eq(Mux(empty, 0, sent))
        with m.If(self.last & (self.group == self.neuron_folds - 1)):
            m.d.sync += fresh.eq(0)
        m.d.sync += closing.eq(0)
        with m.If(sending):
            m.d.sync += part.eq(part + 1)
            with m.If(part == self.beats - 1):
                m.d.sync += [part.eq(0), group.eq(group + 1)]
                with m.If(group == self.neuron_folds - 1):
                    m.d.sync += [sending.eq(0), closing.eq(1)]
        with m.If(self.end):
            m.d.sync += [bank.eq(~bank), empty.eq(fresh), fresh.eq(1), sending.eq(1), group.eq(0), part.eq(0)]
        return m
