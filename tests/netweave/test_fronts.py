"""A front as other stages read it: every figure possible, every name that of a folder."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dse.front import Front, FrontError, FrontPoint
from netweave.fronts import load_front
from tests.dse.test_front import point


def named(name: str, latency: float = 800.0, **changes: Any) -> FrontPoint:
    """A point whose mapping lies where the search writes it."""
    return replace(point(name, latency, 500), mapping=f"{name}/mapping.json", **changes)


def saved(path: Path, *points: FrontPoint, clock_mhz: float = 200.0) -> Path:
    Front("zu3eg", clock_mhz, points).save(path)
    return path


def test_a_front_that_is_possible_is_read_as_it_was_written(tmp_path: Path) -> None:
    points = named("a", simulated=750), named("b", 900.0, correct=540, resources={"lut": 0})
    path = saved(tmp_path / "front.json", *points)
    assert load_front(path) == Front("zu3eg", 200.0, points)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "../a"}, "name': '../a' must be "),
        ({"mapping": "b/mapping.json"}, "mapping': 'b/mapping.json' must be 'a/mapping.json'"),
        ({"total": 0}, "total': 0 must be an integer of 1 or more"),
        ({"total": True}, "total': True must be an integer of 1 or more"),
        ({"correct": 541}, "correct': 541 must be an integer of 0 to 540"),
        ({"correct": -1}, "correct': -1 must be an integer of 0 to 540"),
        ({"assignment": {"conv": 8}}, "assignment': {'conv': 8} must be an object of texts"),
        ({"resources": {"lut": 9.5}}, "resources': {'lut': 9.5} must be an object of integers"),
        ({"estimated": 0}, "estimated': 0 must be a number above 0"),
        ({"bottleneck": math.inf}, "bottleneck': inf must be a number above 0"),
        ({"utilisation": "half"}, "utilisation': 'half' must be a number above 0"),
        ({"simulated": -3}, "simulated': -3 must be a number above 0"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_field_that_cannot_be_is_named(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    wrong = replace(named("a"), **changes)
    path = saved(tmp_path / "front.json", named("first"), wrong)
    with pytest.raises(FrontError) as error:
        load_front(path)
    assert str(error.value).startswith(f"{path}, field 'points[1].{says}")


@pytest.mark.parametrize(
    ("points", "clock_mhz", "says"),
    [
        ([], 200.0, "field 'points': is empty; a front has at least one"),
        ([named("a")], 0.0, "field 'clock_mhz': 0.0 must be a number above 0"),
        ([named("a")], math.nan, "field 'clock_mhz': nan must be a number above 0"),
        ([named("a"), named("b"), named("a")], 200.0, "field 'points[2].name': 'a' is listed twice"),
    ],
)
def test_a_front_that_cannot_be_is_refused(
    tmp_path: Path, points: list[FrontPoint], clock_mhz: float, says: str
) -> None:
    path = saved(tmp_path / "front.json", *points, clock_mhz=clock_mhz)
    with pytest.raises(FrontError) as error:
        load_front(path)
    assert str(error.value) == f"{path}, {says}"
