"""What the comparison of fronts rests on, apart from the explorations themselves."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks import fronts
from benchmarks.fronts import Cost
from benchmarks.fronts.picture import picture
from benchmarks.inputs import n_mnist
from models.data.folder import VARIABLE
from models.data.n_mnist import FOLDER

FAST = [Cost(1000, 0.9, 0.5), Cost(2000, 0.95, 0.25)]
SLOW = [Cost(2000, 0.9, 0.5), Cost(4000, 0.95, 0.25)]


def test_what_is_an_octave_slower_covers_less() -> None:
    shares = fronts.hypervolumes({"fast": FAST, "slow": SLOW, "both": FAST + SLOW, "none": []})
    assert shares["both"] == shares["fast"] > shares["slow"]
    assert shares["none"] == (0, 0)
    # octaves 0 to 2 with a reference at 2.2, points 0 to 5 with one at 5.5: (1.2 * 5.5 + 1 * 0.5) / (2.2 * 5.5)
    assert shares["fast"][0] == pytest.approx((1.2 * 5.5 + 1 * 0.5) / (2.2 * 5.5), rel=1e-12)


def test_a_fifth_of_the_training_recordings_is_held_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part, count in (("Train", 11), ("Test", 2)):
        for digit in "03":
            (tmp_path / FOLDER / part / digit).mkdir(parents=True)
            for number in range(count):
                (tmp_path / FOLDER / part / digit / f"{number:05}.bin").write_text(f"{part} {digit} {number}")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(n_mnist, "PLACE", tmp_path / "runs" / "n_mnist_split")
    assert n_mnist.split() == n_mnist.split() == f"n_mnist:{tmp_path / 'runs' / 'n_mnist_split'}"
    found = [path.relative_to(tmp_path / "runs" / "n_mnist_split") for path in tmp_path.glob("runs/*/*/*/*.bin")]
    assert Counter(path.parts[:2] for path in found) == {
        ("Train", "0"): 8, ("Test", "0"): 5, ("Train", "3"): 8, ("Test", "3"): 5
    }  # fmt: skip
    texts = [path.read_text() for path in tmp_path.glob("runs/*/*/*/*.bin")]
    assert len(set(texts)) == len(texts) == 26, "each recording once, the test split whole"


def test_picture_shows_every_way() -> None:
    ways = {"fast": [(own.cycles, own.accuracy) for own in FAST], "slow": [(own.cycles, own.accuracy) for own in SLOW]}
    drawn = picture("title", ways, {"fast": (0.5, 0.4), "slow": (0.1, 0.2)})
    left, right = drawn.axes
    assert [label.get_text() for label in right.get_yticklabels()] == ["fast", "slow"]
    steps = [np.asarray(line.get_xdata()).tolist() for line in left.get_lines()]
    assert steps == [[2000, 4000, 4000], [1000, 2000, 4000]]
