"""Files of every format, written byte by byte from the published formats, with the events that they hold.

An event is a tuple (t, x, y, p).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import h5py
import numpy as np

from models.events.recording import Recording, recording

Event = tuple[int, int, int, int]


def random_events(seed: int, count: int, height: int, width: int, longest: int = 40_000) -> list[Event]:
    """Events in the order of their time, with pauses of up to ``longest`` microseconds and many at one time."""
    rng = np.random.default_rng(seed)
    pauses = np.where(rng.random(count) < 0.7, 0, rng.integers(0, longest, count) >> rng.integers(0, 12, count))
    t = np.cumsum(pauses)
    columns = (t, rng.integers(0, width, count), rng.integers(0, height, count), rng.integers(0, 2, count))
    return [tuple(row) for row in np.stack(columns, axis=1).tolist()]  # type: ignore[misc]


def recording_of(events: Iterable[Event], height: int, width: int) -> Recording:
    """A recording of these events, of which there may be none."""
    t, x, y, p = np.array(list(events), np.int64).reshape(-1, 4).T
    return recording("test", t, x, y, p, (height, width), "drop")


def random_recording(seed: int, count: int, height: int, width: int, longest: int = 2000) -> Recording:
    """``random_events`` as a recording."""
    return recording_of(random_events(seed, count, height, width, longest), height, width)


def rows(events: Recording) -> list[Event]:
    """A recording's events."""
    return list(zip(*(getattr(events, name).tolist() for name in "txyp"), strict=True))


def n_mnist(events: Iterable[Event]) -> bytes:
    return b"".join(bytes([x, y, p << 7 | t >> 16, t >> 8 & 255, t & 255]) for t, x, y, p in events)


def prophesee_header(*lines: str) -> bytes:
    return "".join(f"% {line}\n" for line in lines).encode()


def evt2(events: Iterable[Event]) -> bytes:
    words, high = [], None
    for t, x, y, p in events:
        if t >> 6 != high:
            high = t >> 6
            words.append(8 << 28 | high & 0x0FFFFFFF)
        words.append(p << 28 | (t & 63) << 22 | x << 11 | y)
    return struct.pack(f"<{len(words)}I", *words)


def evt3(events: Sequence[Event]) -> bytes:
    """Single events and, where events of one time, row and polarity follow each other to the right, vectors."""
    words: list[int] = []
    high = low = row = None
    base: tuple[int, int] | None = None
    at = 0
    while at < len(events):
        t, x, y, p = events[at]
        if t >> 12 != high:
            high, low = t >> 12, 0
            words.append(8 << 12 | high & 0xFFF)
        if t & 0xFFF != low:
            low = t & 0xFFF
            words.append(6 << 12 | low)
        if y != row:
            row = y
            words.append(y)
        run = [x]
        while at + len(run) < len(events):
            t2, x2, y2, p2 = events[at + len(run)]
            if (t2, y2, p2) != (t, y, p) or not run[-1] < x2 < x + 12:
                break
            run.append(x2)
        if len(run) == 1 and (x + y) % 3:
            words.append(2 << 12 | p << 11 | x)
        else:
            if base != (x, p):
                words.append(3 << 12 | p << 11 | x)
            width, kind = (8, 5) if run[-1] < x + 8 else (12, 4)
            words.append(kind << 12 | sum(1 << column - x for column in run))
            base = (x + width, p)
        at += len(run)
    return struct.pack(f"<{len(words)}H", *words)


def dat(events: Iterable[Event]) -> bytes:
    return bytes([0x0C, 8]) + b"".join(struct.pack("<II", t, p << 28 | y << 14 | x) for t, x, y, p in events)


def aedat2(events: Iterable[Event], height: int, chip: str = "eu.seebetter.ini.chips.davis.Davis240C") -> bytes:
    """DAVIS or DVS128 addresses, and before every third event one of a picture or another signal."""
    out = [f"#!AER-DAT2.0\r\n# This is a raw AE data file\r\n# AEChip: {chip}\r\n#End Of ASCII Header\r\n".encode()]
    davis = "avis" in chip
    for number, (t, x, y, p) in enumerate(events):
        bottom = height - 1 - y
        if number % 3 == 0:
            out.append(struct.pack(">II", (1 << 31 if number % 2 else 1 << 10) if davis else 1 << 15, t & 0xFFFFFFFF))
        address = bottom << 22 | x << 12 | p << 11 if davis else bottom << 8 | x << 1 | p
        out.append(struct.pack(">II", address, t & 0xFFFFFFFF))
    return b"".join(out)


