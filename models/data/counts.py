"""From a recording to the image that the networks for event cameras here take: counts of two polarities."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from models.events.denoise import background_activity
from models.events.recording import Recording
from models.events.represent import histogram
from models.events.window import between
from models.ir.formats.integer import IntType


@dataclass(frozen=True)
class Counts:
    """Events of either polarity a site, from ``start`` to ``stop`` microseconds, at most ``most`` of each.

    Events that none nearby supports within ``within`` microseconds are left out; None keeps all. ``first``: how many of
    these count, the earliest; None for all. The default is the first of three saccades; it leaves about a quarter of
    N-MNIST's sites active.
    """

    start: int = 0
    stop: int = 100_000
    within: int | None = 5_000
    most: int = 7
    first: int | None = None

    @property
    def dtype(self) -> IntType:
        return IntType(max(2, self.most.bit_length()), signed=False)

    @property
    def scale(self) -> float:
        """A power of two that brings the largest count to between 1 and 2."""
        return 2.0 ** (1 - self.most.bit_length())

    def image(self, events: Recording) -> np.ndarray:
        """uint8 ``[2, height, width]``."""
        window = between(events, self.start, self.stop)
        if self.within is not None:
            window = background_activity(window, self.within)
        return histogram(window.select(slice(self.first)), self.most)

    def floats(self, images: np.ndarray) -> np.ndarray:
        """float32: the values that images of counts stand for."""
        return images.astype(np.float32) * np.float32(self.scale)

    def describe(self) -> dict[str, int | None]:
        return asdict(self)
