"""From small whole networks to designs: that the table says what the hardware says, and the designs keep to it."""

from __future__ import annotations

import contextlib
import dataclasses
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.inputs.nets import NETS, Builder
from dse.candidates import CandidateError, OpChoice, Table
from dse.estimate import estimate
from dse.explore import (
    ERROR,
    MIXED,
    SPEEDUP,
    ExploredDesign,
    SearchSettings,
    best,
    budget_fractions,
    design_problem,
    designs,
    families,
    mapping_of,
)
from dse.milp import solve
from dse.problem import Infeasible, Objective
from dse.sensitivity import total
from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES
from hw.ops.op import Tensor
from hw.ops.registry import inputs_of, mappings
from models.ir.formats.integer import IntType
from models.ir.graph import Graph

DEVICE = DEVICES["ecp5-25k"]
FORMATS = ("int8", "int4")


def graphs(net: str, formats: tuple[str, ...] = FORMATS) -> dict[str, Graph]:
    return {name: NETS[net](np.random.default_rng(5), name) for name in formats}


def sensitivity(table: Table) -> dict[str, dict[str, float]]:
    return {layer: {"int8": 0.0, "int4": 0.01 * (1 + i)} for i, layer in enumerate(table.layers)}


def explored(table: Table, search: SearchSettings, clock_mhz: float | None = None) -> list[ExploredDesign]:
    found: list[ExploredDesign] = []
    for family in families(list(table.graphs), search):
        for budget_fraction in budget_fractions(table, search, family):
            with contextlib.suppress(Infeasible):
                found += designs(table, search, family, budget_fraction, clock_mhz)
    return found


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
@pytest.mark.parametrize("objective", [Objective.LATENCY, Objective.BOTTLENECK, Objective.UTILISATION])
def test_a_uniform_solution_costs_what_the_design_is_estimated_at(net: str, objective: Objective) -> None:
    table = Table(graphs(net, ("int4",)), DEVICE)
    found = solve(table.problem(DEVICE.resources), objective, gap=0.02)
    assert estimate(table.graph, mapping_of(table, found.selection, None), DEVICE) == found.evaluation


def test_mixed_formats_meet_on_every_edge_and_keep_the_cap(residual: Table) -> None:
    errors = sensitivity(residual)
    table = dataclasses.replace(residual, errors=errors)
    cap = 0.1
    solution = solve(table.problem(DEVICE.resources, max_error=cap), Objective.LATENCY, gap=0.05)
    builds = {name: candidate.choice for name, candidate in solution.selection.items()}
    assignment = {name: b.format for name, b in builds.items() if isinstance(b, OpChoice) and b.format}
    assert set(assignment) == set(table.layers)
    assert len(set(assignment.values())) == 2
    assert total(errors, assignment) <= cap
    for producer, consumer, index in table.graph.edges:
        reads = solution.selection[consumer].reads[index]
        assert reads.format == solution.selection[producer].writes.format


@pytest.fixture(scope="module")
def chain() -> Table:
    return Table(graphs("chain"), DEVICE, sensitivity(Table(graphs("chain"), DEVICE)))


@pytest.fixture(scope="module")
def found(chain: Table) -> list[ExploredDesign]:
    return explored(
        chain, SearchSettings(limit=0.8, budgets=3, error_step=0.3, speedups=(1.05,), max_errors=(0.03,)), 50.0
    )


@pytest.mark.whole
def test_designs_have_names_of_their_own_and_keep_to_their_share(chain: Table, found: list[ExploredDesign]) -> None:
    assert len({design.name for design in found}) == len(found) >= 9
    assert {design.mapping.clock_mhz for design in found} == {50.0}
    for design in found:
        graph = next(iter(graphs("chain", ("int8",)).values())) if design.family == "int8" else None
        if graph is not None:
            used = estimate(graph, design.mapping, DEVICE).resources
            assert all(used[kind] <= getattr(DEVICE, kind) * design.budget_fraction for kind in Resources.names())
        assert design.budget_fraction <= Fraction(4, 5)
        assert design.solver.gap <= 0.02 + 1e-6
    assert {design.family for design in found} == {"int8", "int4", "mixed", "speedup1.05", "error0.03"}


@pytest.mark.whole
def test_mixed_designs_trade_the_objective_against_the_error(chain: Table, found: list[ExploredDesign]) -> None:
    mixed = [design for design in found if design.family == "mixed"]
    assert any(len(set(design.assignment.values())) == 2 for design in mixed)
    for budget_fraction in {design.budget_fraction for design in mixed}:
        own = [design for design in mixed if design.budget_fraction == budget_fraction]
        errors = [total(chain.errors, design.assignment) for design in own]
        assert errors == sorted(errors, reverse=True)
        worst = sum(max(errors.values()) for errors in chain.errors.values())
        assert all(a - b >= 0.3 * worst - 1e-6 for a, b in pairwise(errors))
        cycles = [design.solver.objective for design in own]
        assert all(b >= a * (1 - 0.02) for a, b in pairwise(cycles))


@pytest.mark.whole
def test_mixed_designs_are_named_by_their_part_of_the_largest_error() -> None:
    """An error below none counts as none, for the sum that all layers can have too."""

    def net(fmt: str) -> Graph:
        built = Builder(np.random.default_rng(3), (6, 6, 4), IntType(8, signed=False))
        built.conv(8, 3, fmt)
        built.conv(8, 3, fmt)
        return built.linear(4, fmt)

    errors = {layer: {"int8": 0.0, "int4": own} for layer, own in (("conv1", 0.03), ("conv2", 0.01), ("logits", -0.02))}
    table = Table({fmt: net(fmt) for fmt in FORMATS}, DEVICE, errors)
    found = designs(table, SearchSettings(), "mixed", Fraction(1, 5))
    assert [(design.name, design.assignment["conv1"], design.assignment["conv2"]) for design in found] == [
        ("mixed100-20", "int4", "int4"),
        ("mixed75-20", "int4", "int8"),
        ("mixed25-20", "int8", "int4"),
        ("mixed0-20", "int8", "int8"),
    ]


