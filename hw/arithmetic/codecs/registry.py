"""The list of codecs: which class has the circuits of which number format."""

from __future__ import annotations

from functools import cache

from hw.arithmetic.codecs.codec import Codec
from hw.arithmetic.codecs.dybit import DyBitCodec
from hw.arithmetic.codecs.integer import IntegerCodec
from hw.arithmetic.codecs.tapered import TaperedCodec
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.minifloat import FloatType
from models.ir.formats.power_of_two import PowerType

CODECS: dict[type[DType], type[Codec]] = {
    IntType: IntegerCodec,
    DyBitType: DyBitCodec,
    FloatType: TaperedCodec,
    PowerType: TaperedCodec,
}


@cache
def codec(dtype: DType) -> Codec:
    """The circuits of a number format.

    Parameters
        dtype      the format
    """
    return CODECS[type(dtype)](dtype)
