"""When an op starts and finishes, from its mapping: the figures of a candidate that make up its latency."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from hw.op import Op
from hw.ops.global_pool import GlobalPoolOp
from hw.ops.linear import LinearOp
from hw.window_op import WindowOp
from models.ir.activity import Activity
from models.ir.graph import GlobalPool, Linear, Node, Shape, Window


class Times(NamedTuple):
    """In cycles, as ``problem.Candidate`` explains them."""

    fill: int
    head: int
    span: int
    tail: int


def lead(node: Node, shape: Shape, activity: Activity) -> Fraction:
    """The share of an input of ``shape`` that has come when the first output has what it needs.

    Active sites lie evenly over the frame; where some are missing, the next token beyond shows that none is to come.
    """
    if isinstance(node, GlobalPool | Linear):
        return Fraction(1)
    if isinstance(node, Window):
        sites = shape.height * shape.width
        tokens = Fraction(activity.tokens_in).limit_denominator(1000)
        if tokens <= 1:
            return Fraction(1)
        density = tokens / sites
        ahead = _windows(node.kernel, node.stride, node.padding, shape[:2]).needed
        return min(Fraction(1), (1 + ahead * density + (1 - density)) / tokens)
    return Fraction(0)


def times(op: Op, activity: Activity) -> Times:
    """Of one frame with the given activity, through an op that is idle before."""
    timing = op.timing()
    arriving = round(activity.tokens_in * op.in_layout.beats_per_token)
    beats_out = op.out_layout.beats_per_token
    if isinstance(op, WindowOp):
        return _window(op, activity, arriving)
    if isinstance(op, LinearOp | GlobalPoolOp):
        # the beat after the last token is the frame's end, upon which the results leave
        token = op.rounds.cycles(1) if isinstance(op, LinearOp) else 1
        work = max(arriving, round(activity.tokens_in * token)) if isinstance(op, LinearOp) else arriving
        fill = timing.start + token + timing.pipeline
        return Times(fill, timing.start + work + timing.pipeline, beats_out - 1, fill + beats_out - 1)
    return Times(timing.pipeline, timing.pipeline, max(0, arriving - 1), timing.pipeline)


def _window(op: WindowOp, activity: Activity, arriving: int) -> Times:
    node, shape, rounds, timing = op.node, op.inputs[0].shape, op.rounds, op.timing()
    windows = _windows(node.kernel, node.stride, node.padding, shape[:2])
    waits, places = lead(node, shape, activity), shape.height * shape.width
    if op.inputs[0].sparse:
        work = sum(count * rounds.cycles(active) for active, count in enumerate(activity.taps))
        site = work / activity.tokens_out if activity.tokens_out else 0
        first = max(1, round(site / rounds.groups))
        # its own site, and of those that wait for the last place the active ones
        waiting = windows.waiting.total() - 1
        left = site * min(activity.tokens_out, 1 + waiting * activity.tokens_out / windows.taps.total())
    else:
        share = activity.tokens_out / windows.taps.total()
        work = share * sum(rounds.cycles(taps) * sites for taps, sites in windows.taps.items())
        first = rounds.steps(windows.first)
        left = share * sum(rounds.cycles(taps) * sites for taps, sites in windows.waiting.items())
    fill = timing.start + first - 1 + timing.pipeline
    # a site whose last place is not active waits for the frame's end
    ended = not op.pointwise and activity.tokens_in < places
    tail = timing.start + math.ceil(left) + timing.pipeline + rounds.beats - 2 + ended if left else 0
    span = max(math.ceil(work) - first + rounds.beats - 1, math.ceil((1 - waits) * arriving), 0)
    return Times(fill, math.ceil(waits * arriving) - 1 + fill, span, tail)


class _Windows(NamedTuple):
    """The windows of a frame. ``first``: taps of the first that lie inside the input. ``needed``: the last input site
    it waits for. ``taps``: sites by how many lie inside; ``waiting``: those that wait for the frame's last site."""

    first: int
    needed: int
    taps: Counter[int]
    waiting: Counter[int]


@cache
def _windows(kernel: int, stride: int, padding: int, sides: tuple[int, int]) -> _Windows:
    places = sides[0] * sides[1]
    needed, taps = _needed(kernel, stride, padding, sides), _taps(kernel, stride, padding, sides)
    waiting = Counter(count for needs, count in zip(needed, taps, strict=True) if needs == places - 1)
    return _Windows(taps[0], needed[0], Counter(taps), waiting)


def _needed(kernel: int, stride: int, padding: int, sides: tuple[int, int]) -> tuple[int, ...]:
    """The last input site, in raster order, that each output site waits for; sites leave in order."""
    height, width = sides
    reach = kernel - 1 - padding
    rows = [min(stride * y + reach, height - 1) for y in range((height + 2 * padding - kernel) // stride + 1)]
    columns = [min(stride * x + reach, width - 1) for x in range((width + 2 * padding - kernel) // stride + 1)]
    return tuple(accumulate((y * width + x for y in rows for x in columns), max))


def _taps(kernel: int, stride: int, padding: int, sides: tuple[int, int]) -> tuple[int, ...]:
    """How many taps of each output site lie inside the input."""

    def inside(side: int) -> list[int]:
        starts = range(-padding, side + padding - kernel + 1, stride)
        return [sum(0 <= start + tap < side for tap in range(kernel)) for start in starts]

    return tuple(y * x for y in inside(sides[0]) for x in inside(sides[1]))
