"""The comparison of an op's RTL with golden."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hw.fpga.mapping import OpMapping
from hw.ops.op import Op
from hw.ops.registry import build, inputs_of
from hw.streams.layout import TokenLayout
from models.ir import golden
from models.ir.frame import Frame
from models.ir.graph import Graph
from tests.support.streams import Run, run_op


def check_op(graph: Graph, mapping: OpMapping, frames: Sequence[Frame], **stalls: Any) -> tuple[Op, Run]:
    """Run the op ``"op"`` of the graph in RTL over the frames; every token of its output must be golden's."""
    node = graph["op"]
    op = build(node, inputs_of(graph, node), mapping)
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
