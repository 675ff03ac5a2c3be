"""When an op can start, and when most of its work is left, as fractions of the duration of its input."""

from __future__ import annotations

from fractions import Fraction

from models.ir.activity import Activity, Stage
from models.ir.node import Node

SHARES = 1000
"""Largest denominator of a fraction of the input duration."""


def input_fraction(node: Node, activity: Activity) -> Fraction:
    """The fraction of the input duration before the first output has all the input it needs.

    Parameters
        node      node of the graph
        activity  activity of the node
    Returns       0 to 1, with a denominator of at most ``SHARES``
    """
    if node.takes_frame:
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
