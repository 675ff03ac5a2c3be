"""How far a network's latencies, as counted and as estimated, are from simulated ones, and what follows for bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from reports.schema import Label, Point


class EstimateError(NamedTuple):
    """Of all designs of a network that were simulated; shares of the simulated latency.

    Parameters
        designs    how many there are
        program    the largest distance of the latency that the integer program counts
        estimate   the largest distance of the estimated latency
        below      the largest share of the program's figure by which a simulated latency lies under it; 0 for none
    """

    designs: int
    program: float
    estimate: float
    below: float

    def bound(self, point: Point) -> float | None:
        """What no simulated latency is less than, if none lies further below the program's figure than those seen.

        None where what the solver bounds is no latency.
        """
        if point.solver.minimised != "latency" or point.solver.bound is None:
            return None
        return point.solver.bound * (1 - self.below)


def model_error(points: Sequence[Point]) -> EstimateError | None:
    """None where no design has both figures."""
    figures = [
        (point.program, point.latency[Label.ESTIMATED], point.latency[Label.SIMULATED])
        for point in points
        if point.program is not None and Label.SIMULATED in point.latency
    ]
    if not figures:
        return None
    return EstimateError(
        len(figures),
        max(abs(program / simulated - 1) for program, _, simulated in figures),
        max(abs(estimated / simulated - 1) for _, estimated, simulated in figures),
        max(0.0, *(1 - simulated / program for program, _, simulated in figures)),
    )
