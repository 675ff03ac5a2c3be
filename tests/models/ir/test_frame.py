"""Frames: what they refuse, how they become dense and back, and when two are equal."""

from __future__ import annotations

import numpy as np
import pytest

from models.ir.frame import Frame
from models.ir.node import Shape
from tests.models.ir.builders import INT8, random_frame


@pytest.mark.parametrize(
    "sites, features, message",
    [
        ([[0, 0], [0, 0]], [[1], [1]], "raster order"),
        ([[1, 0], [0, 1]], [[1], [1]], "raster order"),
        ([[2, 0]], [[1]], "inside 2x2"),
        ([[0, -1]], [[1]], "inside 2x2"),
        ([[0, 0]], [[1], [2]], r"shape \[1, channels\]"),
        ([[0, 0, 0]], [[1]], r"shape \[n, 2\]"),
    ],
)
def test_frames_that_break_the_rules_are_refused(sites: list, features: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Frame(2, 2, np.array(sites), np.array(features))


def test_frames_round_trip_through_dense() -> None:
    frame = random_frame(np.random.default_rng(4), Shape(5, 6, 3), INT8, 0.4)
    assert Frame.from_dense(frame.to_dense(), frame.mask) == frame


def test_frames_are_equal_where_sites_and_features_are() -> None:
    frame, moved, other = (Frame(2, 2, np.array([[0, at]]), np.array([[own]])) for at, own in ((0, 5), (1, 5), (0, 6)))
    assert frame == Frame.from_dense(frame.to_dense(), np.array([[True, False], [False, False]]))
    assert frame != moved
    assert frame != other
    assert frame != Frame(2, 3, frame.sites, frame.features)
    assert frame != "frame"
