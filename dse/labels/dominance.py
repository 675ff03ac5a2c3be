"""Dominance among labels and candidates, and completion costs as tables."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from dse.labels.kernels import NEVER, tabulate, undominated, undominated_binned
from dse.labels.limits import Limits
from dse.labels.network import LabelStage

FEW, COMPARED = 300, 4_000
"""Up to ``FEW`` labels, or labels of more than 6 columns, are compared one by one, each with at most the last
``COMPARED`` labels that stay."""
CELLS, BINS = 200_000, 24
"""Numbers of starts, and of values of a cost or of a branch's finish, that are distinguished among more labels."""
STEPS = 100
"""Values of a start and of a finish that a table of completions distinguishes."""

Table = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Steps of a start, of a finish and of a branch's finish, and the least weighted cost of a completion at each."""
NONE = np.zeros(0, np.int64)
NO_TABLE: Table = (NONE, NONE, NONE, np.zeros((0, 0, 0), np.int64))


def remove_dominated(labels: np.ndarray, times: int) -> tuple[np.ndarray, np.ndarray]:
    """Remove dominated labels.

    A few dominated labels may stay where there are many.

    Parameters
        labels  int64 [n, times + costs], less is better
        times   number of leading columns that are times
    Returns     indices of the labels that stay; and for each label the position, among those that stay, of one that
                equals or dominates it
    """
    width = labels.shape[1]
    if not len(labels):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if width == 1:
        least = int(np.argmin(labels[:, 0]))
        return np.array([least]), np.zeros(len(labels), np.int64)
    # sorted by the last column first, a label comes after those that dominate it; weighted sums are rarely equal
    order = np.lexsort(labels.T) if width > times + 1 else np.argsort(labels[:, -1], kind="stable")
    if len(labels) <= FEW or width > 6:
        return undominated(labels, order, COMPARED)
    # the tree stores the finish, or without times the first cost, by prefixes of the other columns
    least = 1 if times >= 2 else 0
    ranked = [column for column in range(width - 1) if column != least]
    values = [np.unique(labels[:, column]) for column in ranked]
    most = [CELLS if column == 0 else BINS for column in ranked]
    edges = [_steps(own, limit) for own, limit in zip(values, most, strict=True)]
    sizes = np.array([len(own) for own in edges], np.int64)
    padded = np.full((len(edges), max([*sizes, 1])), NEVER)
    for row, own in zip(padded, edges, strict=True):
        row[: len(own)] = own
    return undominated_binned(labels, order, np.array(ranked, np.int64), least, padded, sizes)


def undominated_candidates(stage: LabelStage, cost: np.ndarray, limits: Limits) -> np.ndarray:
    """The candidates of each class that no other one dominates or equals in times and weighted cost.

    Parameters
        stage   the op
        cost    int64 [candidates], weighted cost
        limits  candidates that break the limit of cycles are left out
    Returns     int64 indices, class by class
    """
    figures = np.column_stack([cost, stage.fill, stage.first_output, stage.duration, stage.drain, stage.rest])
    survivors = []
    for low, high in zip(stage.classes, stage.classes[1:], strict=False):
        own = np.arange(low, high)[stage.cycles[low:high] <= limits.cycles]
        part = figures[own]
        order = np.lexsort(part.T[::-1])
        stay, _ = undominated(part, order, len(part))
        survivors.append(np.sort(own[stay]))
    return np.concatenate(survivors)


def candidate_bounds(
    stage: LabelStage, examined: np.ndarray, best: np.ndarray, cost: np.ndarray, limits: Limits
) -> np.ndarray:
    """A lower bound of the weighted cost of any selection with each candidate of a stage.

    A candidate that was not examined is dominated by an examined one of its class. A selection with it costs more by at
    least the difference of their own costs.

    Parameters
        stage     the op
        examined  int64 indices of the candidates that were examined
        best      least weighted cost of a selection with each examined candidate, in the order of ``examined``
        cost      int64 [candidates], weighted cost
        limits    a candidate that breaks the limit of cycles gets ``NEVER``
    """
    figures = np.column_stack([stage.fill, stage.first_output, stage.duration, stage.drain, stage.rest])
    bounds = np.full(len(stage.candidates), NEVER)
    for low, high in zip(stage.classes, stage.classes[1:], strict=False):
        at = np.flatnonzero((examined >= low) & (examined < high))
        inside = examined[at]
        for candidate in range(low, high):
            if stage.cycles[candidate] > limits.cycles:
                continue
            beats = (figures[inside] <= figures[candidate]).all(axis=1) & (cost[inside] <= cost[candidate])
            if beats.any():
                # each one gives a lower bound
                more = best[at[beats]] + (cost[candidate] - cost[inside[beats]])
                bounds[candidate] = more.max()
    return bounds


def tables(stage: LabelStage, offsets: np.ndarray, all_labels: np.ndarray, least: np.ndarray) -> list[Table]:
    """The least weighted cost of a completion as a table by times, for each state.

    Parameters
        stage       the op
        offsets     int64 [states + 1], where each state's labels begin
        all_labels  int64 [n, times + 1], labels after the op
        least       int64 [n], least weighted cost of a completion of each label
    """
    result = []
    times = len(stage.times)
    for low, high in pairwise(offsets):
        labels = all_labels[low:high]
        if not len(labels):
            result.append(NO_TABLE)
            continue
        if times not in (2, 3):
            labels = np.zeros((len(labels), 3), np.int64) if not times else labels
            steps = tuple(np.zeros(1, np.int64) for _ in range(3))
            result.append((*steps, np.full((1, 1, 1), least[low:high].min())))
            continue
        columns = labels if times == 3 else np.insert(labels, 2, 0, axis=1)
        starts, ends = (_steps(np.unique(columns[:, at]), STEPS) for at in (0, 1))
        branches = np.unique(columns[:, 2])
        result.append((starts, ends, branches, tabulate(columns, least[low:high], starts, ends, branches)))
    return result


def _steps(values: np.ndarray, most: int) -> np.ndarray:
    """At most ``most`` of some sorted values, evenly spread, the first and the last included."""
    return values if len(values) <= most else values[np.linspace(0, len(values) - 1, most).astype(np.int64)]
