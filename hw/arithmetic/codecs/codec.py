"""What the hardware asks of a number format: circuits from codes to values and back, and the LUTs that they take."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from amaranth.hdl import Module, Value

from models.ir.dtype import DType


class Significand(NamedTuple):
    """A value split into significand, shift and sign: ``significand << shift``, negated where ``negative`` is high.

    Parameters
        significand    unsigned; of an integer format the integer itself, signed where the format is
        shift          how far it is shifted to the left; None where the shift is always 0
        negative       1 bit, high for a value below zero; None where the significand carries the sign or there is none
    """

    significand: Value
    shift: Value | None
    negative: Value | None


class Codec(ABC):
    """The circuits of a number format, as combinational logic.

    ``decode`` and ``encode`` compute what the format's own do.

    Parameters
        dtype      the format
    """

    def __init__(self, dtype: DType) -> None:
        self.dtype = dtype

    @abstractmethod
    def decode(self, m: Module, code: Value, name: str) -> Value:
        """The decoded integer of a code.

        Parameters
            m          module that gets the logic
            code       ``dtype.width`` bits
            name       prefix of the names of new signals
        Returns        ``dtype.decoded_width`` bits, signed where ``dtype`` is
        """

    @abstractmethod
    def encode(self, m: Module, value: Value, name: str) -> Value:
        """The code of a value: exact for an integer format, the nearest code for a tapered one.

        Parameters
            m          module that gets the logic
            value      for an integer format an integer of the format; for a tapered one twice the number to encode,
                       which is rounded to the nearest value of the format, ties upward, from ``2 * dtype.min`` to
                       ``2 * dtype.max``
            name       prefix of the names of new signals
        Returns        ``dtype.width`` bits
        """

    @abstractmethod
    def significand(self, m: Module, code: Value, name: str) -> Significand:
        """The significand of a code with its shift and sign, which takes less logic than its decoded value.

        Parameters
            m          module that gets the logic
            code       ``dtype.width`` bits
            name       prefix of the names of new signals
        """

    @property
    @abstractmethod
    def significand_bits(self) -> tuple[int, int]:
        """(bits of ``Significand.significand``, bits of ``Significand.shift``); 0 bits where the shift is None."""

    @property
    @abstractmethod
    def signed_digits(self) -> int:
        """Bits of ``Significand.significand`` as a signed number, with its sign."""

    @abstractmethod
    def shift(self, value: int) -> int:
        """How far the significand of a value is shifted to the left.

        Parameters
            value      a value of the format
        """

    @abstractmethod
    def sort_key(self, code: Value) -> Value:
        """An unsigned number that orders codes as their decoded integers are ordered.

        Parameters
            code       ``dtype.width`` bits
        Returns        ``dtype.width`` bits
        """

    @abstractmethod
    def from_sort_key(self, key: Value) -> Value:
        """The code that has a sort key.

        Parameters
            key        what ``sort_key`` returns for the code
        Returns        ``dtype.width`` bits
        """

    @abstractmethod
    def magnitudes(self) -> list[int] | None:
        """The magnitude of each magnitude code; of an unsigned format, the value of each code.

        It is None for signed integers, whose codes are not a sign beside a magnitude.
        """

    @abstractmethod
    def decoder_luts(self, lut_inputs: int) -> float:
        """The LUTs that ``decode`` takes.

        Parameters
            lut_inputs     inputs of a LUT, 4 or 6
        """

    @abstractmethod
    def significand_luts(self, lut_inputs: int) -> float:
        """The LUTs that ``significand`` takes.

        Parameters
            lut_inputs     inputs of a LUT, 4 or 6
        """

    @abstractmethod
    def encoder_luts(self, lut_inputs: int) -> float:
        """The LUTs that ``encode`` takes.

        Parameters
            lut_inputs     inputs of a LUT, 4 or 6
        """


def signed_width(dtype: DType) -> int:
    """Bits of a decoded value as a signed number.

    Parameters
        dtype      format of the value
    """
    return dtype.decoded_width + (not dtype.signed)
