"""The weights of a proof: how much each limit, and each bound of a time, counts in it.

Any non-negative weights give a true lower bound; the duals of the relaxation give a strong one. Weights are whole
numbers, so that sums with them are exact. The weight of the output's finish is propagated backwards along the graph:
the weight of a start or a finish is divided among the times and the cycles that bound it from below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dse.labels.kernels import NEVER
from dse.labels.limits import Limits
from dse.labels.network import FINISH, LabelStage, Network

Pairs = list[tuple[int, int]]
ROOM = 1 << 57
"""No weighted sum of a network's largest figures exceeds this."""


@dataclass(frozen=True)
class Duals:
    """Dual values of a relaxation's constraints, not negative, in units of the objective.

    The input fraction and the knee of an input are the times when these fractions of its duration have passed.

    Parameters
        rows           of each row's limit, by row name
        arrivals       of start >= input fraction of the input + ``fill``, by op name and input index
        first_outputs  of start >= start of the input + ``first_output``, by op name and input index
        drains         of finish >= finish of the input + ``drain``, by op name and input index
        rests          of finish >= knee of the input + ``rest``, by op name and input index
        durations      of finish >= start + ``duration``, by op name
        finish         of the output's finish
    """

    rows: Mapping[str, float]
    arrivals: Mapping[tuple[str, int], float]
    first_outputs: Mapping[tuple[str, int], float]
    drains: Mapping[tuple[str, int], float]
    rests: Mapping[tuple[str, int], float]
    durations: Mapping[str, float]
    finish: float


@dataclass(frozen=True)
class Weights:
    """Whole weights for one network.

    Parameters
        rows          int64 [rows], weight of each row
        finish        weight of the output's finish
        starts        [ops][inputs], two weights: of the bounds of the start by ``fill`` and by ``first_output``
        ends          [ops][inputs], two weights: of the bounds of the finish by ``drain`` and by ``rest``
        durations     [ops], weight of the bound of the finish by ``duration``
        time_weights  [ops], int64 [times], weight of each time that labels carry after an op
    """

    rows: np.ndarray
    finish: int
    starts: list[list[tuple[int, int]]]
    ends: list[list[tuple[int, int]]]
    durations: list[int]
    time_weights: list[np.ndarray]

    @classmethod
    def of(cls, network: Network, duals: Duals) -> Weights:
        """Weights from the duals of a relaxation."""
        scale = _scale(network, duals)
        rows = np.array([int(scale * duals.rows.get(name, 0.0)) for name in network.row_names], np.int64)
        finish = int(scale * duals.finish) if network.timed else 0
        return cls.exact(network, rows, finish, _Scaled(network, duals, scale))

    @classmethod
    def plain(cls, network: Network, rows: np.ndarray) -> Weights:
        """Weights of rows only."""
        count = len(network.stages)
        none = [[(0, 0)] * len(stage.inputs) for stage in network.stages]
        return cls(rows, 0, none, none, [0] * count, [np.zeros(len(stage.times), np.int64) for stage in network.stages])

    @classmethod
    def exact(cls, network: Network, rows: np.ndarray, finish: int, requested: Any) -> Weights:
        """Weights propagated backwards from the output's finish.

        ``requested`` has lists of whole numbers ``durations``, ``starts`` and ``ends``; each is cut to the weight that
        is available.
        """
        count = len(network.stages)
        on_start, on_finish = [0] * count, [0] * count
        on_finish[network.output] = finish
        durations, starts, ends = [0] * count, [[(0, 0)]] * count, [[(0, 0)]] * count
        shares: list[dict[tuple[int, int], int]] = [{} for _ in range(count)]
        for place in range(count - 1, -1, -1):
            stage = network.stages[place]
            durations[place] = min(requested.durations[place], on_finish[place])
            own_ends = _allotted(requested.ends[place], on_finish[place] - durations[place])
            own_starts = _allotted(requested.starts[place], on_start[place] + durations[place])
            starts[place], ends[place] = own_starts, own_ends
            for producer, begins, finishes in zip(stage.inputs, own_starts, own_ends, strict=True):
                start, end = begins[1], finishes[0]
                for (over, under), weight in ((stage.input_fraction, begins[0]), (stage.knee, finishes[1])):
                    start, end = start + weight * (under - over) // under, end + weight * over // under
                on_start[producer] += start
                on_finish[producer] += end
                for which, weight in ((0, start), (1, end)):
                    key = producer, which
                    shares[place][key] = shares[place].get(key, 0) + weight
        return cls(rows, finish, starts, ends, durations, _time_weights(network, shares, finish))

    def same(self, network: Network) -> Weights:
        """The same weights for another network of the same ops."""
        return Weights.exact(network, self.rows, self.finish, self)

    def cost(self, rows: np.ndarray) -> np.ndarray:
        """The weighted sum of each line of rows."""
        return rows @ self.rows

    def budget(self, limits: Limits) -> int:
        """The weighted sum of the limits; a row without a limit has no weight."""
        return min(NEVER, sum(int(weight) * int(cap) for weight, cap in zip(self.rows, limits.caps, strict=True)))

    def allowed(self, deadline: int, budget: int) -> int:
        """The most that the weighted costs and the weighted finish of a selection may be together."""
        return min(NEVER, budget + self.finish * deadline)

    def least(self, network: Network, limits: Limits) -> int:
        """A lower bound of weighted costs and times of any selection; ``NEVER`` where none has a link on every edge."""
        stage = network.stages[0]
        added = self._through(0, stage, limits)[stage.through] + self.link_contribution(0, stage)
        return int(min(NEVER, (added + self.completion(network, limits)[0][stage.transition_targets]).min()))

    def completion(self, network: Network, limits: Limits) -> list[np.ndarray]:
        """int64 [states] for each stage: the least that the rest of any selection adds to weighted costs and times."""
        after = [np.zeros(network.stages[-1].states, np.int64)]
        for place in range(len(network.stages) - 1, 0, -1):
            stage = network.stages[place]
            added = self._through(place, stage, limits)[stage.through] + self.link_contribution(place, stage)
            before = np.full(network.stages[place - 1].states, NEVER)
            np.minimum.at(before, stage.source, np.minimum(added + after[-1][stage.transition_targets], NEVER))
            after.append(before)
        return after[::-1]

    def _through(self, place: int, stage: LabelStage, limits: Limits) -> np.ndarray:
        """int64 [classes], the least that a candidate of each class adds."""
        own = np.where(stage.cycles <= limits.cycles, self.contribution(place, stage), NEVER)
        return np.minimum.reduceat(own, stage.classes[:-1])

    def contribution(self, place: int, stage: LabelStage) -> np.ndarray:
        """int64 [candidates], the least that each adds to weighted costs and times."""
        by_arrival = sum(first for first, _ in self.starts[place])
        by_begin = sum(second for _, second in self.starts[place])
        own = self.cost(stage.rows) + by_arrival * stage.fill + by_begin * stage.first_output
        by_drain, by_rest = (sum(pair[at] for pair in self.ends[place]) for at in (0, 1))
        return own + self.durations[place] * stage.duration + by_drain * stage.drain + by_rest * stage.rest

    def ordered(self, place: int, stage: LabelStage, own: np.ndarray) -> np.ndarray:
        """Some of a stage's candidates, class by class, sorted by what they add."""
        return own[np.lexsort((self.contribution(place, stage)[own], stage.class_of[own]))]

    def link_contribution(self, place: int, stage: LabelStage) -> np.ndarray:
        """int64 [transitions], what the links of each add."""
        weights = [sum(start) + sum(end) for start, end in zip(self.starts[place], self.ends[place], strict=True)]
        return self.cost(stage.link_rows) + stage.link_fill @ np.array(weights, np.int64)

    @cached_property
    def entry(self) -> dict[str, Any]:
        """The weights for a certificate, as whole numbers."""
        return {
            "rows": self.rows.tolist(),
            "finish": self.finish,
            "durations": self.durations,
            "starts": [[list(pair) for pair in own] for own in self.starts],
            "ends": [[list(pair) for pair in own] for own in self.ends],
        }

    @classmethod
    def read(cls, network: Network, entry: Mapping[str, Any]) -> Weights:
        """The weights of a certificate; raises ValueError where one is negative or sums could overflow."""
        stored, rows, finish = (
            _CertificateWeights(entry),
            [int(weight) for weight in entry["rows"]],
            int(entry["finish"]),
        )
        pairs = (weight for own in (*stored.starts, *stored.ends) for pair in own for weight in pair)
        if min(*rows, finish, *stored.durations, *pairs) < 0:
            raise ValueError("must not be negative")
        largest = sum(weight * most for weight, most in zip(rows, network.most, strict=True))
        if largest + finish * network.latest > 2 * ROOM:
            raise ValueError("are too large")
        return cls.exact(network, np.array(rows, np.int64), finish, stored)


