"""What a design family, a pick and a proof say, each in one small case."""

from __future__ import annotations

import dataclasses
import gzip
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs.nets import NETS
from benchmarks.inputs.problems import random_problem
from dse.candidates import Table
from dse.estimate import estimate
from dse.explore import ERROR, MIXED, SPEEDUP, Search, designs, families
from dse.front import Front, FrontError, FrontPoint, pick
from dse.milp import SolverReport, solve
from dse.polish import _together
from dse.problem import Candidate, Edge, Interface, Link, Objective, Op, Problem, ProblemError
from dse.proof import ProofError, save, verify
from hw.fpga.device import DEVICES

LANE = Interface(1, "int8")


def test_one_format_is_one_family() -> None:
    search = Search(speedups=(2.0,), max_errors=(0.1,))
    assert families(["int8"], search) == ["int8"]
    assert families(["int8", "int4"], search) == ["int8", "int4", MIXED, f"{SPEEDUP}2", f"{ERROR}0.1"]


def test_a_speedup_is_that_many_times_faster() -> None:
    graphs = {name: NETS["residual"](np.random.default_rng(5), name) for name in ("int8", "int4")}
    table = Table(graphs, DEVICES["ecp5-25k"])
    layers = {layer: {"int8": 0.0, "int4": 0.01} for layer in table.layers}
    table, search = dataclasses.replace(table, errors=layers), Search(objective=Objective.LATENCY)
    (base,) = designs(table, search, "int8", Fraction(1, 2))
    (faster,) = designs(table, search, f"{SPEEDUP}1.25", Fraction(1, 2))
    nodes = [graphs[faster.assignment.get(node.name, "int8")][node.name] for node in table.graph.nodes]
    mixed = table.graph.replace(nodes=tuple(nodes))
    assert estimate(mixed, faster.mapping, table.device).latency <= base.solver.objective / 1.25


def point(name: str, latency: float, correct: int) -> FrontPoint:
    return FrontPoint(
        name, {"conv": "int8"}, f"{name}.json", correct, 540, "", (0.9, 1.0), latency, None, 70,
        {"lut": 9, "ff": 8, "bram": 1, "dsp": 2}, 0.5, SolverReport("optimal", latency, latency, 0.0, 0.1), latency,
        "latency", 0, 0.0,
    )  # fmt: skip


def test_a_pick_without_a_number_says_what_would_be_one() -> None:
    front = Front.of("zu3eg", 200.0, [point("a", 10, 500)])
    with pytest.raises(FrontError, match=r"say 'fastest-above 97\.5'"):
        pick(front, "fastest-above much")
    with pytest.raises(FrontError, match=r"say 'smallest-under 0\.05'"):
        pick(front, "smallest-under much")


def test_a_producer_that_comes_later_is_named() -> None:
    first = Op("b", (Candidate("b", 1, (0,), LANE, (LANE,)),))
    second = Op("a", (Candidate("a", 1, (0,), LANE),))
    edge = Edge("a", "b", 0, {(LANE, LANE): Link((0,))})
    with pytest.raises(ProblemError, match="producer 'a' is no earlier op"):
        Problem("board", (first, second), (edge,), "a", {"lut": 1})


def test_a_gap_that_is_larger_than_said_is_refused(tmp_path: Path) -> None:
    """Also of a choice that is not said to be the best."""
    problem, path = random_problem(3), tmp_path / "proof"
    found = solve(problem, Objective.LATENCY)
    choice = [op.candidates.index(found.selection[op.name]) for op in problem.ops]
    save(path, problem, choice, Objective.LATENCY, found.report)
    assert verify(path).status == "optimal"
    entry = json.loads(gzip.decompress(path.read_bytes()))
    entry["solver"].update(status="time limit", certificate=None, bound=0.0, gap=0.5)
    path.write_bytes(gzip.compress(json.dumps(entry).encode()))
    with pytest.raises(ProofError, match=r"'time limit', gap 0\.5 is said, 1\.0 is shown"):
        verify(path)


def test_no_more_changes_are_made_than_may_be() -> None:
    def op(name: str, reads: int) -> Op:
        own = tuple(Candidate((name, c), c, (1,), LANE, (LANE,) * reads, span=c) for c in (10, 5))
        return Op(name, own)

    ops = op("a", 0), op("b", 1)
    problem = Problem("board", ops, (Edge("a", "b", 0, {(LANE, LANE): Link((0,))}),), "b", {"lut": 9})
    start = {own.name: own.candidates[0] for own in ops}
    gains = {own.name: [(candidate, float(candidate.cycles)) for candidate in own.candidates] for own in ops}
    for most in (1, 2):
        found = _together(problem, start, gains, most)
        assert sum(found[name] is not start[name] for name in found) == most
