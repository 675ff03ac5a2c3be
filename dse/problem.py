"""The optimisation problem, free of hardware: one candidate per op, one pair of interfaces per edge.

All figures are integers or fractions, so that the results of two solvers can be compared with ``==``. ``evaluate``
computes what a selection costs; ``milp`` and ``exhaustive`` search for the best one.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

LARGEST = 10**14
"""No single amount may exceed this, so that the sum over a thousand ops fits 64 bits."""
RESERVED = ("cycles", "error", "latency")
"""Names of limits that are not resources; no resource may have one of them."""


class ProblemError(ValueError):
    """An inconsistent problem or selection; the message names the op or edge, the field and the value."""


class Objective(StrEnum):
    """The quantity to minimise.

    Values
        BOTTLENECK   cycles per frame of the slowest op
        LATENCY      cycles from the first beat of a frame in to its last beat out
        UTILISATION  largest fraction of a resource's budget that is used
        ERROR        sum of the errors of all ops
    """

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
"""The second objective: it decides among selections that are equal in the first."""


class Interface(NamedTuple):
    """One end of an edge.

    Parameters
        lanes   features per beat
        format  name of the number format of the features
    """

    lanes: int
    format: str


@dataclass(frozen=True)
class Candidate:
    """One way to build an op.

    The times are in cycles; ``evaluate`` computes the latency from them.

    Parameters
        choice          the caller's description of the candidate; it must be hashable
        cycles          steady-state cycles per frame
        resources       amounts, in the order of ``Problem.budget``
        writes          interface of the output
        reads           one interface per input
        fill            pipeline fill: time from the arrival of the input that the first output needs to that output
        first_output    time to first output, counted from the first input, when nothing stalls the op
        duration        output duration, from the first output to the last, when nothing stalls the op
        drain           drain time, from the last input to the last output, when the op keeps up with its input
        error           contribution to the summed error, in a unit of the caller's choice
        rest            time from the input at the ``knee`` of the op to the last output, when no later input stalls the
                        op
    """

    choice: Hashable
    cycles: int
    resources: tuple[int, ...]
    writes: Interface
    reads: tuple[Interface, ...] = ()
    fill: int = 0
    first_output: int = 0
    duration: int = 0
    drain: int = 0
    error: int = 0
    rest: int = 0

    @property
    def costs(self) -> tuple[int, ...]:
        """Every figure of which less is better: cycles, the five times, error and resources."""
        return (
            self.cycles,
            self.fill,
            self.first_output,
            self.duration,
            self.drain,
            self.rest,
            self.error,
            *self.resources,
        )


@dataclass(frozen=True)
class MilpOp:
    """One op of the graph.

    The input duration is the time from the producer's first output to its last.

    Parameters
        name              name, unique in the problem
        candidates        the ways to build the op, at least one
        input_fraction    fraction of the input duration before the first output, 0 to 1; rounded up to whole cycles
        knee              fraction of the input duration after which the ``rest`` of a candidate counts, 0 to 1
    """

    name: str
    candidates: tuple[Candidate, ...]
    input_fraction: Fraction = Fraction(0)
    knee: Fraction = Fraction(0)


@dataclass(frozen=True)
class Link:
    """What connects a written interface to a read one: a FIFO, stream width converters, or nothing.

    Parameters
        resources  amounts, in the order of ``Problem.budget``
        fill       latency in cycles
    """

    resources: tuple[int, ...]
    fill: int = 0


@dataclass(frozen=True)
class MilpEdge:
    """A connection from the output of ``producer`` to input ``index`` of ``consumer``.

    Parameters
        producer  name of the op that writes
        consumer  name of the op that reads
        index     number of the consumer's input, from 0
        links     the link for each pair of a written and a read interface; a missing pair cannot be connected
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
    """Ops in topological order, the edges between them, and the limits.

    Parameters
        name         name of the device, for messages
        ops          the ops; each follows the producers of its inputs
        edges        the edges, in any order
        output       name of the op whose last output ends a frame
        budget       limit of each resource, by name
        max_cycles   limit of the bottleneck in cycles per frame; None for no limit
        max_error    limit of the summed error; None for no limit
        max_latency  limit of the latency in cycles; None for no limit
    Raises           ProblemError: when ops, edges, candidates or limits are inconsistent
    """

    name: str
    ops: tuple[MilpOp, ...]
    edges: tuple[MilpEdge, ...]
    output: str
    budget: Mapping[str, int]
    max_cycles: int | None = None
    max_error: int | None = None
    max_latency: int | None = None

    def __post_init__(self) -> None:
        self._check_limits()
        by_name: dict[str, MilpOp] = {}
        for op in self.ops:
            if op.name in by_name:
                raise ProblemError(f"op {op.name!r} stands twice")
            for name, share in (("input_fraction", op.input_fraction), ("knee", op.knee)):
                if not 0 <= share <= 1:
                    raise ProblemError(f"op {op.name!r}: {name} must be 0 to 1, not {share}")
            if not op.candidates:
                raise ProblemError(f"op {op.name!r} has no candidates; it needs at least one")
            inputs = self.inputs[op.name]
            for edge in inputs:
                if edge.producer not in by_name:
                    raise ProblemError(f"edge {edge}: producer {edge.producer!r} is no earlier op")
            if [edge.index for edge in inputs] != list(range(len(inputs))):
                raise ProblemError(f"op {op.name!r}: edges lead to inputs {[edge.index for edge in inputs]}")
            for candidate in op.candidates:
                self._check(op, candidate, len(inputs))
            by_name[op.name] = op
        for edge in self.edges:
            if edge.consumer not in by_name:
                raise ProblemError(f"edge {edge}: consumer {edge.consumer!r} is no op")
            for (writes, reads), link in edge.links.items():
                if writes.format != reads.format or len(link.resources) != len(self.budget):
                    kinds = len(self.budget)
                    raise ProblemError(f"edge {edge}: {writes} to {reads} needs one format and {kinds} resources")
                amounts = (link.fill, *link.resources)
                if min(amounts) < 0 or max(amounts) > LARGEST:
                    raise ProblemError(f"edge {edge}: cycles and resources must be 0 to {LARGEST:,}, not {link}")
        if self.output not in by_name:
            raise ProblemError(f"output {self.output!r} is no op; ops are {', '.join(by_name)}")

    def _check_limits(self) -> None:
        for name in RESERVED:
            if name in self.budget:
                raise ProblemError(f"budget: {name!r} is no name for a resource")
        for name, limit in self.limits.items():
            if limit < 0:
                raise ProblemError(f"limit of {name!r}: must not be negative, not {limit}")

    def _check(self, op: MilpOp, candidate: Candidate, inputs: int) -> None:
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
    def inputs(self) -> dict[str, tuple[MilpEdge, ...]]:
        """The input edges of each op, in the order of the input index."""
        by_consumer: dict[str, list[MilpEdge]] = {op.name: [] for op in self.ops}
        for edge in self.edges:
            by_consumer.setdefault(edge.consumer, []).append(edge)
        return {name: tuple(sorted(edges, key=lambda edge: edge.index)) for name, edges in by_consumer.items()}

    @property
    def limits(self) -> dict[str, int]:
        """Every limit, by name: those of the resources, and ``cycles``, ``error``, ``latency`` where limited."""
        limits: dict[str, int] = dict(self.budget)
        if self.max_cycles is not None:
            limits["cycles"] = self.max_cycles
        if self.max_error is not None:
            limits["error"] = self.max_error
        if self.max_latency is not None:
            limits["latency"] = self.max_latency
        return limits

    def with_limit(self, objective: Objective, value: Fraction) -> Problem:
        """The same problem with an epsilon constraint: ``objective`` is at most ``value``. Tighter limits stay."""
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


