"""The compiled inner loops of label passes; all figures are int64."""

from __future__ import annotations

import numpy as np
from numba import njit

NEVER = 1 << 61
"""More than any sum of costs or times."""


@njit(cache=True)
def ceil_fraction(cycles, ratio):
    """A fraction of a number of cycles, rounded up.

    It is computed in two parts, as the product of both may not fit 64 bits.

    Parameters
        cycles  number of cycles, at least 0
        ratio   [2], numerator and denominator
    """
    whole, remainder = cycles // ratio[1], cycles % ratio[1]
    return whole * ratio[0] + (remainder * ratio[0] + ratio[1] - 1) // ratio[1]


@njit(cache=True)
def expand(
    labels, low, high, link_fill, link_rows, first, last, fill, first_output, duration, drain, rest, rows,
    input_fraction, knee, reads, carry, grids, caps, weights, budget, deadline, least_left, time_weights, least_rest,
    allowed, time_weights_before, contribution, link_contribution, table, table_of, out, parents, chosen, bounds,
):  # fmt: skip
    """Extend labels by the transitions into one state, where no limit is shown to be broken.

    Parameters
        labels               [labels before, times + costs], a label in each row
        low                  [t], the first label of each transition
        high                 [t], the end of each transition's labels
        link_fill            [t, inputs], latency of the links in cycles
        link_rows            [t, costs], costs of the links
        first                [t], the first candidate of each transition
        last                 [t], the end of each transition's candidates
        fill                 [k], of the candidates
        first_output         [k], of the candidates
        duration             [k], of the candidates
        drain                [k], of the candidates
        rest                 [k], of the candidates
        rows                 [k, costs], costs of the candidates
        input_fraction       [2], numerator and denominator
        knee                 [2], numerator and denominator
        reads                [inputs, 2], the columns of each input's start and finish in a label; -1 for a time not
                             carried
        carry                [times after], the column that each time comes from; -1 for the op's own start, -2 for its
                             finish
        grids                [times after], each time is rounded down to a multiple of this
        caps                 [costs], the most of each cost up to this op
        weights              [costs], weight of each cost
        budget               the most that the weighted sum of costs may be, the completion included
        deadline             the latest finish of the output
        least_left           the least time from the op's finish to the output's finish
        time_weights         [times after], weight of each time
        least_rest           the least weighted sum that the rest of any selection adds
        allowed              the most that weighted times, weighted costs and ``least_rest`` may be together
        time_weights_before  [times before], weight of each time of ``labels``
        contribution         [k], the least that a candidate adds to weighted costs and times; ascending in each
                             transition
        link_contribution    [t], the least that the links of a transition add to weighted costs and times
        table                starts, finishes, branches' finishes, and the least weighted cost of a completion at each
                             of them
        table_of             [3], the times that ``table`` is read by; -1 without a branch
        out                  [most, times after + costs], the extended labels
        parents              [most], the label that each comes from
        chosen               [most], the candidate that each comes from
        bounds               [most], weighted costs of each, its least completion included
    Returns                  how many labels were written; -1 where ``out`` is full
    """
    count, times, entering = 0, len(carry), labels.shape[1] - rows.shape[1]
    starts, finishes, branches, least = table
    has_table = len(starts) > 0
    for t in range(len(low)):
        for label in range(low[t], high[t]):
            slack = allowed - least_rest - link_contribution[t]
            for at in range(entering):
                slack -= time_weights_before[at] * labels[label, at]
            for row in range(rows.shape[1]):
                slack -= weights[row] * labels[label, entering + row]
            if contribution[first[t]] > slack:
                continue
            arrival, input_start, input_end, knee_time = 0, 0, 0, 0
            for number in range(reads.shape[0]):
                begin = labels[label, reads[number, 0]] if reads[number, 0] >= 0 else 0
                end = labels[label, reads[number, 1]] if reads[number, 1] >= 0 else begin
                latency = link_fill[t, number]
                input_duration = max(0, end - begin)
                arrival = max(arrival, latency + begin + ceil_fraction(input_duration, input_fraction))
                knee_time = max(knee_time, latency + begin + ceil_fraction(input_duration, knee))
                input_start = max(input_start, latency + begin)
                input_end = max(input_end, latency + end)
            for candidate in range(first[t], last[t]):
                if contribution[candidate] > slack:
                    break
                cost, fits = 0, True
                for row in range(rows.shape[1]):
                    amount = labels[label, entering + row] + link_rows[t, row] + rows[candidate, row]
                    if amount > caps[row]:
                        fits = False
                        break
                    out[count, times + row] = amount
                    cost += weights[row] * amount
                if not fits or cost > budget:
                    continue
                start = max(arrival + fill[candidate], input_start + first_output[candidate])
                finish = start + duration[candidate]
                if reads.shape[0] > 0:
                    finish = max(finish, input_end + drain[candidate], knee_time + rest[candidate])
                if finish + least_left > deadline:
                    continue
                weighted_sum = cost + least_rest
                for at in range(times):
                    if carry[at] == -1:
                        time = start
                    elif carry[at] == -2:
                        time = finish
                    else:
                        time = labels[label, carry[at]]
                    time -= time % grids[at]
                    out[count, at] = time
                    weighted_sum += time_weights[at] * time
                if weighted_sum > allowed:
                    continue
                if has_table:
                    row = np.searchsorted(starts, out[count, table_of[0]], side="right") - 1
                    column = np.searchsorted(finishes, out[count, table_of[1]], side="right") - 1
                    layer = 0
                    if table_of[2] >= 0:
                        layer = np.searchsorted(branches, out[count, table_of[2]], side="right") - 1
                    # a label that can be completed is no earlier than some label of the pass that made the table
                    if row < 0 or column < 0 or layer < 0:
                        continue
                    cost += least[layer, row, column]
                    if cost > budget:
                        continue
                parents[count], chosen[count], bounds[count] = label, candidate, cost
                count += 1
                if count == len(parents):
                    return -1
    return count


