"""The choice to be made, apart from any hardware: one candidate an op, one pair of interfaces an edge.

All figures are integers or fractions, so that two ways of solving a problem can be compared with
``==``. ``evaluate`` says what one choice costs; ``milp`` and ``exhaustive`` look for the best one.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

LARGEST = 10**14
"""No amount may exceed this: of a thousand ops the sum still fits 64 bits."""
RESERVED = ("cycles", "error", "latency")
"""Names of limits that are no resources."""


class ProblemError(ValueError):
    """A problem or a choice that makes no sense; the message names op or edge, field and value."""


class Objective(StrEnum):
    """What is minimised: the cycles a frame of the slowest op; first beat in to last beat out of a frame; the largest
    share of a resource's budget; the summed error."""

    BOTTLENECK = "bottleneck"
    LATENCY = "latency"
    UTILISATION = "utilisation"
    ERROR = "error"


TIE_BREAK = {
    Objective.BOTTLENECK: Objective.UTILISATION,
    Objective.LATENCY: Objective.UTILISATION,
    Objective.ERROR: Objective.UTILISATION,
    Objective.UTILISATION: Objective.LATENCY,
}
"""What is minimised among choices that are equal in an objective."""


class Interface(NamedTuple):
    """One end of an edge: features a beat, and the name of their number format."""

    lanes: int
    format: str


@dataclass(frozen=True)
class Candidate:
    """One way to build an op.

    ``choice``: whatever the caller needs to recognise it. ``cycles``: steady-state cycles a frame.
    ``fill``: cycles from the arrival of the input that its first output needs to that output.
    ``head`` and ``span``: cycles of its own work from its first input to its first output, and from
    there to its last output, when neither input nor output makes it wait.
    ``tail``: cycles from its last input to its last output when it keeps up with its input.
    ``rest``: cycles from the input at the op's ``knee`` to its last output, when no later input makes it wait.
    ``resources``: amounts in the order of ``Problem.budget``. ``writes``: its output; ``reads``: one
    interface an input. ``error``: its share of the summed error, in a unit of the caller's.
    """

    choice: Hashable
    cycles: int
    resources: tuple[int, ...]
    writes: Interface
    reads: tuple[Interface, ...] = ()
    fill: int = 0
    head: int = 0
    span: int = 0
    tail: int = 0
    error: int = 0
    rest: int = 0

    @property
    def costs(self) -> tuple[int, ...]:
        """Everything of which less is better."""
        return (self.cycles, self.fill, self.head, self.span, self.tail, self.rest, self.error, *self.resources)


@dataclass(frozen=True)
class Op:
    """A place in the graph. ``lead``: share of its input frame that its first output waits for, in whole cycles.
    ``knee``: share of its input frame after which it has the ``rest`` of its work to do."""

    name: str
    candidates: tuple[Candidate, ...]
    lead: Fraction = Fraction(0)
    knee: Fraction = Fraction(0)


@dataclass(frozen=True)
class Link:
    """What stands between a writer and a reader: its resources and the cycles it adds."""

    resources: tuple[int, ...]
    fill: int = 0


@dataclass(frozen=True)
class Edge:
    """Input ``index`` of ``consumer`` is the output of ``producer``.

    ``links``: what it takes to join a written to a read interface; a pair that is missing cannot be joined.
    """

    producer: str
    consumer: str
    index: int
    links: Mapping[tuple[Interface, Interface], Link]

    def __str__(self) -> str:
        return f"{self.producer}->{self.consumer}[{self.index}]"


Selection = dict[str, Candidate]


