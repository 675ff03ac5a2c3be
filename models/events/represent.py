"""Events as images: counts, voxel grids, time surfaces.

Each is an array ``[channels, height, width]`` of integers, which a network takes as they are. The real value is the
integer times one scale (``Dataset.input_scale``), and it is 0 at a site without events. Only ``esda_voxel_grid`` gives
real values. A site is inactive to a sparse network where all channels are 0, also where events cancel.
"""

from __future__ import annotations

import numpy as np

from models.events.recording import EventError, Recording


def histogram(events: Recording, most: int = 15) -> np.ndarray:
    """Event counts per site and polarity, uint8 ``[2, height, width]``; polarity 0 comes first.

    Parameters
        events  the recording
        most    largest count; larger ones are clipped
    """
    _check("most", most, 255)
    counts = np.bincount(_elements(events, events.p), minlength=2 * events.height * events.width)
    return np.minimum(counts, most).astype(np.uint8).reshape(2, events.height, events.width)


def voxel_grid(
    events: Recording, bins: int, span: tuple[int, int] | None = None, steps: int = 16, most: int = 127
) -> np.ndarray:
    """A voxel grid, int8 ``[bins, height, width]``: signed sums of events, interpolated linearly in time.

    An event of polarity 1 counts ``steps``, one of polarity 0 -``steps``. Bin centres are evenly spaced from the start
    to the end of ``span``. An event between two centres is shared by both bins in proportion to its distance from
    either, rounded so that both shares are integers and add up to ``steps``. The scale is 1 / ``steps``.

    Parameters
        events  the recording
        bins    number of bins
        span    (start, stop) in microseconds; by default the times of the first and the last event
        steps   integer that one event stands for
        most    sums are clipped to -``most`` to ``most``
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
    """The voxel grid that networks of ESDA and SEE need, float64 ``[bins, height, width]``.

    Time is scaled so that the recording lasts ``bins`` from its first event to its last. An event at time ``k + f``
    with ``0 <= f < 1`` adds ``1 - f`` to bin ``k`` and ``f`` to bin ``k + 1``, negated for polarity 0. Shares beyond
    the last bin are lost, and with them the last event. Sums are exact and rounded to float64 once, so events that
    cancel leave 0. In ESDA a site is active where a sum is not 0, before quantization.

    Parameters
        events  the recording
        bins    number of bins
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
    """Signed sums of events in equal parts of the time, int8 ``[bins, height, width]``, without interpolation.

    An event of polarity 1 counts 1, one of polarity 0 -1. An event at the very end counts in the last bin.

    Parameters
        events  the recording
        bins    number of bins
        span    (start, stop) in microseconds; by default the times of the first and the last event
        most    sums are clipped to -``most`` to ``most``
    """
    _check("bins", bins)
    _check("most", most, 127)
    start, stop = _span(events, span)
    part = np.minimum((events.t - start) * bins // max(stop - start, 1), bins - 1)
    grid = _sums(events, part, 2 * events.p.astype(np.int64) - 1, bins)
    return np.clip(grid, -most, most).astype(np.int8)


def time_surface(events: Recording, decay: int, now: int | None = None, most: int = 255) -> np.ndarray:
    """How recent the last event of each site and polarity is, uint8 ``[2, height, width]``; polarity 0 comes first.

    The value is ``most * exp(-age / decay)``, rounded to the nearest integer, where ``age`` is the time from the event
    to ``now``. It is 0 without an event.

    Parameters
        events  the recording
        decay   time constant in microseconds
        now     reference time in microseconds; by default that of the last event
        most    value of an event at ``now``
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
    """The same events on a sensor with ``factor`` times fewer rows and columns, rounded up.

    Parameters
        events  the recording
        factor  rows and columns of the sensor that become one
    """
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
