"""The sites of every node of a graph, and the time of their tokens in the reference."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from models.ir import golden
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.sites import reference_times, walk
from tests.models.ir.builders import UINT8, every_op, tensor


@pytest.fixture(scope="module")
def graph() -> Graph:
    return every_op(np.random.default_rng(0))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_every_nodes_sites_are_goldens(graph: Graph, share: float) -> None:
    """Whatever the features: the sites follow from those of the input alone."""
    rng = np.random.default_rng(2)
    mask = rng.random((8, 10)) < share
    sites = walk(graph, mask)
    for _ in range(2):
        for name, frame in golden.run(graph, Frame.from_dense(tensor(rng, UINT8, 8, 10, 3), mask)).items():
            assert sites[name].sites.tolist() == frame.sites.tolist()
            for consumer in graph.consumers(name):
                assert sites[consumer].source.tolist() == frame.sites.tolist()


def test_a_mask_of_another_size_is_refused(graph: Graph) -> None:
    with pytest.raises(ValueError, match=r"^graph 'every_op': masks must have shape \(8, 10\), not \(10, 8\)$"):
        walk(graph, np.ones((10, 8), bool))


def test_in_the_reference_every_op_takes_a_frame(graph: Graph) -> None:
    sites = walk(graph, np.ones((8, 10), dtype=bool))
    times = reference_times(graph, sites)
    assert times["input"][-1] == 1
    # the stem's first output waits for a line and two tokens, its last for the last token and a line of work
    assert times["stem"][0] == pytest.approx(12 / 80 + 4 / 616)
    assert 1 + 60 / 616 < times["stem"][-1] < 1.2


@pytest.mark.parametrize("inputs", [("stem", "cast"), ("cast", "stem")])
def test_what_joins_two_streams_waits_for_the_later_one(graph: Graph, inputs: tuple[str, str]) -> None:
    """``join`` adds what leaves ``stem`` and ``cast``, which has the stem's tokens after another window."""
    nodes = (dataclasses.replace(node, inputs=inputs) if node.name == "join" else node for node in graph.nodes)
    graph = graph.replace(nodes=tuple(nodes))
    for share in (0.3, 1.0):
        times = reference_times(graph, walk(graph, np.random.default_rng(3).random((8, 10)) < share))
        assert (times["cast"] > times["stem"]).all()
        assert times["join"].tolist() == times["cast"].tolist()
