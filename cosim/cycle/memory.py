"""The two int64 arrays in which the compiled cycle simulator works, and how records lie in them.

``m`` is an accelerator: a record for each stream, each reader of a stream and each process, and the rings that hold the
times which they still need. A record is known by its address; ``m[stream + MOVED]`` is one of its fields. ``w`` is one
call: the tokens and windows of its frames (``active_sites``), and the times that the call finds. The header of ``m``
says where the parts of ``w`` begin.

Every function is compiled once, with one signature.
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
"""The header of ``m``: addresses in ``w`` of what is named, but for FRAMES, AWAKE and SWEEP.

Fields
    FRAMES     number of frames
    TOKENS     numbers of tokens, by class and frame
    WINDOWS    addresses of windows, by number and frame
    SITES      addresses of sites, by class and frame
    ENDS       when the ``end`` left, by edge and frame
    INPUT      when each beat came in
    OUTPUT     when each beat came out
    AWAKE      address in ``m`` of a flag a process: whether something that it waits for may have come
    SWEEP      number of the sweep over the processes
    HEADER     size of the header
"""

UNKNOWN = -1
"""Stands for a time that follows from times which are not known yet."""

KIND, BUSY, BLOCKED, PROCESS = range(4)
"""The first fields of each process.

Fields
    KIND       its kind, of ``kinds``
    BUSY       its busy cycles
    BLOCKED    its blocked cycles
    PROCESS    where the fields of its kind begin
"""

UNCOUNTED: dict[str, Any] = {"_nrt": False, "error_model": "numpy"}
compiled = njit(**UNCOUNTED)
"""Compiles a function that works in ``m`` and ``w``, without reference counts, which take longer than many a call."""


def _pointer(_, array):
    """The address of an array's numbers.

    Reading through it, numba handles no negative indices; a call passes the address alone.
    """

    def generate(context, builder, signature, arguments):
        return context.make_array(array)(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), generate


pointer: Any = intrinsic(_pointer)


class Records:
    """``m`` while it is laid out."""

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
        """Add ``count`` rings, one behind the other, each of ``least`` places or more: (address, index mask)."""
        mask = (1 << (least - 1).bit_length()) - 1
        return self.record(count * (mask + 1)), mask

    def table(self, values: list[int]) -> int:
        """Add a table and return its address."""
        address = self.record(len(values))
        self._values[address:] = values
        return address

    def array(self) -> np.ndarray:
        """``m`` as int64."""
        return np.array(self._values, dtype=np.int64)


def kept(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that compiles a function and stores the code, with all that it calls, on disk where it can.

    The function's name there contains a digest of all files of this folder, since numba itself notices changes only in
    the file of the function.

    Parameters
        options    numba's options
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
