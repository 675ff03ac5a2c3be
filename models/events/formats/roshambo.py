"""The layout of RoShamBo17: a folder of AEDAT 2.0 recordings, each named after its class.

``<class>_<rest>.aedat`` of a DAVIS240C, the class being paper, scissors, rock or background.
(Lungu, Corradi, Delbruck, Live demonstration: CNN driven by DVS playing RoShamBo, 2017.)
"""

from __future__ import annotations

from pathlib import Path

from models.events.recording import EventError

CLASSES = ("paper", "scissors", "rock", "background")


def trials(folder: Path) -> list[tuple[str, Path]]:
    """(class, file) of every recording, sorted by name; ``aedat2.read`` reads the files."""
    recordings = []
    for path in sorted(folder.glob("*.aedat")):
        label = path.stem.partition("_")[0].lower()
        if label not in CLASSES:
            raise EventError(f"{path}: class {label!r} must be one of {', '.join(CLASSES)}")
        recordings.append((label, path))
    if not recordings:
        raise EventError(f"{folder}: holds no .aedat; RoShamBo17's recordings lie in one folder")
    return recordings
