"""Dividers against the data sheets' limits, and against the calculators that come with the open toolchains."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction
from typing import Any

import pytest

from hw.boards.board import BOARDS
from hw.boards.top import clocking
from hw.tools.programs import program
from hw.tools.toolchains.ecp5 import Ecp5Pll
from hw.tools.toolchains.gowin import OUTPUT_DIVIDERS, GowinPll
from hw.tools.toolchains.ice40 import Ice40Pll
from hw.tools.toolchains.pll import PllError

ECP5_CASES = [(25, 50), (25, 80), (25, 100), (12, 48), (48, 66.6), (100, 33.3), (27, 61.6), (25, 13)]
ICE40_CASES = [(12, 24), (12, 30), (12, 48), (25, 20), (27, 33), (100, 61.3)]


def reference(name: str, *arguments: Any) -> dict[str, float]:
    """What a calculator says, by the word before each number."""
    run = subprocess.run([*program(name), *map(str, arguments)], capture_output=True, text=True, check=True)
    return {key.strip(): float(value) for key, value in re.findall(r"^([^:=\n]+)[:=]\s*([0-9.]+)", run.stdout, re.M)}


@pytest.mark.parametrize("clock_in, wanted", ECP5_CASES)
def test_ecp5_within_its_limits_and_none_is_nearer(clock_in: float, wanted: float) -> None:
    pll = Ecp5Pll.find(clock_in, wanted)
    assert 10 <= pll.phase <= 400
    assert 400 <= pll.vco <= 800
    assert 3.125 <= pll.clock <= wanted
    assert pll.clock == Fraction(clock_in) * pll.multiply / pll.divide / pll.output
    for divide in range(1, int(clock_in / 10) + 1):
        for multiply in range(1, 129):
            vco = Fraction(clock_in) * multiply / divide
            if 400 <= vco <= 800:
                assert not any(pll.clock < vco / output <= wanted for output in range(1, 129))


@pytest.mark.parametrize("clock_in, wanted", ECP5_CASES)
def test_ecp5_is_no_further_than_what_ecppll_finds(clock_in: float, wanted: float) -> None:
    """It looks on either side, and also where the phase detector is slower than the data sheet wants it."""
    said = reference("ecppll", "-i", clock_in, "-o", wanted, "--highres")
    divide = int(said["Refclk divisor"])
    vco = Fraction(clock_in) * int(said["Feedback divisor"] * said["clkout0 divisor"]) / divide
    theirs = vco / int(said["clkout1 divisor"])
    ours = Ecp5Pll.find(clock_in, wanted).clock
    assert ours >= theirs or theirs > wanted or clock_in / divide < 10
    if wanted in (50, 80, 100, 48):
        assert ours == theirs == wanted


@pytest.mark.parametrize("clock_in, wanted", ICE40_CASES)
def test_ice40_within_its_limits_and_none_is_nearer(clock_in: float, wanted: float) -> None:
    pll = Ice40Pll.find(clock_in, wanted, pad=True)
    assert 10 <= pll.phase <= 133
    assert 533 <= pll.vco <= 1066
    assert 16 <= pll.clock <= wanted
    assert pll.clock == Fraction(clock_in) * (pll.divf + 1) / (pll.divr + 1) / 2**pll.divq
    for divr in range(16):
        for divf in range(128):
            for divq in range(1, 7):
                vco = Fraction(clock_in) * (divf + 1) / (divr + 1)
                if 10 <= Fraction(clock_in) / (divr + 1) <= 133 and 533 <= vco <= 1066:
                    assert not pll.clock < vco / 2**divq <= wanted


@pytest.mark.parametrize("clock_in, wanted", ICE40_CASES)
def test_ice40_is_what_icepll_finds(clock_in: float, wanted: float) -> None:
    ours = Ice40Pll.find(clock_in, wanted, pad=True)
    said = subprocess.run(
        [*program("icepll"), "-i", str(clock_in), "-o", str(float(ours.clock))],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    theirs = {name: int(value) for name, value in re.findall(r"^(DIV[RFQ]|FILTER_RANGE):\s*(\d+)", said, re.M)}
    assert Fraction(clock_in) * (theirs["DIVF"] + 1) / (theirs["DIVR"] + 1) / 2 ** theirs["DIVQ"] == ours.clock
    if theirs["DIVR"] == ours.divr:
        assert theirs["FILTER_RANGE"] == ours.filter_range


GOWIN_CASES = [(27, 54), (27, 60), (27, 33), (50, 120), (12, 48)]


@pytest.mark.parametrize("clock_in, wanted", GOWIN_CASES)
def test_gowin_within_its_limits_and_none_is_nearer(clock_in: float, wanted: float) -> None:
    pll = GowinPll.find(clock_in, wanted)
    assert 3 <= pll.phase <= 500
    assert 500 <= pll.vco <= 1250
    assert pll.clock <= wanted
    assert pll.clock == Fraction(clock_in) * pll.multiply / pll.divide
    for divide in range(1, min(64, int(clock_in / 3)) + 1):
        for multiply in range(1, 65):
            clock = Fraction(clock_in) * multiply / divide
            if any(500 <= clock * output <= 1250 for output in OUTPUT_DIVIDERS):
                assert not pll.clock < clock <= wanted


@pytest.mark.parametrize("clock_in, wanted", GOWIN_CASES)
def test_gowin_is_no_further_than_what_gowin_pll_finds(clock_in: float, wanted: float) -> None:
    called = [*program("gowin_pack")[:-1], "apycula.gowin_pll"]
    said = subprocess.run(
        [*called, "-i", str(clock_in), "-o", str(wanted), "-d", "GW2A-18 C8/I7"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    divide, multiply = (int(re.findall(rf"{name}\D*(\d+)", said)[0]) + 1 for name in ("IDIV_SEL", "FBDIV_SEL"))
    theirs = Fraction(clock_in) * multiply / divide
    assert theirs > wanted or GowinPll.find(clock_in, wanted).clock >= theirs


def test_a_clock_out_of_reach_is_refused() -> None:
    with pytest.raises(PllError, match="at most 2 MHz out of 25 MHz"):
        Ecp5Pll.find(25, 2)
    with pytest.raises(PllError, match="at most 15 MHz out of 12 MHz"):
        Ice40Pll.find(12, 15, pad=False)


def test_a_board_whose_oscillator_is_the_clock_needs_no_loop() -> None:
    clocks = clocking(BOARDS["icebreaker"], 12)
    assert (clocks.pll, clocks.clock_mhz, clocks.cycles) == (None, 12, 12)
