"""Building one op of a graph, and the comparison of its RTL with golden."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from hw.fpga.mapping import OpMapping
from hw.ops.op import Op
from hw.ops.registry import build, inputs_of
from hw.streams.layout import TokenLayout
from models.ir import golden
from models.ir.frame import Frame
from models.ir.graph import Graph
from tests.support.streams import Run, run_op


def build_op(graph: Graph, mapping: OpMapping) -> Op:
    """The op ``"op"`` of the graph with its mapping."""
    return build(graph["op"], inputs_of(graph, graph["op"]), mapping)


def refusal(graph: Graph, mapping: OpMapping) -> str:
    """The message with which the op ``"op"`` of the graph refuses the mapping."""
    with pytest.raises(ValueError, match=r"^op 'op', field ") as error:
        build_op(graph, mapping)
    return str(error.value)


def window_taps(mask: np.ndarray, kernel: int, stride: int, padding: int) -> list[int]:
    """How many active sites the window of each active output site sees, counted site by site."""
    height, width = mask.shape
    # a cell lies where the middle of its window is
    offset = (kernel - 1) // 2 - padding

    def active(y: int, x: int) -> bool:
        return 0 <= y < height and 0 <= x < width and bool(mask[y, x])

    taps = []
    for y in range(-padding, height + padding - kernel + 1, stride):
        for x in range(-padding, width + padding - kernel + 1, stride):
            cell = (y + padding + offset, x + padding + offset)
            if any(active(cell[0] + i, cell[1] + j) for i in range(stride) for j in range(stride)):
                taps.append(sum(active(y + i, x + j) for i in range(kernel) for j in range(kernel)))
    return taps


def check_op(graph: Graph, mapping: OpMapping, frames: Sequence[Frame], **stalls: Any) -> tuple[Op, Run]:
    """Run the op ``"op"`` of the graph in RTL over the frames; every token of its output must be golden's."""
    node, op = graph["op"], build_op(graph, mapping)
    expected = [golden.run(graph, frame) for frame in frames]
    streams = []
    for name, tensor in zip(node.inputs, op.inputs, strict=True):
        layout = TokenLayout(tensor.shape, tensor.dtype, op.in_lanes)
        streams.append([beat for result in expected for beat in layout.beats(result[name])])
    run = run_op(op.component(), streams, len(frames), **stalls)
    got = list(op.out_layout.frames(run.payloads))
    assert len(got) == len(frames)
    for number, (result, frame) in enumerate(zip(expected, got, strict=True)):
        want = result["op"]
        assert np.array_equal(want.sites, frame.sites), f"frame {number}: sites differ"
        wrong = np.argwhere(want.features != frame.features)
        assert not len(wrong), (
            f"frame {number}, site {want.sites[wrong[0][0]].tolist()}, channel {wrong[0][1]}: "
            f"got {frame.features[tuple(wrong[0])]}, golden {want.features[tuple(wrong[0])]}"
        )
    return op, run
