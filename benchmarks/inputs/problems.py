"""Random problems: small ones for the exhaustive oracle, and wide ones of any size and scale."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from fractions import Fraction

from dse.evaluate import evaluate
from dse.problem import Candidate, Interface, Link, MilpEdge, MilpOp, Problem, Selection

FORMATS = ("int8", "int4", "dybit4")
BUDGET = ("lut", "bram", "dsp")
CHAINS = [[(i, i + 1) for i in range(n)] for n in (1, 2, 3, 4)]
RESIDUALS = [
    [(0, 1), (1, 2), (1, 3), (2, 3)],
    [(0, 1), (1, 2), (0, 2), (2, 3)],
    [(0, 1), (1, 2), (2, 3), (1, 3), (3, 4)],
    [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)],
    [(0, 1), (1, 2), (1, 2)],
]


def random_problem(seed: int) -> Problem:
    """A small problem: chains and residual forks, several formats, limits loose to impossible."""
    rng = random.Random(seed)
    wiring = rng.choice(CHAINS + RESIDUALS)
    count = 1 + max(consumer for _, consumer in wiring)
    formats = FORMATS[: rng.choice((1, 1, 2, 2, 3))]
    lanes = (1, 2, 4)[: rng.choice((1, 2, 3))]
    arity = [sum(consumer == i for _, consumer in wiring) for i in range(count)]

    def interface() -> Interface:
        return Interface(rng.choice(lanes), rng.choice(formats))

    def candidate(i: int, j: int) -> Candidate:
        reads = tuple(Interface(rng.choice(lanes), read) for read in [rng.choice(formats)] for _ in range(arity[i]))
        cycles = rng.randint(1, 60)
        return Candidate(
            (i, j), cycles, (rng.randint(0, 40), rng.randint(0, 3), rng.randint(0, 6)), interface(), reads,
            rng.randint(0, 5), rng.choice((0, cycles)), rng.randint(0, cycles), rng.randint(0, 9), rng.randint(0, 12),
        )  # fmt: skip

    ops = tuple(
        MilpOp(
            f"op{i}",
            tuple(candidate(i, j) for j in range(rng.randint(3, {2: 12, 3: 9, 4: 6, 5: 5}[count]))),
            rng.choice((Fraction(0), Fraction(1), Fraction(1, 8), Fraction(3, 7), Fraction(5, 14))),
        )
        for i in range(count)
    )
    taken = [0] * count
    edges = []
    for producer, consumer in wiring:
        links = {
            (Interface(a, format), Interface(b, format)): Link((rng.randint(1, 9) * (a != b), 0, 0), int(a != b))
            for format in formats
            for a in lanes
            for b in lanes
            if rng.random() < 0.95
        }
        edges.append(MilpEdge(f"op{producer}", f"op{consumer}", taken[consumer], links))
        taken[consumer] += 1
    slack = rng.choice((12, 30, 40, 60))
    return Problem(
        "tiny", ops, tuple(edges), f"op{count - 1}",
        dict(zip(BUDGET, (slack * count, rng.randint(0, 4 * count), rng.randint(0, 9 * count)), strict=True)),
        rng.choice((None, None, 30, 50)), rng.choice((None, 4 * count, 8 * count)),
        rng.choice((None, None, 50 + 10 * count, 30 + 10 * count)),
    )  # fmt: skip


INPUT_FRACTIONS = (Fraction(0), Fraction(1), Fraction(1, 8), Fraction(3, 7), Fraction(51, 679))
LANES = (1, 2, 4, 8)
MOST_OPS, MOST_CANDIDATES, MOST_AMOUNT = 60, 8, 10**12
STYLES = {"tight": 0.35, "one less": 0.2, "loose": 0.3, "zero budget": 0.1, "unlimited": 0.05}
"""How the limits of a wide problem are set, and how often: to exactly what a choice takes; to that, one of them one
less; to a share of it, or more; with budgets of zero; to more than any choice takes."""


def wide_problem(seed: int) -> Problem:
    """A problem of any size and scale that the solver must be right about, the same for the same seed.

    It has 2 to 60 ops with 1 to 8 candidates each; amounts of 1 to 1e12, of a scale of its own for cycles, error and
    each resource; none to four resources; chains, identity shortcuts, ops on both branches, nested forks, producers
    that are read twice, now and then a second input, or an output that is not the last op. ``STYLES`` says how its
    limits are set. Nearly all can be joined.
    """
    rng = random.Random(f"wide {seed}")
    count = rng.choice((rng.randint(2, 6), rng.randint(2, 6), rng.randint(7, 20), rng.randint(21, MOST_OPS)))
    wiring = _wiring(rng, count)
    joinable = rng.random() < 0.97
    formats = FORMATS[: rng.choice((1, 1, 2, 3))]
    lanes = LANES[: rng.randint(1, len(LANES))]
    kinds = 0 if rng.random() < 0.05 else rng.randint(1, 4)
    draw = _Amounts(rng, kinds)
    written = [Interface(rng.choice(lanes), rng.choice(formats)) for _ in range(count)]
    reads: list[list[Interface]] = [[] for _ in range(count)]
    for producer, consumer in wiring:
        reads[consumer].append(Interface(rng.choice(lanes), written[producer].format))
    most = max(rng.randint(1, MOST_CANDIDATES) for _ in range(2))
    ops = []
    for i in range(count):
        op = draw.op()
        ends = [(written[i], tuple(reads[i]))]
        for _ in range(rng.randint(1, most) - 1):
            other = tuple(
                Interface(rng.choice(lanes), rng.choice((read.format, rng.choice(formats)))) for read in reads[i]
            )
            ends.append((Interface(rng.choice(lanes), rng.choice((written[i].format, rng.choice(formats)))), other))
        rng.shuffle(ends)
        candidates = tuple(draw.candidate(op, (i, j), *end) for j, end in enumerate(ends))
        input_fraction = rng.choice((*INPUT_FRACTIONS, Fraction(rng.randint(0, draw.parts), draw.parts)))
        ops.append(MilpOp(f"op{i}", candidates, input_fraction))
    edges, taken = [], [0] * count
    for producer, consumer in wiring:
        index = taken[consumer]
        needed = (written[producer], reads[consumer][index])
        pairs = [(Interface(a, format), Interface(b, format)) for format in formats for a in lanes for b in lanes]
        kept = [pair for pair in pairs if rng.random() < 0.95 or (joinable and pair == needed)]
        edges.append(MilpEdge(f"op{producer}", f"op{consumer}", index, {pair: draw.link(pair) for pair in kept}))
        taken[consumer] += 1
    output = f"op{count - 1 if rng.random() < 0.95 else rng.randrange(count)}"
    budget = {f"r{kind}": 64 * count * MOST_AMOUNT for kind in range(kinds)}
    free = Problem(f"wide {seed}", tuple(ops), tuple(edges), output, budget)
    return _limited(rng, free)


def _wiring(rng: random.Random, count: int) -> list[tuple[int, int]]:
    """Producer and consumer of each edge, in the order of the consumer's inputs; op numbers in topological order."""
    edges: list[tuple[int, int]] = []
    numbers = iter(range(count))

    def op(*producers: int | None) -> int:
        own = next(numbers)
        edges.extend((producer, own) for producer in producers if producer is not None)
        return own

    def part(entry: int | None, size: int) -> int:
        """So many ops behind ``entry``; gives the last of them."""
        if size == 1:
            return op(entry, entry) if rng.random() < 0.1 else op(entry)
        if entry is None or rng.random() < 0.6:
            first = rng.randint(1, size - 1)
            return part(part(entry, first), size - first)
        left = rng.randint(0, size - 1)
        right = size - 1 - left
        if rng.random() < 0.4:
            left, right = size - 1, 0
        ends = [part(entry, left) if left else entry]
        # now and then the right branch has an input of its own
        ends.append(part(None if rng.random() < 0.05 else entry, right) if right else entry)
        return op(*ends)

    part(None, count)
    return edges


