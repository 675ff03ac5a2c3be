"""The fastest mapping of a small sparse network: within its device, and no slower for having been polished."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean

import numpy as np

from benchmarks.inputs.sparse_nets import random_masks, random_sparse_net
from cosim.cycle import simulate
from dse.explore import Search
from dse.problem import Objective
from hw.device import DEVICES
from netweave.fastest import fastest

DEVICE = replace(DEVICES["zu3eg"], dsp=40, lut=9_000)


def test_a_polished_mapping_is_no_slower_on_frames_it_was_judged_by() -> None:
    rng = np.random.default_rng(9)
    graph = random_sparse_net(rng, side=12)
    masks = [mask for mask in random_masks(rng, graph.input.shape[:2], 12) if mask.any()]
    search = Search(Objective.LATENCY, sizes=1, gap=0.5)
    found, polished = (
        fastest(graph, masks, DEVICE, 100.0, replace(search, tries=tries), judged=len(masks)) for tries in (0, 40)
    )
    assert mean(polished.cycles) < mean(found.cycles)
    for made in (found, polished):
        assert made.evaluation.feasible
        assert all(made.evaluation.resources[kind] <= getattr(DEVICE, kind) for kind in made.evaluation.resources)
        assert made.cycles == [simulate(graph, made.mapping, [mask]).first_latency for mask in masks]
        assert made.mapping.clock_mhz == 100.0
