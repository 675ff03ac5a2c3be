"""How much the search spends on a question, and when it turns to another: figures found on published networks."""

from __future__ import annotations

from fractions import Fraction

EFFORTS = ((1_000, 8, 30), (3_000, 8, 1_000), (30_000, 100, 3_000), (60_000, 2_000, 0), (None, None, 0))
"""Effort levels: labels kept after an op in a rowwise pass, splits per question, and node limit of HiGHS. None is no
limit; at 0 nodes HiGHS is not used. A question that stays open is asked again at the next level."""
PART_BEAM, LEAF_BEAM, PART_STALLED = 300, 20_000, 0.9
"""For parts of a split problem: labels kept in a rowwise pass, the same for parts of at most ``LEAF`` candidates,
and the fraction of the candidates above which a step has stalled."""
SOLVER_CANDIDATES, CORE_CANDIDATES = 4_000, 1_000
"""HiGHS gets up to ``SOLVER_CANDIDATES`` candidates that can matter; of more, the ``CORE_CANDIDATES`` ones whose
selections cost least."""
ANNEALED_PER_OP, ANNEALED_AT_MOST, MAX_FAILED_ANNEALINGS = 20, 2_000, 4
"""Annealing uses the candidates whose selections cost least: ``ANNEALED_PER_OP`` per op, at most ``ANNEALED_AT_MOST``
in all. It stops after ``MAX_FAILED_ANNEALINGS`` failures in a row."""
EFFORT = 20_000_000_000
"""Labels examined after which a search returns what it has."""
FIRST_STEP, WIDEST, SHORT_STEP, LONG_STEP = 0.002, 0.005, 0.004, 0.01
"""The first selection is searched for at a fraction above the lower bound: half the gap at first, but from
``FIRST_STEP`` to ``WIDEST``. The fraction doubles up to ``LONG_STEP`` after an easy question, and halves down to
``SHORT_STEP`` after a hard one. Values far above the bound leave too many candidates."""
QUICK, SLOW = 2_000_000, 400_000_000
"""A question is easy when a single step or fewer than ``QUICK`` labels refute it, and hard after more than ``SLOW``
labels."""
NEAR = Fraction(1, 2000)
"""Relative distance of bound and best value at which the last question is asked: whether any selection is better."""
BOUND_MARGIN = Fraction(1, 10**6)
"""The first question is about the relaxation's least value minus this fraction, as that value is rounded."""
NEARLY = Fraction(3, 20)
"""Relative distance up to which, where labels carry no times, the search asks at once whether the gap is reached."""
FAR = Fraction(1, 100)
"""Relative distance above which a selection is searched for after each narrowing step."""
CLOSE, UNTIMED_CLOSE = Fraction(1, 50), Fraction(1, 20)
"""Relative distance, for labels with and without times, up to which candidates that no selection better than the
best can contain are removed once for all later questions. It is done where several questions are left, as it
takes as long as the hardest of them."""
OPEN_QUESTIONS = 2
"""Questions that may stay open before the effort level rises."""