@dataclass(frozen=True)
class Problem:
    """Ops in topological order, what joins them, and what is to be kept to.

    ``name``: of the device, for messages. ``budget``: amount of each resource, by name. ``max_cycles``
    limits the bottleneck, ``max_error`` the summed error, ``max_latency`` the latency in cycles. ``output``: the op
    whose last output ends a frame.
    """

    name: str
    ops: tuple[Op, ...]
    edges: tuple[Edge, ...]
    output: str
    budget: Mapping[str, int]
    max_cycles: int | None = None
    max_error: int | None = None
    max_latency: int | None = None

    def __post_init__(self) -> None:
        self._check_limits()
        seen: dict[str, Op] = {}
        for op in self.ops:
            if op.name in seen:
                raise ProblemError(f"op {op.name!r} stands twice")
            for name, share in (("lead", op.lead), ("knee", op.knee)):
                if not 0 <= share <= 1:
                    raise ProblemError(f"op {op.name!r}: {name} must be 0 to 1, not {share}")
            if not op.candidates:
                raise ProblemError(f"op {op.name!r} has no candidates; it needs at least one")
            inputs = self.inputs[op.name]
            for edge in inputs:
                if edge.producer not in seen:
                    raise ProblemError(f"edge {edge}: producer {edge.producer!r} is no earlier op")
            if [edge.index for edge in inputs] != list(range(len(inputs))):
                raise ProblemError(f"op {op.name!r}: edges lead to inputs {[edge.index for edge in inputs]}")
            for candidate in op.candidates:
                self._check(op, candidate, len(inputs))
            seen[op.name] = op
        for edge in self.edges:
            if edge.consumer not in seen:
                raise ProblemError(f"edge {edge}: consumer {edge.consumer!r} is no op")
            for (writer, reader), link in edge.links.items():
                if writer.format != reader.format or len(link.resources) != len(self.budget):
                    kinds = len(self.budget)
                    raise ProblemError(f"edge {edge}: {writer} to {reader} needs one format and {kinds} resources")
                amounts = (link.fill, *link.resources)
                if min(amounts) < 0 or max(amounts) > LARGEST:
                    raise ProblemError(f"edge {edge}: cycles and resources must be 0 to {LARGEST:,}, not {link}")
        if self.output not in seen:
            raise ProblemError(f"output {self.output!r} is no op; ops are {', '.join(seen)}")

    def _check_limits(self) -> None:
        for name in RESERVED:
            if name in self.budget:
                raise ProblemError(f"budget: {name!r} is no name for a resource")
        for name, limit in self.limits.items():
            if limit < 0:
                raise ProblemError(f"limit of {name!r}: must not be negative, not {limit}")

    def _check(self, op: Op, candidate: Candidate, inputs: int) -> None:
        costs = candidate.costs
        if len(candidate.reads) != inputs:
            why = f"reads {len(candidate.reads)} inputs, but {inputs} edges lead to it"
        elif len(candidate.resources) != len(self.budget):
            why = f"{len(candidate.resources)} resources, the budget has {len(self.budget)}"
        elif min(costs) < 0:
            why = "cycles, resources and error must not be negative"
        elif max(costs) > LARGEST:
            why = f"cycles, resources and error must not exceed {LARGEST:,}"
        else:
            return
        raise ProblemError(f"op {op.name!r}, candidate {candidate.choice!r}: {why}")

    @cached_property
    def inputs(self) -> dict[str, tuple[Edge, ...]]:
        """The edges that lead to each op, by input index."""
        found: dict[str, list[Edge]] = {op.name: [] for op in self.ops}
        for edge in self.edges:
            found.setdefault(edge.consumer, []).append(edge)
        return {name: tuple(sorted(edges, key=lambda edge: edge.index)) for name, edges in found.items()}

    @property
    def limits(self) -> dict[str, int]:
        """Every quantity that has a limit: the resources, and cycles, error and latency where they are capped."""
        limits: dict[str, int] = dict(self.budget)
        if self.max_cycles is not None:
            limits["cycles"] = self.max_cycles
        if self.max_error is not None:
            limits["error"] = self.max_error
        if self.max_latency is not None:
            limits["latency"] = self.max_latency
        return limits

    def capped(self, objective: Objective, value: Fraction) -> Problem:
        """The same problem, in which no choice has more of ``objective`` than ``value``."""
        match objective:
            case Objective.BOTTLENECK:
                return replace(
                    self, max_cycles=min(limit for limit in (math.floor(value), self.max_cycles) if limit is not None)
                )
            case Objective.LATENCY:
                return replace(
                    self, max_latency=min(limit for limit in (math.floor(value), self.max_latency) if limit is not None)
                )
            case Objective.ERROR:
                return replace(
                    self, max_error=min(limit for limit in (math.floor(value), self.max_error) if limit is not None)
                )
            case Objective.UTILISATION:
                shares = {name: min(limit, math.floor(value * max(limit, 1))) for name, limit in self.budget.items()}
                return replace(self, budget=shares)


@dataclass(frozen=True)
class Evaluation:
    """What a choice costs. ``bottleneck`` and ``latency`` in cycles; ``overrun``: the largest share by which
    a limit is exceeded, 0 where all are kept; ``utilisation``: the largest share of a resource's budget, left out of
    comparisons, so that a design costs the same under any budget it keeps to."""

    bottleneck: int
    latency: int
    resources: dict[str, int]
    error: int
    overrun: Fraction
    utilisation: Fraction = field(compare=False)

    @property
    def feasible(self) -> bool:
        return self.overrun == 0

    @property
    def amounts(self) -> dict[str, int]:
        """Every quantity that a problem can limit."""
        return {**self.resources, "cycles": self.bottleneck, "error": self.error, "latency": self.latency}

    def objective(self, objective: Objective) -> Fraction:
        match objective:
            case Objective.BOTTLENECK:
                return Fraction(self.bottleneck)
            case Objective.LATENCY:
                return Fraction(self.latency)
            case Objective.UTILISATION:
                return self.utilisation
            case Objective.ERROR:
                return Fraction(self.error)


