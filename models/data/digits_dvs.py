"""``digits_dvs``: the digits of scikit-learn, recorded by a simulated event camera; it needs no download.

Each 8 x 8 digit is drawn on a 32 x 32 sensor and recorded in three saccades, as N-MNIST was. The image is the event
counts of the first saccade. The split is that of ``digits``.
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from models.data.cache import cached_arrays
from models.data.counts import Counts
from models.data.dataset import Augment, Dataset
from models.data.digits import digit_splits
from models.data.held_out import held_out
from models.events.camera import Camera
from models.events.saccade import Saccades, recordings

SENSOR = 32
DRAWN = 20
CONTRAST = 3.0
SEED = 0


def draw_digits(images: np.ndarray) -> np.ndarray:
    """Digits ``[n, 8, 8]`` of 0 to 1, scaled to 20 pixels with sharper edges, in images float64 ``[n, 32, 32]``."""
    side = images.shape[-1]
    at = np.clip((np.arange(DRAWN) + 0.5) * side / DRAWN - 0.5, 0, side - 1)
    weight = np.maximum(1 - np.abs(at[:, None] - np.arange(side)), 0)
    large = weight @ images.astype(np.float64) @ weight.T
    firm = np.clip((large - 0.5) * CONTRAST + 0.5, 0, 1)
    margin = (SENSOR - DRAWN) // 2
    return np.pad(firm, [(0, 0), (margin, margin), (margin, margin)])


def digits_dvs(counts: Counts = Counts()) -> Dataset:
    """The data set. It is made in seconds at first use and then read from the user's cache folder."""
    source = digit_splits()
    camera, saccades = Camera(), Saccades()

    def make() -> dict[str, np.ndarray]:
        # the training images and the test images see different noise
        seeds = {"train": SEED, "test": SEED + len(source["train"][1])}
        images = {}
        for split, (x, _) in source.items():
            events = recordings(draw_digits(x[:, 0]), camera, saccades, seeds[split])
            images[split] = np.stack([counts.image(recording) for recording in events])
        return images

    parameters = {
        "version": 2,
        "drawn": [SENSOR, DRAWN, CONTRAST, SEED],
        "camera": asdict(camera),
        "saccades": asdict(saccades),
        "counts": counts.describe(),
    }
    images = cached_arrays("digits_dvs", parameters, make)
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
