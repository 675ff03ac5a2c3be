"""What multiplies a feature by a weight: the kinds that a device has, and the circuits out of LUTs."""

from __future__ import annotations

from enum import StrEnum

from hw.codes import FEW_DIGITS, mantissa_bits, signed_width, table_bits
from hw.device import Device
from hw.mapping import Multiplier
from hw.packing import packing
from models.ir.dtype import DType, IntType

TABLE_BITS = {6: 7, 4: 4}
"""By inputs of a LUT, bits of two magnitude codes whose product takes fewer LUTs when it is looked up: with 6 inputs
always, with 4 nearly always (``benchmarks.multipliers``).
"""


class Products(StrEnum):
    """How an array multiplies: in blocks, or in LUTs by one of four circuits of ``hw.codes``."""

    BLOCKS = "blocks"
    ROWS = "rows"
    CHOSEN = "chosen"
    SHIFTED = "shifted"
    TABLE = "table"


def in_luts(features: DType, weights: DType) -> Products:
    """The circuit, other than a table, that takes the fewest LUTs (``benchmarks.multipliers``).

    All lanes share a decoded feature, but each decodes weights of its own: only tapered weights are worth a shift.
    """
    if isinstance(weights, IntType):
        return Products.ROWS
    if mantissa_bits(weights)[0] <= FEW_DIGITS:
        return Products.CHOSEN
    return Products.SHIFTED


def in_table(features: DType, weights: DType, lut_inputs: int) -> bool:
    """Whether their products are rather looked up, where a LUT has so many inputs."""
    bits = table_bits(features, weights)
    return bits is not None and bits <= TABLE_BITS[lut_inputs]


def multipliers(device: Device, features: DType, weights: DType, lanes: int) -> list[tuple[Multiplier, int]]:
    """The kinds to choose from, each with its ``operand``, where each feature is multiplied by ``lanes`` weights.

    A table in place of adders where it takes fewer LUTs. Packed in place of a DSP block a product wherever it exists:
    no device has as few LUTs for a DSP block as it costs.
    """
    kinds = [(Multiplier.TABLE if in_table(features, weights, device.lut_inputs) else Multiplier.LUT, 0)]
    wide, narrow = sorted(device.dsp_widths, reverse=True)
    if device.dsp and signed_width(features) <= narrow and packing(features, weights, lanes, 1, wide) is not None:
        kinds.append((Multiplier.PACKED, wide))
    elif device.dsp:
        kinds.append((Multiplier.DSP, 0))
    return kinds