def overrun(amounts: Mapping[str, int], limits: Mapping[str, int]) -> Fraction:
    """The largest share by which an amount exceeds its limit; a limit of 0 counts as 1."""
    shares = (Fraction(amounts[name] - limit, max(limit, 1)) for name, limit in limits.items())
    return max(Fraction(0), max(shares, default=Fraction(0)))


def utilisation(amounts: Mapping[str, int], budget: Mapping[str, int]) -> Fraction:
    """The largest share of a resource's budget that is used; a budget of 0 counts as 1. Without resources it is 0."""
    return max((Fraction(amounts[name], max(limit, 1)) for name, limit in budget.items()), default=Fraction(0))


def joined(problem: Problem, selection: Selection) -> bool:
    """Whether each edge of a choice can be joined."""
    return all(
        (selection[edge.producer].writes, selection[edge.consumer].reads[edge.index]) in edge.links
        for edge in problem.edges
    )


def evaluate(problem: Problem, selection: Selection) -> Evaluation:
    """What a choice costs.

    Each op has a start, its first output, and a finish, its last. It starts when ``lead`` of the time from
    the start to the finish of its input has passed, rounded up to whole cycles, and not before it has done its own
    work up to there; it finishes when it has done the rest, and when its last input has passed through, and not before
    it has done what was left when ``knee`` of the time from the start to the finish of its input had passed.
    """
    total = [0] * len(problem.budget)
    start: dict[str, int] = {}
    finish: dict[str, int] = {}
    for op in problem.ops:
        own = selection[op.name]
        total = [a + b for a, b in zip(total, own.resources, strict=True)]
        starts, ends = [max(own.fill, own.head)], [0]
        for edge in problem.inputs[op.name]:
            source, pair = edge.producer, (selection[edge.producer].writes, own.reads[edge.index])
            if pair not in edge.links:
                raise ProblemError(f"edge {edge}: {pair[0]} cannot be joined to {pair[1]}")
            link = edge.links[pair]
            total = [a + b for a, b in zip(total, link.resources, strict=True)]
            begun, lasts = start[source], finish[source] - start[source]
            starts.append(link.fill + begun + max(math.ceil(op.lead * lasts) + own.fill, own.head))
            ends.append(link.fill + begun + max(math.ceil(op.knee * lasts) + own.rest, lasts + own.tail))
        start[op.name] = max(starts)
        finish[op.name] = max(start[op.name] + own.span, *ends)
    amounts = dict(zip(problem.budget, total, strict=True))
    bottleneck = max(selection[op.name].cycles for op in problem.ops)
    error = sum(selection[op.name].error for op in problem.ops)
    latency = finish[problem.output]
    exceeded = overrun({**amounts, "cycles": bottleneck, "error": error, "latency": latency}, problem.limits)
    return Evaluation(bottleneck, latency, amounts, error, exceeded, utilisation(amounts, problem.budget))


class Shortage(NamedTuple):
    """A limit that cannot be kept: how much is needed and how much there is."""

    name: str
    needed: int
    limit: int

    def __str__(self) -> str:
        units = {"cycles": "cycles a frame", "error": "summed error", "latency": "cycles of latency"}
        if self.name in units:
            return f"{self.needed} {units[self.name]}, limit {self.limit}"
        return f"{self.needed} {self.name.upper()}, has {self.limit}"


class Infeasible(ValueError):
    """No choice keeps all limits.

    ``shortages``: when ``alone``, every limit that no choice keeps even if all others are lifted, with
    the least that is needed; otherwise the limits that the choice with the smallest largest ``overrun``
    exceeds. Without shortages, no choice joins all edges.
    """

    def __init__(self, name: str, shortages: tuple[Shortage, ...], alone: bool, overrun: Fraction) -> None:
        self.name, self.shortages, self.alone, self.overrun = name, shortages, alone, overrun
        what = "; ".join(str(shortage) for shortage in shortages)
        if not shortages:
            why = "no choice of candidates gives every edge one format and lanes that can be joined"
        elif alone:
            why = f"needs at least {what}"
        else:
            why = f"no limit alone, but not all together: at best exceeded by {float(overrun):.1%}, needing {what}"
        super().__init__(f"infeasible on {name}: {why}")
