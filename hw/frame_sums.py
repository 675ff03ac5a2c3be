"""Sums over a whole frame: accumulators that collect while those of the frame before are sent."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw.layout import index_bits


class FrameSums(wiring.Component):
    """Two banks of ``groups * pe`` accumulators of ``width`` bits: one collects, one is sent.

    In: ``sum0``... to be added to ``group``'s when ``last``; ``end`` closes the frame. Out: ``total0``... with
    ``out_last``, the groups in order from the cycle after ``end``, one every ``beats`` cycles, and ``out_end`` when
    their beats are over. The sums of an empty frame are 0. ``end`` must not come again before ``groups * beats + 1``
    cycles; the sequencer sees to that.
    """

    def __init__(self, pe: int, groups: int, beats: int, width: int) -> None:
        self.pe, self.groups, self.beats, self.width = pe, groups, beats, width
        super().__init__(
            {
                **{f"sum{p}": In(signed(width)) for p in range(pe)},
                "last": In(1),
                "group": In(index_bits(groups)),
                "end": In(1),
                **{f"total{p}": Out(signed(width)) for p in range(pe)},
                "out_last": Out(1),
                "out_end": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = unsigned(self.pe * self.width)
        m.submodules.banks = banks = memory.Memory(shape=word, depth=2 * self.groups, init=[])
        write = banks.write_port()
        collect, send = banks.read_port(domain="comb"), banks.read_port(domain="comb")
        bank, fresh, empty = Signal(), Signal(init=1), Signal()
        sending, closing, part = Signal(), Signal(), Signal(range(self.beats))
        group = Signal(index_bits(self.groups))
        m.d.comb += [
            collect.addr.eq(bank * self.groups + self.group),
            write.addr.eq(collect.addr),
            write.en.eq(self.last),
            send.addr.eq(Mux(bank, 0, self.groups) + group),
            self.out_last.eq(sending & (part == 0)),
            self.out_end.eq(closing),
        ]
        for p in range(self.pe):
            so_far = collect.data.word_select(p, self.width).as_signed()
            total = (Mux(fresh, 0, so_far) + getattr(self, f"sum{p}"))[: self.width]
            m.d.comb += write.data.word_select(p, self.width).eq(total)
            sent = send.data.word_select(p, self.width).as_signed()
            m.d.comb += getattr(self, f"total{p}").eq(Mux(empty, 0, sent))
        with m.If(self.last & (self.group == self.groups - 1)):
            m.d.sync += fresh.eq(0)
        m.d.sync += closing.eq(0)
        with m.If(sending):
            m.d.sync += part.eq(part + 1)
            with m.If(part == self.beats - 1):
                m.d.sync += [part.eq(0), group.eq(group + 1)]
                with m.If(group == self.groups - 1):
                    m.d.sync += [sending.eq(0), closing.eq(1)]
        with m.If(self.end):
            m.d.sync += [bank.eq(~bank), empty.eq(fresh), fresh.eq(1), sending.eq(1), group.eq(0), part.eq(0)]
        return m
