"""Events as images: counts, voxel grids, time surfaces.

Each is an array ``[channels, height, width]`` of integers, which a network takes as they are: the
real value is the integer times one scale (``Dataset.input_scale``), and 0 wherever no event was.
``esda_voxel_grid`` alone gives real values. A site without any channel but 0 is inactive to a sparse
network, also where events cancel.
"""

from __future__ import annotations

import numpy as np

from models.events.recording import EventError, Recording


def histogram(events: Recording, most: int = 15) -> np.ndarray:
    """uint8 ``[2, height, width]``: events a site, those of falling light first, at most ``most`` each."""
    _check("most", most, 255)
    counts = np.bincount(_elements(events, events.p), minlength=2 * events.height * events.width)
    return np.minimum(counts, most).astype(np.uint8).reshape(2, events.height, events.width)


def voxel_grid(
    events: Recording, bins: int, span: tuple[int, int] | None = None, steps: int = 16, most: int = 127
) -> np.ndarray:
    """int8 ``[bins, height, width]``: events a site, 1 up and -1 down, each shared by the two bins nearest in time.

    The bins' centres lie evenly from the start to the end of ``span``, microseconds (start, stop), by
    default from the first to the last event; an event between two gives each a share that falls
    linearly with distance, in ``steps`` parts, rounded so that both are integers and add up to
    ``steps``. The scale is 1 / ``steps``. Sums are clipped to -``most`` to ``most``.
    """
    _check("bins", bins)
    _check("steps", steps)
    _check("most", most, 127)
    start, stop = _span(events, span)
    # in parts of a step from the first centre, to the nearest
    length = max(stop - start, 1)
    place = (2 * (events.t - start) * (bins - 1) * steps + length) // (2 * length)
    lower, upper_share = np.divmod(place, steps)
    sign = 2 * events.p.astype(np.int64) - 1
    grid = _sums(events, lower, sign * (steps - upper_share), bins)
    grid += _sums(events, np.minimum(lower + 1, bins - 1), sign * upper_share, bins)
    return np.clip(grid, -most, most).astype(np.int8)


def esda_voxel_grid(events: Recording, bins: int) -> np.ndarray:
    """float64 ``[bins, height, width]``: the voxel grid of ESDA and SEE, whose networks take no other.

    The time from the recording's own first event to its last is ``bins`` long. An event at ``k + f``, ``f`` below 1,
    gives ``1 - f`` to bin ``k`` and ``f`` to bin ``k + 1``, up positive and down negative; what would go to a bin after
    the last is lost, and so is the last event. Sums are exact until they are rounded to float64 once, so that events
    that cancel leave 0. ESDA takes a site for active where a sum is not 0, before it quantizes.
    """
    _check("bins", bins)
    start, stop = _span(events, None)
    length = max(stop - start, 1)
    lower, share = np.divmod((events.t - start) * bins, length)
    sign = 2 * events.p.astype(np.int64) - 1
    # two bins more, for what is lost
    grid = _sums(events, lower, sign * (length - share), bins + 2)
    grid += _sums(events, lower + 1, sign * share, bins + 2)
    return grid[:bins] / length


def binned(events: Recording, bins: int, span: tuple[int, int] | None = None, most: int = 127) -> np.ndarray:
    """int8 ``[bins, height, width]``: events a site, 1 up and -1 down, in so many equal parts of the time.

    As ``voxel_grid``, but each event counts whole in the part ``span`` / ``bins`` that holds it;
    one at the very end counts in the last.
    """
    _check("bins", bins)
    _check("most", most, 127)
    start, stop = _span(events, span)
    part = np.minimum((events.t - start) * bins // max(stop - start, 1), bins - 1)
    grid = _sums(events, part, 2 * events.p.astype(np.int64) - 1, bins)
    return np.clip(grid, -most, most).astype(np.int8)


def time_surface(events: Recording, decay: int, now: int | None = None, most: int = 255) -> np.ndarray:
    """uint8 ``[2, height, width]``: how recent a site's last event of either polarity is, falling light first.

    ``most`` for an event at ``now``, microseconds, by default the last event; for one ``age`` older
    ``most`` * exp(-age / ``decay``), to the nearest integer. What has faded to 0 is no longer there.
    """
    _check("decay", decay)
    _check("most", most, 255)
    now = int(events.t[-1]) if now is None and len(events) else now or 0
    if len(events) and events.t[-1] > now:
        raise EventError(f"now: {now} us must be at or after the last event, {events.t[-1]} us")
    # events are in order of time, so that the last of those at one element stays
    last = np.full(2 * events.height * events.width, -np.inf)
    last[_elements(events, events.p)] = events.t
    surface = np.rint(most * np.exp((last - now) / decay))
    return surface.astype(np.uint8).reshape(2, events.height, events.width)


def downscaled(events: Recording, factor: int) -> Recording:
    """The events as a sensor with ``factor`` times fewer rows and columns would place them; none is lost."""
    _check("factor", factor)
    x, y = events.x // factor, events.y // factor
    height, width = -(-events.height // factor), -(-events.width // factor)
    return Recording(events.t, x, y, events.p, height, width, events.dropped)


def _check(name: str, value: int, most: int | None = None) -> None:
    if value < 1 or (most is not None and value > most):
        raise EventError(f"{name}: {value} must be {f'1 to {most}' if most else '1 or more'}")


def _span(events: Recording, span: tuple[int, int] | None) -> tuple[int, int]:
    if not len(events):
        return span or (0, 1)
    first, last = int(events.t[0]), int(events.t[-1])
    start, stop = span or (first, last)
    if not start <= first or not last <= stop:
        raise EventError(f"span: {start} to {stop} us must hold all events, {first} to {last} us")
    return start, stop


def _elements(events: Recording, channel: np.ndarray) -> np.ndarray:
    """int64 index of each event's element in an array [channels, height, width]."""
    return (channel.astype(np.int64) * events.height + events.y) * events.width + events.x


def _sums(events: Recording, channel: np.ndarray, weights: np.ndarray, channels: int) -> np.ndarray:
    shape = (channels, events.height, events.width)
    # float64 holds sums of integers exactly up to 2^53
    sums = np.bincount(_elements(events, channel), weights, channels * events.height * events.width)
    return sums.astype(np.int64).reshape(shape)
