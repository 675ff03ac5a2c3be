"""The rules of a frame: what is wrong with a beat, and how a frame is brought to a legal end.

There is one component per form. ``FrameRules`` describes the ports and contract that all forms share.
"""

from __future__ import annotations

from enum import IntEnum
from functools import reduce
from operator import add

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.interface.axi_layout import AxiLayout, Form
from hw.streams.layout import MaskLayout, index_bits


class Fault(IntEnum):
    """What can be wrong with a frame, as bit numbers. Of several rules that a beat breaks, the lowest is reported."""

    KEEP = 0
    RANGE = 1
    ORDER = 2
    PLACE = 3
    MASK = 4
    SHORT = 5
    LONG = 6


FAULTS = {
    Fault.KEEP: "a beat without all of its bytes (tkeep)",
    Fault.RANGE: "a token outside the frame",
    Fault.ORDER: "a token not after the one before in raster order",
    Fault.PLACE: "a beat of a token at another place than its first, or a token with too few beats",
    Fault.MASK: "a mask with some of its sites where the network takes all or none",
    Fault.SHORT: "the frame stops (tlast, or end inside a token) before it is whole",
    Fault.LONG: "the frame goes on after it is whole: no tlast on its last beat",
}


class FrameRules(wiring.Component):
    """The ports and the contract that the components of the three forms share.

    The component follows one frame at a time and knows the position in it. A wrong beat must not be passed on: the
    component then makes up beats of zeros, as few as the frame needs to be legal, and these replace the wrong beat and
    all that follow it.

    Parameters
        layout     layout of the beats from outside
    Ports
        beat       in, the next beat from outside
        fill       in, high where the next beat for the accelerator is made up instead of taken from ``beat``
        step       in, high in the cycle in which ``payload`` goes to the accelerator
        wrong      out, the first rule that ``beat`` breaks at this place, one bit per ``Fault``; 0 where it breaks none
        payload    out, the next beat for the accelerator, taken from ``beat`` or made up
        closes     out, high where ``payload`` is the last beat of its frame
        alone      out, high where the next beat for the accelerator is due before another beat from outside
    Timing
        latency    0 cycles
    Reset          begins a frame
    """

    def __init__(self, layout: AxiLayout) -> None:
        self.layout = layout
        super().__init__(
            {
                "beat": In(layout.struct),
                "fill": In(1),
                "step": In(1),
                "wrong": Out(len(Fault)),
                "payload": Out(layout.core.width),
                "closes": Out(1),
                "alone": Out(1),
            }
        )

    def _drive_wrong(self, m: Module, conditions: dict[Fault, Value]) -> None:
        """Drive ``wrong`` with the lowest of the broken rules."""
        earlier = Signal(len(Fault))
        found = Signal(len(Fault))
        m.d.comb += [found[fault].eq(condition) for fault, condition in conditions.items()]
        m.d.comb += [earlier[fault].eq(found[:fault].any()) for fault in conditions if fault]
        m.d.comb += self.wrong.eq(found & ~earlier)


class TokenRules(FrameRules):
    """The rules of form ``TOKENS``: a bad frame's last token is completed with zeros, then ``end`` is made up.

    Parameters
        layout    layout of the beats from outside
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        tokens, beat = self.layout.tokens, self.beat
        height, width, _ = tokens.shape
        given, out = Signal(tokens.struct), Signal(tokens.struct)
        part, some = Signal(index_bits(tokens.beats_per_token)), Signal()
        y, x = Signal.like(given.y), Signal.like(given.x)
        starts = part == 0
        m.d.comb += Value.cast(given).eq(beat.data)
        self._drive_wrong(
            m,
            {
                Fault.KEEP: beat.keep != self.layout.keep_all,
                Fault.RANGE: ~given.end & starts & ((given.y >= height) | (given.x >= width)),
                Fault.ORDER: ~given.end & starts & some & (Cat(given.x, given.y) <= Cat(x, y)),
                Fault.PLACE: ~given.end & ~starts & (Cat(given.x, given.y) != Cat(x, y)),
                Fault.SHORT: Mux(given.end, ~starts, beat.last),
                Fault.LONG: given.end & starts & ~beat.last,
            },
        )
        m.d.comb += [self.payload.eq(out), self.closes.eq(out.end)]
        with m.If(self.fill):
            m.d.comb += out.end.eq(starts)
            with m.If(~starts):
                m.d.comb += [out.y.eq(y), out.x.eq(x)]
        with m.Elif(given.end):
            m.d.comb += out.end.eq(1)
        with m.Else():
            m.d.comb += out.eq(given)
        with m.If(self.step & out.end):
            m.d.sync += [part.eq(0), some.eq(0)]
        with m.Elif(self.step):
            m.d.sync += [y.eq(out.y), x.eq(out.x), some.eq(1)]
            m.d.sync += part.eq(Mux(part == tokens.beats_per_token - 1, 0, part + 1))
        return m


class PixelRules(FrameRules):
    """The rules of form ``PIXELS``: coordinates and ``end`` are added; features that are missing are filled with zeros.

    Parameters
        layout    layout of the beats from outside
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        tokens, beat = self.layout.tokens, self.beat
        height, width, _ = tokens.shape
        out = Signal(tokens.struct)
        part = Signal(index_bits(tokens.beats_per_token))
        y, x = Signal(index_bits(height)), Signal(index_bits(width))
        begun, whole, empty, final = Signal(), Signal(), Signal(), Signal()
        last_part = part == tokens.beats_per_token - 1
        m.d.comb += [
            empty.eq((beat.keep == 0) & beat.last & ~begun),
            final.eq(last_part & (x == width - 1) & (y == height - 1)),
            out.end.eq(Mux(self.fill, ~begun | whole, empty)),
            self.payload.eq(out),
            self.closes.eq(out.end),
            self.alone.eq(whole),
        ]
        self._drive_wrong(
            m,
            {
                Fault.KEEP: (beat.keep != self.layout.keep_all) & ~empty,
                Fault.SHORT: ~empty & beat.last & ~final,
                Fault.LONG: final & ~beat.last,
            },
        )
        with m.If(~out.end):
            m.d.comb += [out.y.eq(y), out.x.eq(x)]
            with m.If(~self.fill):
                m.d.comb += Value.cast(out.features).eq(beat.data)
        with m.If(self.step & out.end):
            m.d.sync += [begun.eq(0), whole.eq(0)]
        with m.Elif(self.step):
            m.d.sync += [begun.eq(1), whole.eq(final), part.eq(Mux(last_part, 0, part + 1))]
            with m.If(last_part):
                m.d.sync += x.eq(Mux(x == width - 1, 0, x + 1))
                with m.If(x == width - 1):
                    m.d.sync += y.eq(Mux(y == height - 1, 0, y + 1))
        return m


