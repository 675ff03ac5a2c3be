"""N-MNIST with part of its training recordings held out for testing."""

from __future__ import annotations

import os
from pathlib import Path

from models.data.folder import VARIABLE
from models.data.n_mnist import FOLDER

PLACE = Path("runs") / "n_mnist_split"
HELD_OUT = 5
"""Every so-many-th of the training recordings of a digit is for testing."""


def split() -> str:
    """N-MNIST of the folder that NETWEAVE_DATA names, as links, some of its training recordings for testing."""
    folder, source = PLACE.resolve(), Path(os.environ[VARIABLE]) / FOLDER
    for digits in sorted(source.glob("*/*")):
        for place, path in enumerate(sorted(digits.glob("*.bin"))):
            kept = "Train" if digits.parent.name == "Train" and place % HELD_OUT else "Test"
            link = folder / kept / digits.name / f"{digits.parent.name.lower()}_{path.name}"
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(path.resolve())
    return f"n_mnist:{folder}"
