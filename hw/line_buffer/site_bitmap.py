"""A bitmap of the active sites of the stored rows, written as tokens arrive and read a window's width at a time."""

from __future__ import annotations

from math import isqrt

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw.streams.layout import index_bits

SINGLE_WORD_BITS = 16
"""The most bits of a row that is a single word, in registers."""


class SiteBitmap(wiring.Component):
    """A bitmap with a bit per site. A read gives neighbouring bits of all rows.

    A row is stored in words of ``word`` bits. Words of even and of odd number are in separate memories, so that two
    neighbours can be read at once. A flag per word says whether it was written since the row was cleared. The bits of a
    word gather in a register, so that writing needs no read. A short row is one word, in registers.

    Parameters
        rows       stored rows
        width      bits of a row
        span       neighbouring bits that are read
    Ports
        clear          in, high to clear ``row``, as each new row needs it
        put            in, high to set bit ``x`` of ``row``, also in the cycle of ``clear``; ``x`` ascends within a row
        row            in, the row that is cleared or written
        x              in, the bit that is set
        column         in, the first bit that is read
        bits0, ...     out, for each row ``span`` bits from ``column`` on; bits beyond the row are 0
    Timing
        II         1 bit set per cycle, and a read per cycle
        latency    0 cycles from ``column`` to the bits; a bit that is set shows 1 cycle later
    Reset          clears all rows
    """

    def __init__(self, rows: int, width: int, span: int) -> None:
        self.rows, self.width, self.span = rows, width, span
        self.word = word_bits(width, span)
        self.words = -(-width // self.word)
        outs = {f"bits{n}": Out(span) for n in range(rows)}
        ports = {"clear": In(1), "put": In(1), "row": In(index_bits(rows)), "x": In(index_bits(width))}
        super().__init__({**ports, "column": In(index_bits(width)), **outs})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shift = self.word.bit_length() - 1
        number = self.x >> shift
        so_far, word = Signal(self.word), Signal(self.word)
        current, fresh, starts = Signal(index_bits(self.words)), Signal(init=1), Signal()
        m.d.comb += [
            starts.eq(self.clear | fresh | (number != current)),
            word.eq(Mux(starts, 0, so_far) | (1 << self.x[:shift])),
        ]
        with m.If(self.clear):
            m.d.sync += fresh.eq(1)
        with m.If(self.put):
            m.d.sync += [so_far.eq(word), current.eq(number), fresh.eq(0)]
        for n in range(self.rows):
            here = Signal(name=f"here{n}")
            m.d.comb += here.eq(self.row == n)
            read = self._one_word if self.words == 1 else self._many_words
            m.d.comb += getattr(self, f"bits{n}").eq(read(m, n, here, number, word))
        return m

    def _one_word(self, m: Module, n: int, here: Value, number: Value, word: Value) -> Value:
        kept = Signal(self.word, name=f"row{n}")
        with m.If(here & self.put):
            m.d.sync += kept.eq(word)
        with m.Elif(here & self.clear):
            m.d.sync += kept.eq(0)
        return (kept >> self.column)[: self.span]

    def _many_words(self, m: Module, n: int, here: Value, number: Value, word: Value) -> Value:
        shift = self.word.bit_length() - 1
        written = Signal(self.words, name=f"written{n}")
        previous = Mux(self.clear, 0, written)
        with m.If(here):
            m.d.sync += written.eq(Mux(self.put, previous | (1 << number), previous))
        left = self.column >> shift
        neighbours = []
        for odd in range(2):
            depth = (self.words + 1 - odd) // 2
            half = memory.Memory(shape=unsigned(self.word), depth=depth, init=[], attrs={"ram_style": "distributed"})
            m.submodules[f"row{n}_{('even', 'odd')[odd]}"] = half
            write, read = half.write_port(), half.read_port(domain="comb")
            place = Signal(range(depth + 1), name=f"place{n}_{odd}")
            m.d.comb += [
                write.addr.eq(number >> 1),
                write.data.eq(word),
                write.en.eq(here & self.put & (number[0] == odd)),
                place.eq(left >> 1 if odd else (left + 1) >> 1),
                read.addr.eq(place),
            ]
            flags = Array([*written[odd::2], 0])
            neighbours.append(Mux(flags[place], read.data, 0))
        words = Signal(2 * self.word, name=f"words{n}")
        m.d.comb += words.eq(Cat(neighbours))
        return rotate(m, words, self.column[: shift + 1], self.span, f"bits{n}")


def rotate(m: Module, value: Value, by: Value, width: int, name: str) -> Value:
    """The lowest bits of a value that is rotated to the right.

    Parameters
        m          module that gets the logic
        value      ``2 ** len(by)`` bits
        by         how far it is rotated
        width      bits of the result
        name       prefix of the names of new signals
    """
    for n in reversed(range(len(by))):
        turned = Signal(width + (1 << n) - 1, name=f"{name}_by{n}")
        m.d.comb += turned.eq(Mux(by[n], Cat(value[1 << n :], value[: 1 << n]), value))
        value = turned
    return value


def word_bits(width: int, span: int) -> int:
    """Bits of a word of a row's bitmap: a power of two near the square root of ``width``, at least ``span``.

    A short row is a single word.

    Parameters
        width      bits of a row
        span       neighbouring bits that are read
    """
    if width <= SINGLE_WORD_BITS:
        return 1 << index_bits(width)
    return 1 << (max(span, isqrt(width)) - 1).bit_length()
