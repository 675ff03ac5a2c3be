"""What an exploration found for one device, as its pictures show it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.artifact import read_json, reading
from reports.schema import AccuracyEntry, Label, Point, ResourcesEntry, Solver, Target

FRONT, ALL = "front.json", "designs.json"
FRONT_VERSION = 3
"""Of the files that ``dse.front`` writes."""


@dataclass(frozen=True)
class Designs:
    """``points``: all that were found, in any order. ``chosen``: the name of the one that is picked, if one is.
    ``clock``: whether a router has confirmed it."""

    device: str
    clock_mhz: float
    points: Sequence[Point]
    chosen: str | None = None
    clock: str = "assumed clock"

    @classmethod
    def of(cls, target: Target) -> Designs:
        return cls(target.device, target.clock_mhz, target.points, target.design.point, target.clock)

    @property
    def label(self) -> Label:
        """How the latencies that are shown were obtained: simulated, if all were."""
        simulated = all(Label.SIMULATED in point.latency for point in self.points)
        return Label.SIMULATED if simulated else Label.ESTIMATED

    @property
    def front(self) -> list[Point]:
        """Those that no other beats in latency, accuracy and resources, fastest first."""
        return sorted((point for point in self.points if point.front), key=lambda point: point.latency[self.label])

    @property
    def staircase(self) -> list[Point]:
        """Those of the front that no other beats in latency and accuracy alone; each is more accurate than the last."""
        steps: list[Point] = []
        for point in sorted(self.front, key=lambda point: (point.latency[self.label], -point.accuracy.percent)):
            if not steps or point.accuracy.percent > steps[-1].accuracy.percent:
                steps.append(point)
        return steps

    def microseconds(self, point: Point) -> float:
        return point.latency[self.label] / self.clock_mhz


def read(folder: Path, chosen: str | None = None) -> Designs:
    """The designs that `netweave explore` left in ``folder``."""
    every, front = (read_json(folder / name, None, "explore", FRONT_VERSION) for name in (ALL, FRONT))
    with reading(folder / FRONT):
        on_front = {point["name"] for point in front["points"]}
    with reading(folder / ALL):
        points = [_point(entry, entry["name"] in on_front) for entry in every["points"]]
        if not (type(every["clock_mhz"]) in (int, float) and 0 < every["clock_mhz"] < math.inf):
            raise ValueError(f"clock_mhz: {every['clock_mhz']!r} must be a number above 0")
        return Designs(every["device"], every["clock_mhz"], points, chosen)


def _point(entry: dict[str, Any], front: bool) -> Point:
    latency = {Label.ESTIMATED: entry["estimated"]}
    if entry["simulated"] is not None:
        latency[Label.SIMULATED] = entry["simulated"]
    solver = {key: entry["solver"][key] for key in ("status", "bound", "gap", "seconds")}
    solver["minimised"] = entry["minimised"]
    return Point(
        name=entry["name"],
        formats=entry["assignment"],
        accuracy=AccuracyEntry(correct=entry["correct"], total=entry["total"]),
        right=entry["right"],
        latency=latency,
        program=entry["program"],
        tried=entry["tried"],
        gained=entry["gained"],
        bottleneck={Label.ESTIMATED: entry["bottleneck"]},
        resources=ResourcesEntry(**entry["resources"]),
        utilisation=entry["utilisation"],
        front=front,
        solver=Solver(**solver),
    )
