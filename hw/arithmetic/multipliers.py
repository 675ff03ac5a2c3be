"""The kinds of multipliers that a device offers for a feature and a weight, and the circuits that multiply in LUTs."""

from __future__ import annotations

from hw.arithmetic.circuits.booth import BOOTH
from hw.arithmetic.circuits.circuit import Circuit
from hw.arithmetic.circuits.dsp import DSP
from hw.arithmetic.circuits.lookup_table import LOOKUP_TABLE, table_bits
from hw.arithmetic.circuits.multiplexed import FEW_DIGITS, MULTIPLEXED
from hw.arithmetic.circuits.significand_shift import SIGNIFICAND_SHIFT
from hw.arithmetic.codecs.codec import signed_width
from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.packing import packing
from hw.fpga.device import Device
from hw.fpga.mapping import Multiplier
from models.ir.dtype import DType

TABLE_BITS = {6: 7, 4: 4}
"""The most address bits for which a table of products takes fewer LUTs than adders, by inputs of a LUT.

With 6 inputs this holds for all formats, with 4 inputs for nearly all (``benchmarks.multipliers``).
"""


CIRCUITS: dict[str, Circuit] = {own.name: own for own in (DSP, BOOTH, MULTIPLEXED, SIGNIFICAND_SHIFT, LOOKUP_TABLE)}
"""Every circuit of products by its name."""


def circuit(multiplier: Multiplier, features: DType, weights: DType) -> Circuit:
    """The circuit of an array's products.

    Parameters
        multiplier     what the mapping of the op says
        features       format of the features
        weights        format of the weights
    """
    if multiplier is Multiplier.LUT:
        return in_luts(features, weights)
    return LOOKUP_TABLE if multiplier is Multiplier.TABLE else DSP


def in_luts(features: DType, weights: DType) -> Circuit:
    """The circuit that takes the fewest LUTs, tables apart (``benchmarks.multipliers``).

    All lanes share a decoded feature, but each lane decodes its own weights. A shift after the product is therefore
    cheaper than decoding before it for DyBit weights alone.

    Parameters
        features   format of the features
        weights    format of the weights
    """
    if not weights.tapered:
        return BOOTH
    if codec(weights).significand_bits[0] <= FEW_DIGITS:
        return MULTIPLEXED
    return SIGNIFICAND_SHIFT


def in_table(features: DType, weights: DType, lut_inputs: int) -> bool:
    """Whether a lookup table of the products takes fewer LUTs than any other circuit.

    Parameters
        features      format of the features
        weights       format of the weights
        lut_inputs    inputs of a LUT, 4 or 6
    """
    bits = table_bits(features, weights)
    return bits is not None and bits <= TABLE_BITS[lut_inputs]


def multipliers(device: Device, features: DType, weights: DType, lanes: int) -> list[tuple[Multiplier, int]]:
    """The kinds of multipliers to choose from: one in LUTs and, where the device has DSP blocks, one with them.

    In LUTs it is a table where that takes fewer LUTs than adders. With DSP blocks it is the packed kind wherever two
    weights fit into an operand: it costs fewer LUTs per saved block than any device has LUTs per block.

    Parameters
        device     the device
        features   format of the features
        weights    format of the weights
        lanes      weights by which each feature is multiplied
    Returns        each kind with its ``OpMapping.operand``
    """
    kinds = [(Multiplier.TABLE if in_table(features, weights, device.lut_inputs) else Multiplier.LUT, 0)]
    wide, narrow = sorted(device.dsp_widths, reverse=True)
    if device.dsp and signed_width(features) <= narrow and packing(features, weights, lanes, 1, wide) is not None:
        kinds.append((Multiplier.PACKED, wide))
    elif device.dsp:
        kinds.append((Multiplier.DSP, 0))
    return kinds
