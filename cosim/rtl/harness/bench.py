"""The cocotb test: starts the testbench, waits until it is done, and writes its counts and the time it took."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from cosim.rtl.harness.testbench import RESULT


@cocotb.test()
async def play(dut: Any) -> None:
    """Run the testbench once and write ``RESULT``.

    Parameters
        dut    the testbench
    """
    started = time.perf_counter()
    dut.go.value = 1
    await RisingEdge(dut.done)
    seconds = time.perf_counter() - started
    result = {
        "cycles": int(dut.cycle.value),
        "timed_out": bool(int(dut.timed_out.value)),
        "wall_seconds": seconds,
    }
    Path(RESULT).write_text(json.dumps(result))
