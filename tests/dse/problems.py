"""Small random problems: chains and residual forks, several formats, limits loose to impossible."""

from __future__ import annotations

import random
from fractions import Fraction

from dse.problem import Candidate, Edge, Interface, Link, Op, Problem

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
        Op(
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
        edges.append(Edge(f"op{producer}", f"op{consumer}", taken[consumer], links))
        taken[consumer] += 1
    slack = rng.choice((12, 30, 40, 60))
    return Problem(
        "tiny", ops, tuple(edges), f"op{count - 1}",
        dict(zip(BUDGET, (slack * count, rng.randint(0, 4 * count), rng.randint(0, 9 * count)), strict=True)),
        rng.choice((None, None, 30, 50)), rng.choice((None, 4 * count, 8 * count)),
        rng.choice((None, None, 50 + 10 * count, 30 + 10 * count)),
    )  # fmt: skip
