"""Results of a pass: layers of labels, and what they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from dse.labels.dominance import Table, tables
from dse.labels.network import Network


class TooManyLabels(RuntimeError):
    """A pass would need more memory than it may take; it has no result."""


@dataclass
class Counter:
    """Counts examined labels, the measure of effort.

    Parameters
        labels  labels examined so far
        check   called after each count; it may raise to end a search
    """

    labels: int = 0
    check: Callable[[], None] = field(default=lambda: None)

    def add(self, labels: int) -> None:
        """Count labels, and call ``check``."""
        self.labels += labels
        self.check()


@dataclass(frozen=True)
class LabelLayer:
    """The labels after one op, sorted by state.

    Parameters
        labels   int64 [n, times + costs]
        offsets  int64 [states + 1], where each state's labels begin
        parents  int64 [n], index of the label before
        chosen   int64 [n], index of the candidate among those that the pass examines
    """

    labels: np.ndarray
    offsets: np.ndarray
    parents: np.ndarray
    chosen: np.ndarray


@dataclass(frozen=True)
class Trail:
    """Every extension of a label at one op.

    Parameters
        parents          int64 [extensions], index of the label before
        representatives  int64 [extensions], index of the label after that stands for the extended one
        extended_costs   int64 [extensions], cost of the extended label
        chosen           int64 [extensions], index of the candidate among those that the pass examines
    """

    parents: np.ndarray
    representatives: np.ndarray
    extended_costs: np.ndarray
    chosen: np.ndarray


@dataclass(frozen=True)
class Surrogate:
    """Result of a surrogate pass.

    Parameters
        layers      labels before the first op and after each op; they end early where no label is left
        trails      extensions at each op; None where they are not stored
        candidates  indices of the candidates examined at each stage
        budget      limit of the weighted sum
        earlier     completions that bounded the labels; None without
        room        labels kept after an op, further ones are merged; None keeps all
    """

    layers: list[LabelLayer]
    trails: list[Trail | None]
    candidates: list[np.ndarray]
    budget: int
    earlier: Completions | None
    room: int | None

    @property
    def empty(self) -> bool:
        """Whether no label is left, and so no selection."""
        return not len(self.layers[-1].labels)


@dataclass(frozen=True)
class Completions:
    """Result of a backward pass over a surrogate pass.

    Parameters
        network  network of the surrogate pass
        layers   layers of the surrogate pass
        least    int64 [labels] for each layer but the first, least weighted cost of a completion
        through  int64 [candidates] for each stage, lower bound of the weighted cost of a selection with each
        budget   limit of the weighted sum
    """

    network: Network
    layers: list[LabelLayer]
    least: list[np.ndarray]
    through: list[np.ndarray]
    budget: int

    @cached_property
    def stays(self) -> list[np.ndarray]:
        """bool [candidates] for each stage, whether a selection with it can keep the limit of the weighted sum."""
        return [own <= self.budget for own in self.through]

    def tables(self, network: Network, place: int) -> list[Table]:
        """For each state of ``network`` after an op, a table of the least weighted cost of a completion."""
        layer = self.layers[place + 1]
        own = tables(self.network.stages[place], layer.offsets, layer.labels, self.least[place])
        return [own[state] for state in self.network.states_of(network, place)]


@dataclass(frozen=True)
class Rowwise:
    """Result of a rowwise pass.

    Parameters
        choices   selections found, as candidate indices in the order of the network's ops; by rising finish
        complete  whether no label was dropped, so that an empty result proves that there is no selection
    """

    choices: list[list[int]]
    complete: bool
