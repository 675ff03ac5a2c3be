"""The list of open toolchains: which one builds for which family of FPGAs."""

from __future__ import annotations

from hw.tools.toolchains.ecp5 import Ecp5
from hw.tools.toolchains.gowin import Gowin
from hw.tools.toolchains.ice40 import Ice40
from hw.tools.toolchains.toolchain import Toolchain

TOOLCHAINS: dict[str, Toolchain] = {"ecp5": Ecp5(), "ice40": Ice40(), "gowin": Gowin()}
ROUTABLE = tuple(device for toolchain in TOOLCHAINS.values() for device in toolchain.devices)
"""Devices with an open place and route."""
