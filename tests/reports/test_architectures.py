"""The picture of an architecture search: every network that can be built at its cycles and accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np

from reports.architectures import picture


def network(cycles: int | None, correct: int, front: bool = False, **other: str) -> dict[str, Any]:
    names = {"model": "backbone:w8", "data": "digits", "format": "int8", **other}
    return {"cycles": cycles, "correct": correct, "total": 200, "front": front, **names}


SEARCH = {
    "device": "zu3eg",
    "space": 96,
    "networks": [
        network(4000, 190, front=True, data="digits@14"),
        network(1000, 150, front=True, format="int4"),
        network(4000, 120),
        network(None, 199),
    ],
}


def test_networks_are_beaten_or_on_the_front() -> None:
    """One that does not fit the device has no cycles and no place; it counts as evaluated all the same."""
    (axes,) = picture(SEARCH).axes
    dots = {str(own.get_label()): np.asarray(own.get_offsets()).tolist() for own in axes.collections}
    assert dots == {"beaten": [[4000, 60]], "the front": [[1000, 75], [4000, 95]]}
    assert axes.get_title(loc="left") == "zu3eg: 4 of 96 networks evaluated"


def test_networks_of_the_front_are_named_and_joined_fastest_first() -> None:
    """A name says the model without its family, the size of images that were made smaller, and the format."""
    (axes,) = picture(SEARCH).axes
    assert [text.get_text() for text in axes.texts] == ["w8 int4", "w8@14 int8"]
    (steps,) = axes.lines
    assert np.asarray(steps.get_data()).T.tolist() == [[1000, 75], [4000, 95]]
