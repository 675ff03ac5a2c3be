"""Event counts of two polarities: the image that the networks for event cameras in this project take."""

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
    """How a recording becomes counts of events per site and polarity.

    The default takes the first of three saccades, in which about a quarter of N-MNIST's sites are active.

    Parameters
        start   start of the window in microseconds
        stop    end of the window in microseconds
        within  events without a neighboring event in this many microseconds before are dropped; None drops none
        most    largest count; larger ones are clipped
        first   number of events that count, the earliest of those that are left; None for all
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
        """The power of two for which ``most * scale`` is at least 1 and below 2."""
        return 2.0 ** (1 - self.most.bit_length())

    def image(self, events: Recording) -> np.ndarray:
        """The counts of a recording, uint8 ``[2, height, width]``; polarity 0 comes first."""
        window = between(events, self.start, self.stop)
        if self.within is not None:
            window = background_activity(window, self.within)
        return histogram(window.select(slice(self.first)), self.most)

    def floats(self, images: np.ndarray) -> np.ndarray:
        """The real values of images of counts, float32."""
        return images.astype(np.float32) * np.float32(self.scale)

    def describe(self) -> dict[str, int | None]:
        return asdict(self)
