"""Sensors that AEDAT files name, with their sizes."""

from __future__ import annotations

SENSORS = {"DVS128": (128, 128), "DAVIS240": (180, 240), "DAVIS346": (260, 346), "DAVIS640": (480, 640)}
"""(height, width) by the beginning of the name."""


def sensor(lines: list[str]) -> str | None:
    """The sensor named in the first line that names one of ``SENSORS``; None where no line does."""
    return next((name for line in lines for name in SENSORS if name in line.upper()), None)
