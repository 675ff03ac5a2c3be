"""What importers give: a network that runs, and what they say of an operator."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.frontend.imported import ImportedNetwork, NetworkFileError, Verdict, verdict_of
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.node import Shape
from models.ir.ops.input import Input
from models.ir.ops.lookup import Lookup


def test_an_operator_without_a_remark_becomes_its_node() -> None:
    verdict = Verdict("operator 3, ADD", "add_3")
    assert (verdict.node, verdict.why, verdict.refused) == ("add_3", "", False)


def test_a_refused_operator_has_the_reason_without_its_place() -> None:
    path = Path("net.onnx")

    def refuse() -> None:
        raise NetworkFileError(path, "node 3 (Loop 'y')", "is not supported")

    assert verdict_of("node 3 (Loop 'y')", path, refuse, []) == Verdict(
        "node 3 (Loop 'y')", "", "is not supported", True
    )
    assert verdict_of("node 4", path, lambda: None, []).why == "becomes part of what stands beside it"


def test_a_network_runs_by_golden_between_its_inputs_and_outputs() -> None:
    node = Input(name="input", shape=Shape(1, 1, 3), dtype=IntType(4))
    table = np.arange(-8, 8)[None] // 2
    half = Lookup(name="half", inputs=("input",), dtype=IntType(3), source=IntType(4), table=table)
    graph = Graph("net", (node, half), "half")
    network = ImportedNetwork(graph, lambda x: x.reshape(-1, 1, 1, 3) - 1, lambda frames: frames[:, 0, 0] * 10)
    assert network.run(np.array([[1, 2, 8], [0, -3, 3]])).tolist() == [[0, 0, 30], [-10, -20, 10]]
