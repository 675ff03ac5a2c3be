from __future__ import annotations

import pytest

from dse.sensitivity import measure, total, worthwhile

COST = {"a": {"int8": 1.0, "int4": 3.0}, "b": {"int8": 2.0, "int4": 1.5}}


def test_each_layer_is_measured_alone() -> None:
    seen: list[dict[str, str]] = []

    def error(assignment: dict[str, str]) -> float:
        seen.append(assignment)
        return sum(COST[layer][name] for layer, name in assignment.items())

    found = measure(["a", "b"], ["int8", "int4"], error)
    assert found == {"a": {"int8": 0.0, "int4": 2.0}, "b": {"int8": 0.0, "int4": -0.5}}
    assert seen == [{"a": "int8", "b": "int8"}, {"a": "int4", "b": "int8"}, {"a": "int8", "b": "int4"}]
    assert total(found, {"a": "int4", "b": "int4"}) == pytest.approx(2.0)


def test_formats_worth_having() -> None:
    sensitivity = {
        "a": {"int8": 0.0, "int4": 0.3, "dybit8": 0.1, "dybit4": 0.2},
        "b": {"int8": 0.0, "int4": -0.1, "dybit8": 0.0, "dybit4": 0.0},
    }
    assert worthwhile(sensitivity) == {"a": ("int8", "dybit4"), "b": ("int4",)}
