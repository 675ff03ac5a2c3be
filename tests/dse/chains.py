"""Chains of ops, and their optimum by a dynamic program, apart from ``evaluate`` and from the integer program."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import NamedTuple

from dse.pareto import non_dominated
from dse.problem import Candidate, Interface, Link, MilpEdge, MilpOp, Objective, Problem


def random_chain(seed: int, length: int) -> Problem:
    """One resource that is scarce and one that hardly is, both in small numbers; two formats and two lane counts."""
    rng = random.Random(seed)
    ends = [Interface(lanes, format) for lanes in (1, 2) for format in ("int8", "int4")]
    ops = []
    for i in range(length):
        candidates = []
        for j in range(rng.randint(3, 5)):
            lanes, cycles = rng.randint(0, 3), rng.randint(20, 90)
            reads = (rng.choice(ends),) if i else ()
            candidates.append(
                Candidate(
                    j, cycles // (1 + lanes), (lanes, rng.randint(0, 1)), rng.choice(ends), reads, rng.randint(0, 5),
                    rng.choice((0, 7)), cycles // (1 + lanes) - rng.randint(0, 3), rng.randint(0, 9), rng.randint(0, 4),
                )
            )  # fmt: skip
        input_fraction = rng.choice((Fraction(0), Fraction(1, 8), Fraction(3, 7)))
        ops.append(MilpOp(f"op{i}", tuple(candidates), input_fraction))
    edges = []
    for i in range(1, length):
        links = {
            (a, b): Link((int(a != b), 0), int(a != b))
            for a in ends
            for b in ends
            if a.format == b.format and rng.random() < 0.95
        }
        # no chain breaks: any writer finds a reader
        links |= {(a, a): Link((0, 0)) for a in ends}
        reads = {c.reads[0].format for c in ops[i].candidates}
        spare = tuple(
            Candidate(f"spare {end}", 90, (4, 1), end, (end,), 9, 9, 90, 9, 4)
            for end in ends
            if end.format not in reads
        )
        ops[i] = MilpOp(ops[i].name, ops[i].candidates + spare, ops[i].input_fraction)
        edges.append(MilpEdge(f"op{i - 1}", f"op{i}", 0, links))
    budget = {"dsp": rng.randint(length, 2 * length), "bram": rng.randint(length // 2, length)}
    caps = rng.choice((None, 70, 90)), rng.choice((None, 2 * length)), rng.choice((None, 16 * length))
    return Problem("chain", tuple(ops), tuple(edges), f"op{length - 1}", budget, *caps)


class Label(NamedTuple):
    """A partial choice: what it took, and the criteria in which it may not be beaten to be kept."""

    bottleneck: int
    error: int
    start: int
    finish: int


def optimum(problem: Problem, objective: Objective) -> tuple[Fraction, Fraction] | None:
    """The least objective and its tie-break over all choices of a chain; None where no choice keeps the limits.

    A state is what the chain writes and has taken so far, and holds every partial choice that none beats in the
    slowest op, error, start and finish, of which those that matter are kept.
    """
    budget = tuple(problem.budget.values())
    wanted = [objective is Objective.BOTTLENECK, objective is Objective.ERROR or problem.max_error is not None]
    wanted += 2 * [objective in (Objective.LATENCY, Objective.UTILISATION) or problem.max_latency is not None]
    states: dict[tuple[Interface, tuple[int, ...]], list[Label]] = {}
    for place, op in enumerate(problem.ops):
        links = problem.edges[place - 1].links if place else {}
        found: dict[tuple[Interface, tuple[int, ...]], list[Label]] = {}
        for own in op.candidates:
            if problem.max_cycles is not None and own.cycles > problem.max_cycles:
                continue
            if not place:
                start = max(own.fill, own.first_output)
                label = Label(own.cycles, own.error, start, start + own.duration)
                if all(a <= b for a, b in zip(own.resources, budget, strict=True)):
                    found.setdefault((own.writes, own.resources), []).append(label)
                continue
            for (writer, taken), labels in states.items():
                link = links.get((writer, own.reads[0]))
                if link is None:
                    continue
                used = tuple(a + b + c for a, b, c in zip(taken, own.resources, link.resources, strict=True))
                if any(a > b for a, b in zip(used, budget, strict=True)):
                    continue
                for label in labels:
                    waits = math.ceil(label.start * (1 - op.input_fraction) + label.finish * op.input_fraction)
                    begun = waits + own.fill + link.fill
                    start = max(begun, label.start + own.first_output + link.fill, own.fill, own.first_output)
                    finish = max(start + own.duration, label.finish + own.drain + link.fill)
                    error = label.error + own.error
                    if problem.max_error is None or error <= problem.max_error:
                        new = Label(max(label.bottleneck, own.cycles), error, start, finish)
                        found.setdefault((own.writes, used), []).append(new)
        states = {state: _kept(labels, wanted) for state, labels in found.items()}
    ranks = []
    for (_, used), labels in states.items():
        share = max(Fraction(a, max(1, b)) for a, b in zip(used, budget, strict=True))
        for label in labels:
            if problem.max_latency is None or label.finish <= problem.max_latency:
                match objective:
                    case Objective.BOTTLENECK:
                        ranks.append((Fraction(label.bottleneck), share))
                    case Objective.LATENCY:
                        ranks.append((Fraction(label.finish), share))
                    case Objective.ERROR:
                        ranks.append((Fraction(label.error), share))
                    case Objective.UTILISATION:
                        ranks.append((share, Fraction(label.finish)))
    return min(ranks, default=None)


def _kept(labels: list[Label], wanted: list[bool]) -> list[Label]:
    """Those that no other beats in the fields that are ``wanted``."""
    costs = [tuple(value for value, counts in zip(label, wanted, strict=True) if counts) for label in labels]
    return [labels[place] for place in non_dominated(costs)]
