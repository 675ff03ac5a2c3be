"""What a layer needs to compute in exact integers: its weights, and how its sums become numbers of its format."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from models.ir.dtype import DType
from models.ir.requant import Requant
from models.rounding import nearest_value
from models.sparse import elementwise

FLOAT32_LIMIT = 1 << 24
"""What no sum of absolute products may reach that float32 shall add exactly."""


@dataclass(frozen=True, eq=False)
class RequantParams:
    """Requantization: ``clip((((x << fraction) + bias) * mult + half) >> shift, lo, hi)``.

    ``bias`` and ``mult`` are int64 [c].
    """

    bias: Tensor
    mult: Tensor
    shift: int
    lo: int
    hi: int
    fraction: int = 0

    def apply(self, x: Tensor) -> Tensor:
        """``x`` int64 [n, c, h, w], requantized."""
        return _rounded(self._scaled(x), self.shift, self.lo, self.hi)

    def nearest_value(self, x: Tensor, dtype: DType) -> Tensor:
        """The values of ``dtype`` nearest to the requantized ``x``."""
        if not dtype.tapered:
            return nearest_value(self.apply(x), dtype)
        return rounded(_floor(self._scaled(x), self.shift - 1, 2 * self.lo, 2 * self.hi), dtype)

    def _scaled(self, x: Tensor) -> Tensor:
        of_sum, of_bias = self.mult << self.fraction, self.bias * self.mult
        return x * of_sum[:, None, None] + of_bias[:, None, None]

    def export(self) -> Requant:
        """The same for the integer graph."""
        return Requant(self.bias.numpy(), self.mult.numpy(), self.shift, self.lo, self.hi, self.fraction)


@elementwise
def rounded(doubled: Tensor, dtype: DType) -> Tensor:
    """The value of a tapered format nearest to int64 ``doubled`` over two, which float32 holds."""
    return nearest_value(doubled.float() / 2, dtype).long()


@elementwise
def _floor(scaled: Tensor, shift: int, lo: int, hi: int) -> Tensor:
    """``scaled`` over ``2**shift``, -1 and up, rounded down and clipped; written over."""
    scaled = scaled.bitwise_right_shift_(shift) if shift >= 0 else scaled.mul_(2)
    return scaled.clamp_(lo, hi)


@elementwise
def _rounded(scaled: Tensor, shift: int, lo: int, hi: int) -> Tensor:
    """``scaled`` over ``2**shift``, rounded half up and clipped; written over."""
    return scaled.add_((1 << shift) >> 1).bitwise_right_shift_(shift).clamp_(lo, hi)


@dataclass(frozen=True, eq=False, kw_only=True)
class Integers:
    """The integers of a quantized layer.

    Parameters
        dtype          format of the output
        scale          real value of one step of the output
        weight         int64, decoded; None where the layer has none
        weight_dtype   format of the weights
        requants       one for each input that is requantized
        lo, hi         integers between which the output is clipped
        largest        of a layer with weights, what no sum of absolute products exceeds
    """

    dtype: DType
    scale: float
    weight: Tensor | None = None
    weight_dtype: DType | None = None
    requants: tuple[RequantParams, ...] = ()
    lo: int = 0
    hi: int = 0
    largest: int = 0

    def exact(self, x: Tensor) -> Tensor:
        """Integers ``x`` in the float type in which sums of products with the weights are exact."""
        return x.float() if self.largest < FLOAT32_LIMIT else x.double()
