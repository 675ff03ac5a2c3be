"""The list of families of FPGAs, and devices by name."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

from hw.fpga.device import Device, DeviceError
from hw.fpga.families.ecp5 import ECP5
from hw.fpga.families.family import FpgaFamily
from hw.fpga.families.gowin import GOWIN
from hw.fpga.families.ice40 import ICE40
from hw.fpga.families.xilinx import XC7, XCUP
from models.ir.files import read_toml
from models.ir.names import did_you_mean

FAMILIES: dict[str, FpgaFamily] = {own.name: own for own in (XCUP, XC7, ECP5, ICE40, GOWIN)}
DEVICES: dict[str, Device] = {device.name: device for own in FAMILIES.values() for device in own.devices}

OF_FAMILY = ("bram_bits", "bram_width", "lut_inputs", "dsp_widths", "lutram")
"""Fields of a device that all of its family have in common; the formulas are for these values."""


def family(device: Device) -> FpgaFamily:
    """The resource figures of a device's family.

    Parameters
        device     any device
    Raises         DeviceError: when there are no figures for the family, or when a field differs from the family's
    """
    if device.family not in FAMILIES:
        raise DeviceError(
            f"device {device.name!r}, field 'family': no resource figures for {device.family!r}; "
            f"{did_you_mean(device.family, FAMILIES)}"
        )
    like = FAMILIES[device.family].devices[0]
    for field in OF_FAMILY:
        value, valid = getattr(device, field), getattr(like, field)
        if value != valid:
            raise DeviceError(
                f"device {device.name!r}, field {field!r}: {value!r} must be {valid!r}, as {device.family!r} has it"
            )
    return FAMILIES[device.family]


def device(name: str) -> Device:
    """A device by its name or by the path of its TOML file.

    Parameters
        name       a name in ``DEVICES``, or a path that ends in ``.toml``
    Raises         DeviceError: when the name is unknown or the file is not valid
    """
    if name.endswith(".toml"):
        return load_device(Path(name))
    if name not in DEVICES:
        raise DeviceError(f"unknown device {name!r}; {did_you_mean(name, DEVICES)}, or the path of a .toml file")
    return DEVICES[name]


def load_device(path: Path) -> Device:
    """The device that a TOML file describes.

    Parameters
        path       file whose keys are exactly the fields of ``Device``
    Raises         DeviceError: when the file cannot be read, or a field is missing, unknown or not valid
    """
    try:
        table = read_toml(path)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DeviceError(f"{path}: cannot be read as a device: {error}") from error
    fields = [field.name for field in dataclasses.fields(Device)]
    for key in table:
        if key not in fields:
            raise DeviceError(f"{path}: unknown field {key!r} = {table[key]!r}; valid are {', '.join(fields)}")
    missing = [field for field in fields if field not in table]
    if missing:
        raise DeviceError(f"{path}: missing field(s) {', '.join(missing)}; a device needs {', '.join(fields)}")
    if isinstance(table["dsp_widths"], list):
        table["dsp_widths"] = tuple(table["dsp_widths"])
    try:
        return Device(**table)
    except DeviceError as error:
        raise DeviceError(f"{path}: {error}") from error
