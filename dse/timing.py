"""When an op starts and finishes, from its mapping: the figures of a candidate that make up its latency."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from hw.op import Op
from hw.ops.global_pool import GlobalPoolOp
from hw.ops.linear import LinearOp
from hw.window_op import WindowOp
from models.ir.activity import Activity, Stage
from models.ir.graph import GlobalPool, Linear, Node

SHARES = 1000
"""The largest denominator of a share of an input's time."""


class Times(NamedTuple):
    """In cycles, as ``problem.Candidate`` explains them."""

    fill: int
    head: int
    span: int
    tail: int
    rest: int


def lead(node: Node, activity: Activity) -> Fraction:
    """The share of its input's time that has passed when the first output has what it needs."""
    if isinstance(node, GlobalPool | Linear):
        return Fraction(1)
    return _share(activity.waits.start) if activity.waits else Fraction(0)


def knee(node: Node, activity: Activity) -> Fraction:
    """The share of its input's time that has passed when most is left to do beside what is still to come."""
    return _share(activity.waits.knee) if activity.waits else Fraction(0)


def _share(stage: Stage) -> Fraction:
    return Fraction(stage.share).limit_denominator(SHARES)


def times(op: Op, activity: Activity) -> Times:
    """Of one frame with the given activity, through an op that is idle before."""
    timing = op.timing()
    arriving = round(activity.tokens_in * op.in_layout.beats_per_token)
    beats_out = op.out_layout.beats_per_token
    if isinstance(op, WindowOp):
        return _window(op, activity)
    if isinstance(op, LinearOp | GlobalPoolOp):
        # the beat after the last token is the frame's end, upon which the results leave
        token = op.rounds.cycles(1) if isinstance(op, LinearOp) else 1
        work = max(arriving, round(activity.tokens_in * token)) if isinstance(op, LinearOp) else arriving
        fill = timing.start + token + timing.pipeline
        return Times(fill, timing.start + work + timing.pipeline, beats_out - 1, fill + beats_out - 1, 0)
    return Times(timing.pipeline, timing.pipeline, max(0, arriving - 1), timing.pipeline, 0)


def _window(op: WindowOp, activity: Activity) -> Times:
    """The op is late by what is left to do at a stage of the frame, less what its input takes to come from there on.

    ``span`` is for an input that comes a beat a cycle, ``rest`` for one that has come up to the knee, and
    ``tail`` for one whose last line comes as fast as the op itself works, as that of an op of the same pace does.
    """
    waits, rounds, timing = activity.waits, op.rounds, op.timing()
    assert waits is not None
    cycles = [rounds.cycles(1 if op.pointwise else taps) for taps in range(len(activity.taps))]
    steps = [rounds.steps(1 if op.pointwise else taps) for taps in range(len(activity.taps))]
    beats = op.in_layout.beats_per_token
    fill = timing.start + max(1, round(_sum(waits.first, steps))) - 1 + timing.pipeline
    if not activity.tokens_out:
        return Times(fill, fill, 0, 0, 0)
    leaving = timing.start + timing.pipeline + rounds.beats - 2
    left = [_sum(stage.left, cycles) + stage.ended + leaving for stage in waits.stages]
    head = max(0, round(waits.start.tokens * beats) - 1) + fill
    span = max(stage.tokens * beats - 1 + own for stage, own in zip(waits.stages, left, strict=True)) - head
    work = _sum(waits.start.left, cycles)
    coming = [max(own.coming * work, (activity.tokens_in - own.tokens) * beats) for own in (waits.line, waits.end)]
    tail = max(own - meanwhile for own, meanwhile in zip(left[2:], coming, strict=True))
    # a share of the input's time that is rounded up counts the arrival's own cycle
    counted = [int(stage.tokens < activity.tokens_in) for stage in (waits.start, waits.knee)]
    rest = max(0, math.ceil(left[1]) - counted[1])
    return Times(fill - counted[0], head, max(0, math.ceil(span)), max(0, math.ceil(tail)), rest)


def _sum(sites: Sequence[float], cycles: Sequence[int]) -> float:
    return sum(count * each for count, each in zip(sites, cycles, strict=True))
