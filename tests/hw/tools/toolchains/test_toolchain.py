"""What every toolchain keeps to: each step reads what an earlier one wrote, with a program that is there."""

from __future__ import annotations

import pytest

from hw.tools.toolchains.registry import TOOLCHAINS
from hw.tools.toolchains.toolchain import Package, Toolchain

toolchains = pytest.mark.parametrize("toolchain", TOOLCHAINS.values(), ids=TOOLCHAINS)


@toolchains
def test_the_packer_reads_what_the_router_writes(toolchain: Toolchain) -> None:
    for device in toolchain.devices:
        options, routed = toolchain.place(Package(device, "PACKAGE", 7))
        assert options[-1] == routed, "the last option is the file to write"
        assert "PACKAGE" in options
        step = toolchain.pack(routed)
        assert step.inputs == (routed,)
        assert {routed, step.output} <= {*step.arguments}
        assert step.output == toolchain.bitstream_file
        assert {toolchain.router, step.program} <= {*toolchain.programs}


@toolchains
def test_the_router_is_told_of_the_constraints(toolchain: Toolchain) -> None:
    """With a board's pins always; without a board where the router does not place ports by itself."""
    for device, bare in toolchain.devices.items():
        options, _ = toolchain.place(Package(device, "PACKAGE", 7))
        assert any(option.endswith(toolchain.pins_file) for option in options)
        assert any(option.endswith(toolchain.pins_file) for option in bare) == bool(toolchain.bare_pins)
