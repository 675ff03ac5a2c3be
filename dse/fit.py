"""Weights that fit a network: a limit gets more weight when the cheapest selections exceed it.

The duals of the relaxation give the weights that mixed candidates need, which meet the deadline more easily than any
selection does. The least weighted sum that a surrogate pass reaches is the quality of the weights, and what its
selection takes of each limit shows how to change them. The largest least sum is searched for with cutting planes, in a
trust region around the best weights so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulp

from dse.labels.kernels import NEVER
from dse.labels.layers import Counter, Surrogate, TooManyLabels
from dse.labels.limits import Limits
from dse.labels.network import Network
from dse.labels.passes import cheapest, surrogate
from dse.labels.weights import Weights
from dse.problem import Selection
from dse.program import Program

ROUNDS = 6
"""Number of weights that are tried."""
NEAR = 0.015
"""Trust region: how much the share of a limit may change. It shrinks to a third after a change for the worse, as
passes with bad weights reach many labels."""
LEAST_GROWTH = 0.05
"""No more weights are tried unless the sum promises to grow by this fraction of what it misses."""
EFFORT = 60_000_000
"""Labels examined after which no more weights are tried."""
SLICES = 8
"""Number of slices in which the budget of the least sum is raised, from the relaxation's least sum to that of the
limits."""

Shares = dict[str, float]
"""Weight times limit of each limited row, by row name; they sum to 1."""


@dataclass(frozen=True)
class Fit:
    """Result of fitting weights.

    Parameters
        shares      shares of the best weights
        weights     the best weights
        gain        how much closer they come to the weighted sum of the limits, as a fraction of what the first weights
                    missed
        selections  cheapest selection for each of the weights that were tried; they meet the deadline as far as labels
                    tell
        cuts        fraction of each limit that each selection takes
    """

    shares: Shares
    weights: Weights
    gain: float
    selections: list[Selection]
    cuts: list[Shares]


class Fitter:
    """Fits weights to one network and its limits.

    Parameters
        network  a timed network that is not whole
        limits   limits of the selection, with at least one row limited
        program  integer program of the network's problem, with its latency limited
        counter  counts the labels examined
        room     labels kept after an op, further ones are merged; None keeps all
    """

    def __init__(
        self, network: Network, limits: Limits, program: Program, counter: Counter, room: int | None = None
    ) -> None:
        self.network, self.limits, self._program, self._counter, self.room = network, limits, program, counter, room
        caps = zip(network.row_names, limits.caps.tolist(), strict=True)
        self._caps = {name: max(cap, 1) for name, cap in caps if cap < NEVER}

    def shares(self, rows: Mapping[str, float]) -> Shares:
        """The shares of weights by row name."""
        weighed = {name: rows.get(name, 0.0) * cap for name, cap in self._caps.items()}
        whole = sum(weighed.values())
        return {name: own / whole if whole else 1 / len(weighed) for name, own in weighed.items()}

    def weights(self, shares: Shares) -> Weights | None:
        """Weights with these shares, and fitting weights of times; None where the relaxation is infeasible."""
        rows = {name: share / self._caps[name] for name, share in shares.items()}
        relaxed = self._program.relax(self._program.weighted_sum(rows))
        if relaxed is None:
            return None
        return Weights.of(self.network, replace(relaxed.duals, rows=rows))

    def fit(self, shares: Shares, weights: Weights, forward: Surrogate, earlier_cuts: list[Shares]) -> Fit:
        """Search for better weights near given ones.

        Parameters
            shares        shares of the given weights
            weights       the given weights
            forward       surrogate pass of the given weights
            earlier_cuts  fractions of the limits that other selections take, which meet the deadline
        Returns           the best weights; the given ones where none is better
        """
        least, choice = cheapest(self.network, forward)
        first = least / max(1, weights.budget(self.limits))
        best, near = (shares, weights, first), NEAR
        selections, cuts, begin = [choice], [self._used(choice)], self._counter.labels
        for _ in range(ROUNDS):
            shares_tried = self._master([*earlier_cuts, *cuts], best[0], near)
            prediction = min(
                sum(cut[name] * share for name, share in shares_tried.items()) for cut in (*earlier_cuts, *cuts)
            )
            enough = best[2] + LEAST_GROWTH * (1 - best[2])
            own = self.weights(shares_tried) if prediction > enough and self._counter.labels - begin < EFFORT else None
            if own is None:
                break
            try:
                result = self._least(own, best[2])
            except TooManyLabels:
                break
            if result is None:
                best = shares_tried, own, float("inf")
                break
            selections.append(result[1])
            cuts.append(self._used(result[1]))
            if result[0] > best[2]:
                best = shares_tried, own, result[0]
            else:
                near /= 3
        gain = (best[2] - first) / (1 - first) if first < 1 else 0.0
        return Fit(best[0], best[1], gain, selections, cuts)

    def _least(self, weights: Weights, about: float) -> tuple[float, Selection] | None:
        """The least weighted sum reached, as a fraction of that of the limits, and its selection; None without any.

        Parameters
            weights  the weights
            about    estimate of the result, where the search begins
        """
        budget = weights.budget(self.limits)
        lowest = weights.least(self.network, self.limits) - weights.finish * self.limits.deadline
        if lowest > budget:
            return None
        at = max(0.0, (about * budget - lowest) / max(1, budget - lowest))
        while True:
            at = min(1.0, at + 1 / SLICES)
            most = budget if at == 1.0 else lowest + int(at * (budget - lowest))
            forward = surrogate(self.network, weights, self.limits, self._counter, most, room=self.room)
            if not forward.empty:
                least, choice = cheapest(self.network, forward)
                return least / max(1, budget), choice
            if at == 1.0:
                return None

    def _used(self, choice: Selection) -> Shares:
        """The fraction of each limit that a selection takes; links that do not exist count as 0."""
        problem, rows = self.network.problem, dict.fromkeys(self._caps, 0)
        names = list(problem.budget)
        for own in choice.values():
            for name, amount in zip((*names, "error"), (*own.resources, own.error), strict=True):
                if name in rows:
                    rows[name] += amount
        for edge in problem.edges:
            link = edge.links.get((choice[edge.producer].writes, choice[edge.consumer].reads[edge.index]))
            for name, amount in zip(names, link.resources if link else (), strict=False):
                if name in rows:
                    rows[name] += amount
        return {name: amount / self._caps[name] for name, amount in rows.items()}

    def _master(self, cuts: list[Shares], best: Shares, near: float) -> Shares:
        """The shares in the trust region at which the cheapest known selection takes most."""
        lp = pulp.LpProblem("shares", pulp.LpMaximize)
        least = lp.add_variable("least")
        own = {
            name: lp.add_variable(f"s{at}", max(0.0, share - near), min(1.0, share + near))
            for at, (name, share) in enumerate(best.items())
        }
        lp.setObjective(least)
        lp.addConstraint(pulp.lpSum(own.values()) == 1)
        for cut in cuts:
            lp.addConstraint(least <= pulp.lpSum(cut[name] * own[name] for name in own))
        lp.solve(pulp.HiGHS(msg=False, threads=1))
        values = {name: max(0.0, float(variable.value() or 0.0)) for name, variable in own.items()}
        whole = sum(values.values())
        return {name: share / whole for name, share in values.items()} if whole else best
