"""What the compiled cycle simulator works in: two arrays of int64, and how records lie in them.

``m`` is an accelerator: a record for each stream, each reader of one and each process, and the rings in which they
keep the times they still need. A record is known by its address, and ``m[stream + MOVED]`` is a field of it. ``w`` is
one call: the tokens and windows of its frames (``active_sites``), and the times the call finds. ``m`` begins with
where the parts of ``w`` begin.

Everything is compiled once, with one signature.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

FRAMES, TOKENS, WINDOWS, SITES, ENDS, INPUT, OUTPUT, AWAKE, SWEEP, HEADER = range(10)
"""How many frames there are; then where in ``w`` lie, by class and frame, tokens, the addresses of windows and of
sites, by edge and frame when its ``end`` left, and when each beat came in and went out; and where in ``m`` is noted, by
process, whether something it waits for may have come.
"""

UNKNOWN = -1
"""In place of a time that follows from others which are not known yet."""

KIND, BUSY, BLOCKED, PROCESS = range(4)
"""Of a process: what it is, and cycles of its work."""

UNCOUNTED: dict[str, Any] = {"_nrt": False, "error_model": "numpy"}
compiled = njit(**UNCOUNTED)
"""For what works in ``m`` and ``w`` alone: counting references to them takes longer than many a call."""


def _pointer(_, array):
    """The address of an array's numbers: reading them through it, numba neither counts negative places from the end,
    nor hands on more than that.
    """

    def generate(context, builder, signature, arguments):
        return context.make_array(array)(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), generate


pointer: Any = intrinsic(_pointer)


class Memory:
    """``m`` while it is put together."""

    def __init__(self) -> None:
        self._values = [0] * HEADER

    def __setitem__(self, address: int, value: int) -> None:
        self._values[address] = value

    def __getitem__(self, address: int) -> int:
        return self._values[address]

    def record(self, size: int) -> int:
        """The address of a new record, all zero."""
        self._values += [0] * size
        return len(self._values) - size

    def rings(self, count: int, least: int) -> tuple[int, int]:
        """(address of ``count`` rings of ``least`` places or more, one behind the other, and their index mask)."""
        mask = (1 << (least - 1).bit_length()) - 1
        return self.record(count * (mask + 1)), mask

    def table(self, values: list[int]) -> int:
        address = self.record(len(values))
        self._values[address:] = values
        return address

    def array(self) -> np.ndarray:
        return np.array(self._values, dtype=np.int64)


def kept(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compiles a function with numba's ``options``, and keeps the code on disk where it can, with all that it calls.

    Its name there has a digest of this folder's files, as numba compares only the one in which the function is.
    """
    digest = 0
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest = zlib.crc32(file.read_bytes(), digest)

    def compile_kept(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__qualname__ += f"_{digest:08x}"
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:
            # numba finds no folder that it may write to
            return njit(**options)(function)

    return compile_kept
