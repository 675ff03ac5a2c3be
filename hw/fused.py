"""One lane for layers of 8, 4 and 2 bits: a word of 8 bits holds one, two or four codes, as its ``mode`` says.

The products of a word are rows of Booth's radix 4, and all modes share them: the rows of one wide product are those of
several narrow ones, of other operands and at other places. Where it pays: an engine that many layers take in turn, with
formats of their own, in place of a lane for each format, and for integers, on LUTs of 4 inputs; on LUTs of 6 inputs
the choices cost what the rows save, in all but registers. DyBit's rows are those of decoded integers, and three lanes
with the circuits of ``hw.codes`` take fewer LUTs (``benchmarks.multipliers``). Where every layer has its own engine, as
in the designs that ``netweave`` generates, each op has one format for good: a lane of that format alone is smaller, and
no op is made of this one.
"""

from __future__ import annotations

from enum import IntEnum

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.codes import decode, signed_width
from hw.mac import add, add_tree, tree_stages
from models.ir.dtype import DType

WORD_BITS = 8


class Mode(IntEnum):
    """What a word holds."""

    EIGHT = 0
    FOUR = 1
    TWO = 2

    @property
    def width(self) -> int:
        """Bits of a code."""
        return WORD_BITS >> self

    @property
    def codes(self) -> int:
        return 1 << self


class FusedMac(wiring.Component):
    """A running sum of products of features and weights of ``kind``, codes of the width that ``mode`` says.

    In, one word each a cycle: ``features``, signed or not, and ``weights``, signed, the first code lowest; ``mode``, of
    this word; ``first``, high when the word starts a new sum. Out: ``sum``, a signed integer of ``width`` bits, which
    must hold it, ``latency`` cycles later: of decoded integers, exact. II 1. Modes may change from word to word; what
    they mean together is for who mixes them to say.
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
        """Of each product."""
        return (signed_width(self.weights_of[mode]) + 1) // 2

    @property
    def latency(self) -> int:
        """Decoded codes, rows, adder tree, accumulator: a register after each."""
        return 2 + tree_stages(self.rows) + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        features = self._decoded(m, self.features, self.features_of, "feature")
        weights = self._decoded(m, self.weights, self.weights_of, "weight")
        mode = Signal.like(self.mode)
        m.d.sync += mode.eq(self.mode)
        rows, signs = zip(*(self._row(m, n, mode, features, weights) for n in range(self.rows)), strict=True)
        total, left = add_tree(m, rows, "rows", signs)
        first = self.first
        for stage in range(self.latency - 1):
            held = Signal(name=f"first{stage}")
            m.d.sync += held.eq(first)
            first = held
        m.d.sync += self.sum.eq(add(Mux(first, 0, self.sum), total, left[0]))
        return m

    def _decoded(self, m: Module, word: Value, formats: dict[Mode, DType], name: str) -> list[Signal]:
        """The decoded codes of a word, registered; one that a mode does not have is never used in it."""
        values: list[Signal] = []
        for n in range(max(mode.codes for mode in Mode)):
            there = [mode for mode in Mode if n < mode.codes]
            value = Signal(signed(max(signed_width(formats[mode]) for mode in there)), name=f"{name}{n}")
            with m.Switch(self.mode):
                for mode in there:
                    code = word.word_select(n, mode.width)
                    with m.Case(mode):
                        m.d.sync += value.eq(decode(m, code, formats[mode], f"{name}{n}_{mode.width}"))
            values.append(value)
        return values

    def _row(
        self, m: Module, n: int, mode: Value, features: list[Signal], weights: list[Signal]
    ) -> tuple[Value, Value]:
        """Row ``n``, registered: inverted where it is below zero, and then a bit to add to it."""
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
