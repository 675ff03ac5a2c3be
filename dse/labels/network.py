"""A problem as integer arrays, in the order in which labels pass through it.

Ops are taken one after the other, branches first. After each, the *frontier* holds the ops whose output somebody later
reads; a *state* is the interface that each of them writes. A *transition* leads from a state through a class of
candidates, those that read and write the same interfaces, to a state after the op. Labels carry times of the frontier:
in a *whole* network those of all its ops, so that the output's finish is exact; otherwise those of the longest way and
the finish of a branch beside it, so that it is a lower bound.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dse.labels.kernels import NEVER
from dse.problem import Edge, Interface, Link, Op, Problem

START, FINISH = 0, 1
BRANCH_STEPS = 64
"""Into how many steps the finish of a branch beside the longest way is rounded down."""

State = tuple[Interface | None, ...]
"""What each op of the frontier writes; None where that is not told apart."""
TimeOf = tuple[int, int]
"""An op's place and which of its times, START or FINISH."""


@dataclass(frozen=True)
class Stage:
    """One op, ready for labels.

    Candidates stand class by class.

    Parameters
        candidates  int64 [k], place of each among the op's own candidates
        fill        int64 [k], and so ``head``, ``span``, ``tail``, ``rest``: cycles, as ``problem.Candidate`` has them
        cycles      int64 [k], steady-state cycles a frame
        rows        int64 [k, rows], amounts of every row of the network
        classes     int64 [classes + 1], where each class begins
        source      int64 [t], state before, of each transition, ordered by the state after
        through     int64 [t], its class
        link_fill   int64 [t, inputs], cycles of the links it uses
        link_rows   int64 [t, rows], amounts of the links it uses
        targets     int64 [states + 1], where the transitions into each state begin
        lead        numerator and denominator of the op's lead
        knee        numerator and denominator of the op's knee
        inputs      the place of each input's producer
        times       the times that labels carry after the op
        grids       int64 [times], to multiples of what each is rounded down
    """

    candidates: np.ndarray
    fill: np.ndarray
    head: np.ndarray
    span: np.ndarray
    tail: np.ndarray
    rest: np.ndarray
    cycles: np.ndarray
    rows: np.ndarray
    classes: np.ndarray
    source: np.ndarray
    through: np.ndarray
    link_fill: np.ndarray
    link_rows: np.ndarray
    targets: np.ndarray
    lead: tuple[int, int]
    knee: tuple[int, int]
    inputs: tuple[int, ...]
    times: tuple[TimeOf, ...]
    grids: np.ndarray

    @property
    def states(self) -> int:
        return len(self.targets) - 1

    @cached_property
    def class_of(self) -> np.ndarray:
        """int64 [k], the class of each candidate."""
        return np.repeat(np.arange(len(self.classes) - 1), np.diff(self.classes))

    @cached_property
    def transition_targets(self) -> np.ndarray:
        """int64 [t], the state after each transition."""
        return np.repeat(np.arange(self.states), np.diff(self.targets))


