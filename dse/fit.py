"""Weights that fit a network: limits weigh more of which its cheapest choices take too much.

The duals of the relaxation weigh the limits as mixed candidates need them, which are in time earlier than any choice.
A surrogate pass tells no choices in time apart that are not: the least weighted sum that it reaches shows the weights'
worth, and what its choice takes of each limit says how to change them. The largest least sum is looked for with cutting
planes, close to the best weights so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulp

from dse.labels.kernels import NEVER
from dse.labels.limits import Limits
from dse.labels.network import Network
from dse.labels.passes import Counter, Surrogate, TooMany, cheapest, surrogate
from dse.labels.weights import Weights
from dse.problem import Selection
from dse.program import Program

ROUNDS = 6
"""How many weights are tried."""
NEAR = 0.015
"""By how much a share may change from that of the best weights; a third of it after a change for the worse, as passes
with bad weights reach many labels."""
WORTH = 0.05
"""By what share of what the sum still misses it must promise to grow, or no more weights are tried."""
EFFORT = 60_000_000
"""Labels looked at before no more weights are tried."""
SLICES = 8
"""Into how many parts the way from the relaxation's least sum to the limits' is taken to look for the least one."""

Shares = dict[str, float]
"""By limited row, its weight times its limit; their sum is 1."""


@dataclass(frozen=True)
class Fit:
    """What fitting gave.

    Parameters
        shares   of the best weights
        weights  the best ones
        gained   by how much nearer they come to the limits' weighted sum, as a share of what the first ones missed
        choices  the cheapest ones of all weights that were tried, in time as far as labels tell
        cuts     what each of them takes of the limits
    """

    shares: Shares
    weights: Weights
    gained: float
    choices: list[Selection]
    cuts: list[Shares]


class Fitter:
    """Fits weights to one network and its limits.

    Parameters
        network  carries times, some of them left out
        limits   at least one of a row
        program  of the network's problem, its latency limited
        counter  counts labels
        room     labels that stay after an op, more are merged; all stay where None
    """

    def __init__(
        self, network: Network, limits: Limits, program: Program, counter: Counter, room: int | None = None
    ) -> None:
        self.network, self.limits, self._program, self._counter, self.room = network, limits, program, counter, room
        caps = zip(network.row_names, limits.caps.tolist(), strict=True)
        self._caps = {name: max(cap, 1) for name, cap in caps if cap < NEVER}

    def shares(self, rows: Mapping[str, float]) -> Shares:
        """Those of some weights."""
        weighed = {name: rows.get(name, 0.0) * cap for name, cap in self._caps.items()}
        whole = sum(weighed.values())
        return {name: own / whole if whole else 1 / len(weighed) for name, own in weighed.items()}

    def weights(self, shares: Shares) -> Weights | None:
        """With weights of times that fit them; None where no mix of candidates is in time."""
        rows = {name: share / self._caps[name] for name, share in shares.items()}
        relaxed = self._program.relax(self._program.weighed(rows))
        if relaxed is None:
            return None
        return Weights.of(self.network, replace(relaxed.duals, rows=rows))

    def fit(self, shares: Shares, weights: Weights, reached: Surrogate, known: list[Shares]) -> Fit:
        """Weights that are near some given ones, or these.

        Parameters
            shares   of the given weights
            weights  the given ones
            reached  their surrogate pass
            known    what other choices take that are in time
        """
        least, choice = cheapest(self.network, reached)
        first = least / max(1, weights.budget(self.limits))
        best, near = (shares, weights, first), NEAR
        choices, cuts, begin = [choice], [self._taken(choice)], self._counter.labels
        for _ in range(ROUNDS):
            tried = self._master([*known, *cuts], best[0], near)
            hoped = min(sum(cut[name] * share for name, share in tried.items()) for cut in (*known, *cuts))
            enough = best[2] + WORTH * (1 - best[2])
            own = self.weights(tried) if hoped > enough and self._counter.labels - begin < EFFORT else None
            if own is None:
                break
            try:
                found = self._least(own, best[2])
            except TooMany:
                break
            if found is None:
                best = tried, own, float("inf")
                break
            choices.append(found[1])
            cuts.append(self._taken(found[1]))
            if found[0] > best[2]:
                best = tried, own, found[0]
            else:
                near /= 3
        gained = (best[2] - first) / (1 - first) if first < 1 else 0.0
        return Fit(best[0], best[1], gained, choices, cuts)

    def _least(self, weights: Weights, about: float) -> tuple[float, Selection] | None:
        """The least weighted sum that is reached, as a share of the limits', and a choice; None where none keeps them.

        ``about``: what it may be.
        """
        budget = weights.budget(self.limits)
        lowest = weights.least(self.network, self.limits) - weights.finish * self.limits.deadline
        if lowest > budget:
            return None
        at = max(0.0, (about * budget - lowest) / max(1, budget - lowest))
        while True:
            at = min(1.0, at + 1 / SLICES)
            most = budget if at == 1.0 else lowest + int(at * (budget - lowest))
            found = surrogate(self.network, weights, self.limits, self._counter, most, room=self.room)
            if not found.empty:
                least, choice = cheapest(self.network, found)
                return least / max(1, budget), choice
            if at == 1.0:
                return None

    def _taken(self, choice: Selection) -> Shares:
        """What a choice takes of each limit, as a share; without links that it does not have."""
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
        """The shares near the best ones with which the cheapest of the known choices takes most."""
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
        found = {name: max(0.0, float(variable.value() or 0.0)) for name, variable in own.items()}
        whole = sum(found.values())
        return {name: share / whole for name, share in found.items()} if whole else best
