"""Estimated figures against the cycle simulator, which moves every beat."""

from __future__ import annotations

import numpy as np
import pytest

from cosim.cycle import simulate
from dse.estimate import estimate
from hw.accelerator import Plan
from hw.device import DEVICES
from models.ir.activity import activity
from tests.support.nets import NETS, random_mapping

DEVICE = DEVICES["zu3eg"]


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("seed", range(6))
def test_cycles_and_latency(net: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = NETS[net](rng, "int8" if seed % 2 else "dybit4", "int4")
    mapping = random_mapping(rng, graph)
    evaluation, run = estimate(graph, mapping, DEVICE), simulate(graph, mapping, 3)
    assert evaluation.bottleneck == run.interval
    # the estimate takes beats to come at an even pace; the simulator knows better
    assert float(evaluation.latency) == pytest.approx(run.first_latency, rel=0.05)


def test_resources_are_those_of_all_parts() -> None:
    rng = np.random.default_rng(1)
    graph = NETS["residual"](rng)
    mapping = random_mapping(rng, graph)
    used = estimate(graph, mapping, DEVICE).resources
    ops = sum(op.resources(DEVICE).dsp for op in Plan(graph, mapping).ops.values())
    assert used["dsp"] == ops
    assert used["lut"] > sum(op.resources(DEVICE).lut for op in Plan(graph, mapping).ops.values())
    assert estimate(graph, mapping, DEVICE).bottleneck >= max(
        op.cycles(activity(graph, None)[name]) for name, op in Plan(graph, mapping).ops.items()
    )
