from __future__ import annotations

from dse.sensitivity import features, worthwhile


def test_formats_worth_having() -> None:
    sensitivity = {
        "a": {"int8": 0.0, "int4": 0.3, "dybit8": 0.1, "dybit4": 0.2},
        "b": {"int8": 0.0, "int4": -0.1, "dybit8": 0.0, "dybit4": 0.0},
    }
    # int4 loses more than dybit4 and has as many bits, but is multiplied by less
    assert worthwhile(sensitivity) == {"a": ("int8", "int4", "dybit4"), "b": ("int4",)}


def test_formats_of_weights_and_outputs_are_compared_one_by_one() -> None:
    errors = {"int8": 0.0, "int4": 0.3, "int4xint8": 0.1, "int8xint4": 0.3, "dybit4xint8": 0.1, "dybit4": 0.25}
    assert worthwhile({"a": errors})["a"] == ("int8", "int4", "int4xint8", "dybit4")


def test_features_are_errors_and_the_logarithm_of_their_sum() -> None:
    sensitivity = {"a": {"int8": 0.0, "int4": 0.006}, "b": {"int8": -0.1, "int4": 0.004}}
    rows = features(sensitivity, [{"b": "int4", "a": "int4"}, {"a": "int8", "b": "int8"}])
    assert rows.tolist() == [[0.006, 0.004, -2.0], [0.0, 0.0, -4.0]]
