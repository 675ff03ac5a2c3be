"""Files of other tools: what is exact, and the designs."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

LABEL = "clock `assumed`, 100 MHz; cycles `simulated`, resources `estimated`"


def files(figures: dict[str, Any]) -> Table:
    """Each file beside the outputs that came with it."""
    rows = []
    for name, own in figures.items():
        rtl = next(part for part in own.values() if isinstance(part, dict) and "rtl equals golden" in part)
        rows.append(
            (
                name,
                f"{own['nodes']}",
                f"{own['outputs that differ']:,} of {own['outputs']:,}",
                "equal" if rtl["rtl equals golden"] else "other numbers",
                f"{own['seconds to import']:.1f}",
            )
        )
    head = ("file", "nodes", "outputs of golden that are not those expected", "`rtl`, four frames", "seconds to import")
    return Table("golden and `rtl`", head, rows)


def designs(figures: dict[str, Any]) -> Table:
    """The design with the fewest cycles a frame in 80 % of each device."""
    rows = []
    for name, own in figures.items():
        for device in ("z7020", "ecp5-85k"):
            part = own[device]
            if "no design" in part:
                rows.append((name, device, part["no design"].splitlines()[0], "", "", "", ""))
                continue
            used = part["resources, estimated"]
            cells = (part["cycles a frame, simulated"], part["frames a second at an assumed clock"])
            rows.append((name, device, *(f"{own:,}" for own in (*cells, used["lut"], used["dsp"], used["bram"]))))
    return Table(LABEL, ("file", "device", "cycles a frame", "frames a second", "LUT", "DSP", "18 Kb memories"), rows)
