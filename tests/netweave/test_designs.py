"""What a stage writes of a design and a later one reads again."""

from __future__ import annotations

import numpy as np

from benchmarks.inputs.nets import random_mapping, residual_net
from hw.device import DEVICES
from netweave.designs import layers
from reports.schema import Layer


def test_the_report_takes_the_layers_that_generate_writes() -> None:
    rng = np.random.default_rng(0)
    graph = residual_net(rng)
    for row in layers(graph, random_mapping(rng, graph), DEVICES["zu3eg"], None):
        entry: dict = {**row, "cycles": {}, "done": {}}
        assert Layer(**entry).name == row["name"]
