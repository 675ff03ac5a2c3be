"""The sensor that a header names."""

from __future__ import annotations

import pytest

from models.events.formats.sensors import SENSORS, sensor


@pytest.mark.parametrize(
    "lines, size",
    [
        (["# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128"], (128, 128)),
        (["#Source 0: other", "# AEChip: eu.seebetter.ini.chips.davis.Davis240C"], (180, 240)),
        (["#Source 1: DAVIS346red", "#Source 2: DVS128"], (260, 346)),
        (["#Source 1: davis640"], (480, 640)),
    ],
)
def test_the_first_line_that_names_a_sensor_says_which(lines: list[str], size: tuple[int, int]) -> None:
    name = sensor(lines)
    assert name is not None
    assert SENSORS[name] == size


def test_no_sensor_may_be_named() -> None:
    assert sensor([]) is None
    assert sensor(["#Source 1: eDVS", "DAVIS"]) is None
