"""Compiled code that can be kept, and code that cannot."""

from __future__ import annotations

from cosim.cycle.memory import Records, kept


def test_without_a_folder_to_keep_code_in_it_is_compiled_all_the_same() -> None:
    names: dict = {}
    # a function that is in no file has no folder
    exec("def double(n):\n    return 2 * n", names)
    assert kept()(names["double"])(21) == 42


def test_rings_have_a_power_of_two_of_places() -> None:
    memory = Records()
    address, mask = memory.rings(2, 5)
    assert mask == 7
    assert memory.record(1) == address + 16
    assert memory.rings(1, 1)[1] == 0
    assert memory.array()[address:].tolist() == [0] * 18
