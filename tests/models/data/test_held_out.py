"""Which images of a training split are held out."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.data.held_out import held_out


@given(st.lists(st.integers(0, 3), min_size=2, max_size=60))
def test_every_fifth_image_of_a_class_is_held_out(labels: list[int]) -> None:
    y = np.array(labels)
    train_x, train_y, x, other = held_out(np.arange(len(y)), y)
    assert sorted([*train_x, *x]) == list(range(len(y)))
    assert (y[train_x].tolist(), y[x].tolist()) == (train_y.tolist(), other.tolist())
    expected = [place for place, label in enumerate(labels) if labels[: place + 1].count(label) % 5 == 0]
    if expected:
        assert x.tolist() == expected
    else:
        assert len(x) == 1
        assert labels.count(labels[x[0]]) == max(map(labels.count, labels))


def test_the_most_frequent_class_gives_one_image_where_no_class_has_five() -> None:
    train_x, train_y, x, y = held_out(np.array([10, 11, 12, 13, 14, 15]), np.array([2, 0, 7, 0, 7, 7]))
    assert (x.tolist(), y.tolist()) == ([15], [7])
    assert (train_x.tolist(), train_y.tolist()) == ([10, 11, 12, 13, 14], [2, 0, 7, 0, 7])
