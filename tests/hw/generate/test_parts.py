"""AMD's parts: which devices have one, and that names, families and scripts agree."""

from __future__ import annotations

import re

import pytest

from hw.fpga.families.registry import DEVICES
from hw.generate.parts import PARTS
from hw.generate.vivado import SCRIPTS

# A name of DS890, DS891, DS180 and DS190: series, size, package with its balls, speed; UltraScale+ with dashes.
NAME = re.compile(r"xc(?P<series>zu|7z|7a)(?P<size>\d+)(eg|t)?(-[a-z]{4}\d{3,4}-\d-[ei]|[a-z]{3}\d{3}-\d)")
SERIES = {"zu": "zynquplus", "7z": "zynq", "7a": "artix7"}
"""Vivado's family of each series."""


def test_parts_are_amd_s_devices() -> None:
    assert set(PARTS) == {name for name, device in DEVICES.items() if device.family in ("xcup", "xc7")}
    assert {path.name for path in SCRIPTS.iterdir()} >= {part.processor for part in PARTS.values() if part.processor}


@pytest.mark.parametrize("device", PARTS)
def test_a_part_s_name_says_its_family(device: str) -> None:
    part = PARTS[device]
    fields = NAME.fullmatch(part.name)
    assert fields
    assert part.family == SERIES[fields["series"]]
    # a Zynq has a processor, an Artix has none
    assert (part.processor is None) == (fields["series"] == "7a")


def test_the_block_design_is_that_of_the_processor() -> None:
    """A Zynq UltraScale+ and a Zynq-7000 have different cells for it."""
    cells = {"zynquplus": "zynq_ultra_ps_e", "zynq": "processing_system7"}
    for part in PARTS.values():
        if part.processor is not None:
            assert f":{cells[part.family]}" in (SCRIPTS / part.processor).read_text()
