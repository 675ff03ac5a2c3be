"""Several products in one multiplication: weights side by side in one operand, a feature they share in the other.

``(w1 * 2**b + w0) * a = w1*a * 2**b + w0*a``: fields of ``b`` bits, each the signed product of one weight. A field
below zero borrows one from the field above, so reading that one back adds one. Products of several terms may be
added as they are, and the fields read once, as long as every sum fits its field. Source: two 8-bit products a
DSP48E2 as in ESDA (arXiv 2401.05626), generalized to other widths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, takewhile

from amaranth.hdl import Cat, Module, Signal, Value, signed

from models.ir.accumulator import width
from models.ir.dtype import DType

TREE_RADIX = 4
"""Terms added between two registers of an adder tree: two adders in a row."""


@dataclass(frozen=True)
class Packing:
    """``fields`` weights at most in an operand, ``bits`` apart; ``summed``: how many products are added before their
    fields are read, all of a lane's or a power of ``TREE_RADIX``, so that packing adds no stage to an adder tree.
    """

    fields: int
    bits: int
    summed: int

    def groups(self, lanes: int) -> list[range]:
        """Which lanes share a multiplication; the last group may have fewer than the others."""
        return [range(at, min(at + self.fields, lanes)) for at in range(0, lanes, self.fields)]


def operand_width(weights: DType, fields: int, bits: int) -> int:
    """Bits of ``fields`` weights, ``bits`` apart, as one signed number."""
    ones = sum(1 << bits * field for field in range(fields))
    return width(weights.min * ones, weights.max * ones)


def field_width(features: DType, weights: DType, products: int) -> int:
    """Bits of a field that holds a sum of so many products, and its negative."""
    return (products * max(-features.min, features.max) * max(-weights.min, weights.max)).bit_length() + 1


@cache
def packing(features: DType, weights: DType, lanes: int, terms: int, operand: int) -> Packing | None:
    """How ``lanes`` weights of each of ``terms`` features share multiplications of ``operand`` bits; None if no two do.

    As many fields as fit, evenly over the fewest groups of lanes, and then the most products a field holds.
    """

    def fit(fields: int, products: int) -> bool:
        return operand_width(weights, fields, field_width(features, weights, products)) <= operand

    most = sum(1 for _ in takewhile(lambda fields: fit(fields, 1), range(1, lanes + 1)))
    if most < 2:
        return None
    fields = -(-lanes // -(-lanes // most))
    summed = terms
    if not fit(fields, terms):
        summed = 1
        while fit(fields, summed * TREE_RADIX):
            summed *= TREE_RADIX
    return Packing(fields, field_width(features, weights, summed), summed)


def pack(m: Module, weights: Sequence[Value], bits: int, name: str) -> Value:
    """The operand of signed ``weights``, the first in the lowest field, registered: one cycle later."""
    held: list[Signal] = []
    borrow: Value | None = None
    for field, weight in enumerate(weights):
        left = weight if borrow is None else weight - borrow
        held.append(Signal(signed(len(weight) + (field > 0)), name=f"{name}_{field}"))
        m.d.sync += held[-1].eq(left)
        borrow = left < 0
    fields: list[Value] = []
    for field, value in enumerate(held[:-1]):
        fields.append(Signal(signed(bits), name=f"{name}_field{field}"))
        m.d.comb += fields[-1].eq(value)
    return Cat(*fields, held[-1]).as_signed()


def split(total: Value, fields: int, bits: int) -> list[tuple[Value, Value | None]]:
    """(field, what to add to it) of each of ``fields`` fields, the lowest first: signed numbers and single bits."""
    edges = [*range(0, bits * fields, bits), len(total)]
    parts = [total[a:b] for a, b in pairwise(edges)]
    # a field reads as below zero where it is, or where it is 0 and has lent to the one below: it has borrowed in both
    carries = [None, *(part[-1] for part in parts[:-1])]
    return [(part.as_signed(), carry) for part, carry in zip(parts, carries, strict=True)]
