"""SEE's published networks whole, on the frame published with them: RTL and cycle simulator, not one cycle apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs.data import DATA
from cosim.cycle.simulator import Simulator, size_queues
from cosim.rtl.design import Cosim, cosim
from cosim.rtl.testbench_runner import Stalls
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping, OpMapping
from hw.generate.emit import generate
from hw.ops.registry import inputs_of, mappings
from models.frontend.esda_network import load_esda
from models.ir.graph import Graph
from models.ir.ops.input import Input

PRODUCTS = 4, 16
"""The fewest and most products that an op does in parallel: so few that the RTL is built in minutes."""
STALLS = Stalls(source=0.3, sink=0.4, seed=5)


def drawn_mapping(rng: np.random.Generator, graph: Graph) -> Mapping:
    """A folding of each op drawn among the narrow ones."""
    ops = {}
    for node in graph.nodes:
        if isinstance(node, Input):
            ops[node.name] = OpMapping(1)
            continue
        choices = mappings(node, inputs_of(graph, node), DEVICES["zcu102"])
        least, most = PRODUCTS
        narrow = [choice for choice in choices if least <= choice.pe * choice.simd * choice.taps <= most]
        ops[node.name] = narrow[int(rng.integers(len(narrow)))]
    return Mapping("zcu102", 200.0, ops)


def stalled(share: float, seed: int, cycles: int) -> np.ndarray:
    """What the testbench's generator of stalls says in each cycle after reset: bool ``[cycles]``."""
    state, limit, says = seed, round(share * 65536), np.empty(cycles, dtype=bool)
    for cycle in range(cycles):
        says[cycle] = state & 0xFFFF < limit
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
    return says


def check_equal(simulator: Simulator, mask: np.ndarray, rtl: Cosim) -> None:
    run = simulator.run([mask] * len(rtl.latency))
    assert rtl.equal, str(rtl.check)
    assert list(rtl.latency) == run.latency
    assert list(rtl.intervals) == run.intervals
    # cycle 0 of the RTL offers nothing yet
    assert rtl.streams["o"].end[-1] == run.output[-1] + 1
    assert rtl.streams["i"].first[0] == run.input[0] + 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SEE-D", "SEE-A"])
def test_equals_rtl_with_and_without_stalls(name: str, tmp_path: Path, build_dir: Path, verilator: str) -> None:
    network = DATA / "esda_golden" / f"{name}.json"
    if not network.is_file():
        pytest.skip(f"the published network {network} is not there")
    graph, frame = load_esda(network)
    mapping = size_queues(graph, drawn_mapping(np.random.default_rng(0), graph), [frame.mask])
    generate(graph, mapping, tmp_path)
    played = [frame, frame]
    rtl = cosim(tmp_path, played, simulator=verilator, build_dir=build_dir)
    check_equal(Simulator(graph, mapping), frame.mask, rtl)
    rtl = cosim(tmp_path, played, simulator=verilator, build_dir=build_dir, stalls=STALLS)
    seeds = STALLS.plusargs
    # the source shows a beat the cycle after it may
    source = stalled(STALLS.source, seeds["source_seed"], rtl.cycles)
    sink = stalled(STALLS.sink, seeds["sink_seed"], rtl.cycles + 1)[1:]
    check_equal(Simulator(graph, mapping, source=source, sink=sink), frame.mask, rtl)
