"""One multiply-accumulate lane for layers of 8, 4 and 2 bits: its ``mode`` says whether a word is 1, 2 or 4 codes.

The products of a word are Booth rows of radix 4, and all modes share the rows: those of one wide product serve as
those of several narrow ones, with other operands and at other places.

The lane pays where one engine executes many layers of different formats in turn, for integers, on LUTs of 4 inputs: it
replaces one lane for each format. On LUTs of 6 inputs the multiplexers cost what the shared rows save, in all
but registers. The rows of DyBit are those of its decoded integers, and three lanes with the circuits of
``hw.arithmetic.codecs`` take fewer LUTs (``benchmarks.multipliers``). In the designs that ``netweave`` generates every
layer has an engine and a format of its own. A lane for that format alone is smaller, so no op uses this one.
"""

from __future__ import annotations

from enum import IntEnum

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.adders import add, add_tree, tree_stages
from hw.arithmetic.codecs.codec import signed_width
from hw.arithmetic.codecs.registry import codec
from models.ir.dtype import DType

WORD_BITS = 8


class Mode(IntEnum):
    """What a word of ``WORD_BITS`` bits is: one code of 8 bits, two of 4, or four of 2."""

    EIGHT = 0
    FOUR = 1
    TWO = 2

    @property
    def width(self) -> int:
        """Bits of a code."""
        return WORD_BITS >> self

    @property
    def codes(self) -> int:
        """Codes in a word."""
        return 1 << self


class FusedMac(wiring.Component):
    """A running sum of products of features and weights, whose width ``mode`` chooses word by word.

    Parameters
        kind              class of the number formats, ``IntType`` or ``DyBitType``
        features_signed   whether features are signed; weights always are
        width             bits of the sum; every sum must fit
    Ports
        features   in, a word of codes, the first code lowest
        weights    in, a word of codes, the first code lowest
        mode       in, the mode of this word; it may change from word to word
        first      in, high when the word starts a new sum
        sum        out, the exact sum of products of decoded integers, signed, ``width`` bits
    Timing
        II         1 word per cycle
        latency    as the property ``latency`` says, in cycles from a word to the sum that contains it
    Reset          clears the sum and the words in the pipeline
    """

    def __init__(self, kind: type[DType], features_signed: bool, width: int) -> None:
        self.features_of = {mode: kind(mode.width, features_signed) for mode in Mode}
        self.weights_of = {mode: kind(mode.width, True) for mode in Mode}
        self.rows = max(mode.codes * self._rows(mode) for mode in Mode)
        super().__init__(
            {
                "features": In(WORD_BITS),
                "weights": In(WORD_BITS),
                "mode": In(range(len(Mode))),
                "first": In(1),
                "sum": Out(signed(width)),
            }
        )

    def _rows(self, mode: Mode) -> int:
        """Booth rows of one product."""
        return (signed_width(self.weights_of[mode]) + 1) // 2

    @property
    def latency(self) -> int:
        """Cycles from a word to its sum: a register each after decoding, rows, each adder stage and the accumulator."""
        return 2 + tree_stages(self.rows) + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        features = self._decoded(m, self.features, self.features_of, "feature")
        weights = self._decoded(m, self.weights, self.weights_of, "weight")
        mode = Signal.like(self.mode)
        m.d.sync += mode.eq(self.mode)
        rows, signs = zip(*(self._row(m, n, mode, features, weights) for n in range(self.rows)), strict=True)
        total, pending = add_tree(m, rows, "rows", signs)
        first = self.first
        for stage in range(self.latency - 1):
            held = Signal(name=f"first{stage}")
            m.d.sync += held.eq(first)
            first = held
        m.d.sync += self.sum.eq(add(Mux(first, 0, self.sum), total, pending[0]))
        return m

    def _decoded(self, m: Module, word: Value, formats: dict[Mode, DType], name: str) -> list[Signal]:
        """The registered decoded codes of a word; a mode uses only as many of them as it has codes."""
        values: list[Signal] = []
        for n in range(max(mode.codes for mode in Mode)):
            there = [mode for mode in Mode if n < mode.codes]
            value = Signal(signed(max(signed_width(formats[mode]) for mode in there)), name=f"{name}{n}")
            with m.Switch(self.mode):
                for mode in there:
                    code = word.word_select(n, mode.width)
                    with m.Case(mode):
                        m.d.sync += value.eq(codec(formats[mode]).decode(m, code, f"{name}{n}_{mode.width}"))
            values.append(value)
        return values

    def _row(
        self, m: Module, n: int, mode: Value, features: list[Signal], weights: list[Signal]
    ) -> tuple[Value, Value]:
        """Booth row ``n``, registered, without the bit that its negative still needs; and that bit."""
        places = {}
        for each in Mode:
            code, digit = divmod(n, self._rows(each))
            if code < each.codes:
                places[each] = code, digit
        operand = Signal(signed(max(len(features[code]) for code, _ in places.values())), name=f"operand{n}")
        digit_bits = Signal(3, name=f"digit{n}")
        size = Signal(signed(len(operand) + 1), name=f"size{n}")
        low, one, sign = digit_bits
        row = Signal(signed(len(size) + max(2 * digit for _, digit in places.values())), name=f"row{n}")
        negative = Signal(name=f"row{n}_negative")
        m.d.comb += size.eq(Mux(low ^ one, operand, Mux(one ^ sign, operand << 1, 0)))
        with m.Switch(mode):
            for each, (code, digit) in places.items():
                weight = Cat(Const(0, 1), weights[code], weights[code][-1])
                with m.Case(each):
                    m.d.comb += [operand.eq(features[code]), digit_bits.eq(weight[2 * digit : 2 * digit + 3])]
                    inverted = size ^ sign.replicate(len(size)).as_signed()
                    m.d.sync += row.eq(Cat(sign.replicate(2 * digit), inverted).as_signed())
            with m.Default():
                m.d.sync += row.eq(0)
        m.d.sync += negative.eq(sign)
        return row, negative