@njit(cache=True)
def undominated(labels, order, most):
    """The labels that no other one dominates or equals, by pairwise comparison.

    Each label is compared with the last ``most`` that stay, so a few dominated labels may stay; no undominated one is
    lost.

    Parameters
        labels  [n, columns], less is better
        order   [n], indices of the labels; a label comes after those that dominate it
        most    comparisons per label
    Returns     indices of the labels that stay; and for each label the position, among those that stay, of one that
                equals or dominates it
    """
    count, width = labels.shape
    stay = np.empty(count, np.int64)
    representatives = np.empty(count, np.int64)
    stored = 0
    for at in range(count):
        label = order[at]
        dominator = -1
        for other in range(stored - 1, max(-1, stored - 1 - most), -1):
            better = stay[other]
            every = True
            for column in range(width):
                if labels[better, column] > labels[label, column]:
                    every = False
                    break
            if every:
                dominator = other
                break
        if dominator < 0:
            stay[stored] = label
            dominator = stored
            stored += 1
        representatives[label] = dominator
    return stay[:stored], representatives


@njit(cache=True)
def undominated_binned(labels, order, ranked, least, edges, sizes):
    """As ``undominated`` for many labels, by a tree of prefix minima in place of comparisons.

    The tree stores the least value of one column for prefixes of the others. A value counts as no less than an edge
    that it reaches, and as no more than the next edge, so a few dominated labels may stay where values outnumber edges.

    Parameters
        labels  [n, columns], less is better
        order   [n], indices of the labels by rising last column; a label comes after those that dominate it
        ranked  indices of the columns that the tree is addressed by, at most 4
        least   the column that the tree stores
        edges   [ranked columns, most], values that each column distinguishes, padded with ``NEVER``
        sizes   [ranked columns], the number of edges of each column
    Returns     as for ``undominated``
    """
    count, depth = len(labels), len(ranked)
    entries = 1
    for size in sizes:
        entries *= size + 1
    tree = np.full(entries, NEVER)
    owner = np.zeros(entries, np.int64)
    stay = np.empty(count, np.int64)
    representatives = np.empty(count, np.int64)
    place = np.zeros(4, np.int64)
    walk = np.zeros(4, np.int64)
    size = np.zeros(4, np.int64)
    size[:depth] = sizes
    stored = 0
    for at in range(count):
        label = order[at]
        value, dominator = labels[label, least], -1
        # a missing column has one place, 0, and its loop runs once
        for column in range(depth):
            place[column] = np.searchsorted(edges[column, : sizes[column]], labels[label, ranked[column]], side="right")
        walk[0] = place[0]
        while (walk[0] > 0 or depth < 1) and dominator < 0:
            walk[1] = place[1]
            while (walk[1] > 0 or depth < 2) and dominator < 0:
                walk[2] = place[2]
                while (walk[2] > 0 or depth < 3) and dominator < 0:
                    walk[3] = place[3]
                    while walk[3] > 0 or depth < 4:
                        entry = ((walk[0] * (size[1] + 1) + walk[1]) * (size[2] + 1) + walk[2]) * (size[3] + 1) + walk[
                            3
                        ]
                        if tree[entry] <= value:
                            dominator = owner[entry]
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
        if dominator < 0:
            dominator = stored
            stay[stored] = label
            stored += 1
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
                            entry = ((walk[0] * (size[1] + 1) + walk[1]) * (size[2] + 1) + walk[2]) * (size[3] + 1)
                            entry += walk[3]
                            if value < tree[entry]:
                                tree[entry], owner[entry] = value, dominator
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
        representatives[label] = dominator
    return stay[:stored], representatives


@njit(cache=True)
def completions(least, costs, parents, representatives, extended_costs, chosen, after, best):
    """Propagate completion costs from the labels after an op to those before it.

    Parameters
        least            [labels before], least cost of a completion of each; lowered in place
        costs            [labels before], their own costs
        parents          [extensions], the label before
        representatives  [extensions], the label after that stands for the extended one
        extended_costs   [extensions], the cost of the extended label
        chosen           [extensions], the candidate
        after            [labels after], least cost of a completion of each
        best             [candidates], least cost of a whole selection with each; lowered in place
    """
    for at in range(len(parents)):
        label = parents[at]
        further = after[representatives[at]]
        completion = extended_costs[at] - costs[label] + further
        least[label] = min(least[label], completion)
        best[chosen[at]] = min(best[chosen[at]], extended_costs[at] + further)


@njit(cache=True)
def tabulate(labels, least, starts, finishes, branches):
    """A table of lower bounds on the cost of a completion, by times.

    A completion costs no less from a later label. So each entry is the largest ``least`` of any label that is no later.

    Parameters
        labels    [n, 3], start, finish and a branch's finish
        least     [n], least cost of a completion of each label
        starts    ascending starts
        finishes  ascending finishes
        branches  ascending finishes of a branch
    Returns       int64 [branches, starts, finishes]
    """
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
