"""Merging of labels: each box of times keeps one label, with the least of all its times and costs.

A merged label is no later and costs no more than the labels it stands for, so that lower bounds stay true. Boxes are as
small as the allowed number of labels permits, so that little is lost; and the number of labels that a pass extends is
known in advance.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numba import njit

from dse.labels.dominance import remove_dominated

BITS = 62
"""Bits in the number of a box; where times have more bits, the low ones are ignored."""


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
                 bound in its box; for each given label the index of the one that stands for it
    """
    count = labels.shape[1] - 1
    states = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    since = labels[:, :-1] - labels[:, :-1].min(axis=0)
    bits = int(since.max()).bit_length()
    used_bits = min(bits, (BITS - len(offsets).bit_length()) // count)
    boxes = _boxes(states, since >> (bits - used_bits), used_bits)
    order = np.argsort(boxes, kind="stable")
    least, cheapest, of = _least(labels, bounds, order, boxes, _size(boxes[order], count, used_bits, room))
    survivors, representatives, after = [], [], [0]
    starts = np.searchsorted(states[cheapest], np.arange(len(offsets)))
    for low, high in pairwise(starts):
        stay, better = remove_dominated(least[low:high], count)
        survivors.append(low + stay)
        representatives.append(after[-1] + better)
        after.append(after[-1] + len(stay))
    stay = np.concatenate(survivors)
    return least[stay], np.array(after), cheapest[stay], np.concatenate(representatives)[of]


def _size(boxes: np.ndarray, times: int, bits: int, room: int) -> int:
    """The number of low bits to ignore, so that at most about ``room`` of the sorted boxes differ."""
    differ = np.bitwise_xor(boxes[1:], boxes[:-1])
    for size in range(bits):
        if 1 + np.count_nonzero(differ >> (times * size)) <= room:
            return times * size
    return times * bits


@njit(cache=True)
def _boxes(states, since, bits):
    """The number of each label's box: its state, then the bits of its times, interleaved from the highest bit on.

    Thus the numbers of all labels in a larger box begin with the same bits.
    """
    boxes = states.copy()
    for label in range(len(states)):
        for bit in range(bits - 1, -1, -1):
            for time in range(since.shape[1]):
                boxes[label] = (boxes[label] << 1) | ((since[label, time] >> bit) & 1)
    return boxes


@njit(cache=True)
def _least(labels, bounds, order, boxes, size):
    """The least of all columns of each box, its label of least bound, and for each label its box."""
    least, cheapest, of = np.empty_like(labels), np.empty(len(labels), np.int64), np.empty(len(labels), np.int64)
    box = -1
    for at in range(len(order)):
        label = order[at]
        if at == 0 or boxes[label] >> size != boxes[order[at - 1]] >> size:
            box += 1
            least[box], cheapest[box] = labels[label], label
        else:
            for column in range(labels.shape[1]):
                least[box, column] = min(least[box, column], labels[label, column])
            if bounds[label] < bounds[cheapest[box]]:
                cheapest[box] = label
        of[label] = box
    return least[: box + 1], cheapest[: box + 1], of
