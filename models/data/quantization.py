"""How a user's floats are quantized: with one scale, or with a scale for each channel where they need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.ir.formats.integer import IntType
from models.ir.normalization import Normalization

MAX_INPUT_BITS = 8
LEVELS = 1 << MAX_INPUT_BITS
GRIDS = (1.0, 1 / 255, *(2.0**-bits for bits in range(1, MAX_INPUT_BITS + 1)))
PERCENTILE = 99.9
OUTLIER = 4.0
"""Without a percentile of the user's, a channel is clipped to ``PERCENTILE`` percent of its values if any value lies
more than ``OUTLIER`` times as far out as these."""
MIN_OUTLIER_VALUES = 20
"""A channel of fewer values has no outliers."""
MIN_LEVELS = 64
"""Levels that each channel must use of a shared scale; where one uses fewer, each channel has its own scale."""
BULK = 99.0
"""Percentage of a channel's values that counts as the bulk of them."""
MIN_BULK_LEVELS = 16
"""Levels that the bulk of a channel must use of its final scale; a note names channels that use fewer."""
NEAR, FAR = 1e-3, 1e3
"""Where the largest value lies outside of this range, each channel has its own scale: few networks train on such
numbers."""
NORMAL_SCALE = 1 / 32
"""Scale of normalized channels. Signed ones then lie within 4, which covers nearly all of a normal distribution."""
MAX_LISTED = 4
"""The most channels that notes name; they give the number of further ones."""
TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class InputQuantization:
    """The input format of a data set.

    Parameters
        dtype          number format of the integers
        scale          real value of the integer 1, after normalization where there is one
        normalization  the affine map applied to the user's numbers; None where there is none
        notes          sentences for the user about what was decided
    """

    dtype: IntType
    scale: float
    normalization: Normalization | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Extent:
    """Where one channel's training values lie.

    Parameters
        name        the channel, as a note calls it
        lowest      the lowest value
        highest     the highest value
        middle      what distances are measured from: the median of a feature, 0 of an image's channel
        within      how far from the middle ``percentile`` of the values that are not at it lie
        percentile  in percent
        bulk        how far from the middle ``BULK`` percent of them lie
        clipped     whether values further out than ``within`` are clipped
        mean        mean of the values once clipped
    """

    name: str
    lowest: float
    highest: float
    middle: float
    within: float
    percentile: float
    bulk: float
    clipped: bool
    mean: float

    @property
    def low(self) -> float:
        return max(self.lowest, self.middle - self.within) if self.clipped else self.lowest

    @property
    def high(self) -> float:
        return min(self.highest, self.middle + self.within) if self.clipped else self.highest

    @property
    def largest(self) -> float:
        """The value furthest from the middle."""
        return max(self.lowest, self.highest, key=lambda value: abs(value - self.middle))

    def levels(self, step: float) -> int:
        """The number of levels that the channel uses at a step size."""
        return int(min((self.high - self.low) / step, LEVELS - 1)) + 1

    def around(self, distance: float) -> str:
        """``distance`` from the middle, in words."""
        return f"±{distance:.3g}" + (f" of {self.middle:.3g}" if self.middle else "")

    @property
    def constant(self) -> bool:
        return self.highest - self.lowest < TINY


def quantization(images: Mapping[str, np.ndarray], flat: bool, percentile: float | None = None) -> InputQuantization:
    """The input format of float images.

    The scale is the coarsest of ``GRIDS`` that divides every number, or else that at which the training split takes 8
    bits. Where a channel would use fewer than ``MIN_LEVELS`` levels of it, every channel has its own unit. Features
    then have their mean as offset; channels of images have no offset, as zero padding stands for the number zero.

    Parameters
        images      ``[n, C, H, W]`` by key, the training split first
        flat        whether the channels are features of one site
        percentile  percentage of the training values that are not clipped; by default all but outliers
    """
    key, train = next(iter(images.items()))
    if percentile is None and (exact := _grid(images)):
        return exact
    kind = "feature" if flat else "channel"
    channels = enumerate(_by_channel(train))
    extents = [_extent(f"{kind} {i}", values, flat, percentile) for i, values in channels]
    signed = min(extent.low for extent in extents) < 0
    magnitude = max(max(-extent.low, extent.high) for extent in extents)
    shared = magnitude / IntType(MAX_INPUT_BITS, signed).max or 1.0
    few = [extent for extent in extents if not extent.constant and extent.levels(shared) < MIN_LEVELS]
    few = few if flat or len(extents) > 1 else []
    notes = _outlier_notes(key, extents)
    if not few and (not magnitude or NEAR <= magnitude <= FAR):
        notes += _coarse_notes(key, extents, [shared] * len(extents))
        return InputQuantization(IntType(MAX_INPUT_BITS, signed), shared, None, notes)
    dtype = IntType(MAX_INPUT_BITS, signed or flat)
    offset = [extent.mean if flat else 0.0 for extent in extents]
    magnitudes = [max(extent.high - at, at - extent.low) for extent, at in zip(extents, offset, strict=True)]
    unit = [each / (dtype.max * NORMAL_SCALE) if each >= TINY else 1.0 for each in magnitudes]
    steps = [each * NORMAL_SCALE for each in unit]
    why = f"the values reach {magnitude:.3g}"
    if few:
        used = _join([f"{extent.name} would use {extent.levels(shared)}" for extent in few])
        why = f"at one scale of {MAX_INPUT_BITS} bits {used} of {LEVELS} levels"
    notes += (f"{key}: {why}; each {kind} has its own scale" + (", and its mean as offset" if flat else ""),)
    normalization = Normalization(tuple(offset), tuple(unit))
    return InputQuantization(dtype, NORMAL_SCALE, normalization, notes + _coarse_notes(key, extents, steps))


