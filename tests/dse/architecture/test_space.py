"""The decisions of a space, its networks, and their features for a predictor."""

from __future__ import annotations

import numpy as np
import pytest

from dse.architecture.space import Space, SpaceError
from tests.dse.architecture.backbones import SMALL


def test_a_space_is_its_decisions() -> None:
    assert (SMALL.size, SMALL.sizes) == (12, (3, 2, 2))
    assert len(set(SMALL)) == 12
    assert SMALL.values((2, 0, 1)) == {"width": 4, "kernel": 3, "format": "int8"}
    mixed = Space({"a": (1, 2, 8), "b": (-1, 0), "c": ("x", "y", "z")})
    expected = [[0, -1, 0, 0], [3, 0, 0, 1], [1, 0, 1, 0]]
    assert np.array_equal(mixed.features([(0, 0, 0), (2, 1, 2), (1, 1, 1)]), expected)


@pytest.mark.parametrize(
    ("decisions", "why"),
    [
        ({}, "at least one decision"),
        ({"width": ()}, "decision 'width' has no options"),
        ({"width": (1, 2, 1)}, "decision 'width': option 1 stands there more than once"),
    ],
)
def test_a_space_without_sense_is_refused(decisions: dict, why: str) -> None:
    with pytest.raises(SpaceError, match=why):
        Space(decisions)
