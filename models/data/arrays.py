"""``from_arrays``: a data set from bare arrays, its input format found from the pixels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.data.dataset import Dataset, DatasetError
from models.ir.dtype import IntType

KEYS = ("x_train", "y_train", "x_test", "y_test")
MAX_INPUT_BITS = 8
GRIDS = (1.0, 1 / 255, *(2.0**-bits for bits in range(1, MAX_INPUT_BITS + 1)))


def from_arrays(name: str, arrays: Mapping[str, np.ndarray]) -> Dataset:
    """A data set from ``x_train``, ``y_train``, ``x_test``, ``y_test`` and, optionally, ``input_scale`` and ``sparse``.

    Images are ``[n, C, H, W]``, or ``[n, H, W]`` for one channel. Integer images are multiplied by
    the scale, 1 unless given. Float images are multiples of it; where it is not given, of the
    coarsest of 1, 1/255 and 1/2 to 1/256 that divides every pixel, and if none does they are
    rounded to 8 bits of their largest magnitude. ``sparse``: 1 where only the sites that are not
    zero in every channel are to be active; 0, as without it, where all are.
    """
    for key in KEYS:
        if key not in arrays:
            raise DatasetError(f"data set {name!r} has no {key!r}; it has {', '.join(arrays) or 'nothing'}")
    x_train, y_train, x_test, y_test = (np.asarray(arrays[key]) for key in KEYS)
    for key, x in (("x_train", x_train), ("x_test", x_test)):
        if x.ndim not in (3, 4) or x.dtype.kind not in "iuf" or not x.size:
            raise DatasetError(
                f"data set {name!r}, {key}: {x.dtype} {x.shape} must be numbers [n, C, H, W] or [n, H, W], n >= 1"
            )
        if not np.isfinite(x).all():
            raise DatasetError(f"data set {name!r}, {key}: holds values that are not finite")
    for key, y in (("y_train", y_train), ("y_test", y_test)):
        if y.ndim != 1 or y.dtype.kind not in "iu" or not y.size:
            raise DatasetError(f"data set {name!r}, {key}: {y.dtype} {y.shape} must be integers [n], n >= 1")
    floats = x_train.dtype.kind == "f"
    if floats != (x_test.dtype.kind == "f"):
        raise DatasetError(f"data set {name!r}, x_test: {x_test.dtype} must be float if and only if x_train is")
    steps = [x.astype(np.float64) for x in (x_train, x_test)]
    scale = _given_scale(name, arrays)
    if floats:
        grid = scale or _grid(np.concatenate([x.ravel() for x in steps]))
        steps = [x / grid if scale else np.rint(x / grid) for x in steps]
        scale = grid
    scale = scale or 1.0
    dtype = _smallest_dtype(name, min(x.min() for x in steps), max(x.max() for x in steps))
    train, test = ((x[:, None] if x.ndim == 3 else x) * scale for x in steps)
    return Dataset(
        name,
        train.astype(np.float32),
        y_train.astype(np.int64),
        test.astype(np.float32),
        y_test.astype(np.int64),
        classes=int(max(y_train.max(), y_test.max())) + 1,
        input_dtype=dtype,
        input_scale=scale,
        sparse=_given_sparse(name, arrays),
    )


def _given_scale(name: str, arrays: Mapping[str, np.ndarray]) -> float | None:
    if "input_scale" not in arrays:
        return None
    value = np.asarray(arrays["input_scale"])
    if value.size != 1 or value.dtype.kind not in "iuf" or not np.isfinite(value).all() or value.item() <= 0:
        raise DatasetError(f"data set {name!r}, input_scale: {value!r} must be one positive number")
    return float(value.item())


def _given_sparse(name: str, arrays: Mapping[str, np.ndarray]) -> bool:
    value = np.asarray(arrays.get("sparse", 0))
    if value.size != 1 or value.item() not in (0, 1):
        raise DatasetError(f"data set {name!r}, sparse: {value!r} must be 0 or 1")
    return bool(value.item())


def _grid(values: np.ndarray) -> float:
    for scale in GRIDS:
        steps = values / scale
        if np.abs(steps).max() < 1 << MAX_INPUT_BITS and np.abs(steps - np.rint(steps)).max() < 1e-3:
            return scale
    return float(np.abs(values).max()) / (127 if values.min() < 0 else 255)


def _smallest_dtype(name: str, low: float, high: float) -> IntType:
    low, high = round(low), round(high)
    for width in range(2, MAX_INPUT_BITS + 1):
        dtype = IntType(width, signed=low < 0)
        if dtype.min <= low and high <= dtype.max:
            return dtype
    raise DatasetError(f"data set {name!r}: pixels need integers {low} to {high}; {MAX_INPUT_BITS} bits is the limit")
