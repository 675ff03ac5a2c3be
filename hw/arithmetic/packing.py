"""Several products in one multiplication: weights side by side in one operand, and a feature they share in the other.

``(w1 * 2**b + w0) * a = w1*a * 2**b + w0*a``: the result has fields of ``b`` bits, each with the signed product of one
weight. A field below zero borrows 1 from the field above it, and adding 1 to that field corrects it. Results of several
features can be added before the fields are separated, as long as every sum fits its field.

Source: two 8-bit products per DSP48E2 in ESDA (arXiv 2401.05626); here for other widths and numbers of fields too.
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
"""Terms that an adder tree adds between two registers: two adders in series."""


@dataclass(frozen=True)
class Packing:
    """How weights share a multiplication.

    Parameters
        fields     the most weights in an operand
        bits       bits from one weight in the operand to the next, and of each field but the last
        summed     products that are added before the fields are separated: all of a lane's, or a power of
                   ``TREE_RADIX``, so that the adder tree has no more stages than without packing
    """

    fields: int
    bits: int
    summed: int

    def groups(self, lanes: int) -> list[range]:
        """The lanes that share each multiplication; the last group may have fewer than the others."""
        return [range(at, min(at + self.fields, lanes)) for at in range(0, lanes, self.fields)]


def operand_width(weights: DType, fields: int, bits: int) -> int:
    """Bits of packed weights as one signed number.

    Parameters
        weights    format of the weights
        fields     weights in the operand
        bits       bits from one weight to the next
    """
    ones = sum(1 << bits * field for field in range(fields))
    return width(weights.min * ones, weights.max * ones)


def field_width(features: DType, weights: DType, products: int) -> int:
    """Bits of a field that holds a sum of products, and its negative.

    Parameters
        features   format of the features
        weights    format of the weights
        products   products in the sum
    """
    return (products * max(-features.min, features.max) * max(-weights.min, weights.max)).bit_length() + 1


@cache
def packing(features: DType, weights: DType, lanes: int, terms: int, operand: int) -> Packing | None:
    """How the weights of several lanes share multiplications; None where no two weights fit into an operand.

    The lanes are divided evenly over as few groups as possible. The fields are then made as wide as fits, for sums
    of as many products as possible.

    Parameters
        features   format of the features
        weights    format of the weights
        lanes      weights by which each feature is multiplied
        terms      products per lane and step
        operand    bits of the multiplier's operand for weights
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
    """The packed operand of some weights, one cycle later.

    Parameters
        m          module that gets the logic
        weights    signed weights; the first is in the lowest field
        bits       bits from one weight to the next
        name       prefix of the names of new signals
    Returns        signed
    """
    registers: list[Signal] = []
    borrow: Value | None = None
    for field, weight in enumerate(weights):
        field_value = weight if borrow is None else weight - borrow
        registers.append(Signal(signed(len(weight) + (field > 0)), name=f"{name}_{field}"))
        m.d.sync += registers[-1].eq(field_value)
        borrow = field_value < 0
    fields: list[Value] = []
    for field, value in enumerate(registers[:-1]):
        fields.append(Signal(signed(bits), name=f"{name}_field{field}"))
        m.d.comb += fields[-1].eq(value)
    return Cat(*fields, registers[-1]).as_signed()


def split(total: Value, fields: int, bits: int) -> list[tuple[Value, Value | None]]:
    """The fields of a product or of a sum of products, lowest first.

    Parameters
        total      signed
        fields     number of fields
        bits       bits of each field but the last
    Returns        for each field (signed number, 1 bit to add to it or None)
    """
    edges = [*range(0, bits * fields, bits), len(total)]
    parts = [total[a:b] for a, b in pairwise(edges)]
    # a field borrows from the field above where its own sum is below zero, or where that is 0 and the field below
    # borrows from it; in both cases its highest bit reads as 1
    carries = [None, *(part[-1] for part in parts[:-1])]
    return [(part.as_signed(), carry) for part, carry in zip(parts, carries, strict=True)]
