"""Digests of what a rebuild must not change: Verilog, cycles, the integer program's problems and its designs.

``python -m tests.support.digests FILE`` writes them; where FILE is there already it names what differs from it. Record
them before a rebuild, and compare after every step.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.inputs.nets import NETS, random_mapping
from benchmarks.inputs.sparse_nets import random_masks, random_sparse_net
from cosim.cycle.simulator import simulate
from dse.candidates import Table
from dse.explore import SearchSettings, budget_fractions, designs, families
from dse.problem import Infeasible
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping
from hw.generate.emit import generate
from models.ir.activity import with_activity
from models.ir.graph import Graph

FORMATS = ("int8", "int4", "dybit8", "dybit4", "int2", "dybit3")
DESIGNS, EXPLORATIONS, NETWORKS = 30, 5, 200


def digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def network(seed: int) -> tuple[Graph, Mapping, list[np.ndarray] | int]:
    """A random network, dense or sparse, with a folding, and its frames: active sites, or how many."""
    rng = np.random.default_rng(seed)
    if seed % 2:
        graph = random_sparse_net(rng)
        return graph, random_mapping(rng, graph), random_masks(rng, graph.input.shape[:2], 4)
    names = ["chain", "residual", "strided"]
    fmt, other = (FORMATS[int(place)] for place in rng.integers(len(FORMATS), size=2))
    graph = NETS[names[seed // 2 % len(names)]](rng, fmt, other)
    return graph, random_mapping(rng, graph), 3


def verilog() -> Iterator[tuple[str, str]]:
    """Every file of generated designs that is no manifest."""
    for seed in range(DESIGNS):
        graph, mapping, _ = network(seed)
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "design"
            generate(graph, mapping, made, probes=True)
            for path in sorted(made.rglob("*")):
                if path.suffix in (".v", ".sv", ".mem", ".hex"):
                    yield f"design {seed}, {path.relative_to(made)}", digest(path.read_bytes())


def cycles() -> Iterator[tuple[str, str]]:
    """When every frame of a network enters and leaves, with and without stalls."""
    for seed in range(NETWORKS):
        graph, mapping, frames = network(seed)
        rng = np.random.default_rng(seed)
        source, sink = (rng.random(97) < 0.3 for _ in range(2))
        for name, stalls in (("", {}), (", stalled", {"source": source, "sink": sink})):
            run = simulate(graph, mapping, frames, **stalls)
            what = run.latency, run.intervals, run.cycles, run.edges, run.queues, run.input, run.output
            yield f"cycles {seed}{name}", digest(*what)


def explorations() -> Iterator[tuple[str, str]]:
    """Every candidate of five networks, and the designs that are found among them."""
    for seed in range(EXPLORATIONS):
        rng = np.random.default_rng(seed)
        if seed % 2:
            graph = random_sparse_net(rng)
            graphs = {"int8": with_activity(graph, random_masks(rng, graph.input.shape[:2], 4))}
        else:
            graphs = {fmt: list(NETS.values())[seed // 2](np.random.default_rng(5), fmt) for fmt in ("int8", "int4")}
        table = Table(graphs, DEVICES["zu3eg" if seed % 3 else "ecp5-25k"])
        for op, candidates in table.candidates.items():
            costs = [
                (c.cycles, c.resources, c.fill, c.first_output, c.duration, c.drain, c.rest, c.error)
                for c in candidates
            ]
            yield f"exploration {seed}, candidates of {op}", digest(costs)
        search = SearchSettings(limit=0.8, budgets=2, error_step=0.3)
        for family in families(list(table.graphs), search):
            for share in budget_fractions(table, search, family):
                with contextlib.suppress(Infeasible):
                    for design in designs(table, search, family, share):
                        what = design.mapping.entry(), design.choice, design.solver.objective, design.solver.bound
                        yield f"exploration {seed}, {family}, {share}, {design.name}", digest(*what)


def main(path: Path) -> int:
    found = dict([*cycles(), *explorations(), *verilog()])
    if not path.is_file():
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"{len(found)} digests -> {path}")
        return 0
    before = json.loads(path.read_text(encoding="utf-8"))
    differ = sorted(name for name in {*before, *found} if before.get(name) != found.get(name))
    print("\n".join(differ) or f"all {len(found)} are as they were")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
