"""Arrays of a small data set, as users bring them."""

from __future__ import annotations

import numpy as np


def arrays(**changes: object) -> dict[str, np.ndarray]:
    """What ``from_arrays`` takes, with some of it changed; None leaves a key out."""
    rng = np.random.default_rng(0)
    base = {
        "x_train": rng.integers(0, 256, (6, 3, 4, 5), dtype=np.uint8),
        "y_train": np.array([0, 1, 2, 0, 1, 2]),
        "x_test": rng.integers(0, 256, (3, 3, 4, 5), dtype=np.uint8),
        "y_test": np.array([0, 1, 2]),
    }
    return {key: np.asarray(value) for key, value in (base | changes).items() if value is not None}
