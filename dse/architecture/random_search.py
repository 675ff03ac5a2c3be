"""Random search: the baseline for any other search."""

from __future__ import annotations

import random

from dse.architecture.evaluations import Evaluations
from dse.architecture.space import Choice


def random_search(evaluations: Evaluations, seed: int, batch: int = 1) -> None:
    """Evaluate random networks, all equally likely, none twice, until the evaluation budget is spent.

    Parameters
        evaluations  where networks are evaluated
        seed         seed of the random choices
        batch        networks evaluated at a time
    """
    rng = random.Random(seed)
    while evaluations.remaining:
        drawn: dict[Choice, None] = {}
        while len(drawn) < min(batch, evaluations.remaining):
            choice = evaluations.space.draw(rng)
            if choice not in evaluations.costs:
                drawn[choice] = None
        evaluations.ask(list(drawn))
