"""The label passes: forward with one weighted sum of all rows, backward, and forward with every row by itself.

The *surrogate* pass replaces the limits of all rows by one limit of their weighted sum. It is fast, and what it does
not reach, no selection reaches. The backward pass computes the least cost of completing each of its labels. With these
costs, the *rowwise* pass, which keeps every limit by itself, extends only labels that can still be completed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from dse.labels.dominance import NO_TABLE, NONE, Table, candidate_bounds, remove_dominated, undominated_candidates
from dse.labels.kernels import NEVER, completions, expand
from dse.labels.layers import Completions, Counter, LabelLayer, Rowwise, Surrogate, TooManyLabels, Trail
from dse.labels.limits import Limits
from dse.labels.merging import merge_labels
from dse.labels.network import FINISH, START, Network
from dse.labels.weights import Weights
from dse.problem import Selection

MOST = 30_000_000
"""Labels that may arrive in one state before a pass gives up."""
MAX_STORED = 6_000_000
"""Labels that may stay in a whole pass before it gives up."""
TRAILED = 15_000_000
"""Labels of a whole pass whose extensions are stored; for later ops the backward pass repeats the extension."""
FIRST_CAPACITY = 1 << 14
"""Initial size of the arrays for the labels that arrive in a state."""


def surrogate(
    network: Network, weights: Weights, limits: Limits, counter: Counter, budget: int | None = None,
    earlier: Completions | None = None, room: int | None = None,
) -> Surrogate:  # fmt: skip
    """Run a surrogate pass: labels of times and one cost, the weighted sum of rows.

    Parameters
        network  the network
        weights  the weights
        limits   limits of the selection
        counter  counts the labels examined
        budget   limit of the weighted sum; None for the weighted sum of the limits
        earlier  completions of a pass with the same weights, no tighter limits and no later times; they bound the
                 labels
        room     labels kept after an op, further ones are merged; None keeps all
    Raises       TooManyLabels: when the pass would need too much memory
    """
    budget = weights.budget(limits) if budget is None else budget
    completion_bounds = weights.completion(network, limits)
    layers, trails, candidates, stored, extensions = [_root(1)], [], [], 0, 0
    for place, stage in enumerate(network.stages):
        own = weights.ordered(place, stage, undominated_candidates(stage, weights.cost(stage.rows), limits))
        step = _weighted(network, place, own, weights, limits, completion_bounds, budget, earlier, room)
        layer, trail = _advance(step, layers[-1], counter, extensions < TRAILED)
        extensions += len(trail.extended_costs) if trail is not None else 0
        stored += len(layer.labels)
        if stored > MAX_STORED:
            raise TooManyLabels
        layers.append(layer)
        trails.append(trail)
        candidates.append(own)
        if not len(layer.labels):
            break
    return Surrogate(layers, trails, candidates, budget, earlier, room)


def complete(network: Network, weights: Weights, limits: Limits, forward: Surrogate, counter: Counter) -> Completions:
    """Run the backward pass over a surrogate pass that reached the last op.

    Parameters
        network  the network
        weights  weights of the surrogate pass
        limits   limits of the surrogate pass
        forward  the surrogate pass
        counter  counts the labels examined
    """
    after = np.zeros(len(forward.layers[-1].labels), np.int64)
    completion_bounds = weights.completion(network, limits)
    all_least: list[np.ndarray] = []
    through: list[np.ndarray] = []
    for place in range(len(network.stages) - 1, -1, -1):
        stage, own = network.stages[place], forward.candidates[place]
        before, trail = forward.layers[place], forward.trails[place]
        if trail is None:
            step = _weighted(
                network, place, own, weights, limits, completion_bounds, forward.budget, forward.earlier, forward.room
            )
            _, trail = _advance(step, before, counter, True)
        assert trail is not None
        all_least.append(after)
        costs = before.labels[:, -1]
        # a label without an extension exceeds the budget with any completion
        least = forward.budget + 1 - costs
        best = np.full(len(stage.candidates), NEVER)
        completions(least, costs, trail.parents, trail.representatives, trail.extended_costs, trail.chosen, after, best)
        through.append(candidate_bounds(stage, own, best, weights.cost(stage.rows), limits))
        after = least
    return Completions(network, forward.layers, all_least[::-1], through[::-1], forward.budget)


def _weighted(
    network: Network, place: int, own: np.ndarray, weights: Weights, limits: Limits,
    completion_bounds: list[np.ndarray], budget: int, earlier: Completions | None, room: int | None,
) -> _Step:  # fmt: skip
    """The step of a surrogate pass through one op."""
    stage = network.stages[place]
    return _Step(
        network, place, own, weights.cost(stage.rows)[own][:, None], weights.cost(stage.link_rows)[:, None],
        np.array([budget]), np.array([1]), budget, limits.deadline, weights, completion_bounds,
        None if earlier is None else earlier.tables(network, place), room=room,
    )  # fmt: skip


def rowwise(
    network: Network, weights: Weights, backward: Completions, limits: Limits, counter: Counter, beam: int | None,
    most: int = 40,
) -> Rowwise:  # fmt: skip
    """Run a rowwise pass: labels of times and every row, bounded by the completions of a surrogate pass.

    Parameters
        network   the network
        weights   weights of the surrogate pass
        backward  completions of the surrogate pass
        limits    limits of the selection
        counter   counts the labels examined
        beam      labels kept after an op, those of the least bound on the weighted cost; None keeps all
        most      selections returned at most
    Raises        TooManyLabels: when the pass would need too much memory
    """
    budget, stays = weights.budget(limits), backward.stays
    if not network.connectable:
        return Rowwise([], True)
    after = _least_after(network, stays)
    if after is None:
        return Rowwise([], True)
    completion_bounds = weights.completion(network, limits)
    rows = _binding(network, stays, limits)
    layers, candidates, whole = [_root(len(rows))], [], True
    for place, stage in enumerate(network.stages):
        own = weights.ordered(place, stage, np.flatnonzero(stays[place]))
        step = _Step(
            network, place, own, stage.rows[own][:, rows], stage.link_rows[:, rows],
            (limits.caps - after[place])[rows], weights.rows[rows], budget, limits.deadline, weights, completion_bounds,
            backward.tables(network, place), most=None if beam is None else 50 * beam,
        )  # fmt: skip
        layer, _ = _advance(step, layers[-1], counter, False)
        whole &= not step.cut
        if beam is not None and len(layer.labels) > beam:
            whole, layer = False, _beam(layer, step.bounds, beam)
        layers.append(layer)
        candidates.append(own)
        if not len(layer.labels):
            return Rowwise([], whole)
    return Rowwise(_choices(network, layers, candidates, most), whole)


def _choices(network: Network, layers: list[LabelLayer], candidates: list[np.ndarray], most: int) -> list[list[int]]:
    last = layers[-1]
    times = network.stages[-1].times
    finish = times.index((network.output, FINISH)) if network.timed else None
    order = np.argsort(last.labels[:, finish], kind="stable") if finish is not None else np.arange(len(last.labels))
    return [_choice(network, layers, candidates, int(end)) for end in order[:most]]


def _choice(network: Network, layers: list[LabelLayer], candidates: list[np.ndarray], label: int) -> list[int]:
    """The selection of a label of the last layer, as candidate indices."""
    choice = []
    for place in range(len(network.stages) - 1, -1, -1):
        layer = layers[place + 1]
        own = candidates[place][layer.chosen[label]]
        choice.append(int(network.stages[place].candidates[own]))
        label = int(layer.parents[label])
    return choice[::-1]


def cheapest(network: Network, forward: Surrogate) -> tuple[int, Selection]:
    """A selection of least weighted cost that a surrogate pass reached.

    Parameters
        network  the network
        forward  the surrogate pass
    Returns      the weighted cost, and the selection
    """
    costs = forward.layers[-1].labels[:, -1]
    end = int(np.argmin(costs))
    choice = _choice(network, forward.layers, forward.candidates, end)
    return int(costs[end]), {op.name: op.candidates[own] for op, own in zip(network.ops, choice, strict=True)}


def finishes(network: Network, forward: Surrogate) -> int:
    """The least finish of the output that a surrogate pass reached, in cycles.

    Parameters
        network  the network, timed
        forward  the surrogate pass
    """
    return int(forward.layers[-1].labels[:, network.stages[-1].times.index((network.output, FINISH))].min())


def _root(costs: int) -> LabelLayer:
    none = np.zeros(0, np.int64)
    return LabelLayer(np.zeros((1, costs), np.int64), np.array([0, 1]), none, none)


@dataclass
class _Step:
    """How labels are extended at one op.

    Parameters
        most  labels of least bound kept of those that arrive in a state; None keeps all
        room  labels kept after the op, further ones are merged; None keeps all
        cut   whether labels were dropped because of ``most``
    """

    network: Network
    place: int
    own: np.ndarray
    rows: np.ndarray
    link_rows: np.ndarray
    caps: np.ndarray
    row_weights: np.ndarray
    budget: int
    deadline: int
    weights: Weights
    completion_bounds: list[np.ndarray]
    tables: list[Table] | None
    most: int | None = None
    room: int | None = None
    cut: bool = False
    bounds: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


def _advance(step: _Step, before: LabelLayer, counter: Counter, trails: bool) -> tuple[LabelLayer, Trail | None]:
    network, place, own = step.network, step.place, step.own
    stage = network.stages[place]
    earlier = network.stages[place - 1].times if place else ()
    carry = np.array([_column(time, place, earlier) for time in stage.times], np.int64)
    reads = np.array(
        [[_index_or_none(earlier, (p, START)), _index_or_none(earlier, (p, FINISH))] for p in stage.inputs], np.int64
    )
    reads = reads.reshape(len(stage.inputs), 2)
    # where each class begins among the candidates that are examined
    begins = np.searchsorted(stage.class_of[own], np.arange(len(stage.classes)))
    first, last = begins[stage.through], begins[stage.through + 1]
    low, high = before.offsets[stage.source], before.offsets[stage.source + 1]
    works = (high > low) & (last > first)
    figures = (stage.fill, stage.first_output, stage.duration, stage.drain, stage.rest)
    fill, first_output, duration, drain, rest = (figure[own] for figure in figures)
    input_fraction, knee, time_weights = (
        np.array(stage.input_fraction),
        np.array(stage.knee),
        step.weights.time_weights[place],
    )
    time_weights_before = step.weights.time_weights[place - 1] if place else NONE
    contribution, link_contribution = (
        step.weights.contribution(place, stage)[own],
        step.weights.link_contribution(place, stage),
    )
    allowed = step.weights.allowed(step.deadline, step.budget)
    table_times = _table_times(len(stage.times))
    layers, representatives_of_states, parents, extended_costs_of_states, all_chosen, all_bounds = (
        [],
        [],
        [],
        [],
        [],
        [],
    )
    offsets, label_parents, label_chosen = [0], [], []
    for state in range(stage.states):
        into = np.arange(stage.targets[state], stage.targets[state + 1])
        into = into[works[into]]
        if not len(into):
            offsets.append(offsets[-1])
            continue
        table = step.tables[state] if step.tables is not None else NO_TABLE
        if step.tables is not None and not len(table[0]):
            offsets.append(offsets[-1])
            continue
        size = int(((high - low) * (last - first))[into].sum())
        capacity = min(size, FIRST_CAPACITY)
        while True:
            out = np.empty((capacity + 1, len(carry) + step.rows.shape[1]), np.int64)
            sources, through, bounds = (np.empty(capacity + 1, np.int64) for _ in range(3))
            count = expand(
                before.labels, low[into], high[into], stage.link_fill[into], step.link_rows[into], first[into],
                last[into], fill, first_output, duration, drain, rest, step.rows, input_fraction, knee, reads, carry,
                stage.grids, step.caps, step.row_weights, step.budget, step.deadline, network.rest[place] if
                network.timed else 0, time_weights, int(step.completion_bounds[place][state]), allowed,
                time_weights_before, contribution, link_contribution[into], table, table_times, out, sources, through,
                bounds,
            )  # fmt: skip
            if count >= 0:
                break
            if capacity >= MOST:
                raise TooManyLabels
            capacity = min(size, 8 * capacity)
        counter.add(size)
        out, sources, through, bounds = out[:count], sources[:count], through[:count], bounds[:count]
        if step.most is not None and len(out) > step.most:
            near = np.argpartition(bounds, step.most)[: step.most]
            out, sources, through, bounds, step.cut = out[near], sources[near], through[near], bounds[near], True
        stay, representatives = remove_dominated(out, len(carry))
        if trails:
            representatives_of_states.append(representatives + offsets[-1])
            parents.append(sources)
            extended_costs_of_states.append(out[:, -1])
            all_chosen.append(through)
        layers.append(out[stay])
        label_parents.append(sources[stay])
        label_chosen.append(through[stay])
        all_bounds.append(bounds[stay])
        offsets.append(offsets[-1] + len(stay))
    width = len(carry) + step.rows.shape[1]
    step.bounds = _joined(all_bounds)
    labels = np.concatenate(layers) if layers else np.zeros((0, width), np.int64)
    layer = LabelLayer(labels, np.array(offsets), _joined(label_parents), _joined(label_chosen))
    trail = (
        Trail(
            _joined(parents), _joined(representatives_of_states), _joined(extended_costs_of_states), _joined(all_chosen)
        )
        if trails
        else None
    )
    if step.room is None or len(labels) <= step.room:
        return layer, trail
    labels, begins, cheapest_labels, of = merge_labels(
        labels, layer.offsets, labels @ np.append(time_weights, 1), step.room
    )
    trail = None if trail is None else replace(trail, representatives=of[trail.representatives])
    return LabelLayer(labels, begins, layer.parents[cheapest_labels], layer.chosen[cheapest_labels]), trail


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _column(time: tuple[int, int], place: int, earlier: tuple[tuple[int, int], ...]) -> int:
    owner, which = time
    return (-1 if which == START else -2) if owner == place else earlier.index(time)


def _index_or_none(times: tuple[tuple[int, int], ...], time: tuple[int, int]) -> int:
    return times.index(time) if time in times else -1


def _table_times(times: int) -> np.ndarray:
    """The indices of the times by which a table of completions is read: start, finish, and a branch's finish or -1."""
    return np.array([0, min(1, max(times - 1, 0)), 2 if times == 3 else -1])


