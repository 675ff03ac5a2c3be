"""Typed records in ``m``, in Python and in compiled code, and compiled code that can be kept."""

from __future__ import annotations

import numpy as np
import pytest

from cosim.cycle.records import UNCOUNTED, Record, Records, cached, compiled, pointer


class Base(Record):
    at: int
    first: int


class Derived(Base):
    second: int


@compiled
def _swapped(m, address):
    own = Derived(m, address)
    own.first, own.second = own.second, own.first + 1
    return Base(m, address).first


@cached(**UNCOUNTED)
def _swap(m, address):
    return _swapped(pointer(m), address)


def test_compiled_code_and_python_read_the_same_fields() -> None:
    records = Records()
    Base.new(records)
    record = Derived.new(records)
    record.first, record.second = 5, 7
    m = records.array()
    assert _swap(m, record.at) == 7
    after = Derived(m, record.at)
    assert (after.at, after.first, after.second) == (record.at, 7, 6)
    assert np.count_nonzero(m) == 4


def test_a_class_adds_its_fields_behind_those_of_its_base() -> None:
    assert Derived.fields == ("at", "first", "second")
    assert (Base.size, Derived.size) == (2, 3)


def test_a_field_that_is_not_there_is_no_typing_error_that_goes_unseen() -> None:
    @compiled
    def wrong(m):
        return Base(m, 0).second  # pyright: ignore[reportAttributeAccessIssue]

    @cached(**UNCOUNTED)
    def call(m):
        return wrong(pointer(m))

    with pytest.raises(Exception, match="second"):
        call(np.zeros(4, np.int64))


def test_without_a_folder_to_keep_code_in_it_is_compiled_all_the_same() -> None:
    names: dict = {}
    # a function that is in no file has no folder
    exec("def double(n):\n    return 2 * n", names)
    assert cached()(names["double"])(21) == 42


def test_rings_have_a_power_of_two_of_places() -> None:
    records = Records()
    address, mask = records.rings(2, 5)
    assert mask == 7
    assert records.record(1) == address + 16
    assert records.rings(1, 1)[1] == 0
    assert records.array()[address:].tolist() == [0] * 18
