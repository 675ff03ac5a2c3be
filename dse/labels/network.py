"""A problem as integer arrays, in the order in which labels pass through it.

Ops are processed one after the other, branches first. After each op, the *frontier* holds the ops whose output is still
to be read; a *state* is the interface that each of them writes. A *label* is a partial selection up to an op: its times
and its costs. A *transition* leads from a state through a class of candidates, those with the same interfaces, to a
state after the op. The *longest path* is the path from input to output with most ops. In a *whole* network labels carry
the times of all ops of the frontier, so that the output's finish is exact. Otherwise they carry those of the longest
path and the finish of branches beside it, so that the output's finish is a lower bound.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dse.labels.kernels import NEVER
from dse.problem import Interface, Link, MilpEdge, MilpOp, Problem

START, FINISH = 0, 1
BRANCH_STEPS = 64
"""Number of steps per frame, about, to which the finish of a branch beside the longest path is rounded down."""

State = tuple[Interface | None, ...]
"""The interface that each op of the frontier writes; None where states do not distinguish it."""
TimeOf = tuple[int, int]
"""An op's index, and which of its times: ``START`` or ``FINISH``."""


@dataclass(frozen=True)
class LabelStage:
    """One op as arrays; its candidates are sorted by class.

    Parameters
        candidates        int64 [k], index of each among the op's own candidates
        fill              int64 [k], cycles, as for ``problem.Candidate``
        first_output      int64 [k], cycles
        duration          int64 [k], cycles
        drain             int64 [k], cycles
        rest              int64 [k], cycles
        cycles            int64 [k], steady-state cycles per frame
        rows              int64 [k, rows], amounts of every row of the network
        classes           int64 [classes + 1], where each class begins
        source            int64 [t], the state before each transition; transitions are sorted by the state after
        through           int64 [t], the class of each transition
        link_fill         int64 [t, inputs], latency of its links in cycles
        link_rows         int64 [t, rows], amounts of its links
        targets           int64 [states + 1], where the transitions into each state begin
        input_fraction    numerator and denominator of the op's input fraction
        knee              numerator and denominator of the op's knee
        inputs            index of each input's producer
        times             the times that labels carry after the op
        grids             int64 [times], each time is rounded down to a multiple of this
    """

    candidates: np.ndarray
    fill: np.ndarray
    first_output: np.ndarray
    duration: np.ndarray
    drain: np.ndarray
    rest: np.ndarray
    cycles: np.ndarray
    rows: np.ndarray
    classes: np.ndarray
    source: np.ndarray
    through: np.ndarray
    link_fill: np.ndarray
    link_rows: np.ndarray
    targets: np.ndarray
    input_fraction: tuple[int, int]
    knee: tuple[int, int]
    inputs: tuple[int, ...]
    times: tuple[TimeOf, ...]
    grids: np.ndarray

    @property
    def states(self) -> int:
        """The number of states after the op."""
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

    A row is an additive limited amount: one for each resource, and one for the error.

    Parameters
        problem  the problem
        timed    whether labels carry times: needed where latency is limited or minimised
        whole    whether they carry the times of all ops of the frontier
        folded   whether states distinguish only the interfaces of the longest path; other inputs then use the cheapest
                 link, so that lower bounds stay true
    """

    def __init__(self, problem: Problem, *, timed: bool, whole: bool, folded: bool = False) -> None:
        self.problem, self.timed, self.whole, self.folded = problem, timed, whole, folded
        self.ops = _branches_first(problem)
        places = {op.name: place for place, op in enumerate(self.ops)}
        self.output = places[problem.output]
        self.row_names = (*problem.budget, "error")
        inputs = [tuple(places[edge.producer] for edge in problem.inputs[op.name]) for op in self.ops]
        self._last = _last_reads(inputs, self.output)
        self.spine = _longest_path(inputs, self.output)
        carried = self._carried(inputs)
        # about 1/BRANCH_STEPS of the largest duration among the ops, each at its shortest
        step = power_of_two(max(min(own.duration for own in op.candidates) for op in self.ops) // BRANCH_STEPS)
        on_spine = set(self.spine)
        self.stages: list[LabelStage] = []
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
        """A network whose states distinguish all interfaces."""
        if not self.folded:
            return self
        return Network(self.problem, timed=self.timed, whole=self.whole)

    def holds(self, other: Network) -> bool:
        """Whether completion costs of this network's labels are valid for another network.

        They are if the times are the same, the other network's grids divide this one's, and this network's states
        distinguish no more than the other's.
        """
        pairs = list(zip(self.stages, other.stages, strict=True))
        alike = all(own.times == its.times and not (own.grids % its.grids).any() for own, its in pairs)
        return alike and (self.folded or not other.folded)

    def states_of(self, other: Network, place: int) -> list[int]:
        """This network's state for each state of ``other`` after an op.

        ``other`` distinguishes at least as many interfaces.
        """
        own = self._states[place]
        return [own[self._distinct(place, self._ahead[place], state)] for state in other._states[place]]

    def _distinct(self, place: int, ahead: list[int], state: State) -> State:
        if not self.folded:
            return state
        current = max((own for own in self.spine if own <= place), default=place)
        return tuple(writes if own == current else None for own, writes in zip(ahead, state, strict=True))

    @cached_property
    def connectable(self) -> bool:
        """Whether any selection has a link on every edge."""
        return all(stage.states for stage in self.stages)

    @cached_property
    def most(self) -> list[int]:
        """The most of each row that any selection can take."""
        most = [stage.rows.max(axis=0) + stage.link_rows.max(axis=0, initial=0) for stage in self.stages]
        return np.sum(most, axis=0).tolist()

    @cached_property
    def rest(self) -> list[int]:
        """The least time from each op's finish to the output's finish, in cycles.

        It is far below 0 where no path leads from the op to the output.
        """
        least = [-NEVER] * len(self.stages)
        least[self.output] = 0
        for place in range(len(self.stages) - 1, -1, -1):
            stage = self.stages[place]
            for producer in stage.inputs:
                if least[place] >= 0:
                    least[producer] = max(least[producer], least[place] + int(stage.drain.min()))
        return least

    @cached_property
    def latest(self) -> int:
        """An upper bound of every time of any selection."""
        return sum(
            int(
                max(stage.fill.max(), stage.first_output.max())
                + stage.duration.max()
                + max(stage.drain.max(), stage.rest.max())
            )
            + int(stage.link_fill.max(initial=0))
            for stage in self.stages
        )

    def _carried(self, inputs: Sequence[tuple[int, ...]]) -> list[list[TimeOf]]:
        """The times that labels carry after each op."""
        count, on_spine = len(inputs), set(self.spine)
        consumers: dict[int, list[int]] = defaultdict(list)
        for place, producers in enumerate(inputs):
            for producer in producers:
                consumers[producer].append(place)
        carried: list[list[TimeOf]] = []
        for place in range(count):
            times: list[TimeOf] = []
            if self.timed:
                current = max((own for own in self.spine if own <= place), default=-1)
                # the longest path comes first, branches beside it after
                for own in sorted(range(place + 1), key=lambda own: own != current):
                    if self._last[own] <= place:
                        continue
                    later = [consumer for consumer in consumers[own] if consumer > place]
                    if self.whole or own == current:
                        times += [(own, START), (own, FINISH)]
                    elif any(len(inputs[consumer]) == 1 for consumer in later):
                        # an op of a branch reads this op alone, so its times follow from both times of this op
                        times += [(own, START), (own, FINISH)]
                    elif own not in on_spine:
                        times.append((own, FINISH))
            carried.append(times)
        return carried

    def _stage(
        self, op: MilpOp, inputs: tuple[int, ...], frontier: list[int], states: dict[State, int],
        ahead: list[int], times: tuple[TimeOf, ...], grids: list[int],
    ) -> tuple[LabelStage, dict[State, int]]:  # fmt: skip
        edges = self.problem.inputs[op.name]
        options = [_links(edge, self.problem, self.folded) for edge in edges]
        classes: dict[tuple[tuple[Interface, ...], Interface], list[int]] = defaultdict(list)
        for number, candidate in enumerate(op.candidates):
            classes[candidate.reads, candidate.writes].append(number)
        column = {producer: at for at, producer in enumerate(frontier)}
        place = len(self.stages)
        after: dict[State, int] = {}
        transitions: list[tuple[int, int, int, tuple[int, ...], tuple[int, ...]]] = []
        kinds = len(self.problem.budget)
        for state, source in states.items():
            # interfaces of the frontier that are still read after this op
            pending = [state[column[producer]] for producer in ahead if producer != place]
            producer_interfaces = [state[column[producer]] for producer in inputs]
            for number, (reads, writes) in enumerate(classes):
                links = []
                for edge, own, interface in zip(edges, options, producer_interfaces, strict=True):
                    link = own.get((interface, reads[edge.index]))
                    if link is None:
                        break
                    links.append(link)
                else:
                    successor = (*pending, writes) if ahead and ahead[-1] == place else tuple(pending)
                    successor = self._distinct(place, ahead, successor)
                    target = after.setdefault(successor, len(after))
                    total = [0] * kinds
                    for link in links:
                        total = [a + b for a, b in zip(total, link.resources, strict=True)]
                    transitions.append((target, source, number, tuple(link.fill for link in links), (*total, 0)))
        transitions.sort(key=lambda entry: entry[0])
        order = [number for group in classes.values() for number in group]
        chosen = [op.candidates[number] for number in order]
        sizes = [len(group) for group in classes.values()]

        def column_of(figure: str) -> np.ndarray:
            return np.array([getattr(own, figure) for own in chosen], np.int64)

        stage = LabelStage(
            np.array(order, np.int64), column_of("fill"), column_of("first_output"), column_of("duration"),
            column_of("drain"), column_of("rest"), column_of("cycles"),
            np.array([(*own.resources, own.error) for own in chosen], np.int64),
            np.cumsum([0, *sizes], dtype=np.int64),
            np.array([entry[1] for entry in transitions], np.int64),
            np.array([entry[2] for entry in transitions], np.int64),
            np.array([entry[3] for entry in transitions], np.int64).reshape(len(transitions), len(inputs)),
            np.array([entry[4] for entry in transitions], np.int64).reshape(len(transitions), kinds + 1),
            np.searchsorted([entry[0] for entry in transitions], np.arange(len(after) + 1)).astype(np.int64),
            op.input_fraction.as_integer_ratio(), op.knee.as_integer_ratio(), inputs, times, np.array(grids, np.int64),
        )  # fmt: skip
        return stage, after


def power_of_two(cycles: float) -> int:
    """The power of two nearest to ``cycles`` on a logarithmic scale, at least 1.

    Parameters
        cycles  number of cycles
    """
    return 1 << max(0, round(math.log2(max(1.0, cycles))))


def _branches_first(problem: Problem) -> tuple[MilpOp, ...]:
    """The ops in an order in which a branch precedes the op of the longest path that starts at the same fork.

    So labels carry the times of the fork past one op only.
    """
    places = {op.name: place for place, op in enumerate(problem.ops)}
    inputs = [tuple(places[edge.producer] for edge in problem.inputs[op.name]) for op in problem.ops]
    path = set(_longest_path(inputs, places[problem.output]))
    order: list[int] = []
    while len(order) < len(inputs):
        done = set(order)
        ready = [own for own in range(len(inputs)) if own not in done and done.issuperset(inputs[own])]
        order.append(min(ready, key=lambda own: (own in path, own)))
    return tuple(problem.ops[own] for own in order)


def _last_reads(inputs: Sequence[tuple[int, ...]], output: int) -> list[int]:
    """The last op that reads each op; beyond all ops for the output, whose finish is needed at the end."""
    last = [-1] * len(inputs)
    for place, producers in enumerate(inputs):
        for producer in producers:
            last[producer] = place
    last[output] = len(inputs)
    return last


def _longest_path(inputs: Sequence[tuple[int, ...]], output: int) -> list[int]:
    """The ops of the longest path to the output."""
    depth, before = [0] * len(inputs), [-1] * len(inputs)
    for place, producers in enumerate(inputs):
        for producer in producers:
            if depth[producer] >= depth[place]:
                depth[place], before[place] = depth[producer] + 1, producer
    path = [output]
    while before[path[-1]] >= 0:
        path.append(before[path[-1]])
    return path[::-1]


def _links(edge: MilpEdge, problem: Problem, folded: bool) -> dict[tuple[Interface | None, Interface], Link]:
    """The links of an edge; where ``folded``, also the cheapest link to each interface from an unknown one."""
    links: dict[tuple[Interface | None, Interface], Link] = dict(edge.links.items())
    if folded:
        interfaces = {own.writes for op in problem.ops if op.name == edge.producer for own in op.candidates}
        for (writes, reads), link in edge.links.items():
            if writes in interfaces:
                other = links.get((None, reads), link)
                least = tuple(map(min, link.resources, other.resources))
                links[None, reads] = Link(least, min(link.fill, other.fill))
    return links
