from __future__ import annotations

import pytest

from models.ir.names import did_you_mean, is_name


@pytest.mark.parametrize("name", ["a", "0", "ecp5-25k", "my_board.v2+", "a" * 100])
def test_names_that_keep_to_the_rule(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", "-a", "_a", "a/b", "a b", "a\n", "\u00e4", "a" * 101, 7, None, b"a"])
def test_what_could_leave_its_folder_is_no_name(name: object) -> None:
    assert not is_name(name)


def test_the_nearest_of_the_valid_names_comes_first() -> None:
    valid = ["digits", "mnist", "digit-pairs"]
    assert did_you_mean("digit", valid) == "did you mean 'digits'? valid are digits, mnist, digit-pairs"
    assert did_you_mean("zzz", valid) == "valid are digits, mnist, digit-pairs"