class MaskRules(FrameRules):
    """The rules of form ``MASK``: missing sites are filled as not active, missing features with zeros.

    Where ``dense_only`` is True, the first site of the frame decides how a mask that was cut short goes on: with all
    sites or with none.

    Parameters
        layout        layout of the beats from outside
        dense_only    True where the network takes only frames with every site active, and empty ones
    """

    def __init__(self, layout: AxiLayout, dense_only: bool) -> None:
        super().__init__(layout)
        self.dense_only = dense_only

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beat, mask = self.beat, self.layout.core
        assert isinstance(mask, MaskLayout)
        beats = mask.tokens.beats_per_token
        unused_bits = mask.words * mask.bits - self.layout.sites
        masking, count = Signal(init=1), Signal(index_bits(mask.words))
        left = Signal(range(self.layout.sites * beats + 1))
        inside, given, word, allowed = (Signal(mask.bits, name=n) for n in ("inside", "given", "word", "allowed"))
        last_word, ends = Signal(), Signal()
        m.d.comb += [
            last_word.eq(count == mask.words - 1),
            inside.eq(Mux(last_word, (1 << mask.bits - unused_bits) - 1, (1 << mask.bits) - 1)),
            given.eq(beat.data & inside),
        ]
        if self.dense_only:
            full, all_sites = Signal(), Signal()
            first = Mux(self.fill, 0, given[0])
            m.d.comb += all_sites.eq(Mux(count == 0, first, full))
            m.d.comb += [allowed.eq(Mux(all_sites, inside, 0)), word.eq(allowed)]
            with m.If(self.step & masking):
                m.d.sync += full.eq(all_sites)
        else:
            m.d.comb += [allowed.eq(given), word.eq(Mux(self.fill, 0, given))]
        m.d.comb += ends.eq(Mux(masking, last_word & (left == 0) & (given == 0), left == 1))
        self._drive_wrong(
            m,
            {
                Fault.KEEP: beat.keep != self.layout.keep_all,
                Fault.MASK: masking & (given != allowed),
                Fault.SHORT: beat.last & ~ends,
                Fault.LONG: ends & ~beat.last,
            },
        )
        features = Mux(self.fill, 0, beat.data[: mask.tokens.lanes * mask.dtype.width])
        m.d.comb += [
            self.payload.eq(Mux(masking, word, features)),
            self.closes.eq(Mux(masking, last_word & (left == 0) & (word == 0), left == 1)),
        ]
        with m.If(self.step & masking):
            sites = reduce(add, (word[n] for n in range(mask.bits)))
            m.d.sync += [left.eq(left + sites * beats), count.eq(Mux(last_word, 0, count + 1))]
            with m.If(last_word & ~self.closes):
                m.d.sync += masking.eq(0)
        with m.Elif(self.step):
            m.d.sync += left.eq(left - 1)
            with m.If(left == 1):
                m.d.sync += masking.eq(1)
        return m


def frame_rules(layout: AxiLayout, dense_only: bool) -> FrameRules:
    """The component for the rules of a layout's form.

    Parameters
        layout        layout of the beats from outside
        dense_only    True where the network takes only frames with every site active, and empty ones
    """
    if layout.form is Form.MASK:
        return MaskRules(layout, dense_only)
    return PixelRules(layout) if layout.form is Form.PIXELS else TokenRules(layout)
