"""The shares of an input's time in a given design, and the tables and estimates that are made with them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cosim.cycle import simulate
from dse.candidates import Table
from dse.estimate import estimate
from dse.explore import mapping_of
from dse.problem import evaluate
from dse.profile import profiled
from hw.device import DEVICES, Resources
from models.ir.activity import expected, measured
from tests.dse.test_timing import chain, folded
from tests.support.nets import NETS, random_mapping
from tests.support.sparse_nets import random_masks, random_sparse_net

DEVICE = DEVICES["zu3eg"]
WHOLE = Resources(DEVICE.lut, DEVICE.ff, DEVICE.bram, DEVICE.dsp)


def test_ops_of_one_pace_are_the_reference() -> None:
    graph = chain([3, 3, 3])
    before, after = expected(graph), profiled(graph, folded(graph, [1, 1, 1]))
    for name in ("conv2", "conv3"):
        old, new = before[name].waits, after[name].waits
        assert old is not None
        assert new is not None
        assert new.start.share == pytest.approx(old.start.share, abs=0.03)
        assert (new.line, new.end) == (old.line, old.end)
        assert after[name].taps == before[name].taps


def test_a_fast_op_behind_a_slow_one_waits_for_another_share() -> None:
    """Rows that a slow op has left over at the end come in a burst, so that the share of time before it is longer."""
    graph = chain([3, 3, 3])
    slow_first = profiled(graph, folded(graph, [1, 4, 4]))["conv3"].waits
    slow_last = profiled(graph, folded(graph, [4, 4, 1]))["conv3"].waits
    assert slow_first is not None
    assert slow_last is not None
    assert slow_first.start.share != slow_last.start.share


def test_a_table_with_a_design_s_profile_estimates_as_estimate_does() -> None:
    rng = np.random.default_rng(3)
    graph = random_sparse_net(rng, side=10)
    graph = measured(graph, random_masks(rng, graph.input.shape[:2], 6))
    table = Table({"int8": graph}, DEVICE)
    first = {op.name: op.candidates[0] for op in table.problem(WHOLE).ops}
    mapping = mapping_of(table, first, None)
    problem = table.profiled(mapping).problem(WHOLE)
    same = {op.name: next(c for c in op.candidates if c.choice == first[op.name].choice) for op in problem.ops}
    wanted = estimate(graph, mapping, DEVICE, profile=mapping)
    assert evaluate(problem, same).latency == wanted.latency
    assert evaluate(problem, same).bottleneck == evaluate(table.problem(WHOLE), first).bottleneck


def test_a_table_takes_the_formats_of_the_design() -> None:
    graphs = {name: NETS["residual"](np.random.default_rng(1), name) for name in ("int8", "int4")}
    table = Table(graphs, DEVICE)
    mixed = {layer: ("int8", "int4")[place % 2] for place, layer in enumerate(table.layers)}
    mapping = random_mapping(np.random.default_rng(2), graphs["int8"])
    one, other = table.profiled(mapping, mixed), table.profiled(mapping)
    for name, work in (one.work or {}).items():
        assert work.taps == (other.work or {})[name].taps
    assert dataclasses.replace(one, work=None) == table


def test_a_profile_comes_nearer_to_the_simulator_for_unequal_ops() -> None:
    graph = chain([3, 3, 3, 3, 3])
    errors: dict[bool, list[float]] = {False: [], True: []}
    for seed in range(8):
        rng = np.random.default_rng(seed)
        mapping = folded(graph, rng.choice([1, 2, 4], 5).tolist())
        simulated = simulate(graph, mapping).first_latency
        for own in errors:
            figure = estimate(graph, mapping, DEVICE, profile=mapping if own else None).latency
            errors[own].append(abs(figure / simulated - 1))
    assert max(errors[True]) <= max(errors[False]) + 0.005
    assert np.mean(errors[True]) < 0.02