def _allotted(requested: list[tuple[int, int]], available: int) -> list[tuple[int, int]]:
    """Each requested weight, cut to what is still available."""
    result = []
    for one, other in requested:
        first = min(one, available)
        second = min(other, available - first)
        available -= first + second
        result.append((first, second))
    return result


class _Scaled:
    """Duals scaled to whole numbers."""

    def __init__(self, network: Network, duals: Duals, scale: float) -> None:
        names = [op.name for op in network.ops]
        inputs = [range(len(stage.inputs)) for stage in network.stages]

        def pairs(one: Mapping[tuple[str, int], float], other: Mapping[tuple[str, int], float]) -> list[Pairs]:
            return [
                [(int(scale * one.get((name, at), 0.0)), int(scale * other.get((name, at), 0.0))) for at in own]
                for name, own in zip(names, inputs, strict=True)
            ]

        self.durations = [int(scale * duals.durations.get(name, 0.0)) for name in names]
        self.starts = pairs(duals.arrivals, duals.first_outputs)
        self.ends = pairs(duals.drains, duals.rests)


class _CertificateWeights:
    """Weights of a certificate."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.durations = [int(weight) for weight in entry["durations"]]
        self.starts, self.ends = (
            [[(int(one), int(other)) for one, other in own] for own in entry[name]] for name in ("starts", "ends")
        )


def _scale(network: Network, duals: Duals) -> float:
    """The largest factor at which every weighted sum still fits."""
    caps = (*network.problem.budget.values(), network.problem.max_error or 0)
    largest = map(max, network.most, caps)
    weighed = sum(duals.rows.get(name, 0.0) * most for name, most in zip(network.row_names, largest, strict=True))
    if network.timed:
        weighed += duals.finish * network.latest
    return ROOM / max(weighed, 1.0)


def _time_weights(network: Network, shares: list[dict[tuple[int, int], int]], finish: int) -> list[np.ndarray]:
    """The weight that later ops put on each time that labels carry."""
    result = []
    for place, stage in enumerate(network.stages):
        own = np.zeros(len(stage.times), np.int64)
        for at, time in enumerate(stage.times):
            own[at] = sum(later.get(time, 0) for later in shares[place + 1 :])
            if time == (network.output, FINISH):
                own[at] += finish
        result.append(own)
    return result
