"""Whatever `python -m benchmarks` lists can be measured."""

from __future__ import annotations

import importlib

import pytest

from benchmarks.__main__ import names


@pytest.mark.parametrize("name", names())
def test_a_benchmark_has_something_to_measure(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").measure)
