"""What an exploration left is read back, and its front is that of an exhaustive comparison."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from reports.artifact import ArtifactError
from reports.designs import Designs, read
from reports.schema import Label, Point
from tests.reports.example import at, designs, point


def test_what_was_explored_is_read_back(explored: Path) -> None:
    assert read(explored, "p2") == designs()
    (explored / "front.json").unlink()
    with pytest.raises(ArtifactError, match="`netweave explore` makes it"):
        read(explored)


def test_steps_are_those_that_none_beats_in_latency_and_accuracy() -> None:
    rng = random.Random(0)
    for _ in range(200):
        points = [at(rng.randint(1, 9), rng.randint(0, 9), str(n)) for n in range(rng.randint(1, 12))]
        found = Designs("zu3eg", 100, points)

        def costs(own: Point) -> tuple[float, int]:
            return own.latency[Label.ESTIMATED], -own.accuracy.correct

        pairs = {costs(own) for own in points}
        expected = sorted(a for a in pairs if not any(b != a and b[0] <= a[0] and b[1] <= a[1] for b in pairs))
        assert [costs(own) for own in found.staircase] == expected


def test_latency_is_simulated_only_where_all_were() -> None:
    some = [*designs().points, at(400, 19, "estimated alone")]
    assert designs().label is Label.SIMULATED
    assert Designs("zu3eg", 200, some).label is Label.ESTIMATED
    assert designs().microseconds(point(0)) == 9050 / 200
