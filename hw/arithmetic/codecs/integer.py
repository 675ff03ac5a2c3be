"""Integers as hardware: a code is its value."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, Value

from hw.arithmetic.codecs.codec import Codec, Significand
from models.ir.formats.integer import IntType


class IntegerCodec(Codec):
    """The circuits of an integer format, which are wires.

    Parameters
        dtype      the format
    """

    dtype: IntType

    def decode(self, m: Module, code: Value, name: str) -> Value:
        return code.as_signed() if self.dtype.signed else code.as_unsigned()

    def encode(self, m: Module, value: Value, name: str) -> Value:
        integer = Signal(self.dtype.width, name=f"{name}_code")
        m.d.comb += integer.eq(value)  # sign-extends a value narrower than the format
        return integer

    def significand(self, m: Module, code: Value, name: str) -> Significand:
        return Significand(self.decode(m, code, name), None, None)

    @property
    def significand_bits(self) -> tuple[int, int]:
        return self.dtype.width, 0

    @property
    def signed_digits(self) -> int:
        return self.dtype.width + (not self.dtype.signed)

    def shift(self, value: int) -> int:
        return 0

    def sort_key(self, code: Value) -> Value:
        return code ^ (1 << (self.dtype.width - 1)) if self.dtype.signed else code.as_unsigned()

    def from_sort_key(self, key: Value) -> Value:
        return key ^ (1 << (self.dtype.width - 1)) if self.dtype.signed else key

    def magnitudes(self) -> list[int] | None:
        return None if self.dtype.signed else list(range(1 << self.dtype.width))

    def decoder_luts(self, lut_inputs: int) -> float:
        return 0.0

    def significand_luts(self, lut_inputs: int) -> float:
        return 0.0

    def encoder_luts(self, lut_inputs: int) -> float:
        return 0.0
