"""Sites in work, by hand: the steps of each round, the room that it waits for, ends, and tokens one after the other."""

from __future__ import annotations

from typing import Any

import pytest

from cosim.cycle import input_side, op_state, sites
from cosim.cycle.active_sites import END
from cosim.cycle.input_side import TokenRecord
from cosim.cycle.streams import StreamRecord
from tests.cosim.cycle.hand_made import Layout
from tests.support.interpreted import interpreted

work, run_tokens = interpreted(sites.work), interpreted(sites.run_tokens)
begin_site, begin_slots = interpreted(op_state.begin_site), interpreted(input_side.begin_slots)


def op_of(own: Layout, depth: int, **fields: int) -> tuple[Any, StreamRecord]:
    """An op of two rounds of one beat, in which no site was done yet, and the stream behind it."""
    stream, reader = own.stream()
    out, _ = own.stream()
    start = {"done": -1, "headed": -1, "left": -1, "last_step": -4, "last_end": -4}
    shape = {"neuron_folds": 2, "synapse_folds": 1, "beats": 1, "end_beats": 1, "pipeline": 4, "release": 2}
    op = own.process(TokenRecord, reader, out=out.at, depth=depth, **{**start, **shape, **fields})
    assert stream.offered == 0
    return op, out


@pytest.mark.parametrize(
    ("fields", "taps", "offers", "done", "busy"),
    [
        # rounds of three steps, 10 to 12 and 13 to 15; their beats leave the pipeline in four and five cycles
        ({"synapse_folds": 3, "beats": 2}, 1, [16, 17, 19, 20], 15, 6),
        # a round of one step and three beats: the step waits until those of the round before are out
        ({"beats": 3}, 1, [16, 17, 18, 19, 20, 21], 15, 2),
        # kernel positions one by one: five steps a round; without an active tap it is one
        ({"walks": 1}, 5, [18, 23], 19, 10),
        ({"walks": 1}, 0, [14, 15], 11, 2),
        # all taps in one step
        ({}, 5, [14, 15], 11, 2),
        # beats at the end of the frame alone
        ({"synapse_folds": 3, "whole_frame": 1}, 1, [], 15, 6),
    ],
)
def test_a_site_takes_its_rounds(fields: dict[str, int], taps: int, offers: list[int], done: int, busy: int) -> None:
    own = Layout(9)
    op, out = op_of(own, 16, **fields)
    begin_site(op, 9, taps)
    assert work(own.m, own.w, op)
    assert (own.offers(out), op.done, op.busy) == (offers, done, busy)
    # the cycles from 10 to the last step
    assert op.busy + op.blocked == done - 9


def test_a_round_waits_for_room_for_all_its_beats() -> None:
    own = Layout(9)
    op, out = op_of(own, 3, synapse_folds=3, beats=2)
    begin_site(op, 9, 1)
    assert not work(own.m, own.w, op)
    assert (own.offers(out), op.fold) == ([16, 17], 1)
    # beats 2 and 3 need the place of beat 0, which is free in cycle 32
    own.move(out, 30)
    assert work(own.m, own.w, op)
    assert (own.offers(out), op.done) == ([16, 17, 38, 39], 34)
    assert (op.busy, op.blocked) == (6, 19)


def test_an_end_follows_the_beats_of_the_last_round() -> None:
    own = Layout(9)
    op, out = op_of(own, 8, beats=3, neuron_folds=1)
    begin_site(op, 9, 1)
    work(own.m, own.w, op)
    begin_site(op, op.done, END)
    assert work(own.m, own.w, op)
    # the last step is issued in 12, its three beats are out in 16 to 18
    assert own.offers(out) == [16, 17, 18, 19]
    assert (op.done, op.last_end) == (15, 15)


def test_ends_that_bring_all_beats_keep_their_distance() -> None:
    own = Layout(9)
    op, out = op_of(own, 16, whole_frame=1, end_beats=3, end_interval=5)
    for head_at in (9, 11):
        begin_site(op, head_at, END)
        assert work(own.m, own.w, op)
    assert own.offers(out) == [14, 15, 16, 19, 20, 21]
    assert op.done == 15


def test_tokens_are_done_one_after_the_other_and_free_their_slots() -> None:
    own = Layout(2)
    op, out = op_of(own, 16, token_words=1, slots=2)
    op.slot, _ = own.m.rings(2, 2)
    begin_slots(own.m, own.w, op)
    stream = StreamRecord(own.m, own.m[op.reader + 1])
    own.offer(stream, 0, 1, 2)
    run_tokens(own.m, own.w, op.at)
    # steps in 3, 4 and 5, 6; the end gets the first token's slot in 4 + 2, and its step is issued three cycles later
    assert own.moves(stream) == [0, 1, 6]
    assert own.offers(out) == [7, 8, 9, 10, 13]
    assert (op.busy, op.site, op.site_frame) == (5, 3, 1)
