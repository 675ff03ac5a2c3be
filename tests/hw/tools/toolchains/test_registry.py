"""Which devices can be routed: those that the toolchains know, each with the toolchain of its own family."""

from __future__ import annotations

from hw.fpga.families.registry import DEVICES
from hw.tools.toolchains.registry import ROUTABLE, TOOLCHAINS


def test_devices_without_a_vendor_s_tool_are_routable() -> None:
    """AMD's families have no open place and route here; every other device has."""
    open_devices = {name for name, device in DEVICES.items() if device.family not in ("xcup", "xc7")}
    assert sorted(ROUTABLE) == sorted(open_devices)


def test_each_device_is_in_the_toolchain_of_its_family() -> None:
    for family, toolchain in TOOLCHAINS.items():
        assert {DEVICES[name].family for name in toolchain.devices} == {family}
