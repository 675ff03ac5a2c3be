"""AEDAT 4.0, the format of iniVation's DV: FlatBuffers in LZ4 or Zstandard, read by the ``aedat`` library."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.events.formats.broken import reading_errors
from models.events.recording import EventError, Policy, Recording, recording

EXTRA = "aedat4"
FIELDS = {"t": np.int64, "x": np.int64, "y": np.int64, "on": np.uint8}


def read(path: Path, policy: Policy = "error", size: tuple[int, int] | None = None) -> Recording:
    """The events of the only stream of events in an AEDAT 4.0 file.

    Under ``drop`` a packet that cannot be read and everything after it are dropped and counted as one truncated event.

    Parameters
        path    the file
        policy  what happens to invalid events
        size    (height, width) of the sensor, to replace that of the file
    """
    try:
        import aedat
    except ImportError as error:
        why = f"needs the library aedat; pip install 'netweave[{EXTRA}]' brings it"
        raise EventError(f"{path}: AEDAT 4.0 {why}") from error
    with reading_errors(path, "AEDAT 4.0 file"):
        decoder = aedat.Decoder(path)
        streams = {number: about for number, about in decoder.id_to_stream().items() if about["type"] == "events"}
    if len(streams) != 1:
        raise EventError(f"{path}: {len(streams)} streams of events; valid is 1")
    ((stream, about),) = streams.items()
    packets, truncated = [], 0
    try:
        with reading_errors(path, "AEDAT 4.0 file to its end"):
            for packet in decoder:
                if packet["stream_id"] == stream:
                    packets.append(packet["events"])
    except EventError as error:
        if policy == "error":
            raise EventError(f"{error}; the packet after event {sum(map(len, packets))}") from error
        truncated = 1
    t, x, y, p = (
        np.concatenate([np.zeros(0, kind), *(packet[name].astype(kind) for packet in packets)])
        for name, kind in FIELDS.items()
    )
    return recording(path, t, x, y, p, size or (about["height"], about["width"]), policy, truncated)
