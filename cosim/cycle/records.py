"""The two int64 arrays in which the compiled cycle simulator works, and the typed records in them.

``m`` is an accelerator: a record for each stream, each reader of a stream and each process, and the rings that hold the
times which they still need. A record is known by its address in ``m``: ``StreamRecord(m, address)`` gives it, in Python
and in compiled code alike. ``w`` is one call: the tokens and windows of its frames (``active_sites``), and the times
that the call finds. The header of ``m`` says where the parts of ``w`` begin.

Every function is compiled once, with one signature.
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numba import from_dtype, njit, types
from numba.extending import intrinsic, lower_builtin, type_callable

UNKNOWN = -1
"""Stands for a time that follows from times which are not known yet."""

UNCOUNTED: dict[str, Any] = {"_nrt": False, "error_model": "numpy"}
compiled = njit(**UNCOUNTED)
"""Compiles a function that works in ``m`` and ``w``, without reference counts, which take longer than many a call."""


class Record:
    """Fields of int64 that lie one behind the other in ``m``, in the order in which the class names them.

    A class that inherits adds its fields behind those of its base. Compiled code takes records as arguments, each
    function of one class alone.

    Parameters
        m          the accelerator's records: an array, in compiled code a pointer
        address    where the record begins
    Attributes
        fields     names of the fields, in order
        size       how many there are
    """

    fields: ClassVar[tuple[str, ...]] = ()
    size: ClassVar[int] = 0

    def __init__(self, m: Any, address: int) -> None:
        self._m, self._address = m, address

    def __init_subclass__(cls) -> None:
        own = inspect.get_annotations(cls)
        for place, name in enumerate(own, cls.size):
            setattr(cls, name, _field(place))
        cls.fields = (*cls.fields, *own)
        cls.size = len(cls.fields)
        _compile_record(cls)

    @classmethod
    def new(cls, records: Records) -> Self:
        """Add a record, zero but for its address.

        Parameters
            records    ``m`` while it is laid out
        """
        address = records.record(cls.size)
        records[address + cls.fields.index("at")] = address
        return cls(records.values, address)


def _field(place: int) -> property:
    """A field in Python: the number at a place of the record."""

    def get(record: Record) -> int:
        return int(record._m[record._address + place])

    def put(record: Record, value: int) -> None:
        record._m[record._address + place] = int(value)

    return property(get, put)


def _compile_record(cls: type[Record]) -> None:
    """Let compiled code call a record's class: a pointer to its first field, of the class' own type."""
    kind = from_dtype(np.dtype([(name, np.int64) for name in cls.fields], align=True))

    @type_callable(cls)
    def _(_context: Any) -> Callable[..., Any]:
        def typer(m: Any, address: Any) -> Any:
            return kind

        return typer

    @lower_builtin(cls, types.CPointer(types.int64), types.Integer)
    def _(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        m, address = arguments
        return builder.bitcast(builder.gep(m, [address]), context.get_value_type(kind))


class HeaderRecord(Record):
    """The first record of ``m``: addresses in ``w``, but for the three fields that say otherwise."""

    frames: int  # number of frames
    tokens: int  # numbers of tokens, by class and frame
    windows: int  # addresses of windows, by number and frame
    sites: int  # addresses of sites, by class and frame
    ends: int  # when the ``end`` left, by edge and frame
    input: int  # when each beat came in
    output: int  # when each beat came out
    awake: int  # address in ``m`` of a flag a process: whether something that it waits for may have come
    sweep: int  # number of the sweep over the processes


class Records:
    """``m`` while it is laid out.

    Attributes
        values     its numbers so far
        header     its first record
    """

    def __init__(self) -> None:
        self.values = [0] * HeaderRecord.size
        self.header = HeaderRecord(self.values, 0)

    def __setitem__(self, address: int, value: int) -> None:
        self.values[address] = value

    def __getitem__(self, address: int) -> int:
        return self.values[address]

    def record(self, size: int) -> int:
        """The address of a new record, all zero.

        Parameters
            size    how many numbers it has
        """
        self.values += [0] * size
        return len(self.values) - size

    def rings(self, count: int, least: int) -> tuple[int, int]:
        """Add rings, one behind the other.

        Parameters
            count    how many
            least    places that each has at least
        Returns      (address, index mask)
        """
        mask = (1 << (least - 1).bit_length()) - 1
        return self.record(count * (mask + 1)), mask

    def table(self, values: list[int]) -> int:
        """Add a table.

        Parameters
            values    what it holds
        Returns       its address
        """
        address = self.record(len(values))
        self.values[address:] = values
        return address

    def array(self) -> np.ndarray:
        """``m`` as int64."""
        return np.array(self.values, dtype=np.int64)


def _pointer(_, array):
    """The address of an array's numbers.

    Reading through it, numba handles no negative indices; a call passes the address alone.
    """

    def generate(context, builder, signature, arguments):
        return context.make_array(array)(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), generate


pointer: Any = intrinsic(_pointer)


def cached(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that compiles a function and stores the code, with all that it calls, on disk where it can.

    The function's name there contains a digest of all files of this folder, since numba itself notices changes only in
    the file of the function.

    Parameters
        options    numba's options
    """
    digest = 0
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest = zlib.crc32(file.read_bytes(), digest)

    def compile_cached(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__qualname__ += f"_{digest:08x}"
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:
            # numba finds no folder that it may write to
            return njit(**options)(function)

    return compile_cached
