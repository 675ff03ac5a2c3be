"""The demo's network for benchmarks is the one that the flow makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.inputs.demo import CONFIG, demo
from models.ir.serialize import GRAPH_FILE, WEIGHTS_FILE, load, save
from netweave import config as configuration
from netweave import flow


@pytest.mark.whole
def test_it_is_the_flows(tmp_path: Path) -> None:
    config = configuration.load(CONFIG)
    flow.train(config, tmp_path / "run")
    flow.quantize(config, tmp_path / "run")
    for fmt in ("int8", "dybit4"):
        made = tmp_path / "run" / "quantize" / fmt
        save(demo(fmt).replace(name=load(made).name), tmp_path / fmt)
        for file in (GRAPH_FILE, WEIGHTS_FILE):
            assert (tmp_path / fmt / file).read_bytes() == (made / file).read_bytes()
