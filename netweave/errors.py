"""Which errors a person can mend, and which are bugs of netweave."""

from __future__ import annotations

from cosim.cycle.simulator import DeadlockError
from cosim.rtl.simulator import SimulationError
from dse.program import SolverError
from hw.tools.nextpnr import RoutingError
from hw.tools.yosys import SynthesisError

PACKAGES = ("models", "hw", "dse", "cosim", "reports", "netweave")
OF_TOOLS = (OSError, MemoryError, SimulationError, SynthesisError, RoutingError, SolverError, DeadlockError)
"""Missing files and programs, full disks and memories, and what the programs say that netweave runs."""


class InternalError(RuntimeError):
    """What stopped work in another process, and is no user's mistake; its cause has the traceback there."""


def is_user_error(error: BaseException) -> bool:
    """Whether a person can mend it: wrong files and settings, missing programs, budgets that nothing fits.

    Where a file or a setting is wrong, netweave raises a ValueError of a class of its own. A bare one is a bug.
    """
    if isinstance(error, ValueError):
        return type(error).__module__.partition(".")[0] in PACKAGES
    return isinstance(error, OF_TOOLS)
