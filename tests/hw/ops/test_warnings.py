"""Amaranth has nothing to say about any component: none is made and left out, nothing is driven twice or cut."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.lib import wiring

from benchmarks.inputs.nets import NETS, random_mapping
from hw.accelerator.composition import AcceleratorTop
from hw.ops.registry import build, inputs_of
from tests.hw.ops.cases import KINDS, WINDOWS, draw_case


def messages(make: Callable[[], wiring.Component]) -> list[str]:
    """What is warned of from the component's making to its collection."""
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        component = make()
        assert rtlil.convert(component)
        del component
        gc.collect()
    return [str(warning.message) for warning in caught]


@pytest.mark.whole
@pytest.mark.parametrize("name", NETS)
def test_networks(name: str) -> None:
    rng = np.random.default_rng(7)
    graph = NETS[name](rng, "dybit4")
    mapping = random_mapping(rng, graph)
    assert messages(lambda: AcceleratorTop(graph, mapping, probes=True)) == []


@pytest.mark.few(2)
@pytest.mark.parametrize(("kind", "sparse"), [*((kind, False) for kind in KINDS), *((kind, True) for kind in WINDOWS)])
def test_ops(kind: str, sparse: bool) -> None:
    case = draw_case(1, kind, channels=(2, 4), sparse_windows=sparse)
    graph = case.graph()
    op = build(graph["op"], inputs_of(graph, graph["op"]), case.mapping(graph))
    assert messages(op.component) == []


def test_a_component_left_out_is_noticed() -> None:
    def left_out() -> wiring.Component:
        case = draw_case(0, "add")
        graph = case.graph()
        op = build(graph["op"], inputs_of(graph, graph["op"]), case.mapping(graph))
        op.component()
        return op.component()

    assert len(messages(left_out)) == 1
