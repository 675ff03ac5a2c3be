"""DyBit as hardware: its decoders count leading ones."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from hw.arithmetic.codecs.codec import Significand
from hw.arithmetic.codecs.tapered import TaperedCodec
from models.ir.formats.dybit import DyBitType

_SIGNIFICAND = {6: (0, 3, 4, 6, 7, 8, 11, 18), 4: (0, 3, 4, 6, 10, 14, 20, 31)}
"""LUTs of ``significand``, by inputs of a LUT and then by bits of a magnitude, from 1."""


class DyBitCodec(TaperedCodec):
    """The circuits of a DyBit format.

    Parameters
        dtype      the format
    """

    dtype: DyBitType

    @property
    def by_table(self) -> bool:
        """Whether a code is decoded by a lookup table instead of by shifts and a negation.

        For signed formats of 5 bits or fewer the table takes fewer LUTs, of 4 inputs or of 6.
        """
        return self.dtype.signed and self.dtype.width <= 5

    def decode(self, m: Module, code: Value, name: str) -> Value:
        if self.by_table:
            return super().decode(m, code, name)
        dtype, bits = self.dtype, self.dtype.magnitude_bits
        magnitude = Signal(dtype.max.bit_length(), name=f"{name}_magnitude")
        with m.Switch(code[:bits]):
            for ones in range(bits + 1):
                with m.Case("1" * ones + "0" * (ones < bits) + "-" * (bits - 1 - ones)):
                    if ones == 0:
                        value = code[: bits - 1] if bits > 1 else Const(0, 1)
                    elif ones == bits:
                        value = Const(dtype.max)
                    else:
                        rest = bits - 1 - ones
                        value = (Const(1 << rest) + code[:rest] if rest else Const(1)) << (2 * ones - 1)
                    m.d.comb += magnitude.eq(value)
        if not dtype.signed:
            return magnitude
        return Mux(code[bits], -magnitude, magnitude)[: dtype.decoded_width].as_signed()

    @property
    def significand_bits(self) -> tuple[int, int]:
        bits = self.dtype.magnitude_bits
        return max(1, bits - 1), bits.bit_length() if bits > 1 else 0

    def significand(self, m: Module, code: Value, name: str) -> Significand:
        # the significand is aligned such that the shift is the number of leading ones
        bits = self.dtype.magnitude_bits
        negative = code[bits] if self.dtype.signed else None
        if bits == 1:
            return Significand(code[0], None, negative)
        significand_bits, shift_bits = self.significand_bits
        significand = Signal(significand_bits, name=f"{name}_digits")
        shift = Signal(shift_bits, name=f"{name}_places")
        with m.Switch(code[:bits]):
            for ones in range(bits + 1):
                with m.Case("1" * ones + "0" * (ones < bits) + "-" * (bits - 1 - ones)):
                    rest = bits - 1 - ones
                    fraction = code[: max(0, rest)] if ones else code[: bits - 1]
                    leading = Const(1, 1) if ones else Const(0, 0)
                    zeros = Const(0, significand_bits - len(fraction) - len(leading))
                    m.d.comb += [significand.eq(Cat(zeros, fraction, leading))]
                    m.d.comb += shift.eq(ones)
        return Significand(significand, shift, negative)

    def shift(self, value: int) -> int:
        bits = self.dtype.magnitude_bits
        if bits == 1:
            return 0
        code = int(np.searchsorted(self.dtype.magnitudes, abs(value)))
        return bits - (~code & ((1 << bits) - 1)).bit_length()

    def decoder_luts(self, lut_inputs: int) -> float:
        dtype, bits = self.dtype, self.dtype.magnitude_bits
        if self.by_table:
            return dtype.decoded_width * (1.0 if dtype.width <= lut_inputs else 2.4)
        if lut_inputs == 6:
            return 4.4 * bits - 2 if dtype.signed else 0.2 * bits**2 + 0.9 * bits
        return 0.5 * bits**2 + 3.75 * bits * dtype.signed

    def significand_luts(self, lut_inputs: int) -> float:
        return _SIGNIFICAND[lut_inputs][self.dtype.magnitude_bits - 1]

    def encoder_luts(self, lut_inputs: int) -> float:
        bits, signed = self.dtype.magnitude_bits, self.dtype.signed
        if lut_inputs == 6:
            return max(3.0, 11.75 * bits - 20) if signed else max(3.75 * bits, 0.8 * bits**2)
        return max(5.0, 24.5 * bits - 59.5 if signed else 22.5 * bits - 65)
