"""What products and adder trees take where weights never change, as in ops that are unrolled whole.

It is a function of the weights' values. A product has an adder for each of Booth's digits after the first, and none
where another lane has it too; products with 0 leave the tree, and those with small weights narrow its adders.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from hw.arithmetic.adders import tree_stages
from hw.arithmetic.circuits.circuit import Circuit
from hw.arithmetic.circuits.constant import ConstantProduct, Logic
from hw.arithmetic.codecs.codec import signed_width
from hw.arithmetic.mac import MacArraySpec
from hw.arithmetic.packing import TREE_RADIX
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, dsp_blocks, joined_bits
from models.ir.dtype import DType


def constants(
    f: FpgaFamily, s: MacArraySpec, count: int, words: Callable[[], np.ndarray]
) -> tuple[ResourceEstimate, ...]:
    """Products and adder trees of weights that never change, with their registers.

    Terms of products: those of ``hw.arithmetic.circuits.constant``.

    Parameters
        f          the device's family
        s          the array of sums
        count      words of weights
        words      function that gives them, int ``[count, lanes]``
    Returns        the products and the trees; nothing where weights change or share multiplications
    """
    if count > 1 or s.circuit is None or s.weights is None or s.packing is not None:
        return ()
    codes = s.weights.encode(words()).reshape(s.pe, s.terms)
    table = _products(s.circuit, s.features, s.weights)
    lanes, columns = np.indices(codes.shape)
    present = np.zeros((s.taps * s.simd, len(table)), dtype=bool)
    present[lanes * s.terms + columns if s.channelwise else columns, codes] = True
    codes_by_logic: dict[Logic, list[int]] = {}
    for code in np.flatnonzero(present.any(axis=0)).tolist():
        for logic in table[code].logic:
            codes_by_logic.setdefault(logic, []).append(code)
    terms = [0, 0, 0, 0]
    for logic, sharing in codes_by_logic.items():
        terms[logic.term] += logic.bits * int(np.count_nonzero(present[:, sharing].any(axis=1)))
    feature, ff, blocks, joined, lut = signed_width(s.features), 0.0, 0, 0, 0.0
    for features, product in zip(present.sum(axis=0).tolist(), table, strict=True):
        ff += features * (product.high - product.low)
        if product.operand:
            fits = product.operand + feature >= f.dsp_result
            each = dsp_blocks(f, max(2, product.operand), feature) if fits else 0
            blocks += features * each
            joined += features * joined_bits(f, product.operand, feature)
            lut += 0.0 if each else features * product.high
    ff += s.circuit.waiting_bits(s.count(), 0.0)
    return ResourceEstimate("constants", tuple(terms), lut + joined, ff, dsp=blocks), tree(s, codes, table)


def tree(s: MacArraySpec, codes: np.ndarray, table: tuple[ConstantProduct, ...]) -> ResourceEstimate:
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
def _products(circuit: Circuit, features: DType, weights: DType) -> tuple[ConstantProduct, ...]:
    """The product with each weight, by the code of the weight."""
    values = weights.decode(np.arange(1 << weights.width)).tolist()
    return tuple(circuit.constant(features, weights, value) if value else ConstantProduct() for value in values)
