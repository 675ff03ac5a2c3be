from __future__ import annotations

from dse.sensitivity import features, worthwhile


def test_formats_worth_having() -> None:
    sensitivity = {
        "a": {"int8": 0.0, "int4": 0.3, "dybit8": 0.1, "dybit4": 0.2},
        "b": {"int8": 0.0, "int4": -0.1, "dybit8": 0.0, "dybit4": 0.0},
    }
    assert worthwhile(sensitivity) == {"a": ("int8", "dybit4"), "b": ("int4",)}


def test_features_are_errors_and_the_logarithm_of_their_sum() -> None:
    sensitivity = {"a": {"int8": 0.0, "int4": 0.006}, "b": {"int8": -0.1, "int4": 0.004}}
    rows = features(sensitivity, [{"b": "int4", "a": "int4"}, {"a": "int8", "b": "int8"}])
    assert rows.tolist() == [[0.006, 0.004, -2.0], [0.0, 0.0, -4.0]]
