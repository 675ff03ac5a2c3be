"""What all processes have in common: where their fields lie, and that each kind is one of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cosim.cycle import netlist, process
from cosim.cycle.process import ProcessRecord


def below(record: type[ProcessRecord]) -> Iterator[type[ProcessRecord]]:
    """All classes that inherit from a record's."""
    for own in record.__subclasses__():
        yield own
        yield from below(own)


@pytest.mark.parametrize("record", [*below(ProcessRecord)], ids=lambda record: record.__name__)
def test_compiled_code_finds_the_kind_of_any_process_at_the_same_place(record: type[ProcessRecord]) -> None:
    # the scheduler reads a process as a ProcessRecord before it knows which it is
    assert record.fields[:4] == ProcessRecord.fields == ("at", "kind", "busy", "blocked")
    assert len(set(record.fields)) == record.size


def test_no_two_kinds_are_the_same() -> None:
    kinds = [value for name, value in vars(process).items() if name.isupper()]
    assert sorted(kinds) == list(range(9))
    assert netlist.kinds is process
