from __future__ import annotations

import shutil

import pytest

from cosim.rtl.simulator import SimulatorKind

COMPILERS = {SimulatorKind.VERILATOR: "g++", SimulatorKind.ICARUS: "iverilog"}


def installed(simulator: SimulatorKind) -> SimulatorKind:
    """The simulator itself; skips the test where it is missing."""
    if shutil.which(COMPILERS[simulator]) is None:
        pytest.skip(f"{COMPILERS[simulator]} is not installed")
    return simulator
