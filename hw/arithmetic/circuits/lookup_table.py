"""Products of codes out of a lookup table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Value

from hw.arithmetic.choice import choice
from hw.arithmetic.circuits.circuit import Circuit, Product, ProductCount, registered
from hw.arithmetic.circuits.constant import ADDED_ROWS, GATES, ConstantProduct, Logic, product_bits, trailing_zeros
from hw.arithmetic.codecs.registry import codec
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, table_product
from models.ir.dtype import DType


class LookupTable(Circuit):
    """A table of the products of two magnitudes, negated where the signs differ. It takes codes as they are.

    Resources: as ``DspBlocks`` has them.
    """

    name = "table"

    def feature(self, m: Module, name: str, dtype: DType, code: Value, counts: Value) -> Value:
        # in every format a product with code 0 is 0
        return registered(m, name, Mux(counts, code, 0))

    def weight(self, m: Module, name: str, dtype: DType, code: Value) -> Value:
        return registered(m, name, code)

    def product(
        self, feature: Value, weight: Value, dtypes: tuple[DType, DType], register: Callable[[Value], Value]
    ) -> Product:
        return lookup_product(feature, dtypes[0], weight, dtypes[1]), None

    def operand_bits(self, dtype: DType, *, feature: bool) -> int:
        return dtype.width

    def operand_luts(self, f: FpgaFamily, dtype: DType, *, feature: bool) -> float:
        return 0.0

    def resources(self, f: FpgaFamily, count: ProductCount, spans: Sequence[int]) -> ResourceEstimate:
        luts = sum(table_product(f, n) for n in table_inputs(count.features, count.weights))
        return ResourceEstimate("products", (0.0, 0.0, 0.0, 0.0, count.remaining_macs * luts))

    def constant(self, features: DType, weights: DType, value: int) -> ConstantProduct:
        low, high = trailing_zeros(value), product_bits(features, value)
        logic = [Logic(GATES, value, high - low)]
        if value < 0 or features.signed:
            logic.append(Logic(ADDED_ROWS, value, high - low))
        return ConstantProduct(low, high, logic=tuple(logic))


LOOKUP_TABLE = LookupTable()


@cache
def table_bits(a: DType, b: DType) -> int | None:
    """Address bits of a table of the products of two magnitudes; None where a format is a signed integer.

    Parameters
        a          format of one operand
        b          format of the other
    """
    of_a, of_b = codec(a).magnitudes(), codec(b).magnitudes()
    if of_a is None or of_b is None:
        return None
    return (len(of_a) * len(of_b)).bit_length() - 1


@cache
def table_inputs(a: DType, b: DType) -> tuple[int, ...]:
    """For each bit of a product's magnitude, lowest first, on how many bits of the two magnitude codes it depends.

    Parameters
        a          format of one operand
        b          format of the other
    """
    products = np.multiply.outer(_magnitudes(b), _magnitudes(a)).ravel()
    codes = np.arange(len(products))
    inputs = []
    for bit in range(int(products.max()).bit_length()):
        column = products >> bit & 1
        changed = [column[codes ^ 1 << n] != column for n in range((len(products) - 1).bit_length())]
        inputs.append(sum(bool(change.any()) for change in changed))
    return tuple(inputs)


def lookup_product(a: Value, a_type: DType, b: Value, b_type: DType) -> Value:
    """The product of two codes by a lookup table of magnitudes, negated where the signs differ.

    Both formats must have ``table_bits``.

    Parameters
        a          code of one operand
        a_type     its format
        b          code of the other operand
        b_type     its format
    Returns        signed
    """
    of_a, of_b = _magnitudes(a_type), _magnitudes(b_type)
    products = [x * y for y in of_b for x in of_a]
    bits = [*a[: len(of_a).bit_length() - 1], *b[: len(of_b).bit_length() - 1]]
    negative = (a[-1] if a_type.signed else Const(0, 1)) ^ (b[-1] if b_type.signed else Const(0, 1))
    magnitude = Cat(choice([Const(product, product.bit_length()) for product in products], bits), Const(0, 1))
    # Yosys needs more LUTs for a multiplexer between the magnitude and its negative
    return ((magnitude ^ negative.replicate(len(magnitude))).as_signed() + negative)[: len(magnitude)].as_signed()


def _magnitudes(dtype: DType) -> list[int]:
    magnitudes = codec(dtype).magnitudes()
    assert magnitudes is not None
    return magnitudes
