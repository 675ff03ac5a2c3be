"""``from_arrays``: a data set from arrays; the input format is derived from the numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from models.data.dataset import Dataset, DatasetError
from models.data.held_out import held_out
from models.data.layout import images_of
from models.data.quantization import (
    MAX_INPUT_BITS,
    InputQuantization,
    constant_notes,
    quantization,
    smallest_dtype,
)
from models.ir.names import did_you_mean
from models.ir.node import Shape
from models.ir.normalization import Normalization
from models.ir.ops.input import Input

KEYS = ("x_train", "y_train", "x_test", "y_test")
VALIDATION = ("x_val", "y_val")
OPTIONS = ("input_scale", "percentile", "sparse", "sequence")
MAX_CLASSES = 1 << 16
CLIP_TOLERANCE = 0.01
"""Share of a split's values that may be clipped without a note."""


def from_arrays(name: str, arrays: Mapping[str, np.ndarray]) -> Dataset:
    """A data set from arrays.

    Images are ``[n, C, H, W]``, or ``[n, H, W]`` for one channel; ``[n, features]`` are the channels of one site, which
    networks take as ``[n, features]`` (``images_of``). Sequences are ``[n, C, L]``, or ``[n, L]`` for one channel.

    Parameters
        name    name of the data set in messages
        arrays  the arrays by key:
                ``x_train``, ``y_train``, ``x_test``, ``y_test``: images and labels
                ``x_val``, ``y_val``: optional; without them every fifth training image of each class is held out
                ``input_scale``: optional; integers are multiplied by it, by default 1; floats must be multiples of it,
                by default ``quantization`` derives it
                ``percentile``: optional; percent of each channel's training values that the derived scale must hold
                ``sparse``: optional; 1 where a site is active only where a channel is not zero, 0 where all sites are
                ``sequence``: optional; 1 where the arrays are sequences
    """
    has_validation = any(key in arrays for key in VALIDATION)
    keys = (*KEYS, *VALIDATION) if has_validation else KEYS
    for key in keys:
        if key not in arrays:
            raise DatasetError(f"data set {name!r} has no {key!r}; it has {', '.join(arrays) or 'nothing'}")
    valid = (*KEYS, *VALIDATION, *OPTIONS)
    for key in arrays:
        if key not in valid:
            raise DatasetError(f"data set {name!r}, {key}: is unknown; {did_you_mean(key, valid)}")
    sparse, sequence = _read_flag(name, arrays, "sparse"), _read_flag(name, arrays, "sequence")
    read = {key: images_of(name, key, np.asarray(arrays[key]), sequence) for key in keys[::2]}
    labels = {key: np.asarray(arrays[key]) for key in keys[1::2]}
    images = {key: x for key, (x, _, _) in read.items()}
    flat = read["x_train"][1]
    for (key, y), x in zip(labels.items(), images.values(), strict=True):
        if y.shape != x.shape[:1] or y.dtype.kind not in "iu":
            raise DatasetError(f"data set {name!r}, {key}: {y.dtype} {y.shape} must be integers of shape {x.shape[:1]}")
        if wrong := [label for label in (y.min(), y.max()) if not 0 <= label < MAX_CLASSES]:
            raise DatasetError(f"data set {name!r}, {key}: {wrong[0]} must be a class, 0 to {MAX_CLASSES - 1}")
    if not has_validation and len(images["x_train"]) < 2:
        why = "where there is no x_val, as one is held out for it"
        raise DatasetError(f"data set {name!r}, x_train: {len(images['x_train'])} image must be 2 or more {why}")
    for key, x in images.items():
        first = images["x_train"]
        if x.shape[1:] != first.shape[1:]:
            raise DatasetError(f"data set {name!r}, {key}: {x.shape[1:]} must be x_train's shape, {first.shape[1:]}")
        if (x.dtype.kind == "f") != (first.dtype.kind == "f"):
            raise DatasetError(f"data set {name!r}, {key}: {x.dtype} must be float if and only if x_train is")
    if sparse and flat:
        raise DatasetError(f"data set {name!r}, sparse: 1 is for images; [n, features] are of one site, always active")
    input_format, pixels = _pixels(name, arrays, images, flat)
    train, test, *validation = zip(pixels.values(), (y.astype(np.int64) for y in labels.values()), strict=True)
    return Dataset(
        name,
        *((*train, *validation[0]) if has_validation else held_out(*train)),
        *test,
        classes=int(max(y.max() for y in labels.values())) + 1,
        input_dtype=input_format.dtype,
        input_scale=input_format.scale,
        sparse=sparse,
        flat=flat,
        sequence=sequence,
        normalization=input_format.normalization,
        notes=(*read["x_train"][2], *_absent_notes(labels), *constant_notes(images, flat), *input_format.notes),
    )


