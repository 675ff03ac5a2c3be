"""The estimated latency of one op against its RTL: first beat in to last token out of a frame."""

from __future__ import annotations

import pytest

from dse.estimate import estimate
from hw.device import DEVICES
from hw.mapping import Mapping, OpMapping
from tests.hw.cases import KINDS, draw_case
from tests.support.ops import check_op


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "add"])
@pytest.mark.parametrize("seed", range(4))
def test_latency_of_an_op_is_within_two_percent_or_a_cycle(kind: str, seed: int) -> None:
    case = draw_case(seed + 900, kind, side=8)
    graph = case.graph()
    mapping = case.mapping(graph)
    op, run = check_op(graph, mapping, case.frames(graph, "f"), limit_cycles=60_000)
    measured = [cycle for cycle, payload in run.outputs if not payload & 1][-1] - run.accepted[0][0]
    whole = Mapping("zu3eg", 200.0, {"input": OpMapping(op.in_lanes), "op": mapping})
    estimated = estimate(graph, whole, DEVICES["zu3eg"]).latency
    # shares of the input are no whole beats, so frames of a few dozen cycles may be a part of a cycle off
    assert abs(estimated - measured) < max(1, 0.02 * measured)
