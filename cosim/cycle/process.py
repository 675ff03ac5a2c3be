"""What every process of the cycle simulator has in common: its kind, and what it counts."""

from __future__ import annotations

from cosim.cycle.records import Record

SOURCE, MASK_SOURCE, SINK, QUEUE, TOKENS, WINDOWS, ELEMENTWISE, TURNS, POOL = range(9)
"""The kinds of process."""


class ProcessRecord(Record):
    """A process: a component that turns the times of its input into those of its output."""

    at: int  # its address
    kind: int  # its kind
    busy: int  # its busy cycles
    blocked: int  # its blocked cycles
