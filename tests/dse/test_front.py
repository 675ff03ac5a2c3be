from __future__ import annotations

import json
from pathlib import Path

import pytest

from dse.front import Front, FrontError, FrontPoint, pick
from dse.milp import SolverReport


def point(
    name: str, latency: float, correct: int, utilisation: float = 0.5, simulated: int | None = None
) -> FrontPoint:
    solver = SolverReport("optimal", latency, latency, 0.0, 0.1)
    return FrontPoint(
        name, {"conv": "int8"}, f"{name}.json", correct, 540, "", (0.9, 1.0), latency, simulated, 70,
        {"lut": 9, "ff": 8, "bram": 1, "dsp": 2}, utilisation, solver, latency, "latency", 0, 0.0,
    )  # fmt: skip


FRONT = Front.of(
    "zu3eg",
    200.0,
    [
        point("exact", 8000, 535),
        point("beaten", 8100, 534),
        point("middle", 1000, 532),
        point("fast", 800.0, 500, simulated=750),
        point("small", 9000, 500, 0.1),
    ],
)


def test_only_what_nothing_dominates_is_kept() -> None:
    assert [p.name for p in FRONT.points] == ["fast", "middle", "exact", "small"]


def test_round_trip(tmp_path: Path) -> None:
    FRONT.save(tmp_path / "front.json")
    assert Front.load(tmp_path / "front.json") == FRONT


@pytest.mark.parametrize(
    "change, message",
    [
        ({"version": 2}, "'version': 2; this netweave reads version 3"),
        ({"points": [{"name": "x"}]}, "missing or bad field"),
        ({"device": None, "points": 3}, "missing or bad field"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = tmp_path / "front.json"
    FRONT.save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(FrontError, match=message):
        Front.load(path)


def test_no_file_and_no_json(tmp_path: Path) -> None:
    with pytest.raises(FrontError, match=r"front\.json: cannot be read"):
        Front.load(tmp_path / "front.json")
    (tmp_path / "front.json").write_text("{")
    with pytest.raises(FrontError, match="cannot be read as JSON"):
        Front.load(tmp_path / "front.json")


@pytest.mark.parametrize(
    "rule, name",
    [
        ("knee", "middle"),
        ("exact", "exact"),
        ("fastest-above 98.5", "middle"),
        ("fastest-above 50", "fast"),
        ("most-accurate-under 0.0399", "middle"),
        ("most-accurate-under 0.00375", "fast"),
        ("smallest-under 0.045", "small"),
    ],
)
def test_pick(rule: str, name: str) -> None:
    assert pick(FRONT, rule).name == name


@pytest.mark.parametrize(
    "rule, message",
    [
        ("fastest-above 99.9", "accuracy goes up to 99.07 %, latency down to 0.00375 ms"),
        ("most-accurate-under 0.003", "no point is"),
        ("most-accurate-under", "'' is no number; say 'most-accurate-under 0.05'"),
        ("best", "points are fast, middle, exact, small; rules are 'knee'"),
    ],
)
def test_a_pick_that_is_not_there(rule: str, message: str) -> None:
    with pytest.raises(FrontError, match=message):
        pick(FRONT, rule)


def test_the_knee_of_one_point_is_that_point() -> None:
    assert pick(Front.of("zu3eg", 200.0, [point("only", 5, 5)]), "knee").name == "only"


def test_a_pick_without_a_number_says_what_would_be_one() -> None:
    with pytest.raises(FrontError, match=r"say 'fastest-above 97\.5'"):
        pick(FRONT, "fastest-above much")
    with pytest.raises(FrontError, match=r"say 'smallest-under 0\.05'"):
        pick(FRONT, "smallest-under much")
