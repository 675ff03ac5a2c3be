"""Which exceptions the command reports as a user's error, and which as a bug with a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosim.cycle.simulator import DeadlockError
from cosim.rtl.testbench_runner import SimulationTimeout
from dse.front import FrontError
from dse.program import SolverError
from hw.tools.nextpnr import RoutingError
from hw.tools.yosys import SynthesisError
from netweave.config import ConfigError
from netweave.errors import InternalError, is_user_error


class ForeignError(ValueError):
    """A ValueError of a class that is none of netweave's."""


@pytest.mark.parametrize(
    ("error", "user"),
    [
        (ConfigError(Path("net.toml"), "model", "unknown"), True),
        (FrontError("front.json: empty"), True),
        (FileNotFoundError("net.toml"), True),
        (PermissionError("run"), True),
        (MemoryError(), True),
        (SimulationTimeout("no frame"), True),
        (DeadlockError("hangs"), True),
        (SynthesisError("yosys"), True),
        (RoutingError("nextpnr"), True),
        (SolverError("no solution"), True),
        (ValueError("a bare one is a bug"), False),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), False),
        (ForeignError("another package's"), False),
        (InternalError("a worker's"), False),
        (KeyError("layer"), False),
        (RuntimeError("anything"), False),
        (AssertionError(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_are_told_from_bugs(error: BaseException, user: bool) -> None:
    assert is_user_error(error) is user
