"""AMD's parts: what Vivado calls the devices that it is used for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A device in Vivado's terms.

    Parameters
        name         name of the part
        family       its family
        board        pattern of the board files that match
        processor    script of the block design with its processor; None where it has no processor
    """

    name: str
    family: str
    board: str
    processor: str | None


PARTS = {
    "zu3eg": Part("xczu3eg-sbva484-1-e", "zynquplus", "*:ultra96*", "design_xcup.tcl"),
    "zcu102": Part("xczu9eg-ffvb1156-2-e", "zynquplus", "*:zcu102:*", "design_xcup.tcl"),
    "z7020": Part("xc7z020clg400-1", "zynq", "*:pynq-z2:*", "design_xc7.tcl"),
    "a7-100t": Part("xc7a100tcsg324-1", "artix7", "*:arty-a7-100:*", None),
}
