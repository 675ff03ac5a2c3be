"""From frames as bit-masks and packed features to tokens."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.fpga.device import Device, Resources
from hw.fpga.families.registry import family
from hw.fpga.formulas import index, total
from hw.resources.streams import queue
from hw.streams.layout import MaskLayout, index_bits
from hw.streams.stream import Queue, queue_latency

LUTS_PER_MASK_BIT = {6: 5, 4: 6}
"""LUTs per bit of a mask word, by the inputs of a LUT; fitted to what Yosys makes of a few layouts."""
LUTS_PER_PLACE_BIT = 4
"""LUTs per bit of a site's place, fitted likewise."""


def mask_input_resources(layout: MaskLayout, device: Device) -> Resources:
    """The resources of a ``MaskInput``.

    The word list and the registers are counted exactly; LUTs are estimated per bit of a word and of a site's place.

    Parameters
        layout     layout of the input
        device     device it is built for
    """
    f = family(device)
    place = index(layout.shape.height) + index(layout.shape.width)
    unused = layout.words * layout.bits - layout.shape.height * layout.shape.width
    lut = LUTS_PER_MASK_BIT[f.lut_inputs] * layout.bits + LUTS_PER_PLACE_BIT * place + unused
    counters = index(layout.words) + place + 1 + index(layout.tokens.beats_per_token)
    stages = place + layout.bits + 2 + place + index(layout.bits) + 2 + place + 2
    words = queue(f, place + layout.bits + 1, layout.words)
    return total(f, [words]) + Resources(lut, counters + stages)


def mask_latency(layout: MaskLayout) -> int:
    """Cycles from a mask word's entry to the earliest token, or ``end``, that it causes.

    Parameters
        layout     layout of the input
    """
    return queue_latency(layout.words) + 3


