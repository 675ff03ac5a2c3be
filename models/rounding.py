"""The values of number formats nearest to torch's numbers."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from models.ir.dtype import DType
from models.ir.formats.tapered import TaperedType
from models.sparse import elementwise


@dataclass(frozen=True)
class _Buckets:
    """The nearest magnitude by the leading bits of a float: its exponent and the bits of the mantissa that decide ties.

    Every midpoint of two neighbours has at most ``magnitude_bits`` significant bits, so all floats with the same
    leading bits have the same nearest magnitude, and a look-up replaces a search.

    Parameters
        bits       integer type as wide as the float
        shift      bits of the float below the leading ones
        first      leading bits of 1/2, the smallest number that is not rounded to zero
        values     the nearest magnitude by leading bits, from one below ``first``
    """

    bits: torch.dtype
    shift: int
    first: int
    values: Tensor

    def of(self, magnitudes: Tensor) -> Tensor:
        """The nearest magnitudes; a negative number counts as zero.

        Parameters
            magnitudes     contiguous in memory, and overwritten
        """
        # the sign bit makes the bits of a negative float a negative integer
        bucket = magnitudes.view(self.bits).bitwise_right_shift_(self.shift)
        bucket = bucket.sub_(self.first - 1).clamp_(0, len(self.values) - 1)
        # looked up in the order in which they lie in memory, whatever it is
        result = self.values.index_select(0, bucket.as_strided((bucket.numel(),), (1,)))
        return result.as_strided(magnitudes.shape, magnitudes.stride())


@functools.cache
def _buckets(dtype: TaperedType, kind: torch.dtype) -> _Buckets:
    bits, mantissa = {torch.float32: (torch.int32, 23), torch.float64: (torch.int64, 52)}[kind]
    shift = mantissa - (dtype.magnitude_bits - 1)
    first, last = (int(torch.tensor(end, dtype=kind).view(bits)) >> shift for end in (0.5, float(dtype.max)))
    # twice each bucket's least value against the sums of two neighbours: the upper one wins the tie
    doubled = 2 * (torch.arange(first, last + 1, dtype=bits) << shift).view(kind)
    magnitudes = torch.tensor(dtype.magnitudes.tolist(), dtype=kind)
    values = magnitudes[torch.bucketize(doubled, magnitudes[:-1] + magnitudes[1:], right=True)]
    return _Buckets(bits, shift, first, torch.cat([magnitudes[:1], values]))


@elementwise
def nearest_value(x: Tensor, dtype: DType) -> Tensor:
    """The decoded value of a format nearest to each number; ties go upward in a tapered format.

    Parameters
        x          numbers in float32, float64 or int64, which is also the type of the result
        dtype      the format
    """
    if not isinstance(dtype, TaperedType):
        return x.round().clamp_(dtype.min, dtype.max) if x.is_floating_point() else x.clamp(dtype.min, dtype.max)
    if not x.is_floating_point():
        return nearest_value(x.clamp(dtype.min, dtype.max).double(), dtype).to(x.dtype)
    if not dtype.signed:
        return _buckets(dtype, x.dtype).of(x.clone())
    buckets, magnitudes = _buckets(dtype, x.dtype), x.abs()
    # the magnitude of a negative number less the least there is, so that a tie goes up, to the smaller one
    magnitudes.view(buckets.bits).add_(x.view(buckets.bits).bitwise_right_shift(8 * x.element_size() - 1))
    return buckets.of(magnitudes).copysign_(x)
