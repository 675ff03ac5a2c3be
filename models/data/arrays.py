"""``from_arrays``: a data set from bare arrays, its input format found from the pixels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.data.dataset import Dataset, DatasetError
from models.data.held_out import held_out
from models.ir.dtype import IntType

KEYS = ("x_train", "y_train", "x_test", "y_test")
VALIDATION = ("x_val", "y_val")
MAX_INPUT_BITS = 8
GRIDS = (1.0, 1 / 255, *(2.0**-bits for bits in range(1, MAX_INPUT_BITS + 1)))


def from_arrays(name: str, arrays: Mapping[str, np.ndarray]) -> Dataset:
    """A data set from ``x_train``, ``y_train``, ``x_test``, ``y_test`` and, optionally, ``x_val`` and ``y_val``,
    ``input_scale`` and ``sparse``.

    Without ``x_val``, every fifth training image of each class is held out for validation.

    Images are ``[n, C, H, W]``, or ``[n, H, W]`` for one channel. Integer images are multiplied by
    the scale, 1 unless given. Float images are multiples of it; where it is not given, of the
    coarsest of 1, 1/255 and 1/2 to 1/256 that divides every pixel, and if none does they are
    rounded to 8 bits of their largest magnitude. ``sparse``: 1 where only the sites that are not
    zero in every channel are to be active; 0, as without it, where all are.
    """
    given = any(key in arrays for key in VALIDATION)
    wanted = (*KEYS, *VALIDATION) if given else KEYS
    for key in wanted:
        if key not in arrays:
            raise DatasetError(f"data set {name!r} has no {key!r}; it has {', '.join(arrays) or 'nothing'}")
    images = {key: np.asarray(arrays[key]) for key in wanted[::2]}
    labels = {key: np.asarray(arrays[key]) for key in wanted[1::2]}
    for key, x in images.items():
        if x.ndim not in (3, 4) or x.dtype.kind not in "iuf" or not x.size:
            raise DatasetError(
                f"data set {name!r}, {key}: {x.dtype} {x.shape} must be numbers [n, C, H, W] or [n, H, W], n >= 1"
            )
        if not np.isfinite(x).all():
            raise DatasetError(f"data set {name!r}, {key}: holds values that are not finite")
    for (key, y), x in zip(labels.items(), images.values(), strict=True):
        if y.shape != x.shape[:1] or y.dtype.kind not in "iu":
            raise DatasetError(f"data set {name!r}, {key}: {y.dtype} {y.shape} must be integers of shape {x.shape[:1]}")
    floats = images["x_train"].dtype.kind == "f"
    for key, x in images.items():
        if floats != (x.dtype.kind == "f"):
            raise DatasetError(f"data set {name!r}, {key}: {x.dtype} must be float if and only if x_train is")
    steps = [x.astype(np.float64) for x in images.values()]
    scale = _given_scale(name, arrays)
    if floats:
        grid = scale or _grid(np.concatenate([x.ravel() for x in steps]))
        steps = [x / grid if scale else np.rint(x / grid) for x in steps]
        scale = grid
    scale = scale or 1.0
    dtype = _smallest_dtype(name, min(x.min() for x in steps), max(x.max() for x in steps))
    pixels = [((x[:, None] if x.ndim == 3 else x) * scale).astype(np.float32) for x in steps]
    train, test, *validation = zip(pixels, (y.astype(np.int64) for y in labels.values()), strict=True)
    return Dataset(
        name,
        *((*train, *validation[0]) if given else held_out(*train)),
        *test,
        classes=int(max(y.max() for y in labels.values())) + 1,
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
