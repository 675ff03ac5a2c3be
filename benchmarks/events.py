"""Events: how fast recordings are read, and how near the simulated camera comes to a real one.

Reading is the best of twenty rounds, file cache warm, from path to checked recording, in one thread. The camera is
compared by what a sparse network's work depends on, on scikit-learn's digits against MNIST's.

``python -m benchmarks.events FOLDER`` draws pictures into a folder: digits_dvs, N-MNIST and 3ET+.
The terms of 3ET+ do not allow its picture to be passed on.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.inputs.data import DATA
from models.data.counts import Counts
from models.data.digits import digits
from models.data.digits_dvs import draw_digits
from models.data.eye_tracking import FRAME_US, SCALE, sequences
from models.events.denoise import support_mask
from models.events.formats import eye_tracking, n_mnist
from models.events.recording import Policy, Recording
from models.events.represent import histogram
from models.events.saccade import recordings
from models.events.window import between

ROUNDS = 20
ALONE_US = 5_000


def measure() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    real, eyes = sorted(DATA.glob("n_mnist/*/*/*.bin")), sorted(DATA.glob("3et_plus/*/*/*.h5"))
    for name, paths, read in (("N-MNIST", real, n_mnist.read), ("3ET+", eyes, eye_tracking.read)):
        figures[f"reading {name}"] = reading(paths, read) if paths else f"no recordings in {DATA}"
    test, _ = digits().split("test")
    figures["digits_dvs"] = simulated = statistics(recordings(draw_digits(test[:, 0])))
    if real:
        figures["N-MNIST"] = recorded = statistics(n_mnist.read(path) for path in real)
        figures["digits_dvs / N-MNIST"] = {
            name: round(simulated[name] / recorded[name], 2)
            for name in simulated
            if name not in ("recordings", "label")
        }
    return figures


def reading(paths: list[Path], read: Callable[[Path, Policy], Recording]) -> dict[str, Any]:
    wall, processor = [], []
    events = 0
    for _ in range(ROUNDS):
        begin = time.perf_counter(), time.process_time()
        events = sum(len(read(path, "error")) for path in paths)
        wall.append(time.perf_counter() - begin[0])
        processor.append(time.process_time() - begin[1])
    return {
        "files": len(paths),
        "events": events,
        "million events a second": round(events / min(wall) / 1e6, 1),
        "million events a second of one processor": round(events / min(processor) / 1e6, 1),
        "load of the machine": round(os.getloadavg()[0], 1),
        "label": "measured",
    }


def statistics(events: Iterable[Recording]) -> dict[str, Any]:
    """Means over recordings; a window is the first saccade's 100 ms, its sites those of the whole sensor."""
    counts = Counts()
    rows = []
    for recording in events:
        window = between(recording, counts.start, counts.stop)
        image, denoised = histogram(window, 255), counts.image(recording)
        active = image.any(axis=0)
        rows.append(
            {
                "events a recording": len(recording),
                "events a window": len(window),
                "share of rising light": recording.p.mean(),
                f"share of events alone for {ALONE_US // 1000} ms": 1 - support_mask(recording, ALONE_US).mean(),
                "active share, all of the recording": histogram(recording, 255).any(axis=0).mean(),
                "active share, a window": active.mean(),
                "active share, a window denoised": denoised.any(axis=0).mean(),
                "events an active site of a window": image.sum() / max(active.sum(), 1),
                "largest count of a window": image.max(),
            }
        )
    means = {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}
    return {"recordings": len(rows), **means, "label": "measured"}


def gallery(folder: Path) -> list[Path]:
    """A picture of every data set whose recordings are there."""
    folder.mkdir(parents=True, exist_ok=True)
    test, labels = digits().split("test")
    chosen = [int(np.flatnonzero(labels == digit)[0]) for digit in range(10)]
    simulated = list(recordings(draw_digits(test[chosen, 0])))
    pictures = [_counts(folder / "digits_dvs.png", "digits_dvs, simulated", simulated)]
    real = [sorted(DATA.glob(f"n_mnist/Train/{digit}/*.bin"))[:1] for digit in range(10)]
    if all(real):
        shown = [n_mnist.read(path) for (path,) in real]
        title = "N-MNIST, recorded (Orchard et al. 2015, CC BY-SA 4.0)"
        pictures.append(_counts(folder / "n_mnist.png", title, shown))
    for path in sorted(DATA.glob("3et_plus/*/*/*.h5"))[:1]:
        pictures.append(_eye(folder / "3et_plus.png", path))
    return pictures


def _counts(path: Path, title: str, shown: list[Recording]) -> Path:
    """Light that rises in red, that falls in blue."""
    figure = Figure(figsize=(10, 4.3), layout="constrained")
    counts = Counts()
    for axes, events in zip(figure.subplots(2, 5).flat, shown, strict=True):
        fall, rise = counts.image(events).astype(float) / counts.most
        axes.imshow(np.clip(np.stack([1 - fall, 1 - fall - rise, 1 - rise], axis=-1), 0, 1))
        axes.set_axis_off()
    figure.suptitle(f"{title}: the first {counts.stop // 1000} ms, events that stand alone left out")
    figure.savefig(path, dpi=100)
    return path


def _eye(path: Path, recording: Path) -> Path:
    """Six frames of a sequence, their bins added up, light that rises in red, with the pupil's label."""
    sequence = next(sequences(recording))
    figure = Figure(figsize=(10, 5.6), layout="constrained")
    for axes, number in zip(figure.subplots(2, 3).flat, range(0, len(sequence), len(sequence) // 6), strict=True):
        axes.imshow(sequence.grids[number].sum(axis=0) * SCALE, cmap="RdBu_r", vmin=-8, vmax=8)
        x, y = sequence.pupil[number]
        axes.plot(x, y, "+", color="black", markersize=14, markeredgewidth=2)
        axes.set_title(f"{(sequence.start + number * FRAME_US) / 1e3:.0f} ms", fontsize=9)
        axes.set_axis_off()
    figure.suptitle(f"3ET+ {recording.stem}: voxel grids of 50 ms, 80 x 60 sites, and the pupil's label")
    figure.savefig(path, dpi=100)
    return path


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.events FOLDER")
    print(*gallery(Path(sys.argv[1])), sep="\n")
