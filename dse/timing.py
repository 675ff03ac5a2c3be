"""Latency figures of a candidate: when an op starts and finishes, computed from its mapping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from hw.ops.global_pool import GlobalPoolOp
from hw.ops.linear import LinearOp
from hw.ops.op import Op
from hw.ops.window_op import WindowOp
from models.ir.activity import Activity, Stage
from models.ir.graph import GlobalPool, Linear, Node

SHARES = 1000
"""Largest denominator of a fraction of the input duration."""


class Times(NamedTuple):
    """Latency figures of an op in cycles, as defined for ``problem.Candidate``.

    Parameters
        fill  pipeline fill
        head  time to first output
        span  output duration
        tail  drain time
        rest  time from the input at the knee to the last output
    """

    fill: int
    head: int
    span: int
    tail: int
    rest: int


def lead(node: Node, activity: Activity) -> Fraction:
    """The fraction of the input duration before the first output has all the input it needs.

    Parameters
        node      node of the graph
        activity  activity of the node
    Returns       0 to 1, with a denominator of at most ``SHARES``
    """
    if isinstance(node, GlobalPool | Linear):
        return Fraction(1)
    return _share(activity.waits.start) if activity.waits else Fraction(0)


def knee(node: Node, activity: Activity) -> Fraction:
    """The fraction of the input duration after which the op has most work left, beside the input still to come.

    Parameters
        node      node of the graph
        activity  activity of the node
    Returns       0 to 1, with a denominator of at most ``SHARES``
    """
    return _share(activity.waits.knee) if activity.waits else Fraction(0)


def _share(stage: Stage) -> Fraction:
    return Fraction(stage.share).limit_denominator(SHARES)


def times(op: Op, activity: Activity) -> Times:
    """Latency figures of an op for one frame; the op is idle before.

    Parameters
        op        the op with its mapping
        activity  activity of the op's node in the frame
    """
    timing = op.timing()
    arriving = round(activity.tokens_in * op.in_layout.beats_per_token)
    beats_out = op.out_layout.beats_per_token
    if isinstance(op, WindowOp):
        return _window(op, activity)
    if isinstance(op, LinearOp | GlobalPoolOp):
        # the results leave when the ``end`` beat arrives, which follows the last token
        token = op.rounds.cycles(1) if isinstance(op, LinearOp) else 1
        work = max(arriving, round(activity.tokens_in * token)) if isinstance(op, LinearOp) else arriving
        fill = timing.start + token + timing.pipeline
        return Times(fill, timing.start + work + timing.pipeline, beats_out - 1, fill + beats_out - 1, 0)
    return Times(timing.pipeline, timing.pipeline, max(0, arriving - 1), timing.pipeline, 0)


def _window(op: WindowOp, activity: Activity) -> Times:
    """Latency figures of a window op.

    The op is late by the work that is left at a moment of the frame, minus the time that the rest of the input takes.
    ``span`` assumes an input of one beat per cycle; ``rest`` assumes that the input up to the knee has arrived;
    ``tail`` assumes that the last row of the input arrives as fast as the op itself works.
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
    # a fraction of the input duration, rounded up, already includes the cycle of the arrival itself
    counted = [int(stage.tokens < activity.tokens_in) for stage in (waits.start, waits.knee)]
    rest = max(0, math.ceil(left[1]) - counted[1])
    return Times(fill - counted[0], head, max(0, math.ceil(span)), max(0, math.ceil(tail)), rest)


def _sum(sites: Sequence[float], cycles: Sequence[int]) -> float:
    return sum(count * each for count, each in zip(sites, cycles, strict=True))
