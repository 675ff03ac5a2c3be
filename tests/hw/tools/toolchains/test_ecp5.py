"""The ECP5's dividers, pins and reports: against the data sheet, ecppll and files written out by hand."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction
from typing import Any

import pytest

from hw.fpga.device import Resources
from hw.tools.programs import program
from hw.tools.toolchains.ecp5 import Ecp5, Ecp5Pll
from hw.tools.toolchains.toolchain import Package, Step

ECP5_CASES = [(25, 50), (25, 80), (25, 100), (12, 48), (48, 66.6), (100, 33.3), (27, 61.6), (25, 13)]


def reference(name: str, *arguments: Any) -> dict[str, float]:
    """What a calculator says, by the word before each number."""
    run = subprocess.run([*program(name), *map(str, arguments)], capture_output=True, text=True, check=True)
    return {key.strip(): float(value) for key, value in re.findall(r"^([^:=\n]+)[:=]\s*([0-9.]+)", run.stdout, re.M)}


@pytest.mark.parametrize("clock_in, max_mhz", ECP5_CASES)
def test_ecp5_within_its_limits_and_none_is_nearer(clock_in: float, max_mhz: float) -> None:
    pll = Ecp5Pll.find(clock_in, max_mhz)
    assert 10 <= pll.phase <= 400
    assert 400 <= pll.vco <= 800
    assert 3.125 <= pll.clock <= max_mhz
    assert pll.clock == Fraction(clock_in) * pll.multiply / pll.divide / pll.output
    for divide in range(1, int(clock_in / 10) + 1):
        for multiply in range(1, 129):
            vco = Fraction(clock_in) * multiply / divide
            if 400 <= vco <= 800:
                assert not any(pll.clock < vco / output <= max_mhz for output in range(1, 129))


@pytest.mark.parametrize("clock_in, max_mhz", ECP5_CASES)
def test_ecp5_is_no_further_than_what_ecppll_finds(clock_in: float, max_mhz: float) -> None:
    """It looks on either side, and also where the phase detector is slower than the data sheet wants it."""
    reported = reference("ecppll", "-i", clock_in, "-o", max_mhz, "--highres")
    divide = int(reported["Refclk divisor"])
    vco = Fraction(clock_in) * int(reported["Feedback divisor"] * reported["clkout0 divisor"]) / divide
    reference_clock = vco / int(reported["clkout1 divisor"])
    ours = Ecp5Pll.find(clock_in, max_mhz).clock
    assert ours >= reference_clock or reference_clock > max_mhz or clock_in / divide < 10
    if max_mhz in (50, 80, 100, 48):
        assert ours == reference_clock == max_mhz


def test_place_and_route_of_a_package_is_packed() -> None:
    options, routed = Ecp5().place(Package("ecp5-85k", "CABGA256", 8))
    expected = "--85k --package CABGA256 --speed 8 --lpf board.lpf --textcfg board.config"
    assert (" ".join(options), routed) == (expected, "board.config")
    arguments = ("--compress", "board.config", "board.bit")
    assert Ecp5().pack(routed) == Step("bitstream", "ecppack", arguments, ("board.config",), "board.bit")


def test_constraints_are_those_of_an_lpf_file() -> None:
    """The line to listen on is pulled up, so that it idles with no cable."""
    lines = Ecp5().pins({"clk": "G2", "rx": "M1", "led[0]": "B2"}, "rx", "clk", 25, "LVCMOS33").splitlines()
    assert lines == [
        'LOCATE COMP "clk" SITE "G2";',
        'LOCATE COMP "rx" SITE "M1";',
        'LOCATE COMP "led[0]" SITE "B2";',
        'IOBUF PORT "clk" IO_TYPE=LVCMOS33;',
        'IOBUF PORT "rx" IO_TYPE=LVCMOS33;',
        'IOBUF PORT "led[0]" IO_TYPE=LVCMOS33;',
        'IOBUF PORT "rx" PULLMODE=UP;',
        'FREQUENCY PORT "clk" 25 MHZ;',
    ]
    assert "IO_TYPE" not in Ecp5().pins({"clk": "G2", "rx": "M1"}, "rx", "clk", 25, "")


def test_a_lut_memory_takes_the_slice_of_its_write_port() -> None:
    used = {"TRELLIS_COMB": 30, "TRELLIS_RAMW": 2, "TRELLIS_FF": 20, "DP16KD": 3, "MULT18X18D": 4, "TRELLIS_IO": 5}
    report = {"utilization": {cell: {"used": count, "available": 100} for cell, count in used.items()}}
    assert Ecp5().resources(report, "") == Resources(lut=30 + 2 * 2, ff=20, bram=3, dsp=4)
