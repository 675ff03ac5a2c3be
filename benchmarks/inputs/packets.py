"""The rules of frames on an AXI4-Stream, written again over whole packets, and frames that break them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.inputs.ops import random_values
from hw.interface.axi_layout import AxiLayout, Beat, Form
from hw.interface.rules import Fault
from hw.streams.layout import MaskLayout, index_bits
from models.ir.frame import Frame


def packets(beats: Sequence[Beat]) -> Iterator[list[Beat]]:
    """What lies between one ``tlast`` and the next; a rest without ``tlast`` is left out."""
    start = 0
    for number, beat in enumerate(beats):
        if beat.last:
            yield list(beats[start : number + 1])
            start = number + 1


def verdicts(layout: AxiLayout, whole: bool, beats: Sequence[Beat]) -> list[Frame | Fault]:
    """The frame of each packet, or what is wrong with it first."""
    return [verdict(layout, whole, packet) for packet in packets(beats)]


def verdict(layout: AxiLayout, whole: bool, packet: Sequence[Beat]) -> Frame | Fault:
    beats = [beat for beat in packet if beat.keep or beat.last]
    judge = {Form.TOKENS: _tokens, Form.PIXELS: _pixels, Form.MASK: _mask}[layout.form]
    fault = judge(layout, beats, whole)
    return fault if fault is not None else layout.frames(beats)[0]


def _tokens(layout: AxiLayout, beats: list[Beat], _whole: bool) -> Fault | None:
    height, width, _ = layout.tokens.shape
    y_bits, x_bits = index_bits(height), index_bits(width)
    rasters: list[int] = []
    for number, beat in enumerate(beats):
        begins_token = number % layout.tokens.beats_per_token == 0
        if beat.keep != layout.keep_all:
            return Fault.KEEP
        if beat.data & 1:
            if not begins_token:
                return Fault.SHORT
            return None if beat.last else Fault.LONG
        y, x = beat.data >> 1 & (1 << y_bits) - 1, beat.data >> 1 + y_bits & (1 << x_bits) - 1
        raster = y * 10_000 + x
        if begins_token:
            if y not in range(height) or x not in range(width):
                return Fault.RANGE
            if rasters and raster <= max(rasters):
                return Fault.ORDER
        elif raster != rasters[-1]:
            return Fault.PLACE
        rasters.append(raster)
        if beat.last:
            return Fault.SHORT
    raise AssertionError("a packet has a last beat")


def _pixels(layout: AxiLayout, beats: list[Beat], _whole: bool) -> Fault | None:
    if len(beats) == 1 and not beats[0].keep:
        return None
    for number, beat in enumerate(beats, 1):
        if beat.keep != layout.keep_all:
            return Fault.KEEP
        if (number == layout.most_beats) != beat.last:
            return Fault.SHORT if beat.last else Fault.LONG
        if beat.last:
            return None
    raise AssertionError("a packet has a last beat")


def _mask(layout: AxiLayout, beats: list[Beat], whole: bool) -> Fault | None:
    assert isinstance(layout.core, MaskLayout)
    sites: list[int] = []
    for number, beat in enumerate(beats):
        if beat.keep != layout.keep_all:
            return Fault.KEEP
        if number < layout.core.words:
            numbers = range(number * layout.core.bits, min((number + 1) * layout.core.bits, layout.sites))
            here = [beat.data >> n - numbers[0] & 1 for n in numbers]
            sites += here
            if whole and len(set(sites)) > 1:
                return Fault.MASK
        need = layout.core.words + sum(sites) * layout.tokens.beats_per_token
        if (number + 1 == need) != beat.last:
            return Fault.SHORT if beat.last else Fault.LONG
        if beat.last:
            return None
    raise AssertionError("a packet has a last beat")


def random_frame(rng: np.random.Generator, layout: AxiLayout, whole: bool) -> Frame:
    height, width, channels = layout.tokens.shape
    share = rng.choice([0.0, 1.0]) if whole else rng.choice([0.0, 0.1, 0.5, 1.0])
    image = random_values(rng, layout.tokens.dtype, (height, width, channels))
    return Frame.from_dense(image, rng.random((height, width)) < share)


DAMAGES = ("drop", "double", "swap", "bits", "noise", "early", "late", "keep", "void")


def damaged(rng: np.random.Generator, layout: AxiLayout, beats: list[Beat], kind: str, at: int) -> list[Beat]:
    """The beats of a frame after one of DAMAGES to beat ``at``; it may be that the frame is legal still."""
    beats = list(beats)
    beat = beats[at]
    match kind:
        case "drop":
            del beats[at]
        case "double":
            beats.insert(at, beat._replace(last=False))
        case "swap":
            other = int(rng.integers(len(beats)))
            beats[at], beats[other] = beats[other], beat
        case "bits":
            beats[at] = beat._replace(data=beat.data ^ 1 << int(rng.integers(layout.bits)))
        case "noise":
            beats[at] = beat._replace(data=int.from_bytes(rng.bytes(layout.bytes), "little"))
        case "early":
            beats[at] = beat._replace(last=True)
        case "late":
            beats[-1] = beats[-1]._replace(last=False)
        case "keep":
            beats[at] = beat._replace(keep=int(rng.integers(layout.keep_all)))
        case "void":
            beats.insert(at, Beat(0, 0, bool(rng.integers(8) == 0)))
    return beats


def random_traffic(
    rng: np.random.Generator, layout: AxiLayout, whole: bool, frames: Sequence[Frame], share: float
) -> list[Beat]:
    """The beats of ``frames``, about ``share`` of them damaged once or more, with a ``tlast`` at the very end."""
    traffic: list[Beat] = []
    for frame in frames:
        beats = layout.beats(frame)
        while beats and rng.random() < share:
            beats = damaged(rng, layout, beats, str(rng.choice(DAMAGES)), int(rng.integers(len(beats))))
        traffic += beats
    if not traffic or not traffic[-1].last:
        traffic.append(Beat(0, 0, True))
    return traffic
