from __future__ import annotations

from dse.sensitivity import worthwhile


def test_formats_worth_having() -> None:
    sensitivity = {
        "a": {"int8": 0.0, "int4": 0.3, "dybit8": 0.1, "dybit4": 0.2},
        "b": {"int8": 0.0, "int4": -0.1, "dybit8": 0.0, "dybit4": 0.0},
    }
    assert worthwhile(sensitivity) == {"a": ("int8", "dybit4"), "b": ("int4",)}
