"""What products and adder trees take where weights never change, as in ops that are unrolled whole.

It is a function of the weights' values. A product has an adder for each of Booth's digits after the first, and none
where another lane has it too; products with 0 leave the tree, and those with small weights narrow its adders.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from hw.arithmetic.adders import tree_stages
from hw.arithmetic.codecs.codec import signed_width
from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.mac import MacArraySpec
from hw.arithmetic.multipliers import Products
from hw.arithmetic.packing import TREE_RADIX
from hw.arithmetic.products import STAGE_ROWS
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, dsp_blocks, joined_bits
from hw.resources.products import waiting_bits
from models.ir.accumulator import width
from models.ir.dtype import DType

ROWS, CHOICES, GATES, SHIFTS = range(4)
"""Terms of constant products: bits of adders of rows; of rows that the feature chooses; of what is looked up or
inverted before an adder; of what is shifted, by how many places.
"""
CHOSEN_GATES = 3
"""Bits of the functions of a feature that all bits of a row share."""


class Logic(NamedTuple):
    """LUTs of a product with a constant. Products of a feature share those of the same term and key.

    Parameters
        term       the term of ``constants`` that counts them: ROWS, CHOICES, GATES or SHIFTS
        key        what tells different logic of that term apart
        bits       bits that the term counts
    """

    term: int
    key: object
    bits: int


class Product(NamedTuple):
    """A feature times a constant.

    Parameters
        low        the lowest bit that is not always 0
        high       the bit above the highest that is not a copy of it; 0 where the product is 0
        operand    bits of the constant where a DSP block may multiply by it
        logic      what else it is made of
    """

    low: int = 0
    high: int = 0
    operand: int = 0
    logic: tuple[Logic, ...] = ()


def constants(
    f: FpgaFamily, s: MacArraySpec, count: int, words: Callable[[], np.ndarray]
) -> tuple[ResourceEstimate, ...]:
    """Products and adder trees of weights that never change, with their registers.

    Terms of products: ROWS, CHOICES, GATES, SHIFTS.

    Parameters
        f          the device's family
        s          the array of sums
        count      words of weights
        words      function that gives them, int ``[count, lanes]``
    Returns        the products and the trees; nothing where weights change or share multiplications
    """
    if count > 1 or s.products is None or s.weights is None or s.packing is not None:
        return ()
    codes = s.weights.encode(words()).reshape(s.pe, s.terms)
    table = _products(s.products, s.features, s.weights)
    lanes, columns = np.indices(codes.shape)
    seen = np.zeros((s.taps * s.simd, len(table)), dtype=bool)
    seen[lanes * s.terms + columns if s.channelwise else columns, codes] = True
    users: dict[Logic, list[int]] = {}
    for code in np.flatnonzero(seen.any(axis=0)).tolist():
        for logic in table[code].logic:
            users.setdefault(logic, []).append(code)
    terms = [0, 0, 0, 0]
    for logic, sharing in users.items():
        terms[logic.term] += logic.bits * int(np.count_nonzero(seen[:, sharing].any(axis=1)))
    feature, ff, blocks, joined, lut = signed_width(s.features), 0.0, 0, 0, 0.0
    for features, product in zip(seen.sum(axis=0).tolist(), table, strict=True):
        ff += features * (product.high - product.low)
        if s.products is Products.DSP and product.operand:
            fits = product.operand + feature >= f.dsp_result
            found = dsp_blocks(f, max(2, product.operand), feature) if fits else 0
            blocks += features * found
            joined += features * joined_bits(f, product.operand, feature)
            lut += 0.0 if found else features * product.high
    if s.products in (Products.BOOTH, Products.SIGNIFICAND_SHIFT):
        ff += waiting_bits(s, 0.0)
    return ResourceEstimate("constants", tuple(terms), lut + joined, ff, dsp=blocks), tree(s, codes, table)


def tree(s: MacArraySpec, codes: np.ndarray, table: tuple[Product, ...]) -> ResourceEstimate:
    """The adder trees of all lanes. Terms: bits of the adders, and how many they are.

    Parameters
        s          the array of sums
        codes      codes of the weights, int ``[lanes, terms]``
        table      the product with each code
    """
    low, high = (np.array([getattr(product, end) for product in table])[codes] for end in ("low", "high"))
    bits = adders = registers = 0
    for _ in range(tree_stages(s.terms)):
        spare = -low.shape[1] % TREE_RADIX
        low, high = (np.pad(ends, ((0, 0), (0, spare))) for ends in (low, high))
        for _ in range(2):
            (low_a, low_b), (high_a, high_b) = ((ends[:, 0::2], ends[:, 1::2]) for ends in (low, high))
            both = (high_a > 0) & (high_b > 0)
            high = np.maximum(high_a, high_b) + both
            bits += int(((high - np.maximum(low_a, low_b)) * both).sum())
            adders += int(both.sum())
            low = np.where(both, np.minimum(low_a, low_b), low_a + low_b)
        registers += int((high - low).sum())
    return ResourceEstimate("trees", (bits, adders), ff=registers)


@cache
def _products(kind: Products, features: DType, weights: DType) -> tuple[Product, ...]:
    """The product with each weight, by the code of the weight."""
    values = weights.decode(np.arange(1 << weights.width)).tolist()
    return tuple(_product(kind, features, weights, value) if value else Product() for value in values)


def _product(kind: Products, features: DType, weights: DType, value: int) -> Product:
    low, high = _trailing(value), _range(features, value)
    feature, weight = signed_width(features), signed_width(weights)
    if kind is Products.DSP:
        operand = width(value >> low, value >> low)
        return Product(0, feature + width(value, value), operand) if value != 1 else Product(0, feature)
    if kind is Products.LOOKUP_TABLE:
        logic = [Logic(GATES, value, high - low)]
        if value < 0 or features.signed:
            logic.append(Logic(ROWS, value, high - low))
        return Product(low, high, logic=tuple(logic))
    if kind is Products.MULTIPLEXED:
        odd = value >> low
        logic = [Logic(GATES, odd, _range(features, odd))]
        if abs(odd) == 3:
            logic.append(Logic(ROWS, 3, feature + 1))
        return Product(low if value > 0 else 0, high, logic=tuple(logic))
    logic, digits = [], value
    if kind is Products.SIGNIFICAND_SHIFT:
        feature, weight = codec(features).signed_digits, codec(weights).signed_digits
        places = codec(weights).shift(value)
        digits = value // (1 << places)
        if features.tapered:
            # the feature says how far, too
            low, high = 0, _range(features, weights.max)
            logic.append(Logic(SHIFTS, value, high * codec(features).significand_bits[1]))
        elif places:
            logic.append(Logic(GATES, value, high))
    if feature < weight:
        # a bit of a row is one of a few functions of the feature, which all share
        rows = (feature + 1) // 2
        logic += [Logic(GATES, row, CHOSEN_GATES) for row in range(rows)]
        return Product(low, max(high, feature + weight), logic=(*logic, Logic(CHOICES, value, rows * (weight + 1))))
    if digits == 1 << _trailing(digits):
        # a power of two is wires, and the product itself the register of the feature
        logic += [Logic(GATES, (0, False), feature - 1)] if digits > 1 else []
        return Product(low, high, logic=tuple(logic))
    rows = [(row, digit < 0) for row, digit in enumerate(_booth(digits)) if digit]
    # a negative digit inverts the feature and adds one; a register of the feature stands before every stage
    logic += [Logic(GATES, (row // STAGE_ROWS, negative), feature - 1) for row, negative in rows]
    added = len(rows) - 1 + rows[0][1]
    return Product(low, high + (added > 0), logic=(*logic, Logic(ROWS, value, added * feature)))


def _range(features: DType, value: int) -> int:
    """Bits of a product."""
    return width(*sorted((value * features.min, value * features.max)))


def _trailing(value: int) -> int:
    return (value & -value).bit_length() - 1


def _booth(value: int) -> list[int]:
    """Booth's digits of radix 4, -2 to 2, the lowest first."""
    bits = [0, *(value >> n & 1 for n in range(value.bit_length() // 2 * 2 + 2))]
    return [low + one - 2 * sign for low, one, sign in zip(bits[0::2], bits[1::2], bits[2::2], strict=False)]
