"""Amounts of resources add up kind by kind, and none fits where one kind is short."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES

amounts = st.builds(Resources, *[st.integers(0, 1000)] * 4)


@given(amounts, amounts, st.integers(0, 9))
def test_sums_and_multiples_are_kind_by_kind(a: Resources, b: Resources, times: int) -> None:
    a4, b4 = dataclasses.astuple(a), dataclasses.astuple(b)
    assert dataclasses.astuple(a + b) == tuple(x + y for x, y in zip(a4, b4, strict=True))
    assert a * times == times * a == sum([a] * times, Resources())
    assert (a <= b) == all(x <= y for x, y in zip(a4, b4, strict=True))
    assert a <= a + b


def test_neither_of_two_may_fit_the_other() -> None:
    assert not Resources(lut=1) <= Resources(ff=1)
    assert not Resources(ff=1) <= Resources(lut=1)
    assert Resources.names() == ("lut", "ff", "bram", "dsp")


def test_a_device_is_full_at_its_own_resources() -> None:
    assert Resources(dsp=360).fits(DEVICES["zu3eg"])
    assert not Resources(dsp=361).fits(DEVICES["zu3eg"])
