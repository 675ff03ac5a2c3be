"""Random search: what any other has to beat."""

from __future__ import annotations

import random

from dse.architecture.evaluations import Evaluations
from dse.architecture.space import Choice


def random_search(evaluations: Evaluations, seed: int, batch: int = 1) -> None:
    """Networks at random, each as likely as another, none twice; ``batch`` are asked for at a time."""
    rng = random.Random(seed)
    while evaluations.left:
        drawn: dict[Choice, None] = {}
        while len(drawn) < min(batch, evaluations.left):
            choice = evaluations.space.draw(rng)
            if choice not in evaluations.costs:
                drawn[choice] = None
        evaluations.ask(list(drawn))
