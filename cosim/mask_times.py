"""The mask input of the cycle simulator: when words and features go in, and when tokens are offered."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from cosim.stream_times import Process, Stream
from hw.layout import MaskLayout
from hw.stream import queue_latency


def frame_beats(layout: MaskLayout, mask: np.ndarray) -> int:
    """Beats of a frame with the active sites of ``mask``."""
    return layout.words + int(mask.sum()) * layout.tokens.beats_per_token


def mask_input(layout: MaskLayout, masks: Sequence[np.ndarray], i: Stream, o: Stream) -> Process:
    """``MaskInput``; the source of ``i`` never waits.

    A word is taken from the list when the one before it is done with. Each of its sites, and after the last word's the
    ``end``, is then found, placed, and gone with its last beat; a stage takes it as soon as the next is emptied.
    """
    beats, latency = layout.tokens.beats_per_token, queue_latency(layout.words)
    start, n = 0, 0
    for mask in masks:
        i.moved.extend(range(start, start + layout.words))
        taken = found = placed = gone = start - 1
        words = [*(np.flatnonzero(mask) // layout.bits).tolist(), layout.words - 1]
        features = len(words) - 1
        for word, sites in groupby(words):
            taken = max(start + word + latency, taken + 1, found)
            earliest = taken + 1
            for _ in sites:
                found = max(earliest, placed)
                placed = max(found + 1, gone)
                earliest = found + 1
                if features:
                    o.offered += [max(placed + 1, start + layout.words)] * beats
                else:
                    o.offered.append(placed + 1)
                while len(o.moved) < len(o.offered):
                    yield
                gone = o.moved[-1]
                if features:
                    i.moved += o.moved[n : n + beats]
                    features -= 1
                n = len(o.moved)
        start = gone + 1