@pytest.mark.whole
def test_strategies_keep_to_what_is_required(chain: Table) -> None:
    search, budget_fraction = SearchSettings(), Fraction(2, 5)
    (slow,) = designs(chain, search, "int8", budget_fraction)
    (fast,) = designs(chain, search, "speedup1.2", budget_fraction)
    part = Resources(*(int(getattr(DEVICE, kind) * budget_fraction) for kind in Resources.names()))
    formats = {layer: (own,) for layer, own in fast.assignment.items()}
    assert (
        solve(chain.problem(part, formats=formats), Objective.LATENCY).report.objective <= slow.solver.objective / 1.2
    )
    assert 0 < total(chain.errors, fast.assignment) < total(chain.errors, dict.fromkeys(chain.layers, "int4"))
    (close,) = designs(chain, search, "error0.03", budget_fraction)
    assert total(chain.errors, close.assignment) <= 0.03
    assert close.solver.objective < slow.solver.objective
    with pytest.raises(Infeasible, match="cycles of latency"):
        designs(chain, search, "speedup9", budget_fraction)


@pytest.mark.whole
def test_a_choice_is_in_the_order_of_the_problems_ops() -> None:
    """Workers make the selection of the choice again, from the problem's candidates."""
    table = Table(graphs("strided"), DEVICE)
    table, search = (
        Table(graphs("strided"), DEVICE, sensitivity(table)),
        SearchSettings(limit=0.8, budgets=2, error_step=0.3),
    )
    for design in designs(table, search, "mixed", budget_fractions(table, search, "mixed")[0]):
        problem = design_problem(table, search, design.family, design.budget_fraction, design.solver.limits)
        selection = {op.name: op.candidates[at] for op, at in zip(problem.ops, design.choice, strict=True)}
        assert mapping_of(table, selection, None).ops == design.mapping.ops


@pytest.mark.whole
def test_less_of_the_device_is_slower(found: list[ExploredDesign]) -> None:
    int8 = [design for design in found if design.family == "int8"]
    shown = [design.budget_fraction for design in int8]
    assert shown == sorted(shown, reverse=True)
    # each within 2 % of the best, so they need not be in strict order
    assert int8[0].solver.objective <= 1.02 * int8[-1].solver.objective


def test_the_least_resources_at_a_speed(chain: Table) -> None:
    fastest = best(Table(graphs("chain", ("int4",)), DEVICE), SearchSettings())
    cap = 2 * int(fastest.solver.objective)
    search = SearchSettings(Objective.UTILISATION, max_latency=cap, budgets=3)
    table = Table(graphs("chain", ("int4",)), DEVICE)
    assert budget_fractions(table, search, "int4") == [1]
    small = best(table, search)
    assert fastest.name == small.name == "int4-100"
    estimated = estimate(table.graph, small.mapping, DEVICE)
    assert estimated.latency <= cap
    assert estimated.utilisation < estimate(table.graph, fastest.mapping, DEVICE).utilisation


def test_a_device_that_is_too_small_is_refused_with_what_is_short(chain: Table) -> None:
    tiny = dataclasses.replace(chain, device=dataclasses.replace(DEVICE, name="tiny", lut=100))
    for ask in (
        lambda: budget_fractions(tiny, SearchSettings(), "int8"),
        lambda: designs(tiny, SearchSettings(), "mixed", Fraction(1)),
    ):
        with pytest.raises(Infeasible, match=r"infeasible on tiny: needs at least \d+ LUT, has 100") as caught:
            ask()
        assert [shortage.name for shortage in caught.value.shortfalls] == ["lut"]


def test_what_does_not_fit_together_is_refused(residual: Table) -> None:
    with pytest.raises(CandidateError, match="graph at int4: "):
        Table({"int8": graphs("residual")["int8"], "int4": graphs("chain")["int4"]}, DEVICE)
    with pytest.raises(CandidateError, match="errors: 'conv9' is no node with a format; those are conv1, "):
        Table(graphs("residual"), DEVICE, {"conv9": {"int8": 0.0}})
    with pytest.raises(CandidateError, match=r"formats of 'conv2': \['int3'\] have no graph; int8, int4 do"):
        residual.problem(DEVICE.resources, formats={"conv2": ["int3"]})


def test_one_format_is_one_family() -> None:
    search = SearchSettings(speedups=(2.0,), max_errors=(0.1,))
    assert families(["int8"], search) == ["int8"]
    assert families(["int8", "int4"], search) == ["int8", "int4", MIXED, f"{SPEEDUP}2", f"{ERROR}0.1"]


def test_a_speedup_is_that_many_times_faster() -> None:
    graphs = {name: NETS["residual"](np.random.default_rng(5), name) for name in ("int8", "int4")}
    table = Table(graphs, DEVICE)
    layers = {layer: {"int8": 0.0, "int4": 0.01} for layer in table.layers}
    table, search = dataclasses.replace(table, errors=layers), SearchSettings(objective=Objective.LATENCY)
    (base,) = designs(table, search, "int8", Fraction(1, 2))
    (faster,) = designs(table, search, f"{SPEEDUP}1.25", Fraction(1, 2))
    nodes = [graphs[faster.assignment.get(node.name, "int8")][node.name] for node in table.graph.nodes]
    mixed = table.graph.replace(nodes=tuple(nodes))
    assert estimate(mixed, faster.mapping, table.device).latency <= base.solver.objective / 1.25
