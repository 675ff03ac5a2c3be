"""The table of devices is the data sheets', and a wrong device file says what is wrong."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hw.fpga.device import Device, DeviceError, Resources
from hw.fpga.families.registry import DEVICES, device, family, load_device


def test_the_table_in_blocks_of_each_device() -> None:
    budgets = {name: dataclasses.astuple(entry.resources) for name, entry in DEVICES.items()}
    assert budgets == {
        "zu3eg": (70560, 141120, 432, 360),
        "zcu102": (274080, 548160, 1824, 2520),
        "z7020": (53200, 106400, 280, 220),
        "a7-100t": (63400, 126800, 270, 240),
        "ecp5-85k": (83640, 83640, 208, 156),
        "ecp5-25k": (24288, 24288, 56, 28),
        "ice40up5k": (5280, 5280, 30, 8),
        "gw2a-18": (20736, 15552, 46, 96),
    }


def test_unknown_names_come_with_close_ones() -> None:
    with pytest.raises(DeviceError, match=r"unknown device 'zu3e'; did you mean 'zu3eg'\? valid are zu3eg, zcu102"):
        device("zu3e")
    with pytest.raises(DeviceError, match="unknown device 'virtex'; valid are zu3eg"):
        device("virtex")


TEXT = """
name = "zu5ev"
family = "xcup"
title = "Zynq UltraScale+ ZU5EV"
lut = 117120
ff = 234240
bram = 288
dsp = 1248
bram_bits = 18432
bram_width = 36
lut_inputs = 6
dsp_widths = [27, 18]
lutram = true
clock_mhz = 200
synth = "synth_xilinx -family xcup -flatten"
source = "AMD DS891"
"""


def test_a_device_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)
    loaded = load_device(path)
    assert loaded == device(str(path))
    assert loaded.resources == Resources(117120, 234240, 288, 1248)
    assert loaded.dsp_widths == (27, 18)
    hash(loaded)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("lut = 117120", "lut = 0", "device 'zu5ev', field 'lut': 0 must be an integer of 1 to 1000000000"),
        ("lut = 117120", "lut = true", "field 'lut': True must be an integer"),
        ("bram = 288", 'bram = "288"', "field 'bram': '288' must be an integer of 0 to 1000000000"),
        ("lut_inputs = 6", "lut_inputs = 5", "field 'lut_inputs': 5 must be 4 or 6"),
        ("[27, 18]", "[27]", r"field 'dsp_widths': \(27,\) must be two integers"),
        ("lutram = true", "lutram = 1", "field 'lutram': 1 must be true or false"),
        ("clock_mhz = 200", "clock_mhz = 0", "field 'clock_mhz': 0 must be above 0"),
        ("clock_mhz = 200", 'clock_mhz = "fast"', "field 'clock_mhz': 'fast' must be a number"),
        ('"synth_xilinx', '"rm', "field 'synth': 'rm .*' must be one Yosys command"),
        ("lut = 117120", "luts = 117120", "unknown field 'luts' = 117120; valid are name, family"),
        ("lut = 117120", "", r"missing field\(s\) lut; a device needs name"),
        ('name = "zu5ev"', "name = ", "cannot be read as a device"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(DeviceError, match=f"mine.toml: .*{message}"):
        load_device(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"absent\.toml: cannot be read"):
        device(str(tmp_path / "absent.toml"))


@pytest.mark.parametrize("name", DEVICES)
def test_every_known_device_is_written_the_way_a_user_writes_one(tmp_path: Path, name: str) -> None:
    def toml(value: object) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return str(list(value)) if isinstance(value, tuple) else f'"{value}"' if isinstance(value, str) else str(value)

    path = tmp_path / "copy.toml"
    fields = [field.name for field in dataclasses.fields(Device)]
    path.write_text("\n".join(f"{field} = {toml(getattr(DEVICES[name], field))}" for field in fields))
    assert load_device(path) == DEVICES[name]


def test_a_device_that_differs_from_its_family_has_no_figures() -> None:
    """The formulas are for what the devices of a family have in common."""
    assert family(DEVICES["z7020"]).name == "xc7"
    other = dataclasses.replace(DEVICES["ecp5-25k"], name="mine", lut_inputs=6)
    with pytest.raises(DeviceError) as error:
        family(other)
    assert str(error.value) == "device 'mine', field 'lut_inputs': 6 must be 4, as 'ecp5' has it"
