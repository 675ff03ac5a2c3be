"""Labels after an op that are too many, merged: each cell of times keeps one, with the least of its times and costs.

What is merged is no later and costs no more than what it stands for, so that bounds stay true. Cells are as small as
the room that there is allows, so that little is lost, and how many labels a pass leads on is known beforehand.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numba import njit

from dse.labels.dominance import beaten

BITS = 62
"""Of the number of a cell; what times have more than fits is not told apart."""


def merged(
    labels: np.ndarray, offsets: np.ndarray, bounds: np.ndarray, room: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """At most ``room`` labels, or one a state, where each state's begin, of each one that it stands for, and of each
    given one which stands for it.

    Parameters
        labels   int64 [n, times + 1], state by state, the cost last
        offsets  int64 [states + 1], where each state's labels begin
        bounds   int64 [n], what a choice with each comes to at the least; of a cell the least one is named
        room     how many may stay
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
        stay, better = beaten(least[low:high], count)
        found.append(low + stay)
        instead.append(after[-1] + better)
        after.append(after[-1] + len(stay))
    stay = np.concatenate(found)
    return least[stay], np.array(after), named[stay], np.concatenate(instead)[of]


def _size(cells: np.ndarray, times: int, bits: int, room: int) -> int:
    """The number of bits that are left out, so that about ``room`` of the sorted cells differ."""
    differ = np.bitwise_xor(cells[1:], cells[:-1])
    for size in range(bits):
        if 1 + np.count_nonzero(differ >> (times * size)) <= room:
            return times * size
    return times * bits


@njit(cache=True)
def _cells(states, since, bits):
    """The number of each label's cell: its state, then the bits of its times, the highest of each first.

    So the cells of larger size are those whose numbers begin alike.
    """
    cells = states.copy()
    for label in range(len(states)):
        for bit in range(bits - 1, -1, -1):
            for time in range(since.shape[1]):
                cells[label] = (cells[label] << 1) | ((since[label, time] >> bit) & 1)
    return cells


@njit(cache=True)
def _least(labels, bounds, order, cells, size):
    """Of each cell the least of everything and the label of the least bound; of each label its cell."""
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
