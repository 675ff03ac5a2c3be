"""The latency figures of ops that answer at the end of a frame, against a timeline played beat by beat."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hw.ops.latency import at_frame_end


def timeline(start: int, token: int, tokens: int, pipeline: int, beats: int) -> tuple[int, int]:
    """The cycles of the first and of the last output beat, where a one-beat token comes in every cycle from 0."""
    free = 0
    for arrival in range(tokens):
        free = max(free, arrival + start) + token
    # the end comes a cycle after the last token, and its step follows those of the token
    first = max(free, tokens + start) + pipeline
    return first, first + beats - 1


@settings(max_examples=40)
@given(
    start=st.integers(0, 5),
    token=st.integers(1, 9),
    tokens=st.integers(1, 12),
    pipeline=st.integers(1, 20),
    beats=st.integers(1, 6),
)
def test_figures_are_those_of_the_timeline(start: int, token: int, tokens: int, pipeline: int, beats: int) -> None:
    figures = at_frame_end(start, token, tokens * token, pipeline, beats)
    first, last = timeline(start, token, tokens, pipeline, beats)
    assert (figures.first_output, figures.duration) == (first, last - first)
    # fill and drain are those of an op that is idle when the last token comes
    first, last = timeline(start, token, 1, pipeline, beats)
    assert (figures.fill, figures.drain, figures.rest) == (first, last, 0)
