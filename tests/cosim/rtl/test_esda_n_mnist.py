"""ESDA's trained N-MNIST network in RTL, on real recordings."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.esda_n_mnist import BRAM, DSP, FOLDER, RECORDINGS, designed, network
from cosim.cycle.simulator import simulate
from cosim.rtl.design import cosim
from hw.generate.emit import generate
from models.data.esda_n_mnist import esda_n_mnist


@pytest.mark.slow
@pytest.mark.skipif(not (FOLDER.is_dir() and RECORDINGS.is_dir()), reason=f"{FOLDER} or {RECORDINGS} is not there")
def test_real_recordings_through_the_published_network(tmp_path: Path, build_dir: Path, verilator: str) -> None:
    """Every edge equals golden's, in the cycles that are simulated, within the published accelerator's budget."""
    graph, images = network(), esda_n_mnist(RECORDINGS)
    found = designed(graph, images, max_evaluations=0)
    assert found.evaluation.resources["dsp"] <= DSP
    assert found.evaluation.resources["bram"] <= BRAM
    frames = images.frames("test")[::30]
    generate(graph, found.mapping, tmp_path / "design", probes=True)
    run = cosim(tmp_path / "design", frames, simulator=verilator, probes=True, build_dir=build_dir)
    assert run.equal, str(run.check)
    assert set(run.check.streams) == {f"edge_{a}__{b}_{n}" for a, b, n in graph.edges} | {"o"}
    simulated = simulate(graph, found.mapping, [frame.mask for frame in frames])
    assert (run.first_latency, list(run.intervals)) == (simulated.first_latency, list(simulated.intervals))