def aedat3(events: Sequence[Event], source: str = "DVS128", packet: int = 100) -> bytes:
    """Packets of polarity events, with an invalid event and a packet of special events between them."""
    out = [f"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: {source}\r\n#!END-HEADER\r\n".encode()]
    for start in range(0, len(events), packet):
        high = events[start][0] >> 31
        body = [
            struct.pack("<Ii", x << 17 | y << 2 | p << 1 | 1, t & 0x7FFFFFFF) for t, x, y, p in events[start:][:packet]
        ]
        assert all(t >> 31 == high for t, *_ in events[start:][:packet]), "a packet has one overflow count"
        body.insert(len(body) // 2, struct.pack("<Ii", 5 << 17 | 5 << 2, 0))
        out.append(struct.pack("<hhiiiiii", 0, 1, 8, 4, high, 1, 1, 1) + bytes(8))
        out.append(struct.pack("<hhiiiiii", 1, 1, 8, 4, high, len(body), len(body), len(body) - 1) + b"".join(body))
    return b"".join(out)


def aedat4(events: Sequence[Event], height: int, width: int, packet: int = 100) -> bytes:
    """Uncompressed packets, each a FlatBuffer laid out by hand."""

    def attribute(key: str, kind: str, value: object) -> str:
        return f'<attr key="{key}" type="{kind}">{value}</attr>'

    info = (
        '<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">'
        '<node name="0" path="/mainloop/Recorder/outInfo/0/">'
        + attribute("compression", "string", "NONE")
        + attribute("originalModuleName", "string", "capture")
        + attribute("originalOutputName", "string", "events")
        + attribute("typeDescription", "string", "Array of events (polarity ON/OFF).")
        + attribute("typeIdentifier", "string", "EVTS")
        + '<node name="info" path="/mainloop/Recorder/outInfo/0/info/">'
        + attribute("sizeX", "int", width)
        + attribute("sizeY", "int", height)
        + attribute("source", "string", "DVXplorer")
        + "</node></node></node></dv>"
    ).encode()
    # root, identifier, vtable (offsets of three fields), padding, table, string
    table = struct.pack("<iiqI", 16, 0, -1, 4)
    header = struct.pack("<I4sHHHHH6x", 24, b"IOHE", 10, 20, 4, 8, 16) + table + struct.pack("<I", len(info)) + info
    header += bytes(4 - len(header) % 4)
    out = [b"#!AER-DAT4.0\r\n", struct.pack("<I", len(header)), header]
    for start in range(0, len(events), packet):
        part = events[start : start + packet]
        body = b"".join(struct.pack("<qhh?3x", t, x, y, bool(p)) for t, x, y, p in part)
        buffer = struct.pack("<I4sHHH2xiI4xI", 16, b"EVTS", 6, 8, 4, 8, 8, len(part)) + body
        out.append(struct.pack("<iiI", 0, len(buffer) + 4, len(buffer)) + buffer)
    return b"".join(out)


def write_file(path: Path, content: bytes) -> Path:
    """The path, after the content was written there."""
    path.write_bytes(content)
    return path


def eye_file(path: Path, events: list[Event], **options: object) -> Path:
    kind = np.dtype([("t", "<u8"), ("x", "<u8"), ("y", "<u8"), ("p", "<u8")])
    with h5py.File(path, "w") as file:
        file.create_dataset("events", data=np.array(events, kind), **options)  # type: ignore[arg-type]
    return path


def npz_file(path: Path, events: list[Event], height: int, width: int) -> Path:
    t, x, y, p = np.array(events).T
    np.savez(path, t=t, x=x, y=y, p=p, height=height, width=width)
    return path


FORMATS: dict[str, tuple[tuple[int, int], Callable[[list[Event]], bytes]]] = {
    "n_mnist.bin": ((34, 34), n_mnist),
    "evt2.raw": ((480, 640), lambda e: prophesee_header("evt 2.0", "geometry 640x480", "end") + evt2(e)),
    "evt2_no_end.raw": (
        (480, 640),
        lambda e: prophesee_header("evt 2.0", "format EVT2;height=480;width=640") + evt2(e),
    ),
    "evt3.raw": ((720, 1280), lambda e: prophesee_header("format EVT3;height=720;width=1280", "end") + evt3(e)),
    "cd.dat": (
        (480, 640),
        lambda e: prophesee_header("Data file containing CD events", "Version 2", "Width 640", "Height 480") + dat(e),
    ),
    "davis.aedat": ((180, 240), lambda e: aedat2(e, 180)),
    "dvs128.aedat": ((128, 128), lambda e: aedat2(e, 128, "ch.unizh.ini.jaer.chip.retina.DVS128")),
    "gesture.aedat": ((128, 128), aedat3),
    "davis346.aedat": ((260, 346), lambda e: aedat3(e, "DAVIS346")),
    "dv.aedat4": ((260, 346), lambda e: aedat4(e, 260, 346)),
}
"""Name of a file -> (height, width), and what writes events to a file that says that size."""


def around_a_clock(period: int, height: int, width: int) -> list[Event]:
    """Events that lie so far apart that a clock of this period begins anew several times."""
    return [(period * 5 * n // 16, n % width, n % height, n % 2) for n in range(30)]


def random_words(seed: int, bits: int) -> np.ndarray:
    """Words of an encoding: mostly kinds that mean something, and times that sometimes go back by little or by much."""
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 1 << bits, rng.integers(0, 400), dtype=np.uint64)
    kinds = rng.choice([0, 1, 2, 3, 4, 5, 6, 8, 10, 14], len(words)).astype(np.uint64)
    return (words & np.uint64((1 << bits - 4) - 1) | kinds << np.uint64(bits - 4)).astype(f"<u{bits // 8}")