def _absent_notes(labels: Mapping[str, np.ndarray]) -> list[str]:
    """A note on classes without a training image."""
    present = np.unique(labels["y_train"])
    absent = np.setdiff1d(np.arange(max(y.max() for y in labels.values()) + 1), present).tolist()
    listed = ", ".join(map(str, absent[:10])) + (", ..." if len(absent) > 10 else "")
    return [f"y_train: has no image of class {listed}; a network does not learn what it is not shown"] if absent else []


def _pixels(
    name: str, arrays: Mapping[str, np.ndarray], images: Mapping[str, np.ndarray], flat: bool
) -> tuple[InputQuantization, dict[str, np.ndarray]]:
    """The input format of ``images`` ``[n, C, H, W]``, and the images as float32 multiples of its scale."""
    scale, percentile = _read_scale(name, arrays), _read_percentile(name, arrays)
    floats = images["x_train"].dtype.kind == "f"
    low, high = min(x.min() for x in images.values()), max(x.max() for x in images.values())
    # the integers of a table are quantities, those of an image are codes
    wide = flat and not floats and scale is None and smallest_dtype(int(low), int(high)) is None
    if percentile is not None and (scale is not None or not (floats or wide)):
        why = "input_scale is given" if floats else "integers are taken as they are"
        raise DatasetError(f"data set {name!r}, percentile: {percentile:g} is for floats that need a scale; {why}")
    if wide or (floats and scale is None):
        input_format = quantization(images, flat, percentile)
        fit = f"x_train: integers {low} to {high} do not fit {MAX_INPUT_BITS} bits, and are rounded as floats are"
        notes = (fit, *input_format.notes) if wide else input_format.notes
        return _round_to_format(replace(input_format, notes=notes), images)
    scale = scale or 1.0
    steps = {key: x.astype(np.float64) / (scale if floats else 1) for key, x in images.items()}
    first, last = (round(float(end) / (scale if floats else 1)) for end in (low, high))
    dtype = smallest_dtype(first, last)
    if dtype is None:
        why = f"pixels need integers {first} to {last}; {MAX_INPUT_BITS} bits is the limit; floats are rounded to it"
        raise DatasetError(f"data set {name!r}: {why}")
    return InputQuantization(dtype, scale), {key: (x * scale).astype(np.float32) for key, x in steps.items()}


def _round_to_format(
    input_format: InputQuantization, images: Mapping[str, np.ndarray]
) -> tuple[InputQuantization, dict[str, np.ndarray]]:
    """``input_format``, with notes on splits that it clips, and float32 pixels in it."""
    channels, height, width = images["x_train"].shape[1:]
    affine = input_format.normalization or Normalization((), ())
    source = Input(
        name="input",
        shape=Shape(height, width, channels),
        dtype=input_format.dtype,
        scale=input_format.scale,
        offset=affine.offset,
        unit=affine.unit,
    )
    pixels, notes = {}, list(input_format.notes)
    for key, x in images.items():
        last = np.moveaxis(x, 1, -1)
        integers = source.encode(last)
        share = source.out_of_range(last).mean()
        if key != "x_train" and share > CLIP_TOLERANCE:
            notes.append(f"{key}: {share:.1%} of its values lie beyond what x_train's need, and are clipped")
        pixels[key] = np.ascontiguousarray(np.moveaxis(integers, -1, 1) * input_format.scale, np.float32)
    return replace(input_format, notes=tuple(notes)), pixels


def _read_scale(name: str, arrays: Mapping[str, np.ndarray]) -> float | None:
    return _read_number(name, arrays, "input_scale", math.inf, "must be one positive number")


def _read_percentile(name: str, arrays: Mapping[str, np.ndarray]) -> float | None:
    return _read_number(name, arrays, "percentile", 100, "must be one number above 0, and at most 100")


def _read_number(name: str, arrays: Mapping[str, np.ndarray], key: str, most: float, rule: str) -> float | None:
    if key not in arrays:
        return None
    value = np.asarray(arrays[key])
    if value.size != 1 or value.dtype.kind not in "iuf" or not np.isfinite(value).all() or not 0 < value.item() <= most:
        raise DatasetError(f"data set {name!r}, {key}: {value!r} {rule}")
    return float(value.item())


def _read_flag(name: str, arrays: Mapping[str, np.ndarray], key: str) -> bool:
    value = np.asarray(arrays.get(key, 0))
    if value.size != 1 or value.item() not in (0, 1):
        raise DatasetError(f"data set {name!r}, {key}: {value!r} must be 0 or 1")
    return bool(value.item())
