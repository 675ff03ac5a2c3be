"""The compiled inner loops of label passes; every figure is an int64."""

from __future__ import annotations

import numpy as np
from numba import njit

NEVER = 1 << 61
"""More than any sum of costs or times."""


@njit(cache=True)
def share(cycles, ratio):
    """A share of some cycles, rounded up; in two parts, as their product may not fit.

    ``ratio``: [2], its numerator and denominator.
    """
    whole, left = cycles // ratio[1], cycles % ratio[1]
    return whole * ratio[0] + (left * ratio[0] + ratio[1] - 1) // ratio[1]


@njit(cache=True)
def expand(
    labels, low, high, link_fill, link_rows, first, last, fill, head, span, tail, rest, rows, lead, knee, reads,
    carry, grids, caps, weights, budget, deadline, least_left, pull, pulled, allowed, pull_before, owed, link_owed,
    table, table_of, out, parents, chosen, bounds,
):  # fmt: skip
    """Lead labels through the transitions into one state; gives how many came through, -1 where ``out`` is full.

    A label is a row of ``labels``: its times, then its costs. It is led on only where no limit is shown to be broken.

    Parameters
        low, high        [t], which labels each transition starts from
        link_fill        [t, inputs], cycles of its links
        link_rows        [t, costs], costs of its links
        first, last      [t], which candidates it leads through
        fill, head, span, tail, rest, rows   of the candidates, ``rows`` [k, costs]
        lead, knee       [2], numerator and denominator
        reads            [inputs, 2], which times of a label are an input's start and finish; -1 for times not carried
        carry            [times after], which time of a label each is; -1 for the op's own start, -2 for its finish
        grids            [times after], multiples to which each is rounded down
        caps             [costs], the most of each that may be taken up to here
        weights, budget  [costs]: the weighted sum of costs, completion included, must not exceed ``budget``
        deadline, least_left   the op's finish and ``least_left`` must not exceed the deadline
        pull, pulled, allowed   [times after]: ``pull`` times the times, the weighted costs and ``pulled`` must not
                         exceed ``allowed``
        pull_before, owed, link_owed   [times before], [k], [t]: what weighs on the times of ``labels``, and what a
                         candidate and a transition add to weighted costs and times at the least; ``owed`` ascends
                         within what a transition leads through
        table, table_of  least weighted cost of a completion, by steps of a start, a finish and a branch's finish
        out              [most, times after + costs], the labels that came through
        parents, chosen  [most], the label and the candidate that each came from
        bounds           [most], its weighted costs, those of the least completion included
    """
    found, times, entering = 0, len(carry), labels.shape[1] - rows.shape[1]
    starts, finishes, branches, least = table
    looked = len(starts) > 0
    for t in range(len(low)):
        for label in range(low[t], high[t]):
            room = allowed - pulled - link_owed[t]
            for at in range(entering):
                room -= pull_before[at] * labels[label, at]
            for row in range(rows.shape[1]):
                room -= weights[row] * labels[label, entering + row]
            if owed[first[t]] > room:
                continue
            arrived, begun, ended, between = 0, 0, 0, 0
            for number in range(reads.shape[0]):
                begin = labels[label, reads[number, 0]] if reads[number, 0] >= 0 else 0
                end = labels[label, reads[number, 1]] if reads[number, 1] >= 0 else begin
                fills = link_fill[t, number]
                lasts = max(0, end - begin)
                arrived = max(arrived, fills + begin + share(lasts, lead))
                between = max(between, fills + begin + share(lasts, knee))
                begun = max(begun, fills + begin)
                ended = max(ended, fills + end)
            for candidate in range(first[t], last[t]):
                if owed[candidate] > room:
                    break
                cost, fits = 0, True
                for row in range(rows.shape[1]):
                    amount = labels[label, entering + row] + link_rows[t, row] + rows[candidate, row]
                    if amount > caps[row]:
                        fits = False
                        break
                    out[found, times + row] = amount
                    cost += weights[row] * amount
                if not fits or cost > budget:
                    continue
                start = max(arrived + fill[candidate], begun + head[candidate])
                finish = start + span[candidate]
                if reads.shape[0] > 0:
                    finish = max(finish, ended + tail[candidate], between + rest[candidate])
                if finish + least_left > deadline:
                    continue
                drawn = cost + pulled
                for at in range(times):
                    if carry[at] == -1:
                        time = start
                    elif carry[at] == -2:
                        time = finish
                    else:
                        time = labels[label, carry[at]]
                    time -= time % grids[at]
                    out[found, at] = time
                    drawn += pull[at] * time
                if drawn > allowed:
                    continue
                if looked:
                    row = np.searchsorted(starts, out[found, table_of[0]], side="right") - 1
                    column = np.searchsorted(finishes, out[found, table_of[1]], side="right") - 1
                    layer = 0
                    if table_of[2] >= 0:
                        layer = np.searchsorted(branches, out[found, table_of[2]], side="right") - 1
                    # whatever can be completed is no earlier than a label of the pass that made the table
                    if row < 0 or column < 0 or layer < 0:
                        continue
                    cost += least[layer, row, column]
                    if cost > budget:
                        continue
                parents[found], chosen[found], bounds[found] = label, candidate, cost
                found += 1
                if found == len(parents):
                    return -1
    return found


