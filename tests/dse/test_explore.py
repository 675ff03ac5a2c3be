"""From small whole networks to designs: that the table says what the hardware says, and the designs keep to it."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from dse.candidates import Build, CandidateError, Table
from dse.estimate import estimate
from dse.explore import Design, Search, between, explore
from dse.milp import solve
from dse.problem import Infeasible, Objective
from dse.sensitivity import total
from hw.device import DEVICES, Resources
from hw.op import Tensor
from hw.registry import inputs_of, mappings
from models.ir.graph import Graph
from tests.support.nets import NETS

DEVICE = DEVICES["ecp5-25k"]
FORMATS = ("int8", "int4")


def graphs(net: str, formats: tuple[str, ...] = FORMATS) -> dict[str, Graph]:
    return {name: NETS[net](np.random.default_rng(5), name) for name in formats}


def sensitivity(table: Table) -> dict[str, dict[str, float]]:
    return {layer: {"int8": 0.0, "int4": 0.01 * (1 + i)} for i, layer in enumerate(table.layers)}


@pytest.fixture(scope="module")
def residual() -> Table:
    return Table(graphs("residual"), DEVICE)


def test_every_mapping_at_every_format_is_a_candidate(residual: Table) -> None:
    node = residual.graph["conv2"]
    tensors = len(FORMATS)
    own = [m for graph in residual.graphs.values() for m in mappings(graph["conv2"], _inputs(graph, "conv2"), DEVICE)]
    assert len(residual.candidates[node.name]) == tensors * len(own)
    assert {c.writes.format for c in residual.candidates["conv2"]} == {"uint8", "uint4"}
    assert {c.writes.format for c in residual.candidates["logits"]} == {"int16"}
    assert {c.reads[0].format for c in residual.candidates["conv1"]} == {"uint8"}


def _inputs(graph: Graph, name: str) -> tuple[Tensor, ...]:
    return inputs_of(graph, graph[name])


def test_max_pool_keeps_its_inputs_format() -> None:
    table = Table(graphs("chain"), DEVICE)
    pool = next(node.name for node in table.graph.nodes if node.op == "max_pool")
    assert pool not in table.layers
    found = {(c.reads[0].format, c.writes.format, c.choice.format) for c in table.candidates[pool]}  # type: ignore[attr-defined]
    assert found == {("uint8", "uint8", None), ("uint4", "uint4", None)}


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("objective", list(Objective))
def test_a_uniform_solution_costs_what_the_design_is_estimated_at(net: str, objective: Objective) -> None:
    (design, *_) = explore(Table(graphs(net, ("int4",)), DEVICE), Search(objective=objective, sizes=1))
    estimated = estimate(graphs(net, ("int4",))["int4"], design.mapping, DEVICE)
    assert estimated == design.evaluation
    assert design.solver.objective == float(estimated.objective(objective))


def test_mixed_formats_meet_on_every_edge_and_keep_the_cap(residual: Table) -> None:
    errors = sensitivity(residual)
    table = dataclasses.replace(residual, errors=errors)
    cap = 0.1
    solution = solve(table.problem(DEVICE.resources, max_error=cap), Objective.LATENCY, gap=0.05)
    builds = {name: candidate.choice for name, candidate in solution.selection.items()}
    assignment = {name: b.format for name, b in builds.items() if isinstance(b, Build) and b.format}
    assert set(assignment) == set(table.layers)
    assert len(set(assignment.values())) == 2
    assert total(errors, assignment) <= cap
    for producer, consumer, index in table.graph.edges:
        reads = solution.selection[consumer].reads[index]
        assert reads.format == solution.selection[producer].writes.format


@pytest.fixture(scope="module")
def designs() -> list[Design]:
    table = Table(graphs("chain"), DEVICE, sensitivity(Table(graphs("chain"), DEVICE)))
    steps: list[tuple[str, int, int]] = []
    search = Search(limit=0.8, sizes=3, error_shares=(Fraction(1, 3),))
    found = explore(table, search, 50.0, lambda what, done, of: steps.append((what, done, of)))
    assert {what for what, _, _ in steps} == {"formats", "foldings"}
    assert all(done < of for _, done, of in steps)
    return found


def test_designs_are_distinct_and_keep_to_their_share(designs: list[Design]) -> None:
    assert len({design.name for design in designs}) == len(designs) >= 7
    assert len({repr((design.assignment, design.mapping)) for design in designs}) == len(designs)
    assert {design.mapping.clock_mhz for design in designs} == {50.0}
    for design in designs:
        assert all(
            design.evaluation.resources[kind] <= getattr(DEVICE, kind) * design.share for kind in Resources.names()
        )
        assert design.share <= Fraction(4, 5)
        assert design.solver.gap <= 0.02 + 1e-6
    mixed = [design for design in designs if design.name.startswith("mixed")]
    assert mixed
    assert all(len(set(design.assignment.values())) == 2 for design in mixed)


def test_a_size_between_two_lies_between_them() -> None:
    table, search = Table(graphs("chain", ("int4",)), DEVICE), Search(limit=0.8, sizes=2)
    larger, smaller = explore(table, search)
    middle = between(table, search, larger, smaller)
    assert larger.share > middle.share > smaller.share
    assert middle.assignment == larger.assignment
    assert all(middle.evaluation.resources[kind] <= getattr(DEVICE, kind) * middle.share for kind in Resources.names())
    assert float(larger.evaluation.latency) <= 1.02 * float(middle.evaluation.latency)


def test_less_of_the_device_is_slower(designs: list[Design]) -> None:
    int8 = [design for design in designs if design.name.startswith("int8")]
    shares = [design.share for design in int8]
    assert shares == sorted(shares, reverse=True)
    # each within 2 % of the best, so they need not be in strict order
    assert float(int8[0].evaluation.latency) <= 1.02 * float(int8[-1].evaluation.latency)


def test_a_device_that_is_too_small_is_refused_with_what_is_short() -> None:
    tiny = dataclasses.replace(DEVICE, name="tiny", lut=100)
    with pytest.raises(Infeasible, match=r"infeasible on tiny: needs at least \d+ LUT, has 100") as caught:
        explore(Table(graphs("chain"), tiny, sensitivity(Table(graphs("chain"), DEVICE))))
    assert [shortage.name for shortage in caught.value.shortages] == ["lut"]


def test_what_does_not_fit_together_is_refused(residual: Table) -> None:
    with pytest.raises(CandidateError, match="graph at int4: "):
        Table({"int8": graphs("residual")["int8"], "int4": graphs("chain")["int4"]}, DEVICE)
    with pytest.raises(CandidateError, match="errors: 'conv9' is no node with a format; those are conv1, "):
        Table(graphs("residual"), DEVICE, {"conv9": {"int8": 0.0}})
    with pytest.raises(CandidateError, match=r"formats of 'conv2': \['int3'\] have no graph; int8, int4 do"):
        residual.problem(DEVICE.resources, formats={"conv2": ["int3"]})
