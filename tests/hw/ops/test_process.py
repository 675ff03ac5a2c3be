"""How ops move tokens: which way each op says it moves them, and that the cycle simulator knows every way."""

from __future__ import annotations

import ast
import inspect
from typing import get_args

import pytest

import cosim.cycle.netlist
from hw.fpga.mapping import OpMapping
from hw.line_buffer.sequencer import Folds
from hw.ops.process import BeatByBeat, FrameEnd, InTurn, Process, TokenByToken, WindowByWindow
from hw.ops.window_op import WindowOp
from tests.hw.ops.cases import FOLDED
from tests.support.ops import build_op


@pytest.mark.parametrize(
    ("kind", "process"),
    [
        ("add", BeatByBeat()),
        ("requantize", BeatByBeat()),
        ("concat", InTurn()),
        # a result of 6/2 beats and its end
        ("global_pool", FrameEnd(4)),
        # of 6 outputs 2 at a time, of 4 channels 2: 3 folds of 2 steps; there is room for 4 tokens
        ("linear", TokenByToken(Folds(3, 2, 1, whole_frame=True), 4)),
        # in the 2 steps of a fold its 2 results leave through one lane
        ("pointwise", TokenByToken(Folds(3, 2, 2), 4)),
    ],
)
def test_ops_without_windows(kind: str, process: Process) -> None:
    assert build_op(FOLDED[kind].graph(), OpMapping(2, 2)).process == process


@pytest.mark.parametrize(("kind", "taps"), [("full", 1), ("depthwise", 9), ("max_pool", 1), ("avg_pool", 9)])
def test_ops_with_windows(kind: str, taps: int) -> None:
    op = build_op(FOLDED[kind].graph(), OpMapping(2, 2, taps))
    assert isinstance(op, WindowOp)
    process = op.process
    assert isinstance(process, WindowByWindow)
    assert (process.folds, process.geometry, process.sparse) == (op.folds, op.geometry, False)


def test_the_cycle_simulator_knows_every_process() -> None:
    """It builds the records of an op by the class of its process."""
    tree = ast.parse(inspect.getsource(cosim.cycle.netlist))
    cases = {ast.unparse(node.cls) for node in ast.walk(tree) if isinstance(node, ast.MatchClass)}
    assert {process.__name__ for process in get_args(Process)} == cases
