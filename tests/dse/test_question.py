"""Questions: which selections answer them with yes."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dse.question import BoundQuestion


@pytest.mark.parametrize(("below", "answers"), [(False, [True, True, False]), (True, [True, False, False])])
def test_a_selection_of_exactly_the_value_answers_unless_less_is_asked(below: bool, answers: list[bool]) -> None:
    value, little = Fraction(7, 3), Fraction(1, 10**30)
    question = BoundQuestion(value, below, value, None, None, 0, None)
    assert [question.answered_by(own) for own in (value - little, value, value + little)] == answers
