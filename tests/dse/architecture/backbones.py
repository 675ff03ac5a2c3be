"""Small and large spaces of networks whose costs follow a formula, and a count of those that are asked for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from dse.architecture.evaluations import Costs, Evaluations
from dse.architecture.space import Choice, Space

Method = Callable[[Evaluations, int], None]


REFERENCE = (20.0, 60.0)


SMALL = Space({"width": (1, 2, 4), "kernel": (3, 5), "format": ("int4", "int8")})


LARGE = Space(
    {"width": (2, 3, 4, 6, 8), "depth": (1, 2, 3, 4), "kernel": (3, 5, 7), "expansion": (1, 2, 4), "format": ("a", "b")}
)


def backbone(space: Space, choice: Choice) -> Costs:
    """The logarithm of the cycles, which grows with the network, and its error in percent, which falls.

    An error of up to 1 % that depends on the network's place follows no law.
    """
    numbers = {name: float(own) for name, own in space.values(choice).items() if not isinstance(own, str)}
    work = 1.0 + (choice[-1] > 0)
    for name, power in (("width", 2.0), ("depth", 1.0), ("kernel", 1.5), ("expansion", 1.0)):
        work *= numbers.get(name, 1.0) ** power
    power = (
        numbers["width"] * numbers.get("depth", 1.0) * numbers.get("expansion", 1.0) ** 0.5 * numbers["kernel"] ** 0.3
    )
    place = sum(own * 7**n for n, own in enumerate(choice))
    return 3 + math.log2(work), 10 + 40 / power + (place % 11) / 10


class Counted:
    """The networks asked for, counted; those that ``fails`` says cannot be built."""

    def __init__(self, space: Space, fails: Callable[[Choice], bool] = lambda _: False) -> None:
        self.space, self.fails = space, fails
        self.asked: Counter[Choice] = Counter()
        self.batches: list[int] = []

    def __call__(self, choices: Sequence[Choice]) -> list[Costs | None]:
        self.asked.update(choices)
        self.batches.append(len(choices))
        return [None if self.fails(choice) else backbone(self.space, choice) for choice in choices]


def searched(method: Method, space: Space, limit: int, seed: int = 0) -> tuple[Evaluations, Counted]:
    counted = Counted(space)
    evaluations = Evaluations(space, counted, limit, REFERENCE)
    method(evaluations, seed)
    return evaluations, counted
