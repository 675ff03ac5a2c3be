"""FPGA devices: what each one holds, and sums of it.

Block memories are counted in the smallest block the device hands out on its own: 18 Kb on Xilinx
parts (a 36 Kb block is two), 18 Kb EBR on ECP5, 4 Kb EBR on iCE40. A user's own device is a TOML
file with the fields of ``Device`` as keys; see ``load_device``.
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path

from models.ir.names import NAME_RULE, did_you_mean, is_name


class DeviceError(ValueError):
    """A device that does not exist or makes no sense; the message names field and value."""


@dataclass(frozen=True)
class Resources:
    """Amounts of each kind of resource; sums and multiples are taken kind by kind."""

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
        """Whether every kind stays within ``other``: a partial order, so neither of two may hold."""
        return all(getattr(self, kind) <= getattr(other, kind) for kind in self.names())

    def fits(self, device: Device) -> bool:
        return self <= device.resources

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(kind.name for kind in dataclasses.fields(cls))


@dataclass(frozen=True, kw_only=True)
class Device:
    """One FPGA.

    ``lut``, ``ff``, ``bram``, ``dsp``: how many it has, ``bram`` in blocks of ``bram_bits`` bits
    that are at most ``bram_width`` bits wide with one port to write and one to read.
    ``lut_inputs``: 4 or 6. ``dsp_widths``: the two signed operand widths of one multiplier.
    ``lutram``: whether LUTs can serve as memory. ``clock_mhz``: the clock assumed where none is
    asked for. ``synth``: the Yosys command for it. ``source``: where the figures come from.
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
            if not isinstance(value, str) or not value:
                raise self._error(field, "a text that is not empty")
        for field, lowest in (("lut", 1), ("ff", 1), ("bram", 0), ("dsp", 0), ("bram_bits", 1), ("bram_width", 1)):
            value = getattr(self, field)
            if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
                raise self._error(field, f"an integer of {lowest} or more")
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
        if not self.synth.startswith("synth"):
            raise self._error("synth", "a Yosys command that starts with 'synth'")

    def _error(self, field: str, valid: str) -> DeviceError:
        return DeviceError(f"device {self.name!r}, field {field!r}: {getattr(self, field)!r} must be {valid}")

    @property
    def resources(self) -> Resources:
        return Resources(self.lut, self.ff, self.bram, self.dsp)


def _xilinx(name: str, family: str, title: str, counts: tuple[int, int, int, int], clock: float, source: str) -> Device:
    """``counts``: LUT, FF, 36 Kb blocks, DSP."""
    lut, ff, bram36, dsp = counts
    return Device(
        name=name, family=family, title=title, lut=lut, ff=ff, bram=2 * bram36, dsp=dsp,
        bram_bits=18 * 1024, bram_width=36, lut_inputs=6, dsp_widths=(27, 18) if family == "xcup" else (25, 18),
        lutram=True, clock_mhz=clock, synth=f"synth_xilinx -family {family} -flatten -noiopad", source=source,
    )  # fmt: skip


def _ecp5(name: str, title: str, counts: tuple[int, int, int, int]) -> Device:
    """``counts``: LUT4, FF, EBR, MULT18X18."""
    lut, ff, bram, dsp = counts
    return Device(
        name=name, family="ecp5", title=title, lut=lut, ff=ff, bram=bram, dsp=dsp,
        bram_bits=18 * 1024, bram_width=36, lut_inputs=4, dsp_widths=(18, 18),
        lutram=True, clock_mhz=80.0, synth="synth_ecp5 -noiopad -nowidelut",
        source="Lattice FPGA-DS-02012; open flow, bitstream",
    )  # fmt: skip


_ICE40 = Device(
    name="ice40up5k", family="ice40", title="Lattice iCE40 UltraPlus 5K", lut=5280, ff=5280, bram=30, dsp=8,
    bram_bits=4 * 1024, bram_width=16, lut_inputs=4, dsp_widths=(16, 16),
    lutram=False, clock_mhz=24.0, synth="synth_ice40 -device u -dsp",
    source="Lattice FPGA-DS-02008; open flow, bitstream",
)  # fmt: skip

DEVICES: dict[str, Device] = {
    device.name: device
    for device in (
        _xilinx("zu3eg", "xcup", "Zynq UltraScale+ ZU3EG (Ultra96)", (70560, 141120, 216, 360), 200.0,
                "AMD DS891; used by HAO and CoDeNet"),
        _xilinx("zcu102", "xcup", "Zynq UltraScale+ ZU9EG (ZCU102)", (274080, 548160, 912, 2520), 200.0,
                "AMD DS891; used by ESDA"),
        _xilinx("z7020", "xc7", "Zynq-7000 Z-7020 (Pynq-Z2)", (53200, 106400, 140, 220), 100.0,
                "AMD DS190; used by MLPerf Tiny submissions"),
        _xilinx("a7-100t", "xc7", "Artix-7 100T (Arty A7)", (63400, 126800, 135, 240), 100.0,
                "AMD DS180; used by MLPerf Tiny submissions"),
        _ecp5("ecp5-85k", "Lattice ECP5 LFE5U-85F", (83640, 83640, 208, 156)),
        _ecp5("ecp5-25k", "Lattice ECP5 LFE5U-25F", (24288, 24288, 56, 28)),
        _ICE40,
    )
}  # fmt: skip


def device(name: str) -> Device:
    """The device called ``name``, or the one described by the TOML file ``name`` points to."""
    if name.endswith(".toml"):
        return load_device(Path(name))
    if name not in DEVICES:
        raise DeviceError(f"unknown device {name!r}; {did_you_mean(name, DEVICES)}, or the path of a .toml file")
    return DEVICES[name]


def load_device(path: Path) -> Device:
    """The device described by a TOML file whose keys are the fields of ``Device``."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise DeviceError(f"{path}: cannot be read as a device: {error}") from error
    fields = [field.name for field in dataclasses.fields(Device)]
    for key in table:
        if key not in fields:
            raise DeviceError(f"{path}: unknown field {key!r} = {table[key]!r}; valid are {', '.join(fields)}")
    missing = [field for field in fields if field not in table]
    if missing:
        raise DeviceError(f"{path}: missing field(s) {', '.join(missing)}; a device needs {', '.join(fields)}")
    if isinstance(table["dsp_widths"], list):
        table["dsp_widths"] = tuple(table["dsp_widths"])
    try:
        return Device(**table)
    except DeviceError as error:
        raise DeviceError(f"{path}: {error}") from error
