"""Two inputs in turn, by hand: a token of the first, then one of the second; both ends in one cycle."""

from __future__ import annotations

from cosim.cycle import turns
from cosim.cycle.op_state import TurnRecord
from tests.cosim.cycle.hand_made import Layout
from tests.support.interpreted import interpreted

begin_turns, run_turns = interpreted(turns.begin_turns), interpreted(turns.run_turns)


def test_a_beat_a_cycle_from_one_input_or_the_other() -> None:
    # tokens of one beat and of two: of each of the two tokens three beats come out
    own = Layout(2, 0)
    (a, first), (b, second), (out, _) = own.stream(), own.stream(per_token=2), own.stream(per_token=3)
    op = own.process(TurnRecord, first, second=second.at, out=out.at, depth=8, pipeline=3, words=1, token_words=3)
    second.consumer = op.at
    begin_turns(own.m, own.w, op, 0)
    own.offer(a, 0, 1, 2, 3)
    own.offer(b, 0, 1, 6, 7, 8, 9)
    run_turns(own.m, own.w, op.at)
    # the second token's first beat is taken at 3, but its others come late
    assert own.moves(a) == [0, 3, 8, 9]
    assert own.moves(b) == [1, 2, 6, 7, 8, 9]
    assert own.offers(out) == [3, 4, 5, 6, 9, 10, 11, 12]
    assert (op.busy, op.blocked, op.frame) == (8, 0, 2)


def test_an_input_that_shows_nothing_yet_holds_up_its_own_turn_alone() -> None:
    own = Layout(1)
    (a, first), (b, second), (out, _) = own.stream(), own.stream(), own.stream(per_token=2)
    op = own.process(TurnRecord, first, second=second.at, out=out.at, depth=1, pipeline=3, words=1, token_words=2)
    second.consumer = op.at
    begin_turns(own.m, own.w, op, 0)
    own.offer(b, 0)
    run_turns(own.m, own.w, op.at)
    assert own.offers(out) == []
    own.offer(a, 4)
    run_turns(own.m, own.w, op.at)
    # one place in the output queue
    assert (own.moves(a), own.moves(b)) == ([4], [])
    own.move(out, 7)
    run_turns(own.m, own.w, op.at)
    assert (own.moves(b), op.blocked) == ([9], 4)