@njit(cache=True)
def undominated(labels, order, most):
    """Which labels no other one equals or beats in everything, and for each label one that does.

    ``order`` sorts the labels so that what beats another comes before it. Each is compared with the ``most`` last that
    stay, so that beaten ones may stay, and none that stays is missing.
    """
    count, width = labels.shape
    stay = np.empty(count, np.int64)
    standing = np.empty(count, np.int64)
    kept = 0
    for at in range(count):
        label = order[at]
        beaten = -1
        for other in range(kept - 1, max(-1, kept - 1 - most), -1):
            better = stay[other]
            every = True
            for column in range(width):
                if labels[better, column] > labels[label, column]:
                    every = False
                    break
            if every:
                beaten = other
                break
        if beaten < 0:
            stay[kept] = label
            beaten = kept
            kept += 1
        standing[label] = beaten
    return stay[:kept], standing


@njit(cache=True)
def undominated_binned(labels, order, ranked, least, edges, sizes):
    """As ``undominated`` for many labels, by a tree of prefixes in place of comparisons.

    Labels come in ``order``, by their last column. The tree keeps the least value of the column ``least`` for prefixes
    of the ``ranked`` ones, told apart by up to ``sizes`` values each, ``edges``; a label counts as no less than an edge
    it reaches, and as no more than the next one, so that beaten ones may stay where there are more values than edges.
    """
    count, depth = len(labels), len(ranked)
    cells = 1
    for size in sizes:
        cells *= size + 1
    tree = np.full(cells, NEVER)
    owner = np.zeros(cells, np.int64)
    stay = np.empty(count, np.int64)
    standing = np.empty(count, np.int64)
    place = np.zeros(4, np.int64)
    walk = np.zeros(4, np.int64)
    size = np.zeros(4, np.int64)
    size[:depth] = sizes
    kept = 0
    for at in range(count):
        label = order[at]
        value, beaten = labels[label, least], -1
        # a column that is not there has one place, 0, and is passed once
        for column in range(depth):
            place[column] = np.searchsorted(edges[column, : sizes[column]], labels[label, ranked[column]], side="right")
        walk[0] = place[0]
        while (walk[0] > 0 or depth < 1) and beaten < 0:
            walk[1] = place[1]
            while (walk[1] > 0 or depth < 2) and beaten < 0:
                walk[2] = place[2]
                while (walk[2] > 0 or depth < 3) and beaten < 0:
                    walk[3] = place[3]
                    while walk[3] > 0 or depth < 4:
                        cell = ((walk[0] * (size[1] + 1) + walk[1]) * (size[2] + 1) + walk[2]) * (size[3] + 1) + walk[3]
                        if tree[cell] <= value:
                            beaten = owner[cell]
                            break
                        walk[3] -= walk[3] & -walk[3]
                        if depth < 4:
                            break
                    walk[2] -= walk[2] & -walk[2]
                    if depth < 3:
                        break
                walk[1] -= walk[1] & -walk[1]
                if depth < 2:
                    break
            walk[0] -= walk[0] & -walk[0]
            if depth < 1:
                break
        if beaten < 0:
            beaten = kept
            stay[kept] = label
            kept += 1
            fits = True
            for column in range(depth):
                place[column] = np.searchsorted(edges[column, : sizes[column]], labels[label, ranked[column]]) + 1
                fits &= place[column] <= sizes[column]
            walk[0] = place[0]
            while fits and walk[0] <= size[0]:
                walk[1] = place[1]
                while walk[1] <= size[1]:
                    walk[2] = place[2]
                    while walk[2] <= size[2]:
                        walk[3] = place[3]
                        while walk[3] <= size[3]:
                            cell = ((walk[0] * (size[1] + 1) + walk[1]) * (size[2] + 1) + walk[2]) * (size[3] + 1)
                            cell += walk[3]
                            if value < tree[cell]:
                                tree[cell], owner[cell] = value, beaten
                            walk[3] += walk[3] & -walk[3]
                            if depth < 4:
                                break
                        walk[2] += walk[2] & -walk[2]
                        if depth < 3:
                            break
                    walk[1] += walk[1] & -walk[1]
                    if depth < 2:
                        break
                walk[0] += walk[0] & -walk[0]
                if depth < 1:
                    break
        standing[label] = beaten
    return stay[:kept], standing


@njit(cache=True)
def completions(least, costs, parents, standing, led, chosen, after, best):
    """Take what is known of a stage's labels back to those that led to them.

    Parameters
        least     [labels before], least cost of a completion of each; made smaller here
        costs     [labels before], their own costs
        parents, standing, led, chosen   [led on]: label before, label after that is as good, its cost, candidate
        after     [labels after], least cost of a completion of each
        best      [candidates], least cost of a whole choice with each; made smaller here
    """
    for at in range(len(parents)):
        label = parents[at]
        further = after[standing[at]]
        taken = led[at] - costs[label] + further
        least[label] = min(least[label], taken)
        best[chosen[at]] = min(best[chosen[at]], led[at] + further)


@njit(cache=True)
def tabulate(labels, least, starts, finishes, branches):
    """int64 ``[branches, starts, finishes]``: the most that ``least`` says of a label that is no later than these."""
    table = np.full((len(branches), len(starts), len(finishes)), least.min(), np.int64)
    for label in range(len(labels)):
        row = np.searchsorted(starts, labels[label, 0])
        column = np.searchsorted(finishes, labels[label, 1])
        layer = np.searchsorted(branches, labels[label, 2])
        if row < len(starts) and column < len(finishes) and layer < len(branches):
            table[layer, row, column] = max(table[layer, row, column], least[label])
    for layer in range(len(branches)):
        for row in range(len(starts)):
            for column in range(len(finishes)):
                most = table[layer, row, column]
                if layer > 0:
                    most = max(most, table[layer - 1, row, column])
                if row > 0:
                    most = max(most, table[layer, row - 1, column])
                if column > 0:
                    most = max(most, table[layer, row, column - 1])
                table[layer, row, column] = most
    return table
