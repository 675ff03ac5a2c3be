"""Simulated annealing of a selection: one op at a time gets another candidate, judged by the latency of the whole.

Label passes compare selections by a weighted sum of all limits, and so narrowly miss some limits; annealing looks at
each limit by itself. Its result is a selection and proves nothing.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numba import njit

from dse.labels.kernels import NEVER, ceil_fraction
from dse.problem import Problem, Selection

MOVES, WORK = 25_000, 200_000_000
"""Limits of the moves: candidates tried per op, and op evaluations in all."""
HOT, MILD, COLD = 1e-3, 4e-4, 2e-5
"""Temperatures, as the typical fraction by which a move may lengthen the latency: at the beginning from a bad start,
at the beginning from a good start, and at the end."""
CHEAP, DEAR = 0.5, 20.0
"""Price of violating a limit by a fraction, relative to the same fraction of the latency: at the beginning and at
the end."""
TOO_SLOW = 0.97
"""A move is dropped before its latency is computed, unless it would be accepted with this fraction of the present
latency."""


def anneal(problem: Problem, start: Selection, heat: float, seed: int) -> tuple[Selection, int]:
    """Anneal a selection.

    Parameters
        problem  the candidates to try; only latency, error and resources are limited
        start    a selection with a link on every edge; it may violate limits
        heat     typical fraction by which a move may lengthen the latency at the beginning
        seed     seed of the random moves
    Returns      the selection of least latency within the limits that was visited, or ``start`` where there was none,
                 and the number of moves
    """
    ops, chosen, first = [], [], 0
    for op in problem.ops:
        own = start[op.name]
        at = next((at for at, other in enumerate(op.candidates) if other is own), None)
        if at is None:
            at, op = len(op.candidates), replace(op, candidates=(*op.candidates, own))
        ops.append(op)
        chosen.append(first + at)
        first += len(op.candidates)
    graph = _Graph(replace(problem, ops=tuple(ops)))
    moves = min(MOVES * len(ops), WORK // len(ops))
    figures = (graph.figures, graph.input_fraction, graph.knee)
    edges = (graph.inputs, graph.producers, graph.outputs, graph.leaving, graph.consumers)
    links = (graph.pairs, graph.width, graph.link_fill, graph.link_amounts)
    best = _anneal(
        seed, moves, heat, COLD, np.array(chosen), graph.first, graph.amounts, graph.caps, *figures, *edges,
        graph.writes, graph.reads, *links, graph.output,
    )  # fmt: skip
    indices = zip(ops, best - graph.first[:-1], strict=True)
    return {op.name: op.candidates[at] for op, at in indices}, moves


class _Graph:
    """A problem as arrays: the candidates of all ops in one row, interfaces as numbers.

    Parameters
        first                   int64 [ops + 1], where each op's candidates begin
        figures                 int64 [candidates, 5], fill, first_output, duration, drain and rest
        amounts                 int64 [candidates, rows], amount of every limited quantity
        caps                    float64 [rows], the limits
        input_fraction, knee    int64 [ops, 2], numerator and denominator
        inputs                  int64 [ops + 1], where the edges that each op reads begin
        producers               int64 [edges], the op that writes each edge
        consumers               int64 [edges], the op that reads each edge
        outputs                 int64 [ops + 1], where the edges that leave each op begin in ``leaving``
        leaving                 int64 [edges], the edges, in the order of the ops that write them
        writes                  int64 [candidates], the interface that each writes
        reads                   int64 [candidates, inputs], the interfaces that each reads
        pairs, width            int64 [edges], the link of interfaces w and r has number ``pairs + w * width + r``
        link_fill               int64 [links], cycles; -1 where there is no link
        link_amounts            int64 [links, rows], amount of every limited quantity
        output                  the op whose finish is the latency
    """

    def __init__(self, problem: Problem) -> None:
        ops, budget = problem.ops, list(problem.budget.values())
        place = {op.name: at for at, op in enumerate(ops)}
        every = [own for op in ops for own in op.candidates]
        limited = problem.max_error is not None
        self.first = np.cumsum([0, *(len(op.candidates) for op in ops)])
        self.figures = _table([(own.fill, own.first_output, own.duration, own.drain, own.rest) for own in every], 5)
        self.amounts = _table([(*own.resources, own.error if limited else 0) for own in every], len(budget) + 1)
        self.caps = np.array([max(cap, 1) for cap in (*budget, problem.max_error or 0)], np.float64)
        self.input_fraction = _table([op.input_fraction.as_integer_ratio() for op in ops], 2)
        self.knee = _table([op.knee.as_integer_ratio() for op in ops], 2)
        written = [{end: at for at, end in enumerate(sorted({own.writes for own in op.candidates}))} for op in ops]
        self.writes = np.array(
            [ends[own.writes] for op, ends in zip(ops, written, strict=True) for own in op.candidates]
        )
        self.reads = np.zeros((len(every), max(1, *(len(problem.inputs[op.name]) for op in ops))), np.int64)
        inputs, producers, consumers, pairs, width, fills, amounts = [0], [], [], [], [], [], []
        for at, op in enumerate(ops):
            for edge in problem.inputs[op.name]:
                read = {end: n for n, end in enumerate(sorted({own.reads[edge.index] for own in op.candidates}))}
                for number, own in enumerate(op.candidates, self.first[at]):
                    self.reads[number, edge.index] = read[own.reads[edge.index]]
                producers.append(place[edge.producer])
                consumers.append(at)
                pairs.append(len(fills))
                width.append(len(read))
                for pair in ((writes, reads) for writes in written[producers[-1]] for reads in read):
                    link = edge.links.get(pair)
                    fills.append(-1 if link is None else link.fill)
                    amounts.append((*([0] * len(budget) if link is None else link.resources), 0))
            inputs.append(len(producers))
        self.inputs = np.array(inputs)
        self.producers, self.consumers = np.array(producers, int), np.array(consumers, int)
        self.pairs, self.width = np.array(pairs, int), np.array(width, int)
        self.link_fill, self.link_amounts = np.array(fills, int), _table(amounts, len(budget) + 1)
        self.leaving = np.argsort(self.producers, kind="stable")
        self.outputs = np.searchsorted(self.producers[self.leaving], np.arange(len(ops) + 1))
        self.output = place[problem.output]


def _table(rows: list[tuple[int, ...]], width: int) -> np.ndarray:
    return np.array(rows, np.int64).reshape(len(rows), width)


@njit(cache=True)
def _finish(
    since, reached, chosen, figures, input_fraction, knee, inputs, producers, outputs, leaving, consumers, writes,
    reads, pairs, width, link_fill, start, finish, output,
):  # fmt: skip
    """The latency of a selection, as ``evaluate`` computes it.

    On entry ``start`` and ``finish`` hold the times before the candidate of op ``since`` changed. Ops up to ``reached``
    are recomputed in any case; the loop ends once no later op depends on a changed time.
    """
    for op in range(since, len(chosen)):
        if op > reached:
            break
        own = chosen[op]
        first, last = max(figures[own, 0], figures[own, 1]), 0
        for edge in range(inputs[op], inputs[op + 1]):
            source = producers[edge]
            link = pairs[edge] + writes[chosen[source]] * width[edge] + reads[own, edge - inputs[op]]
            input_start, input_duration = link_fill[link] + start[source], finish[source] - start[source]
            first = max(
                first,
                input_start + max(ceil_fraction(input_duration, input_fraction[op]) + figures[own, 0], figures[own, 1]),
            )
            last = max(
                last,
                input_start
                + max(ceil_fraction(input_duration, knee[op]) + figures[own, 4], input_duration + figures[own, 3]),
            )
        last = max(first + figures[own, 2], last)
        # a new candidate also changes the links to its consumers
        if op == since or first != start[op] or last != finish[op]:
            for at in range(outputs[op], outputs[op + 1]):
                reached = max(reached, consumers[leaving[at]])
        start[op], finish[op] = first, last
    return finish[output]


@njit(cache=True)
def _links(op, sign, total, chosen, inputs, producers, outputs, leaving, consumers, writes, reads, pairs, width,
           link_fill, link_amounts):  # fmt: skip
    """Add the amounts of an op's links to ``total``, times ``sign``; False where a link is missing."""
    for at in range(inputs[op], inputs[op + 1] + outputs[op + 1] - outputs[op]):
        edge = at if at < inputs[op + 1] else leaving[outputs[op] + at - inputs[op + 1]]
        consumer = consumers[edge]
        link = (
            pairs[edge]
            + writes[chosen[producers[edge]]] * width[edge]
            + reads[chosen[consumer], edge - inputs[consumer]]
        )
        if link_fill[link] < 0:
            return False
        total += sign * link_amounts[link]
    return True