def smallest_dtype(low: int, high: int) -> IntType | None:
    """The narrowest input format that holds integers from ``low`` to ``high``; None where no input format does."""
    for width in range(2, MAX_INPUT_BITS + 1):
        dtype = IntType(width, signed=low < 0)
        if dtype.min <= low and high <= dtype.max:
            return dtype
    return None


def constant_notes(images: Mapping[str, np.ndarray], flat: bool) -> tuple[str, ...]:
    """A note on channels of the first of ``images`` that have one value throughout."""
    key, train = next(iter(images.items()))
    kind = "feature" if flat else "channel"
    values = _by_channel(train)
    same = [f"{kind} {i} is {own[0]:.6g}" for i, own in enumerate(values) if own.min() == own.max()]
    return (f"{key}: {_join(same)} throughout, which tells no class from another",) if same else ()


def _by_channel(x: np.ndarray) -> np.ndarray:
    return x.transpose(1, 0, 2, 3).reshape(x.shape[1], -1).astype(np.float64)


def _grid(images: Mapping[str, np.ndarray]) -> InputQuantization | None:
    """The coarsest of ``GRIDS`` that divides every number, and leaves no channel that varies at one value."""
    values = np.concatenate([_by_channel(x) for x in images.values()], axis=1)
    low, high = values.min(axis=1), values.max(axis=1)
    for scale in GRIDS:
        dtype = smallest_dtype(round(low.min() / scale), round(high.max() / scale))
        varies = (low == high) | (np.rint(low / scale) < np.rint(high / scale))
        if dtype and varies.all() and np.abs(values / scale - np.rint(values / scale)).max() < 1e-3:
            return InputQuantization(dtype, scale)
    return None


def _extent(name: str, values: np.ndarray, flat: bool, percentile: float | None) -> Extent:
    middle = float(np.median(values)) if flat else 0.0
    distance = np.abs(values - middle)
    away = distance[distance > 0] if distance.any() else distance
    share = PERCENTILE if percentile is None else percentile
    # the value at or below that share: a single outlier is above it, however few values there are
    within, bulk = (float(np.quantile(away, part / 100, method="lower")) for part in (share, BULK))
    clipped = percentile is not None or (len(away) >= MIN_OUTLIER_VALUES and away.max() > OUTLIER * within)
    low, high = float(values.min()), float(values.max())
    inliers = values.clip(middle - within, middle + within) if clipped else values
    return Extent(name, low, high, middle, within, share, bulk, clipped, float(inliers.mean()))


def _outlier_notes(key: str, extents: Sequence[Extent]) -> tuple[str, ...]:
    """Notes on channels that are clipped."""
    notes = []
    for extent in extents:
        if extent.high < extent.highest or extent.low > extent.lowest:
            whole = max(-extent.lowest, extent.highest) / IntType(MAX_INPUT_BITS, extent.lowest < 0).max
            where = f"{extent.percentile:g} % of the values lie within {extent.around(extent.within)}"
            used = (
                f"at a scale of {MAX_INPUT_BITS} bits that holds it they would use {extent.levels(whole)} of {LEVELS}"
            )
            rest = "levels, and what lies further out is clipped (percentile = 100 keeps it)"
            notes.append(f"{key}, {extent.name}: {where}, the largest is {extent.largest:.6g}; {used} {rest}")
    return _first(notes, f"{key}: {{}} further ones are clipped likewise")


def _coarse_notes(key: str, extents: Sequence[Extent], steps: Sequence[float]) -> tuple[str, ...]:
    """Notes on channels of which most values share a few levels at the final step size."""
    notes = []
    for extent, step in zip(extents, steps, strict=True):
        levels = min(extent.levels(step), int(min(2 * extent.bulk / step, LEVELS - 1)) + 1)
        if extent.constant or levels >= MIN_BULK_LEVELS:
            continue
        if levels < extent.levels(step):
            near = f"{BULK:g} % of the values lie within {extent.around(extent.bulk)}"
            where = f"{near}, the largest is {extent.largest:.6g}"
            mend = f"percentile = {BULK:g} clips what lies further out"
        else:
            where = f"the values lie from {extent.low:.6g} to {extent.high:.6g}, far from zero"
            mend = "give them less their mean"
        used = f"at its scale of {MAX_INPUT_BITS} bits {levels} of {LEVELS} levels are used"
        notes.append(f"{key}, {extent.name}: {where}: {used}; {mend}")
    return _first(notes, f"{key}: {{}} further ones use as few levels")


def _first(notes: Sequence[str], rest: str) -> tuple[str, ...]:
    """The first ``MAX_LISTED`` notes, and how many there are beside."""
    return (*notes[:MAX_LISTED], *([rest.format(len(notes) - MAX_LISTED)] if len(notes) > MAX_LISTED else []))


def _join(parts: Sequence[str]) -> str:
    more = [f"{len(parts) - MAX_LISTED} more likewise"] if len(parts) > MAX_LISTED else []
    *others, last = [*parts[:MAX_LISTED], *more]
    return f"{', '.join(others)} and {last}" if others else last
