"""What tapered formats share as hardware: the encoder, and the order of codes, both from the table of magnitudes."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from amaranth.hdl import Const, Module, Mux, Signal, Value, signed

from hw.arithmetic.choice import choice
from hw.arithmetic.codecs.codec import Codec, Significand
from models.ir.formats.tapered import TaperedType

_ENCODER = {
    6: {
        "fp4": 11, "fp5": 13, "fp6": 15, "ufp4": 7, "ufp5": 8, "ufp6": 9, "pot3": 9, "pot4": 22, "upot3": 13,
        "upot4": 66,
    },
    4: {
        "fp4": 13, "fp5": 32, "fp6": 38, "ufp4": 22, "ufp5": 28, "ufp6": 34, "pot3": 9, "pot4": 21, "upot3": 17,
        "upot4": 153,
    },
}  # fmt: skip
"""LUTs of ``encode`` as Yosys makes it, by inputs of a LUT; those of a format that is not here are estimated."""


class Run(NamedTuple):
    """Neighbouring magnitudes that lie equally far apart.

    Parameters
        code       the first magnitude code
        value      its magnitude, a multiple of the distance
        step       the distance is ``2**step``
    """

    code: int
    value: int
    step: int


class TaperedCodec(Codec):
    """The circuits of a tapered format, from the table of its magnitudes.

    Codes are decoded by lookup tables, which suits formats of few bits. Distances between neighbours must be powers of
    two that grow with the code, and each run's first magnitude a multiple of its distance.

    Parameters
        dtype      the format
    """

    dtype: TaperedType

    @property
    def runs(self) -> list[Run]:
        """The runs of the magnitudes, ascending."""
        table = self.dtype.magnitudes.tolist()
        runs: list[Run] = []
        for code, (value, above) in enumerate(pairwise(table)):
            step = (above - value).bit_length() - 1
            if not runs or runs[-1].step != step:
                runs.append(Run(code, value, step))
        return runs

    def decode(self, m: Module, code: Value, name: str) -> Value:
        values = self.dtype.decode(np.arange(1 << self.dtype.width)).tolist()
        if self.dtype.signed:
            return choice([Const(value, signed(self.dtype.decoded_width)) for value in values], [*code]).as_signed()
        return choice([Const(value, self.dtype.decoded_width) for value in values], [*code]).as_unsigned()

    def encode(self, m: Module, value: Value, name: str) -> Value:
        dtype, bits = self.dtype, self.dtype.magnitude_bits
        doubled = Signal(dtype.max.bit_length() + 1, name=f"{name}_doubled")
        m.d.comb += doubled.eq(Mux(value < 0, ~value, value) if dtype.signed else value)
        code = Signal(bits, name=f"{name}_code")
        # Rounding up may carry into the next run. The result is right: codes ascend with values.
        m.d.comb += code.eq((doubled + 1) >> 1)
        for run in self.runs[1:]:
            with m.If(doubled >= 2 * run.value):
                quotient = (doubled + (1 << run.step)) >> (run.step + 1)
                m.d.comb += code.eq(run.code - (run.value >> run.step) + quotient)
        if not dtype.signed:
            return code
        sign = Signal(name=f"{name}_sign")
        m.d.comb += sign.eq((value < 0) & (code != 0))
        return code | (sign << bits)

    def _split(self) -> list[tuple[int, int]]:
        """The (significand, shift) of each magnitude."""
        runs, table = self.runs, self.dtype.magnitudes.tolist()
        own = [max((run for run in runs if run.code <= code), key=lambda run: run.code) for code in range(len(table))]
        return [(value >> run.step, run.step) for value, run in zip(table, own, strict=True)]

    @property
    def significand_bits(self) -> tuple[int, int]:
        significand, shift = (max(part) for part in zip(*self._split(), strict=True))
        return max(1, significand.bit_length()), shift.bit_length()

    @property
    def signed_digits(self) -> int:
        return self.significand_bits[0] + 1

    def significand(self, m: Module, code: Value, name: str) -> Significand:
        bits, (significand_bits, shift_bits) = self.dtype.magnitude_bits, self.significand_bits
        significands, shifts = zip(*self._split(), strict=True)
        significand = choice([Const(value, significand_bits) for value in significands], [*code[:bits]])
        shift = choice([Const(value, shift_bits) for value in shifts], [*code[:bits]]) if shift_bits else None
        return Significand(significand, shift, code[bits] if self.dtype.signed else None)

    def shift(self, value: int) -> int:
        return self._split()[int(np.searchsorted(self.dtype.magnitudes, abs(value)))][1]

    def sort_key(self, code: Value) -> Value:
        if not self.dtype.signed:
            return code.as_unsigned()
        top = self.dtype.width - 1
        return Mux(code[top], ~code, code | (1 << top))[: self.dtype.width]

    def from_sort_key(self, key: Value) -> Value:
        if not self.dtype.signed:
            return key
        top = self.dtype.width - 1
        return Mux(key[top], key[:top], ~key)[: self.dtype.width]

    def magnitudes(self) -> list[int]:
        return self.dtype.magnitudes.tolist()

    def decoder_luts(self, lut_inputs: int) -> float:
        codes = np.arange(1 << self.dtype.width)
        return table_luts(self.dtype.decode(codes), self.dtype.decoded_width, lut_inputs)

    def significand_luts(self, lut_inputs: int) -> float:
        significands, shifts = (np.array(column) for column in zip(*self._split(), strict=True))
        significand_bits, shift_bits = self.significand_bits
        return table_luts(significands, significand_bits, lut_inputs) + table_luts(shifts, shift_bits, lut_inputs)

    def encoder_luts(self, lut_inputs: int) -> float:
        measured = _ENCODER[lut_inputs].get(str(self.dtype))
        if measured is not None:
            return measured
        # a comparison and an adder for each run but the first, and the complement of what is below zero
        bits, wide = self.dtype.magnitude_bits, self.dtype.max.bit_length() + 1
        each = 1.5 if lut_inputs == 6 else 3.0
        return each * bits * len(self.runs) + 0.5 * wide * self.dtype.signed


def table_luts(table: np.ndarray, bits: int, lut_inputs: int) -> float:
    """LUTs of a lookup table, a bit at a time.

    Parameters
        table          int64 [2**n], by address
        bits           bits of an entry
        lut_inputs     inputs of a LUT, 4 or 6
    """
    entries, luts = np.arange(len(table)), 0.0
    for bit in range(bits):
        column = table >> bit & 1
        inputs = sum(bool((column[entries ^ 1 << n] != column).any()) for n in range((len(table) - 1).bit_length()))
        luts += 0.0 if inputs <= 1 else 1.0 if inputs <= lut_inputs else 0.75 * 2 ** (inputs - lut_inputs)
    return luts
