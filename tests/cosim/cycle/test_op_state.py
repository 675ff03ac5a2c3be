"""What ops share, by hand: room in the output queue, and the cycles that a site counts."""

from __future__ import annotations

from cosim.cycle import op_state
from cosim.cycle.active_sites import END
from cosim.cycle.op_state import SiteRecord
from cosim.cycle.records import UNKNOWN
from tests.cosim.cycle.hand_made import Layout
from tests.support.interpreted import interpreted

room = interpreted(op_state.room)
begin_site, end_site = interpreted(op_state.begin_site), interpreted(op_state.end_site)


def test_there_is_room_two_cycles_after_the_beat_before_left() -> None:
    own = Layout(9)
    stream, _ = own.stream()
    own.offer(stream, 0, 1, 2, 3)
    # three beats fit into a queue of depth 3 whatever moves
    assert [room(own.m, stream, 3, n, 1) for n in range(4)] == [0, 0, 0, UNKNOWN]
    assert room(own.m, stream, 3, 1, 2) == 0
    own.move(stream, 5, 9)
    # beat 3 needs the place of beat 0, beats 3 and 4 that of beat 1
    assert room(own.m, stream, 3, 3, 1) == 7
    assert room(own.m, stream, 3, 3, 2) == 11
    assert room(own.m, stream, 3, 4, 2) == UNKNOWN


def test_a_site_is_busy_in_its_steps_and_blocked_in_all_other_cycles_of_its_own() -> None:
    op = Layout(1).process(SiteRecord, busy=100, blocked=50, postponed=7, fold=3)
    begin_site(op, 9, 4)
    assert (op.in_work, op.start, op.free, op.fold, op.taps, op.postponed) == (1, 9, 10, 0, 4, 0)
    # steps in cycles 10, 11 and 14: of the five cycles from 10 on it is busy in three
    assert end_site(op, 14, 11, 3)
    assert (op.in_work, op.done, op.busy, op.blocked) == (0, 14, 103, 52)
    # the last step went into the register when the one before it was issued
    assert op.left_head_at == 11
    begin_site(op, 14, END)
    end_site(op, 15, -1, 1)
    # a single step: when the site came to the head
    assert (op.left_head_at, op.busy, op.blocked) == (14, 104, 52)