class _Amounts:
    """Random costs of a problem: candidates that trade cycles for resources in half of all problems, any in others."""

    def __init__(self, rng: random.Random, kinds: int) -> None:
        self._rng, self._kinds = rng, kinds
        self._cycles, self._error = self._scale(), self._scale()
        self._scales = [self._scale() for _ in range(kinds)]
        self._folded = rng.random() < 0.5
        self._wide = rng.random() < 0.5
        self._spare = rng.random() < 0.3
        self._delay = rng.choice((0, 1, self._cycles // 100))
        self.parts = rng.randint(1, 1000)
        """Denominator of the random input fractions."""

    def _scale(self) -> int:
        return round(10 ** self._rng.uniform(0, 12))

    def _draw(self, scale: int) -> int:
        """From 0 to ``scale``, over some orders of magnitude where the problem's amounts are wide."""
        if self._spare and self._rng.random() < 0.3:
            return 0
        return self._rng.randint(0, round(scale * 10 ** -self._rng.uniform(0, 3)) if self._wide else scale)

    def op(self) -> tuple[int, list[int]]:
        """Cycles of an op that is not folded, and resources of one part of it."""
        return max(1, self._draw(self._cycles)), [self._draw(scale) for scale in self._scales]

    def candidate(
        self, op: tuple[int, list[int]], choice: tuple[int, int], writes: Interface, reads: tuple[Interface, ...]
    ) -> Candidate:
        rng = self._rng
        if self._folded:
            folds = rng.choice((1, 2, 3, 4, 8, 16, 32))
            cycles, resources = math.ceil(op[0] / folds), [math.ceil(own * folds / 32) for own in op[1]]
        else:
            cycles, resources = max(1, self._draw(self._cycles)), [self._draw(scale) for scale in self._scales]
        fill, drain = (rng.randint(0, math.ceil(cycles / rng.choice((1, 10, 1000)))) for _ in range(2))
        first_output = rng.choice((0, cycles, rng.randint(0, cycles)))
        duration = rng.choice((cycles, max(0, cycles - first_output), rng.randint(0, cycles)))
        return Candidate(
            choice, cycles, tuple(resources), writes, reads, fill, first_output, duration, drain,
            self._draw(self._error)
        )  # fmt: skip

    def link(self, pair: tuple[Interface, Interface]) -> Link:
        if pair[0] == pair[1] and self._rng.random() < 0.9:
            return Link((0,) * self._kinds)
        some = (self._draw(scale // 10) * self._rng.randint(0, 1) for scale in self._scales)
        return Link(tuple(some), self._rng.randint(0, self._delay))


def walk(rng: random.Random, problem: Problem) -> Selection | None:
    """A random choice whose edges can be joined, found by changing one op at a time; None where none was found."""
    joined = _joined(rng, problem)
    if joined is None:
        return None
    around: dict[str, list[MilpEdge]] = {op.name: [] for op in problem.ops}
    for edge in problem.edges:
        around[edge.producer].append(edge)
        around[edge.consumer].append(edge)
    for _ in range(4 * len(problem.ops)):
        op = rng.choice(problem.ops)
        before, joined[op.name] = joined[op.name], rng.choice(op.candidates)
        if not all(
            (joined[edge.producer].writes, joined[edge.consumer].reads[edge.index]) in edge.links
            for edge in around[op.name]
        ):
            joined[op.name] = before
    return joined


def _joined(rng: random.Random, problem: Problem) -> Selection | None:
    """Op after op, of the candidates that can be joined with those before; steps back where there is none."""
    chosen: Selection = {}
    waiting = [iter(rng.sample(problem.ops[0].candidates, len(problem.ops[0].candidates)))]
    for _ in range(2000):
        op = problem.ops[len(waiting) - 1]
        own = next(
            (
                candidate
                for candidate in waiting[-1]
                if all(
                    (chosen[edge.producer].writes, candidate.reads[edge.index]) in edge.links
                    for edge in problem.inputs[op.name]
                )
            ),
            None,
        )
        if own is None:
            waiting.pop()
            if not waiting:
                return None
            continue
        chosen[op.name] = own
        if len(waiting) == len(problem.ops):
            return chosen
        following = problem.ops[len(waiting)].candidates
        waiting.append(iter(rng.sample(following, len(following))))
    return None


def _limited(rng: random.Random, free: Problem) -> Problem:
    """The problem with limits as one of ``STYLES`` sets them, by what a random choice takes."""
    selection = walk(rng, free)
    (style,) = rng.choices(list(STYLES), list(STYLES.values()))
    if selection is None or style == "unlimited":
        return free
    amounts = evaluate(free, selection).amounts
    limits = {name: amount for name, amount in amounts.items() if name in free.budget or rng.random() < 0.5}
    if style == "one less":
        lowered = [name for name, amount in limits.items() if amount]
        if lowered:
            limits[rng.choice(lowered)] -= 1
    elif style == "loose":
        limits = {name: round(amount * rng.uniform(0.6, 2)) for name, amount in limits.items()}
    elif style == "zero budget":
        limits |= {name: 0 for name in free.budget if rng.random() < 0.5}
    caps = [limits.get(name) for name in ("cycles", "error", "latency")]
    return replace(
        free,
        budget={name: limits[name] for name in free.budget},
        max_cycles=caps[0],
        max_error=caps[1],
        max_latency=caps[2],
    )


def with_knees(problem: Problem, seed: int) -> Problem:
    """The problem with a knee an op and work that is left there; what its choices take otherwise stays the same."""
    rng = random.Random(seed)
    most = 1 + max(own.drain for op in problem.ops for own in op.candidates)

    def rested(op: MilpOp) -> MilpOp:
        candidates = tuple(replace(own, rest=rng.choice((0, rng.randrange(2 * most)))) for own in op.candidates)
        return replace(op, candidates=candidates, knee=rng.choice(INPUT_FRACTIONS))

    return replace(problem, ops=tuple(map(rested, problem.ops)))
