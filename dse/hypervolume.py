"""How much of the space of costs a front covers: what fronts are compared by.

Less is better on every axis. What a point covers is the box from it to a reference point that is worse on every axis; a
front covers the union of its points' boxes. A point that another dominates adds nothing, so that the volume grows
whenever a front gains a point that none of its own beats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import moocore
import numpy as np

MARGIN = 0.1
"""How far the common reference lies beyond the worst point, as a share of the range: extreme points count as well."""

Point = Sequence[float]


def hypervolume(points: Sequence[Point], reference: Point) -> float:
    """The volume that the points' boxes to ``reference`` cover together; 0 where there are none.

    Exact for integers while the volume is below 2^53. A point that is not better than the reference on every axis
    covers nothing.
    """
    if any(len(point) != len(reference) for point in points):
        axes = sorted({len(point) for point in points})
        raise ValueError(f"reference has {len(reference)} axes, the points have {', '.join(map(str, axes))}")
    # the reference is a point that covers nothing, and the library wants one
    return float(moocore.hypervolume(np.array([*points, reference], dtype=float), ref=np.array(reference, dtype=float)))


def latency_and_error(cycles: float, accuracy: float) -> tuple[float, float]:
    """The costs in which designs are compared: octaves of latency, and points of accuracy that are missing.

    ``accuracy``: a share. Twice as fast is worth as much at either end of a front.
    """
    if cycles <= 0 or not 0 <= accuracy <= 1:
        raise ValueError(f"cycles must be positive and accuracy a share from 0 to 1, not {cycles} and {accuracy}")
    return math.log2(cycles), 100 * (1 - accuracy)


def common_reference(fronts: Mapping[str, Sequence[Point]]) -> tuple[float, ...]:
    """On each axis the worst value of all points, and ``MARGIN`` of the range beyond it; a range of 0 counts as 1."""
    worst, best = _corners(fronts)
    return tuple(high + MARGIN * ((high - low) or 1.0) for high, low in zip(worst, best, strict=True))


def relative_hypervolumes(fronts: Mapping[str, Sequence[Point]]) -> dict[str, float]:
    """By front, the share it covers of the box between the best values of all fronts and their common reference.

    1 is a front with one point that is as good as any on every axis. The shares change with the fronts that are
    compared; their order does not depend on the units of the axes.
    """
    reference = common_reference(fronts)
    _, best = _corners(fronts)
    box = math.prod(far - near for far, near in zip(reference, best, strict=True))
    return {name: hypervolume(points, reference) / box for name, points in fronts.items()}


def _corners(fronts: Mapping[str, Sequence[Point]]) -> tuple[list[float], list[float]]:
    """The worst and the best value on each axis."""
    points = [point for front in fronts.values() for point in front]
    if not points:
        raise ValueError(f"none of the fronts {', '.join(fronts)} has a point")
    axes = list(zip(*points, strict=True))
    return [max(values) for values in axes], [min(values) for values in axes]
