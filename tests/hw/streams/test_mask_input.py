# amaranth: UnusedElaboratable=no
"""Frames as masks and packed features: the layout, the component that makes tokens of them, its cycles."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from amaranth.lib import data
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.inputs.nets import Builder, random_mapping
from benchmarks.inputs.ops import random_values
from hw.accelerator.composition import AcceleratorTop
from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import FrameInput, Mapping, MappingError
from hw.streams.layout import MaskLayout, TokenLayout
from hw.streams.mask_input import MaskInput, mask_input_resources, mask_latency
from models.ir import golden
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape
from tests.support.streams import Pace, Run, run_op

UINT8, INT4 = IntType(8, False), IntType(4)
STALLS = [{}, {"source_stall": 0.5}, {"sink_stall": 0.5}, {"source_stall": 0.3, "sink_stall": 0.4},
          {"source_stall": 0.2, "sink_stall": Pace.AFTER_VALID}]  # fmt: skip
LAYOUTS = [
    MaskLayout(Shape(5, 9, 4), UINT8, 2, 16),
    MaskLayout(Shape(7, 13, 3), INT4, 1, 8),
    MaskLayout(Shape(1, 1, 2), UINT8, 2, 32),
    MaskLayout(Shape(3, 2, 1), INT4, 1, 32),
    MaskLayout(Shape(9, 1, 2), INT4, 1, 5),
    MaskLayout(Shape(4, 8, 2), DyBitType(4), 2, 32),
    MaskLayout(Shape(2, 70, 6), UINT8, 3, 24),
    MaskLayout(Shape(27, 39, 1), IntType(2), 1, 8),
]
"""Rows within words and words within rows, no remainder and one, a list in LUTs and one in block memory."""


def masked(rng: np.random.Generator, shape: Shape, dtype: DType, mask: np.ndarray) -> Frame:
    return Frame.from_dense(random_values(rng, dtype, tuple(shape)), mask)


def masks(rng: np.random.Generator, shape: Shape) -> dict[str, np.ndarray]:
    """Frames that are hard for one reason or another, by name."""
    side = shape[:2]
    made = {name: np.zeros(side, bool) for name in ("empty", "first", "last", "border", "row")}
    made["first"][0, 0] = made["last"][-1, -1] = True
    made["border"][[0, -1], :] = made["border"][:, [0, -1]] = True
    made["row"][shape.height // 2, :] = True
    made["all"] = np.ones(side, bool)
    return {**made, **{f"{share}": rng.random(side) < share for share in (0.02, 0.2, 0.6)}}


def words_and_codes(layout: MaskLayout, frame: Frame) -> list[int]:
    """The beats of a frame, one bit at a time."""
    height, width, channels = layout.shape
    active = {tuple(site): number for number, site in enumerate(frame.sites.tolist())}
    beats = [0] * -(-height * width // layout.bits)
    for y in range(height):
        for x in range(width):
            if (y, x) in active:
                beats[(y * width + x) // layout.bits] += 1 << (y * width + x) % layout.bits
    codes = layout.dtype.encode(frame.features)
    for number in active.values():
        for first in range(0, channels, layout.lanes):
            lanes = codes[number, first : first + layout.lanes].tolist()
            beats.append(sum(code << lane * layout.dtype.width for lane, code in enumerate(lanes)))
    return beats


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_beats_are_the_mask_and_then_the_features(layout: MaskLayout) -> None:
    rng = np.random.default_rng(1)
    for mask in masks(rng, layout.shape).values():
        frame = masked(rng, layout.shape, layout.dtype, mask)
        beats = layout.beats(frame)
        assert beats == words_and_codes(layout, frame)
        assert max(beats, default=0) < 1 << layout.width
        assert len(beats) == layout.words + len(frame.sites) * layout.tokens.beats_per_token


def test_features_lie_where_amaranth_sees_them() -> None:
    layout = MaskLayout(Shape(3, 4, 6), INT4, 3, 32)
    assert layout.width == layout.union.size
    frame = masked(np.random.default_rng(0), layout.shape, INT4, np.ones((3, 4), bool))
    value = data.Const(layout.union, layout.beats(frame)[layout.words])
    assert [value.features[lane] for lane in range(3)] == INT4.encode(frame.features)[0, :3].tolist()


@settings(max_examples=40)
@given(st.sampled_from(LAYOUTS), st.lists(st.floats(0, 1), max_size=4), st.integers(0, 2**32))
def test_frames_back_to_back_round_trip(layout: MaskLayout, densities: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = [masked(rng, layout.shape, layout.dtype, rng.random(layout.shape[:2]) < share) for share in densities]
    payloads = [payload for frame in frames for payload in layout.beats(frame)]
    assert list(layout.frames(payloads)) == frames
    assert [payloads[part] for part in layout.split(payloads)] == [layout.beats(frame) for frame in frames]
    if frames and len(layout.beats(frames[-1])) > 1:
        with pytest.raises(ValueError, match=r"the stream stops inside a frame, after \d+ beat\(s\)"):
            list(layout.frames(payloads[:-1]))


def test_bits_past_the_last_site_and_above_the_features_are_ignored() -> None:
    layout = MaskLayout(Shape(3, 5, 2), INT4, 1, 8)
    frame = masked(np.random.default_rng(2), layout.shape, INT4, np.random.default_rng(2).random((3, 5)) < 0.5)
    beats = layout.beats(frame)
    dirty = [beats[0], beats[1] | 0x80, *(beat | 0xF0 for beat in beats[2:])]
    assert list(layout.frames(dirty * 2)) == [frame, frame]
    run = run_op(MaskInput(layout), [dirty * 2], 2)
    assert run.payloads == layout.tokens.beats(frame) * 2


@pytest.mark.parametrize(
    ("tokens", "bits"),
    [
        (TokenLayout(Shape(2, 2, 4), UINT8, 1), 32),
        (TokenLayout(Shape(2, 2, 4), UINT8, 4), 32),
        (TokenLayout(Shape(2, 2, 5), UINT8, 5), 64),
    ],
)
def test_a_beat_is_a_power_of_two_that_holds_its_lanes(tokens: TokenLayout, bits: int) -> None:
    layout = MaskLayout.of(tokens)
    assert layout.bits == bits
    assert layout.tokens == tokens


def test_layouts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="lanes must divide the 4 channels, not 3"):
        MaskLayout(Shape(2, 2, 4), UINT8, 3, 32)
    with pytest.raises(ValueError, match="bits must be at least 16, for 2 lanes of uint8, not 8"):
        MaskLayout(Shape(2, 2, 4), UINT8, 2, 8)
    with pytest.raises(ValueError, match="this stream carries frames of 2x2x4, not 2x3x4"):
        MaskLayout(Shape(2, 2, 4), UINT8, 2, 16).beats(Frame.from_dense(np.zeros((2, 3, 4), np.int64)))


def play(layout: MaskLayout, frames: Sequence[Frame], **stalls: object) -> Run:
    """The component over the frames; its tokens must be theirs."""
    beats = [beat for frame in frames for beat in layout.beats(frame)]
    run = run_op(MaskInput(layout), [beats], len(frames), **stalls)  # type: ignore[arg-type]
    assert run.payloads == [beat for frame in frames for beat in layout.tokens.beats(frame)]
    assert len(run.accepted[0]) == len(beats)
    return run


@pytest.mark.few(12)
@pytest.mark.parametrize("stalls", STALLS, ids=str)
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_tokens_are_those_of_the_frames(layout: MaskLayout, stalls: dict[str, object]) -> None:
    """Every kind of frame beside another of every kind, back to back."""
    rng = np.random.default_rng(LAYOUTS.index(layout))
    kinds = list(masks(rng, layout.shape).values())
    order = rng.permutation(len(kinds)).tolist() + rng.permutation(len(kinds)).tolist()
    play(layout, [masked(rng, layout.shape, layout.dtype, kinds[kind]) for kind in order], **stalls)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_a_last_site_or_end_shows_after_the_latency(layout: MaskLayout) -> None:
    rng = np.random.default_rng(3)
    for name in ("last", "empty"):
        frame = masked(rng, layout.shape, layout.dtype, masks(rng, layout.shape)[name])
        run = play(layout, [frame])
        assert run.outputs[0][0] - run.accepted[0][layout.words - 1] == mask_latency(layout)


@pytest.mark.few(3)
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_frames_take_the_cycles_that_are_stated(layout: MaskLayout) -> None:
    """Exactly the beats and one where a site waits when the mask is whole; a latency more at the most."""
    rng = np.random.default_rng(4)
    for name, mask in masks(rng, layout.shape).items():
        frame = masked(rng, layout.shape, layout.dtype, mask)
        run = play(layout, [frame] * 4)
        (period,) = {after - before for before, after in pairwise(run.end_cycles)}
        stated = layout.words + len(frame.sites) * layout.tokens.beats_per_token + 1
        late = mask_latency(layout) - 1
        assert stated <= period <= stated + late, name
        if name in ("empty", "last"):
            assert period == stated + late
        elif name in ("all", "row") and layout.words > late + 1:
            assert period == stated


@pytest.mark.whole
def test_a_large_frame() -> None:
    """1280 x 720, a few hundred sites: the empty words cost nothing but the cycles in which they come."""
    layout = MaskLayout(Shape(720, 1280, 2), UINT8, 2, 64)
    rng = np.random.default_rng(5)
    mask = np.zeros(720 * 1280, bool)
    mask[rng.choice(len(mask), 300, replace=False)] = True
    frame = masked(rng, layout.shape, UINT8, mask.reshape(720, 1280))
    first, second = play(layout, [frame, frame]).end_cycles
    assert second - first == 14_400 + 300 + 1


# What Yosys 0.70 makes of the component: device, shape, lanes, bits, and the resources.
MADE = [
    ("zu3eg", Shape(12, 12, 2), 1, 16, Resources(146, 75, 0)),
    ("zu3eg", Shape(28, 40, 8), 8, 64, Resources(471, 139, 0)),
    ("zu3eg", Shape(60, 80, 3), 3, 32, Resources(245, 126, 2)),
    ("ecp5-25k", Shape(12, 12, 2), 1, 16, Resources(182, 75, 0)),
    ("ecp5-25k", Shape(28, 40, 8), 8, 64, Resources(811, 140, 0)),
    ("ecp5-25k", Shape(60, 80, 3), 3, 32, Resources(356, 223, 2)),
]


@pytest.mark.parametrize(("device", "shape", "lanes", "bits", "made"), MADE)
def test_resources_are_near_those_of_yosys(device: str, shape: Shape, lanes: int, bits: int, made: Resources) -> None:
    estimated = mask_input_resources(MaskLayout(shape, IntType(8), lanes, bits), DEVICES[device])
    assert (estimated.bram, estimated.dsp) == (made.bram, made.dsp)
    assert estimated.ff == pytest.approx(made.ff, abs=6)
    assert estimated.lut == pytest.approx(made.lut, rel=0.1)


def test_a_mapping_says_which_input_there_is(tmp_path: Path) -> None:
    path = tmp_path / "mapping.json"
    mapping = Mapping("zu3eg", 100.0, {}, {}, FrameInput.MASK)
    mapping.save(path)
    assert Mapping.load(path) == mapping
    stored = json.loads(path.read_text())
    assert stored["frame_input"] == "mask"
    del stored["frame_input"]
    path.write_text(json.dumps(stored))
    assert Mapping.load(path).frame_input is FrameInput.TOKENS
    path.write_text(json.dumps(stored | {"frame_input": "bits"}))
    with pytest.raises(MappingError, match=r"mapping.json: .*frame_input: 'bits' must be one of tokens, mask"):
        Mapping.load(path)


@pytest.mark.parametrize("frame_input", FrameInput)
def test_an_accelerator_gives_golden_s_frames_with_either_input(frame_input: FrameInput) -> None:
    """A residual block, a stride and a pool behind either input, over frames of every kind."""
    rng = np.random.default_rng(6)
    net = Builder(rng, (9, 7, 2), IntType(4), sparse=True)
    stem = net.conv(2, 3, "int4", stride=2)
    net.add(net.conv(2, 3, "int4", depthwise=True), stem, "int4")
    net.global_pool("int8")
    graph = net.linear(3, "int4")
    mapping = replace(random_mapping(rng, graph), frame_input=frame_input)
    accelerator = AcceleratorTop(graph, mapping)
    kinds = masks(rng, graph.input.shape)
    frames = [masked(rng, graph.input.shape, graph.input.dtype, mask) for mask in kinds.values()]
    beats = [beat for frame in frames for beat in accelerator.plan.input_layout.beats(frame)]
    run = run_op(accelerator, [beats], len(frames), source_stall=0.1, sink_stall=0.1)
    expected = [golden.run(graph, frame)[graph.output] for frame in frames]
    assert list(accelerator.plan.output.frames(run.payloads)) == expected
