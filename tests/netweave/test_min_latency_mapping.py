"""The fastest mapping of a small sparse network: within its device, and no slower for having been polished."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from statistics import mean

import numpy as np

from benchmarks.inputs.sparse_nets import random_masks, random_sparse_net
from cosim.cycle.simulator import simulate
from dse.candidates import Table
from dse.estimate import estimate
from dse.explore import SearchSettings, best
from dse.problem import Objective
from hw.fpga.families.registry import DEVICES
from models.ir.activity import with_activity
from netweave.min_latency_mapping import min_latency_mapping, shallower

DEVICE = replace(DEVICES["zu3eg"], dsp=40, lut=9_000)


def test_a_polished_mapping_is_no_slower_on_frames_it_was_judged_by() -> None:
    rng = np.random.default_rng(9)
    graph = random_sparse_net(rng, side=12)
    masks = [mask for mask in random_masks(rng, graph.input.shape[:2], 12) if mask.any()]
    search = SearchSettings(Objective.LATENCY, budgets=1, gap=0.5)
    found, improved = (
        min_latency_mapping(
            graph, masks, DEVICE, 100.0, replace(search, max_evaluations=max_evaluations), evaluation_frames=len(masks)
        )
        for max_evaluations in (0, 40)
    )
    assert mean(improved.cycles) < mean(found.cycles)
    for made in (found, improved):
        assert made.evaluation.feasible
        assert all(made.evaluation.resources[kind] <= getattr(DEVICE, kind) for kind in made.evaluation.resources)
        assert made.cycles == [simulate(graph, made.mapping, [mask]).first_latency for mask in masks]
        assert made.mapping.clock_mhz == 100.0


def test_shallower_queues_that_take_more_than_there_is_are_not_made() -> None:
    """In block memory one of them is deeper, and takes fewer LUTs."""
    rng, device = np.random.default_rng(0), DEVICES["zu3eg"]
    graph = random_sparse_net(rng, side=16)
    masks = [mask for mask in random_masks(rng, graph.input.shape[:2], 4) if mask.any()]
    graph = with_activity(graph, masks)
    found = best(Table({"int8": graph}, device), SearchSettings(Objective.LATENCY, budgets=1, gap=0.5), 100.0).mapping
    made = shallower(graph, found, masks, device, Fraction(1))
    taken, needed = (estimate(graph, mapping, device).amounts["lut"] for mapping in (found, made))
    assert needed > taken
    assert shallower(graph, found, masks, replace(device, lut=needed), Fraction(1)) == made
    assert shallower(graph, found, masks, replace(device, lut=needed - 1), Fraction(1)) == found
