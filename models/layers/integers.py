"""The integers of a quantized layer: its weights, and the requantization of its sums."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from models.ir.dtype import DType
from models.ir.requant import Requant
from models.rounding import nearest_value
from models.sparse import elementwise

FLOAT32_LIMIT = 1 << 24
"""Float32 adds products exactly as long as the sum of their magnitudes stays below this."""


@dataclass(frozen=True, eq=False)
class RequantParams:
    """Requantization: ``clip((((x << fraction) + bias) * mult + half) >> shift, lo, hi)``.

    Parameters
        bias         int64 [c], in units of ``2**-fraction`` of the sum
        mult         int64 [c], multiplier of each channel
        shift        right shift after the multiplication
        lo, hi       bounds of the result
        fraction     fraction bits of the bias
    """

    bias: Tensor
    mult: Tensor
    shift: int
    lo: int
    hi: int
    fraction: int = 0

    def apply(self, x: Tensor) -> Tensor:
        """The requantized ``x``, int64 [n, c, h, w]."""
        return _round(self._scaled(x), self.shift, self.lo, self.hi)

    def nearest_value(self, x: Tensor, dtype: DType) -> Tensor:
        """The values of ``dtype`` nearest to the requantized ``x``."""
        if not dtype.tapered:
            return nearest_value(self.apply(x), dtype)
        return round_doubled(_floor(self._scaled(x), self.shift - 1, 2 * self.lo, 2 * self.hi), dtype)

    def _scaled(self, x: Tensor) -> Tensor:
        of_sum, of_bias = self.mult << self.fraction, self.bias * self.mult
        return x * of_sum[:, None, None] + of_bias[:, None, None]

    def export(self) -> Requant:
        """The same parameters for the integer graph."""
        return Requant(self.bias.numpy(), self.mult.numpy(), self.shift, self.lo, self.hi, self.fraction)


@elementwise
def round_doubled(doubled: Tensor, dtype: DType) -> Tensor:
    """The values of a tapered format nearest to half of int64 ``doubled``, which float32 represents exactly."""
    return nearest_value(doubled.float() / 2, dtype).long()


@elementwise
def _floor(scaled: Tensor, shift: int, lo: int, hi: int) -> Tensor:
    """``scaled / 2**shift`` rounded down and clipped, in place; ``shift`` is -1 or more."""
    scaled = scaled.bitwise_right_shift_(shift) if shift >= 0 else scaled.mul_(2)
    return scaled.clamp_(lo, hi)


@elementwise
def _round(scaled: Tensor, shift: int, lo: int, hi: int) -> Tensor:
    """``scaled / 2**shift`` rounded half up and clipped, in place."""
    return scaled.add_((1 << shift) >> 1).bitwise_right_shift_(shift).clamp_(lo, hi)


@dataclass(frozen=True, eq=False, kw_only=True)
class Integers:
    """The integers of a quantized layer.

    Parameters
        dtype          format of the output
        scale          real value of one step of the output
        weight         decoded weights, int64; None for a layer without weights
        weight_dtype   format of the weights
        requants       requantization of each input
        lo, hi         integer bounds of the output
        largest        upper bound of the sum of absolute products, in a layer with weights
        source         format of the input, in a layer with a table
        table          decoded results [1 or c, values of ``source``], int64
    """

    dtype: DType
    scale: float
    weight: Tensor | None = None
    weight_dtype: DType | None = None
    requants: tuple[RequantParams, ...] = ()
    lo: int = 0
    hi: int = 0
    largest: int = 0
    source: DType | None = None
    table: Tensor | None = None

    def exact(self, x: Tensor) -> Tensor:
        """``x`` in a float type in which sums of products with the weights are exact."""
        return x.float() if self.largest < FLOAT32_LIMIT else x.double()
