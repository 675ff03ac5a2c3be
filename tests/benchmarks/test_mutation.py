"""The mutation run: a fault that a test notices is one, a fault that none notices is not, and tests that hang end."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.mutation.judge import noticed
from benchmarks.mutation.mutants import mutants

RIGHT = """
def largest(values):
    '''Of numbers.'''
    best = values[0]
    for value in values:
        if value > best:
            best = value
    return best
"""
TEST = """
from thing import largest

def test_of_two():
    assert largest([3, 5]) == 5

def test_of_one():
    assert largest([7]) == 7
"""
TESTS = ("test_thing.py::test_of_one", "test_thing.py::test_of_two")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "test_thing.py").write_text(TEST)
    return folder


@pytest.mark.few(3)
@pytest.mark.parametrize(
    "old, new, word",
    [
        ("value > best", "value > best", None),
        ("value > best", "value >= best", None),
        ("value > best", "value < best", "test_thing.py::test_of_two"),
        ("return best", "return None", "test_thing.py::test_of_one"),
        ("return best", "while True: pass", "no end within 3 s"),
        ("def largest", "def smallest", "test_thing.py (collection)"),
    ],
)
def test_the_first_test_that_fails_is_named(tree: Path, old: str, new: str, word: str | None) -> None:
    (tree / "thing.py").write_text(RIGHT.replace(old, new))
    limit = 3 if "while" in new else 60
    assert noticed(tree, TESTS, limit) == word


def test_faults_are_drawn_by_the_seed_and_change_what_runs(tree: Path) -> None:
    (tree / "thing.py").write_text(RIGHT)
    drawn = mutants(tree, "thing.py", 4, 1)
    assert [own.text for own in drawn] == [own.text for own in mutants(tree, "thing.py", 4, 1)]
    assert len({own.text for own in drawn}) == 4
    for own in drawn:
        assert own.text.splitlines()[own.line - 1] != RIGHT.splitlines()[own.line - 1]
        assert "'''Of numbers.'''" in own.text