class MaskInput(wiring.Component):
    """Makes tokens from frames as bit-masks and packed features.

    ::

        i -> mask words -> list of words that are not empty -> word -> first bit -> site (y, x)
          -> features ------------------------------------------------------------> token -> o

    The word list holds the words of one frame that have an active site, and always the last word, each with the place
    of its first bit. An empty word therefore costs only the cycle in which it arrives. The sites are found one per
    cycle, lowest bit first, without a gap between words. For frames of many words the list is block memory.

    Parameters
        layout     layout of the input
    Ports
        i          in, frames in ``layout``
        o          out, frames in ``layout.tokens``
    Timing
        II         1 mask word per cycle, always taken; then 1 feature beat per cycle
        latency    0 cycles from a feature beat to its token, when its site and the sink are ready;
                   ``mask_latency(layout)`` cycles from the last mask word to its first site or, without one, to ``end``
        frame      ``words + sites * beats_per_token + 1`` cycles, with a source and a sink that never wait, and up to
                   ``mask_latency - 1`` more where the first site, or ``end``, is found only after the last mask word
        ordering   raster order; the next frame's mask is taken from the cycle after ``end`` has left
    Reset          drops the frame
    """

    def __init__(self, layout: MaskLayout) -> None:
        self.layout = layout
        super().__init__({"i": In(layout.signature), "o": Out(layout.tokens.signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layout, shape = self.layout, self.layout.shape
        y_bits, x_bits = index_bits(shape.height), index_bits(shape.width)
        place = data.StructLayout({"y": y_bits, "x": x_bits})
        entry = data.StructLayout({"place": place, "bits": layout.bits, "last": 1})
        m.submodules.words = words = Queue(entry, layout.words)
        masking = Signal(init=1)
        self._store_words(m, masking, words)

        word = Signal(entry)
        word_valid = Signal()
        found = Signal(data.StructLayout({"place": place, "bit": index_bits(layout.bits), "end": 1}))
        found_valid = Signal()
        site = Signal(data.StructLayout({"place": place, "end": 1}))
        site_valid, site_done = Signal(), Signal()
        found_moves, word_moves, word_done = Signal(), Signal(), Signal()
        rest = Signal(layout.bits)
        m.d.comb += [
            found_moves.eq(~site_valid | site_done),
            word_moves.eq(~found_valid | found_moves),
            rest.eq(word.bits & (word.bits - 1)),
            # the last word gives one entry more than it has sites: the end
            word_done.eq(Mux(word.last, word.bits == 0, rest == 0)),
            words.o.ready.eq(~word_valid | (word_moves & word_done)),
        ]
        with m.If(words.o.ready):
            m.d.sync += [word.eq(words.o.payload), word_valid.eq(words.o.valid)]
        with m.Elif(word_moves):
            m.d.sync += word.bits.eq(rest)
        with m.If(word_moves):
            m.d.sync += [
                found_valid.eq(word_valid),
                found.place.eq(word.place),
                found.bit.eq(_bit_index(word.bits ^ rest, layout.bits)),
                found.end.eq(word.bits == 0),
            ]
        with m.If(found_moves):
            y, x = _advance(found.place, found.bit, layout.bits - 1, shape.width)
            m.d.sync += [
                site_valid.eq(found_valid),
                site.place.y.eq(Mux(found.end, 0, y)),
                site.place.x.eq(Mux(found.end, 0, x)),
                site.end.eq(found.end),
            ]
        self._send_tokens(m, masking, site, site_valid, site_done)
        return m

    def _store_words(self, m: Module, masking: Signal, words: Queue) -> None:
        """Put mask words into the list, each with the place of its first bit."""
        layout, shape = self.layout, self.layout.shape
        entry = words.i.payload
        count = Signal(range(layout.words))
        place = Signal.like(entry.place)
        unused_bits = layout.words * layout.bits - shape.height * shape.width
        inside = Mux(entry.last, (1 << layout.bits - unused_bits) - 1, (1 << layout.bits) - 1)
        y, x = _advance(place, layout.bits, layout.bits, shape.width)
        m.d.comb += [
            entry.last.eq(count == layout.words - 1),
            entry.bits.eq(self.i.payload.mask & inside),
            entry.place.eq(place),
            words.i.valid.eq(masking & self.i.valid & (entry.last | entry.bits.any())),
        ]
        with m.If(masking & self.i.valid):
            with m.If(entry.last):
                m.d.sync += [count.eq(0), place.y.eq(0), place.x.eq(0), masking.eq(0)]
            with m.Else():
                m.d.sync += [count.eq(count + 1), place.y.eq(y), place.x.eq(x)]

    def _send_tokens(self, m: Module, masking: Signal, site: Signal, site_valid: Signal, site_done: Signal) -> None:
        """Send feature beats with their sites, then the frame's ``end``; at that time the word list is empty."""
        tokens = self.layout.tokens
        part = Signal(index_bits(tokens.beats_per_token))
        feature = Signal()
        last = part == tokens.beats_per_token - 1
        m.d.comb += [
            feature.eq(~masking & site_valid & ~site.end),
            self.i.ready.eq(masking | (feature & self.o.ready)),
            self.o.valid.eq(Mux(site.end, site_valid, feature & self.i.valid)),
            self.o.payload.end.eq(site.end),
            self.o.payload.y.eq(site.place.y),
            self.o.payload.x.eq(site.place.x),
            site_done.eq(self.o.valid & self.o.ready & (site.end | last)),
        ]
        for lane in range(tokens.lanes):
            m.d.comb += self.o.payload.features[lane].eq(Mux(site.end, 0, self.i.payload.features[lane]))
        with m.If(self.o.valid & self.o.ready):
            with m.If(site.end):
                m.d.sync += masking.eq(1)
            with m.Else():
                m.d.sync += part.eq(Mux(last, 0, part + 1))


def _bit_index(one_hot: Value, bits: int) -> Value:
    """The position of the set bit in a word of ``bits`` bits of which exactly one is set."""
    return Cat(
        Cat(one_hot[n] for n in range(bits) if n >> digit & 1).any() for digit in range(index_bits(bits)) if bits > 1
    )


def _advance(place: Any, offset: Value | int, max_offset: int, width: int) -> tuple[Value, Value]:
    """(y, x) of the site that follows ``place`` by ``offset``, at most ``max_offset``, sites in raster order."""
    x = place.x + offset
    rows, columns = 0, 0
    for row in range(1, (width - 1 + max_offset) // width + 1):
        beyond = x >= row * width
        rows, columns = Mux(beyond, row, rows), Mux(beyond, row * width, columns)
    return place.y + rows, x - columns