@njit(cache=True)
def _exceeded(total, caps):
    excess = 0.0
    for row in range(len(caps)):
        excess += max(0.0, total[row] / caps[row] - 1)
    return excess


@njit(cache=True)
def _anneal(
    seed, moves, hot, cold, chosen, first, amounts, caps, figures, input_fraction, knee, inputs, producers, outputs,
    leaving, consumers, writes, reads, pairs, width, link_fill, link_amounts, output,
):  # fmt: skip
    """The selection of least latency within the limits that was visited; ``chosen`` is the start."""
    np.random.seed(seed)
    count = len(chosen)
    start, finish = np.zeros(count, np.int64), np.zeros(count, np.int64)
    new_start, new_finish = np.zeros(count, np.int64), np.zeros(count, np.int64)
    latency = _finish(0, count - 1, chosen, figures, input_fraction, knee, inputs, producers, outputs, leaving,
                      consumers, writes, reads, pairs, width, link_fill, start, finish, output)  # fmt: skip
    total = np.zeros(len(caps), np.int64)
    for op in range(count):
        total += amounts[chosen[op]]
        for edge in range(inputs[op], inputs[op + 1]):
            total += link_amounts[
                pairs[edge] + writes[chosen[producers[edge]]] * width[edge] + reads[chosen[op], edge - inputs[op]]
            ]
    initial, over = float(max(latency, 1)), _exceeded(total, caps)
    best, earliest = chosen.copy(), latency if over == 0.0 else NEVER
    new = total.copy()
    for move in range(moves):
        op = np.random.randint(count)
        before, now = chosen[op], first[op] + np.random.randint(first[op + 1] - first[op])
        if now == before:
            continue
        new[:] = total
        _links(op, -1, new, chosen, inputs, producers, outputs, leaving, consumers, writes, reads, pairs, width,
               link_fill, link_amounts)  # fmt: skip
        new += amounts[now] - amounts[before]
        chosen[op] = now
        linked = _links(op, 1, new, chosen, inputs, producers, outputs, leaving, consumers, writes, reads, pairs, width,
                        link_fill, link_amounts)  # fmt: skip
        heat, price = hot * (cold / hot) ** (move / moves), CHEAP * (DEAR / CHEAP) ** (move / moves)
        allowed = latency / initial + price * over - heat * math.log(1.0 - np.random.random())
        more = _exceeded(new, caps)
        if not linked or price * more + TOO_SLOW * latency / initial > allowed:
            chosen[op] = before
            continue
        new_start[:], new_finish[:] = start, finish
        later = _finish(op, op, chosen, figures, input_fraction, knee, inputs, producers, outputs, leaving,
                        consumers, writes, reads, pairs, width, link_fill, new_start, new_finish, output)  # fmt: skip
        if later / initial + price * more > allowed:
            chosen[op] = before
            continue
        latency, over = later, more
        total[:] = new
        start[:], finish[:] = new_start, new_finish
        if over == 0.0 and later < earliest:
            earliest = later
            best[:] = chosen
    return best
