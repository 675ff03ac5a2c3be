"""How the axes of a user's array are read: as images ``[n, C, H, W]``, or as ``[n, features]``."""

from __future__ import annotations

import numpy as np

from models.data.dataset import DatasetError

MAX_CHANNELS = 4
"""A last axis of at most this length, after two of at least ``MIN_SIDE``, is taken for an axis of channels."""
MIN_SIDE = 8


def images_of(name: str, key: str, x: np.ndarray, sequence: bool = False) -> tuple[np.ndarray, bool, tuple[str, ...]]:
    """``x`` as ``[n, C, H, W]``, whether networks take it as ``[n, features]``, and notes on how it was read.

    Features are the channels of one site. So is the last axis of ``[n, 1, 1, features]`` and ``[n, 1, features]``.
    A ``sequence`` is ``[n, C, L]``, or ``[n, L]`` for one channel: images of one row.
    """
    where = f"data set {name!r}, {key}"
    if sequence:
        if x.ndim not in (2, 3) or x.dtype.kind not in "iuf" or not x.size:
            raise DatasetError(f"{where}: {x.dtype} {x.shape} must be numbers [n, C, L] or [n, L], n >= 1")
        _refuse_not_finite(where, x)
        return (x[:, None, None] if x.ndim == 2 else x[:, :, None]), False, ()
    if x.ndim not in (2, 3, 4) or x.dtype.kind not in "iuf" or not x.size:
        raise DatasetError(
            f"{where}: {x.dtype} {x.shape} must be numbers [n, C, H, W], [n, H, W] or [n, features], n >= 1"
        )
    _refuse_not_finite(where, x)
    if x.ndim == 2:
        return x[:, :, None, None], True, ()
    if x.shape[1:-1] == (1,) * (x.ndim - 2) and x.shape[-1] > 1:
        features = x.shape[-1]
        read = f"{key}: shape {x.shape} is read as {features} features of one site, as {(len(x), features)} would be"
        note = f"{read}; for images of {features} sites in a row give {key}.reshape(-1, 1, {features}, 1)"
        return x.reshape(len(x), features, 1, 1), True, (note,)
    if x.ndim == 4 and x.shape[3] <= MAX_CHANNELS and min(x.shape[1:3]) >= MIN_SIDE:
        meant = f"for {x.shape[1]} channels of {x.shape[2]} x {x.shape[3]} sites return a Dataset from a function"
        raise DatasetError(
            f"{where}: shape {x.shape} looks like channels last; give {key}.transpose(0, 3, 1, 2), or {meant}"
        )
    return (x[:, None] if x.ndim == 3 else x), False, ()


def _refuse_not_finite(where: str, x: np.ndarray) -> None:
    # what float32 does not hold would become infinite on its way into a network
    limit = np.finfo(np.float32).max
    wrong = ~(np.abs(x) <= limit) if x.dtype.kind == "f" else np.zeros(0, bool)
    if wrong.any():
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = f"{where}[{', '.join(map(str, first))}]"
        count = f"; {np.count_nonzero(wrong)} of its {x.size} values are not" if np.count_nonzero(wrong) > 1 else ""
        raise DatasetError(f"{place}: {x[first]:.6g} must be a finite number of at most {limit:.2e}{count}")