class Network:
    """The stages of a problem.

    Parameters
        problem  what is to be chosen
        timed    whether labels carry times: where latency is limited or asked for
        whole    whether they carry those of all ops of the frontier
        folded   whether states tell apart the interfaces of the longest way alone; what else is read then comes over
                 the cheapest link there is, and bounds stay true
    """

    def __init__(self, problem: Problem, *, timed: bool, whole: bool, folded: bool = False) -> None:
        self.problem, self.timed, self.whole, self.folded = problem, timed, whole, folded
        self.ops = _branches_first(problem)
        places = {op.name: place for place, op in enumerate(self.ops)}
        self.output = places[problem.output]
        self.row_names = (*problem.budget, "error")
        inputs = [tuple(places[edge.producer] for edge in problem.inputs[op.name]) for op in self.ops]
        self._last = _last_reads(inputs, self.output)
        self.spine = _longest_way(inputs, self.output)
        carried = self._carried(inputs)
        # about as long as a frame takes the op that can be fastest at best
        step = power_of_two(max(min(own.span for own in op.candidates) for op in self.ops) // BRANCH_STEPS)
        on_spine = set(self.spine)
        self.stages: list[Stage] = []
        frontier: list[int] = []
        states: dict[State, int] = {(): 0}
        self._states: list[dict[State, int]] = []
        self._ahead: list[list[int]] = []
        for place, op in enumerate(self.ops):
            ahead = [producer for producer in frontier if self._last[producer] > place]
            ahead += [place] * (self._last[place] > place)
            times = tuple(time for time in carried[place])
            grids = [1 if whole or owner in on_spine else step for owner, _ in times]
            stage, states = self._stage(op, inputs[place], frontier, states, ahead, times, grids)
            self.stages.append(stage)
            self._states.append(states)
            self._ahead.append(ahead)
            frontier = ahead

    @property
    def unfolded(self) -> Network:
        """One whose states tell all interfaces apart."""
        if not self.folded:
            return self
        return Network(self.problem, timed=self.timed, whole=self.whole)

    def holds(self, other: Network) -> bool:
        """Whether what its labels need to the end holds for those of another network: with the same times, rounded down
        to multiples that divide its own, and states no less apart."""
        pairs = list(zip(self.stages, other.stages, strict=True))
        alike = all(own.times == its.times and not (own.grids % its.grids).any() for own, its in pairs)
        return alike and (self.folded or not other.folded)

    def states_of(self, other: Network, place: int) -> list[int]:
        """After an op, this network's state of each state of another one, which tells as many interfaces apart."""
        own = self._states[place]
        return [own[self._told_apart(place, self._ahead[place], state)] for state in other._states[place]]

    def _told_apart(self, place: int, ahead: list[int], state: State) -> State:
        if not self.folded:
            return state
        way = max((own for own in self.spine if own <= place), default=place)
        return tuple(writes if own == way else None for own, writes in zip(ahead, state, strict=True))

    @cached_property
    def joined(self) -> bool:
        """Whether any choice joins all edges."""
        return all(stage.states for stage in self.stages)

    @cached_property
    def most(self) -> list[int]:
        """The most of each row that any choice takes."""
        most = [stage.rows.max(axis=0) + stage.link_rows.max(axis=0, initial=0) for stage in self.stages]
        return np.sum(most, axis=0).tolist()

    @cached_property
    def rest(self) -> list[int]:
        """Of each stage: the output finishes no earlier than so many cycles after the op does; far less than 0 where no
        way leads from the op to the output."""
        least = [-NEVER] * len(self.stages)
        least[self.output] = 0
        for place in range(len(self.stages) - 1, -1, -1):
            stage = self.stages[place]
            for producer in stage.inputs:
                if least[place] >= 0:
                    least[producer] = max(least[producer], least[place] + int(stage.tail.min()))
        return least

    @cached_property
    def latest(self) -> int:
        """No time of any choice exceeds this."""
        return sum(
            int(max(stage.fill.max(), stage.head.max()) + stage.span.max() + max(stage.tail.max(), stage.rest.max()))
            + int(stage.link_fill.max(initial=0))
            for stage in self.stages
        )

    def _carried(self, inputs: Sequence[tuple[int, ...]]) -> list[list[TimeOf]]:
        """The times that labels carry after each op."""
        count, on_spine = len(inputs), set(self.spine)
        readers: dict[int, list[int]] = defaultdict(list)
        for place, producers in enumerate(inputs):
            for producer in producers:
                readers[producer].append(place)
        found: list[list[TimeOf]] = []
        for place in range(count):
            times: list[TimeOf] = []
            if self.timed:
                current = max((own for own in self.spine if own <= place), default=-1)
                # the longest way comes first, branches beside it after
                for own in sorted(range(place + 1), key=lambda own: own != current):
                    if self._last[own] <= place:
                        continue
                    later = [reader for reader in readers[own] if reader > place]
                    if self.whole or own == current:
                        times += [(own, START), (own, FINISH)]
                    elif any(len(inputs[reader]) == 1 for reader in later):
                        # a branch leaves here by itself: what it adds is not on the longest way
                        times += [(own, START), (own, FINISH)]
                    elif own not in on_spine:
                        times.append((own, FINISH))
            found.append(times)
        return found

    def _stage(
        self, op: Op, inputs: tuple[int, ...], frontier: list[int], states: dict[State, int],
        ahead: list[int], times: tuple[TimeOf, ...], grids: list[int],
    ) -> tuple[Stage, dict[State, int]]:  # fmt: skip
        edges = self.problem.inputs[op.name]
        joins = [_links(edge, self.problem, self.folded) for edge in edges]
        groups: dict[tuple[tuple[Interface, ...], Interface], list[int]] = defaultdict(list)
        for number, candidate in enumerate(op.candidates):
            groups[candidate.reads, candidate.writes].append(number)
        column = {producer: at for at, producer in enumerate(frontier)}
        place = len(self.stages)
        after: dict[State, int] = {}
        found: list[tuple[int, int, int, tuple[int, ...], tuple[int, ...]]] = []
        kinds = len(self.problem.budget)
        for state, source in states.items():
            # interfaces of the frontier that go on beyond this op
            kept = [state[column[producer]] for producer in ahead if producer != place]
            written = [state[column[producer]] for producer in inputs]
            for number, (reads, writes) in enumerate(groups):
                links = []
                for edge, own, writer in zip(edges, joins, written, strict=True):
                    link = own.get((writer, reads[edge.index]))
                    if link is None:
                        break
                    links.append(link)
                else:
                    reached = (*kept, writes) if ahead and ahead[-1] == place else tuple(kept)
                    reached = self._told_apart(place, ahead, reached)
                    target = after.setdefault(reached, len(after))
                    used = [0] * kinds
                    for link in links:
                        used = [a + b for a, b in zip(used, link.resources, strict=True)]
                    found.append((target, source, number, tuple(link.fill for link in links), (*used, 0)))
        found.sort(key=lambda entry: entry[0])
        order = [number for group in groups.values() for number in group]
        chosen = [op.candidates[number] for number in order]
        sizes = [len(group) for group in groups.values()]

        def column_of(figure: str) -> np.ndarray:
            return np.array([getattr(own, figure) for own in chosen], np.int64)

        stage = Stage(
            np.array(order, np.int64), column_of("fill"), column_of("head"), column_of("span"), column_of("tail"),
            column_of("rest"), column_of("cycles"), np.array([(*own.resources, own.error) for own in chosen], np.int64),
            np.cumsum([0, *sizes], dtype=np.int64), np.array([entry[1] for entry in found], np.int64),
            np.array([entry[2] for entry in found], np.int64),
            np.array([entry[3] for entry in found], np.int64).reshape(len(found), len(inputs)),
            np.array([entry[4] for entry in found], np.int64).reshape(len(found), kinds + 1),
            np.searchsorted([entry[0] for entry in found], np.arange(len(after) + 1)).astype(np.int64),
            op.lead.as_integer_ratio(), op.knee.as_integer_ratio(), inputs, times, np.array(grids, np.int64),
        )  # fmt: skip
        return stage, after


def power_of_two(cycles: float) -> int:
    """The one nearest to so many cycles, as a ratio."""
    return 1 << max(0, round(math.log2(max(1.0, cycles))))


def _branches_first(problem: Problem) -> tuple[Op, ...]:
    """The ops in an order in which a branch beside the longest way comes before the op of that way that leaves with it,
    so that the times of the fork are needed no longer than for one op."""
    places = {op.name: place for place, op in enumerate(problem.ops)}
    inputs = [tuple(places[edge.producer] for edge in problem.inputs[op.name]) for op in problem.ops]
    way = set(_longest_way(inputs, places[problem.output]))
    order: list[int] = []
    while len(order) < len(inputs):
        done = set(order)
        ready = [own for own in range(len(inputs)) if own not in done and done.issuperset(inputs[own])]
        order.append(min(ready, key=lambda own: (own in way, own)))
    return tuple(problem.ops[own] for own in order)


def _last_reads(inputs: Sequence[tuple[int, ...]], output: int) -> list[int]:
    """The last op that reads each; the output's finish is asked for after all of them."""
    last = [-1] * len(inputs)
    for place, producers in enumerate(inputs):
        for producer in producers:
            last[producer] = place
    last[output] = len(inputs)
    return last


def _longest_way(inputs: Sequence[tuple[int, ...]], output: int) -> list[int]:
    """The ops of the way with most of them to the output."""
    depth, before = [0] * len(inputs), [-1] * len(inputs)
    for place, producers in enumerate(inputs):
        for producer in producers:
            if depth[producer] >= depth[place]:
                depth[place], before[place] = depth[producer] + 1, producer
    way = [output]
    while before[way[-1]] >= 0:
        way.append(before[way[-1]])
    return way[::-1]


def _links(edge: Edge, problem: Problem, folded: bool) -> dict[tuple[Interface | None, Interface], Link]:
    """An edge's links; where ``folded``, also the cheapest to each interface for a writer that is not known."""
    links: dict[tuple[Interface | None, Interface], Link] = dict(edge.links.items())
    if folded:
        writers = {own.writes for op in problem.ops if op.name == edge.producer for own in op.candidates}
        for (writes, reads), link in edge.links.items():
            if writes in writers:
                other = links.get((None, reads), link)
                least = tuple(map(min, link.resources, other.resources))
                links[None, reads] = Link(least, min(link.fill, other.fill))
    return links
