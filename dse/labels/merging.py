"""Merging of labels: each cell of times keeps one label, with the least of all its times and costs.

A merged label is no later and costs no more than the labels it stands for, so that lower bounds stay true. Cells are as
small as the allowed number of labels permits, so that little is lost; and the number of labels that a pass extends is
known in advance.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numba import njit

from dse.labels.dominance import remove_dominated

BITS = 62
"""Bits in the number of a cell; where times have more bits, the low ones are ignored."""


def merge_labels(
    labels: np.ndarray, offsets: np.ndarray, bounds: np.ndarray, room: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Merge labels, state by state.

    Parameters
        labels   int64 [n, times + 1], state by state, the cost last
        offsets  int64 [states + 1], where each state's labels begin
        bounds   int64 [n], lower bound of the weighted cost of a selection with each label
        room     labels that may stay; at least one per state does
    Returns      the labels that stay; where each state's begin; for each one the index of the given label of least
                 bound in its cell; for each given label the index of the one that stands for it
    """
    count = labels.shape[1] - 1
    states = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    since = labels[:, :-1] - labels[:, :-1].min(axis=0)
    bits = int(since.max()).bit_length()
    told = min(bits, (BITS - len(offsets).bit_length()) // count)
    cells = _cells(states, since >> (bits - told), told)
    order = np.argsort(cells, kind="stable")
    least, named, of = _least(labels, bounds, order, cells, _size(cells[order], count, told, room))
    found, instead, after = [], [], [0]
    starts = np.searchsorted(states[named], np.arange(len(offsets)))
    for low, high in pairwise(starts):
        stay, better = remove_dominated(least[low:high], count)
        found.append(low + stay)
        instead.append(after[-1] + better)
        after.append(after[-1] + len(stay))
    stay = np.concatenate(found)
    return least[stay], np.array(after), named[stay], np.concatenate(instead)[of]


def _size(cells: np.ndarray, times: int, bits: int, room: int) -> int:
    """The number of low bits to ignore, so that at most about ``room`` of the sorted cells differ."""
    differ = np.bitwise_xor(cells[1:], cells[:-1])
    for size in range(bits):
        if 1 + np.count_nonzero(differ >> (times * size)) <= room:
            return times * size
    return times * bits


@njit(cache=True)
def _cells(states, since, bits):
    """The number of each label's cell: its state, then the bits of its times, interleaved from the highest bit on.

    Thus the numbers of all labels in a larger cell begin with the same bits.
    """
    cells = states.copy()
    for label in range(len(states)):
        for bit in range(bits - 1, -1, -1):
            for time in range(since.shape[1]):
                cells[label] = (cells[label] << 1) | ((since[label, time] >> bit) & 1)
    return cells


@njit(cache=True)
def _least(labels, bounds, order, cells, size):
    """The least of all columns of each cell, its label of least bound, and for each label its cell."""
    least, named, of = np.empty_like(labels), np.empty(len(labels), np.int64), np.empty(len(labels), np.int64)
    found = -1
    for at in range(len(order)):
        label = order[at]
        if at == 0 or cells[label] >> size != cells[order[at - 1]] >> size:
            found += 1
            least[found], named[found] = labels[label], label
        else:
            for column in range(labels.shape[1]):
                least[found, column] = min(least[found, column], labels[label, column])
            if bounds[label] < bounds[named[found]]:
                named[found] = label
        of[label] = found
    return least[: found + 1], named[: found + 1], of
