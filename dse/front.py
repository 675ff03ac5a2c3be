"""The front as an artifact, ``front.json``: its points, and the rules that pick one of them."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dse.milp import SolverReport
from dse.pareto import non_dominated
from dse.program import SolverError
from models.ir.files import read_json

VERSION = 3


class FrontError(ValueError):
    """A front that cannot be read, or a pick that it does not offer; the message names file, field and value."""


@dataclass(frozen=True)
class FrontPoint:
    """One design with its measured accuracy.

    ``mapping`` is the best in simulation of the program's own mapping and ``tried`` others near it.

    Parameters
        name         name of the design
        assignment   format name by layer
        mapping      path of the mapping file, relative to the folder of the front
        correct      number of validation images classified correctly
        total        number of validation images
        right        which images are correct, as ``reports.paired`` packs them
        interval     95 % confidence interval of the accuracy, as fractions
        estimated    estimated latency in cycles
        simulated    simulated latency in cycles; None until simulated
        bottleneck   estimated cycles between successive frames
        resources    amount of each resource, by name
        utilisation  largest fraction of one of the device's resources
        solver       report of the integer program on its own mapping
        program      latency that the integer program computes; None where it refers to other frames than the simulated
                     ones
        minimised    name of the objective that ``solver`` reports on
        tried        number of mappings that were simulated besides the program's own
        gained       fraction by which ``mapping`` is better than the program's own mapping in simulation
    """

    name: str
    assignment: Mapping[str, str]
    mapping: str
    correct: int
    total: int
    right: str
    interval: tuple[float, float]
    estimated: float
    simulated: int | None
    bottleneck: float
    resources: Mapping[str, int]
    utilisation: float
    solver: SolverReport
    program: float | None
    minimised: str
    tried: int
    gained: float

    @property
    def accuracy(self) -> float:
        """Fraction of the validation images that are classified correctly."""
        return self.correct / self.total

    @property
    def latency(self) -> float:
        """Simulated latency, or the estimated one where there is no simulation."""
        return self.estimated if self.simulated is None else self.simulated

    @property
    def costs(self) -> tuple[float, float, float]:
        """Latency, negative accuracy and utilisation: less is better."""
        return self.latency, -self.accuracy, self.utilisation


@dataclass(frozen=True)
class Front:
    """A Pareto front of designs in latency, accuracy and utilisation.

    Parameters
        device        name of the device
        clock_mhz     clock in MHz
        points        the points by rising latency; none dominates another
        infeasible    design families without a design within the limits, and why, by family name
    """

    device: str
    clock_mhz: float
    points: tuple[FrontPoint, ...]
    infeasible: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.points)

    def milliseconds(self, point: FrontPoint) -> float:
        """A point's latency at the front's clock."""
        return point.latency / (1000 * self.clock_mhz)

    @classmethod
    def of(
        cls, device: str, clock_mhz: float, points: Sequence[FrontPoint], infeasible: Mapping[str, str] | None = None
    ) -> Front:
        """The front of the points that no other dominates."""
        front = [points[place] for place in non_dominated([point.costs for point in points])]
        return cls(device, clock_mhz, tuple(sorted(front, key=lambda point: point.costs)), infeasible or {})

    def save(self, path: Path) -> None:
        """Write the front as JSON."""
        path.write_text(json.dumps({"version": VERSION, **dataclasses.asdict(self)}, indent=1, sort_keys=True) + "\n")

    @classmethod
    def load(cls, path: Path) -> Front:
        """Read a front; raises ``FrontError`` where the file is no front of this version."""
        try:
            entry = read_json(path)
        except (OSError, ValueError) as error:
            raise FrontError(f"{path}: cannot be read as JSON: {error}") from error
        version = entry.get("version") if isinstance(entry, dict) else None
        if version != VERSION:
            raise FrontError(f"{path}, field 'version': {version!r}; this netweave reads version {VERSION}")
        try:
            points = tuple(_point(fields) for fields in entry["points"])
            return cls(str(entry["device"]), float(entry["clock_mhz"]), points, dict(entry.get("infeasible", {})))
        except (KeyError, TypeError, ValueError, OverflowError, SolverError) as error:
            raise FrontError(f"{path}: missing or bad field: {error}") from error


def _point(fields: dict[str, Any]) -> FrontPoint:
    low, high = fields["interval"]
    return FrontPoint(**{**fields, "interval": (low, high), "solver": SolverReport(**fields["solver"])})


def pick(front: Front, rule: str) -> FrontPoint:
    """One point, by its name or by a rule.

    ``knee`` is the point nearest to the lowest latency and the highest accuracy, both scaled to the front's range,
    latency in octaves. ``fastest-above PERCENT`` has the lowest latency of the points with at least that accuracy.
    ``most-accurate-under MS`` has the highest accuracy of the points with at most that latency in milliseconds at the
    front's clock, the faster one of equals. ``smallest-under MS`` has the lowest utilisation of these points, the more
    accurate one of equals.

    Parameters
        front  the front
        rule   name of a point, or a rule
    Raises     FrontError: when no point has the name or satisfies the rule
    """
    if not front.points:
        raise FrontError(f"front of {front.device}: has no points to pick from")
    for point in front.points:
        if point.name == rule:
            return point
    kind, _, number = rule.partition(" ")
    if kind == "knee" and not number:
        return min(front.points, key=lambda point: _from_ideal(front, point))
    if kind in ("fastest-above", "most-accurate-under", "smallest-under"):
        try:
            limit = float(number)
        except ValueError:
            example = 97.5 if kind == "fastest-above" else 0.05
            raise FrontError(f"pick {rule!r}: {number!r} is no number; say '{kind} {example}'") from None
        if kind == "fastest-above":
            return _best(front, rule, [p for p in front.points if 100 * p.accuracy >= limit], lambda p: p.costs)
        fast = [p for p in front.points if front.milliseconds(p) <= limit]
        if kind == "smallest-under":
            return _best(front, rule, fast, lambda p: (p.utilisation, -p.accuracy, p.latency))
        return _best(front, rule, fast, lambda p: (-p.accuracy, p.latency, p.utilisation))
    names = ", ".join(point.name for point in front.points)
    raise FrontError(
        f"pick {rule!r}: is no point and no rule; points are {names}; "
        "rules are 'knee', 'fastest-above PERCENT', 'most-accurate-under MS', 'smallest-under MS'"
    )


def _best(front: Front, rule: str, points: list[FrontPoint], key: Any) -> FrontPoint:
    if not points:
        accuracy = max(100 * point.accuracy for point in front.points)
        latency = min(map(front.milliseconds, front.points))
        raise FrontError(
            f"pick {rule!r}: no point is; accuracy goes up to {accuracy:.2f} %, latency down to {latency:.4g} ms"
        )
    return min(points, key=key)


def _from_ideal(front: Front, point: FrontPoint) -> float:
    octaves = [math.log2(p.latency) for p in front.points]
    accuracies = [p.accuracy for p in front.points]
    slow = _scaled(math.log2(point.latency), min(octaves), max(octaves))
    wrong = 1 - _scaled(point.accuracy, min(accuracies), max(accuracies))
    return math.hypot(slow, wrong if len(set(accuracies)) > 1 else 0.0)


def _scaled(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.0
