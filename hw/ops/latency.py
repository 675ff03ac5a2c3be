"""The latency figures of an op, as the integer program uses them."""

from __future__ import annotations

from typing import NamedTuple


class OpLatency(NamedTuple):
    """Latency figures of an op in cycles, for one frame before which the op is idle.

    Parameters
        fill            pipeline fill: from the input that completes the first output to that output
        first_output    time to first output, from the first input
        duration        output duration, if the input comes one beat per cycle
        drain           drain time: from the last input to the last output
        rest            time from the input at the knee to the last output; 0 where there is no knee
    """

    fill: int
    first_output: int
    duration: int
    drain: int
    rest: int


def at_frame_end(start: int, token: int, work: int, pipeline: int, beats: int) -> OpLatency:
    """The latency figures of an op whose results leave after the ``end`` beat, which follows the last token.

    Parameters
        start          cycles from an input beat to the first step on it
        token          cycles that the op works on a token
        work           cycles that the op works on all tokens of a frame
        pipeline       cycles from the ``end`` to the first beat at the output
        beats          beats of the output's one token
    """
    fill = start + token + pipeline
    return OpLatency(fill, start + work + pipeline, beats - 1, fill + beats - 1, 0)