class Shortfall(NamedTuple):
    """A limit that cannot be kept.

    Parameters
        name    name of the limit, as in ``Problem.limits``
        needed  the amount that is needed
        limit   the amount that is allowed
    """

    name: str
    needed: int
    limit: int

    def __str__(self) -> str:
        units = {"cycles": "cycles a frame", "error": "summed error", "latency": "cycles of latency"}
        if self.name in units:
            return f"{self.needed} {units[self.name]}, limit {self.limit}"
        return f"{self.needed} {self.name.upper()}, has {self.limit}"


class Infeasible(ValueError):
    """No selection keeps all limits.

    Parameters
        name        name of the device, for the message
        shortfalls  the limits that cannot be kept; empty when no selection has a link on every edge
        alone       True: each of ``shortfalls`` is the least amount of any selection, all other limits lifted; False:
                    they are the limits that the selection with the smallest ``violation`` exceeds
        violation   the smallest ``Evaluation.violation`` of any selection
    """

    def __init__(self, name: str, shortfalls: tuple[Shortfall, ...], alone: bool, violation: Fraction) -> None:
        self.name, self.shortfalls, self.alone, self.violation = name, shortfalls, alone, violation
        what = "; ".join(str(shortfall) for shortfall in shortfalls)
        if not shortfalls:
            why = "no choice of candidates gives every edge one format and lanes that can be joined"
        elif alone:
            why = f"needs at least {what}"
        else:
            why = f"no limit alone, but not all together: at best exceeded by {float(violation):.1%}, needing {what}"
        super().__init__(f"infeasible on {name}: {why}")
