"""``Space``: the decisions that define a network, in order, and the options of each."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

Choice = tuple[int, ...]
"""One network: the index of the option taken, for each decision."""
Option = float | str


class SpaceError(ValueError):
    """An inconsistent space; the message names decision and option."""


@dataclass(frozen=True)
class Space:
    """A space of networks.

    Parameters
        decisions  options by decision name, in the order in which they are decided; the most important decision comes
                   first
    Raises         SpaceError: when there is no decision, a decision has no option, or an option is listed twice
    """

    decisions: Mapping[str, Sequence[Option]]

    def __post_init__(self) -> None:
        if not self.decisions:
            raise SpaceError("a space needs at least one decision")
        for name, options in self.decisions.items():
            if not options:
                raise SpaceError(f"decision {name!r} has no options; it needs at least one")
            twice = [option for option in options if list(options).count(option) > 1]
            if twice:
                raise SpaceError(f"decision {name!r}: option {twice[0]!r} stands there more than once")

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The number of options of each decision."""
        return tuple(len(options) for options in self.decisions.values())

    @property
    def size(self) -> int:
        """The number of networks."""
        return math.prod(self.sizes)

    def __iter__(self) -> Iterator[Choice]:
        return itertools.product(*(range(size) for size in self.sizes))

    def values(self, choice: Choice) -> dict[str, Option]:
        """The options taken, by decision name."""
        return {name: options[place] for (name, options), place in zip(self.decisions.items(), choice, strict=True)}

    def draw(self, rng: random.Random) -> Choice:
        """A random network, all equally likely."""
        return tuple(rng.randrange(size) for size in self.sizes)

    def features(self, choices: Sequence[Choice]) -> np.ndarray:
        """float64 [n, d], rows for a predictor.

        A decision among numbers is one column: their logarithms where all are positive, otherwise their values. A
        decision among names has one column for each name but the first.
        """
        columns = []
        for place, options in enumerate(self.decisions.values()):
            indices = np.array([choice[place] for choice in choices], dtype=np.int64)
            columns += [column[indices] for column in _columns(options)]
        return np.stack(columns, axis=1) if columns else np.zeros((len(choices), 0))


def _columns(options: Sequence[Option]) -> list[np.ndarray]:
    if all(isinstance(option, int | float) for option in options):
        numbers = np.array(options, dtype=float)
        return [np.log2(numbers) if (numbers > 0).all() else numbers]
    return [np.array([float(option == name) for option in options]) for name in options[1:]]
