"""``digits_dvs``: scikit-learn's digits as an event camera sees them, for those without a camera or a download.

Each 8 x 8 digit is drawn on a 32 x 32 sensor and looked at in three saccades, as N-MNIST's were; the
counts of the first are the image. The split is that of ``digits``.
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from models.data.cache import kept
from models.data.counts import Counts
from models.data.dataset import Augment, Dataset
from models.data.digits import parts
from models.data.held_out import held_out
from models.events.camera import Camera
from models.events.saccade import Saccades, recordings

SENSOR = 32
DRAWN = 20
CONTRAST = 3.0
SEED = 0


def drawn(images: np.ndarray) -> np.ndarray:
    """float64 ``[n, 32, 32]``, 0 to 1: digits [n, 8, 8] of 0 to 1 drawn 20 pixels high, bilinearly, with firm edges."""
    side = images.shape[-1]
    at = np.clip((np.arange(DRAWN) + 0.5) * side / DRAWN - 0.5, 0, side - 1)
    weight = np.maximum(1 - np.abs(at[:, None] - np.arange(side)), 0)
    large = weight @ images.astype(np.float64) @ weight.T
    firm = np.clip((large - 0.5) * CONTRAST + 0.5, 0, 1)
    margin = (SENSOR - DRAWN) // 2
    return np.pad(firm, [(0, 0), (margin, margin), (margin, margin)])


def digits_dvs(counts: Counts = Counts()) -> Dataset:
    """The data set; made in seconds at first use, then read from the user's cache folder."""
    source = parts()
    camera, saccades = Camera(), Saccades()

    def make() -> dict[str, np.ndarray]:
        # the training images and the test images see different noise
        seeds = {"train": SEED, "test": SEED + len(source["train"][1])}
        return {
            split: np.stack([counts.image(own) for own in recordings(drawn(x[:, 0]), camera, saccades, seeds[split])])
            for split, (x, _) in source.items()
        }

    made_from = {
        "version": 2,
        "drawn": [SENSOR, DRAWN, CONTRAST, SEED],
        "camera": asdict(camera),
        "saccades": asdict(saccades),
        "counts": counts.describe(),
    }
    images = kept("digits_dvs", made_from, make)
    return Dataset(
        "digits_dvs",
        *held_out(counts.floats(images["train"]), source["train"][1]),
        counts.floats(images["test"]),
        source["test"][1],
        classes=10,
        input_dtype=counts.dtype,
        input_scale=counts.scale,
        augment=Augment(shift=2.0, rotate=8.0, nearest=True),
        sparse=True,
    )