def _least_after(network: Network, stays: list[np.ndarray]) -> list[np.ndarray] | None:
    """int64 [rows] for each stage, the least that the remaining candidates of later stages take.

    None where a stage has no candidate left.
    """
    after = [np.zeros(len(network.row_names), np.int64)]
    for stage, stay in zip(reversed(network.stages), reversed(stays), strict=True):
        if not stay.any():
            return None
        after.append(after[-1] + stage.rows[stay].min(axis=0) + stage.link_rows.min(axis=0))
    return after[-2::-1]


def _binding(network: Network, stays: list[np.ndarray], limits: Limits) -> np.ndarray:
    """The rows whose limit the remaining candidates can exceed; at least one row."""
    most = sum(
        stage.rows[stay].max(axis=0) + stage.link_rows.max(axis=0)
        for stage, stay in zip(network.stages, stays, strict=True)
    )
    binding = np.flatnonzero(most > limits.caps)
    return binding if len(binding) else np.array([0])


def _beam(layer: LabelLayer, bounds: np.ndarray, beam: int) -> LabelLayer:
    near = np.sort(np.argpartition(bounds, beam)[:beam])
    states = np.searchsorted(layer.offsets, near, side="right") - 1
    offsets = np.searchsorted(states, np.arange(len(layer.offsets)))
    return LabelLayer(layer.labels[near], offsets, layer.parents[near], layer.chosen[near])
