"""``Space``: what is to be decided about a network, one decision after the other, and the options of each."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

Choice = tuple[int, ...]
"""One network: the place of the option taken, by decision."""
Option = float | str


class SpaceError(ValueError):
    """A space without sense; the message names decision and option."""


@dataclass(frozen=True)
class Space:
    """``decisions``: options by name, in the order in which they are decided: what matters most comes first."""

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
        """Options of each decision."""
        return tuple(len(options) for options in self.decisions.values())

    @property
    def size(self) -> int:
        """Networks there are."""
        return math.prod(self.sizes)

    def __iter__(self) -> Iterator[Choice]:
        return itertools.product(*(range(size) for size in self.sizes))

    def values(self, choice: Choice) -> dict[str, Option]:
        """The options taken, by decision."""
        return {name: options[place] for (name, options), place in zip(self.decisions.items(), choice, strict=True)}

    def draw(self, rng: random.Random) -> Choice:
        """Any network, each as likely as another."""
        return tuple(rng.randrange(size) for size in self.sizes)

    def features(self, choices: Sequence[Choice]) -> np.ndarray:
        """float64 ``[n, d]`` for a predictor: of a decision among numbers their logarithms where all are positive, of
        one among names a column for each but the first.
        """
        columns = []
        for place, options in enumerate(self.decisions.values()):
            taken = np.array([choice[place] for choice in choices], dtype=np.int64)
            columns += [column[taken] for column in _columns(options)]
        return np.stack(columns, axis=1) if columns else np.zeros((len(choices), 0))


def _columns(options: Sequence[Option]) -> list[np.ndarray]:
    if all(isinstance(option, int | float) for option in options):
        numbers = np.array(options, dtype=float)
        return [np.log2(numbers) if (numbers > 0).all() else numbers]
    return [np.array([float(option == name) for option in options]) for name in options[1:]]
