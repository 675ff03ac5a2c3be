"""FPGA devices: what each one holds, and amounts of its resources.

Block memories are counted in the smallest block that can be used on its own: 18 Kb on Xilinx parts (a 36 Kb block
counts as two), 18 Kb EBR on ECP5, 4 Kb EBR on iCE40. A user's own device is a TOML file whose keys are the
fields of ``Device``; see ``families.registry.load_device``. The devices themselves are in ``families``.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from models.ir.names import NAME_RULE, is_name

MAX_AMOUNT = 10**9
"""Largest amount of any kind of resource, and largest number of bits of a block memory."""
_SYNTH = re.compile(r"synth\w*( [\w.-]+)*")


class DeviceError(ValueError):
    """A device that does not exist or is not valid; the message names field and value."""


@dataclass(frozen=True)
class Resources:
    """Amounts of each kind of resource; sums, multiples and ``<=`` work kind by kind.

    Parameters
        lut        LUTs, with as many inputs as the device's LUTs have
        ff         flip-flops
        bram       block memories, of ``Device.bram_bits`` bits
        dsp        DSP blocks
    """

    lut: int = 0
    ff: int = 0
    bram: int = 0
    dsp: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(self.lut + other.lut, self.ff + other.ff, self.bram + other.bram, self.dsp + other.dsp)

    def __mul__(self, times: int) -> Resources:
        return Resources(self.lut * times, self.ff * times, self.bram * times, self.dsp * times)

    __rmul__ = __mul__

    def __le__(self, other: Resources) -> bool:
        """Whether every kind is at most that of ``other``; of two amounts neither may be below the other."""
        return all(getattr(self, kind) <= getattr(other, kind) for kind in self.names())

    def fits(self, device: Device) -> bool:
        """Whether a device has as much of every kind."""
        return self <= device.resources

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The kinds of resources."""
        return tuple(kind.name for kind in dataclasses.fields(cls))


@dataclass(frozen=True, kw_only=True)
class Device:
    """One FPGA.

    Parameters
        name          what it is called on the command line and in files
        family        one of ``families``; others have no resource formulas
        title         full name, for people
        lut           LUTs, at least 1
        ff            flip-flops, at least 1
        bram          block memories of ``bram_bits`` bits; may be 0
        dsp           DSP blocks; may be 0
        bram_bits     bits of a block memory
        bram_width    bits of its widest word, with one port to write and one to read
        lut_inputs    inputs of a LUT, 4 or 6
        dsp_widths    bits of the two signed operands of a DSP block's multiplier, 2 to 64 each
        lutram        whether LUTs can be used as memory
        clock_mhz     clock that is assumed where none is given, in MHz, above 0 and at most 2000
        synth         Yosys command that synthesizes for it; starts with ``synth``
        source        where the figures come from
    Raises            DeviceError: when a field is not valid
    """

    name: str
    family: str
    title: str
    lut: int
    ff: int
    bram: int
    dsp: int
    bram_bits: int
    bram_width: int
    lut_inputs: int
    dsp_widths: tuple[int, int]
    lutram: bool
    clock_mhz: float
    synth: str
    source: str

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise self._error("name", NAME_RULE)
        for field in ("family", "title", "synth", "source"):
            value = getattr(self, field)
            if not isinstance(value, str) or not value or not value.isprintable():
                raise self._error(field, "a text of one line that is not empty")
        for field, lowest in (("lut", 1), ("ff", 1), ("bram", 0), ("dsp", 0), ("bram_bits", 1), ("bram_width", 1)):
            value = getattr(self, field)
            if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= MAX_AMOUNT:
                raise self._error(field, f"an integer of {lowest} to {MAX_AMOUNT}")
        if self.lut_inputs not in (4, 6) or isinstance(self.lut_inputs, float):
            raise self._error("lut_inputs", "4 or 6")
        widths = self.dsp_widths
        if (
            not isinstance(widths, tuple)
            or len(widths) != 2
            or not all(type(w) is int and 2 <= w <= 64 for w in widths)
        ):
            raise self._error("dsp_widths", "two integers of 2 to 64")
        if not isinstance(self.lutram, bool):
            raise self._error("lutram", "true or false")
        if isinstance(self.clock_mhz, bool) or not isinstance(self.clock_mhz, int | float):
            raise self._error("clock_mhz", "a number")
        if not 0 < self.clock_mhz <= 2000:
            raise self._error("clock_mhz", "above 0 and at most 2000")
        if not _SYNTH.fullmatch(self.synth):
            raise self._error("synth", "one Yosys command that starts with 'synth', such as 'synth_ecp5 -noiopad'")

    def _error(self, field: str, valid: str) -> DeviceError:
        return DeviceError(f"device {self.name!r}, field {field!r}: {getattr(self, field)!r} must be {valid}")

    @property
    def resources(self) -> Resources:
        """All resources of the device."""
        return Resources(self.lut, self.ff, self.bram, self.dsp)
