"""The hypervolume of a front: the measure by which fronts are compared.

Less is better on every axis. A point covers the box from it to a reference point that is worse on every axis; a front
covers the union of its points' boxes. A dominated point adds nothing, so the volume grows when a front gains a point
that none of its own dominates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import moocore
import numpy as np

MARGIN = 0.1
"""Distance of the common reference beyond the worst point, as a fraction of the range, so that extreme points count
too."""

Point = Sequence[float]


def hypervolume(points: Sequence[Point], reference: Point) -> float:
    """The volume that the points' boxes to ``reference`` cover together; 0 without points.

    The result is exact for integers while the volume is below 2^53. A point that is not better than the reference on
    every axis covers nothing.

    Parameters
        points     costs of each point
        reference  the reference point, with as many axes
    Raises         ValueError: when a point has another number of axes than the reference
    """
    if any(len(point) != len(reference) for point in points):
        axes = sorted({len(point) for point in points})
        raise ValueError(f"reference has {len(reference)} axes, the points have {', '.join(map(str, axes))}")
    # the library needs at least one point; the reference itself covers nothing
    return float(moocore.hypervolume(np.array([*points, reference], dtype=float), ref=np.array(reference, dtype=float)))


def latency_and_error(cycles: float, accuracy: float) -> tuple[float, float]:
    """The costs by which designs are compared: octaves of latency, and percentage points of missing accuracy.

    Twice as fast is worth the same at either end of a front.

    Parameters
        cycles    latency, above 0
        accuracy  fraction, 0 to 1
    Returns       log2 of the cycles, and 100 minus the accuracy in percent
    Raises        ValueError: when a value is out of range
    """
    if cycles <= 0 or not 0 <= accuracy <= 1:
        raise ValueError(f"cycles must be positive and accuracy a share from 0 to 1, not {cycles} and {accuracy}")
    return math.log2(cycles), 100 * (1 - accuracy)


def common_reference(fronts: Mapping[str, Sequence[Point]]) -> tuple[float, ...]:
    """On each axis the worst value of all points plus ``MARGIN`` of the range; a range of 0 counts as 1.

    Parameters
        fronts  points of each front, by name
    Raises      ValueError: when no front has a point
    """
    worst, best = _corners(fronts)
    return tuple(high + MARGIN * ((high - low) or 1.0) for high, low in zip(worst, best, strict=True))


def relative_hypervolumes(fronts: Mapping[str, Sequence[Point]]) -> dict[str, float]:
    """The fraction that each front covers of the box from the best values of all fronts to their common reference.

    A front with one point that is best on every axis has 1. The fractions change with the set of fronts; their order
    does not depend on the units of the axes.

    Parameters
        fronts  points of each front, by name
    Returns     fractions, by name
    Raises      ValueError: when no front has a point
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
