"""The examples that end in a bitstream: the clock each is routed for on its board, and what it takes there.

Rests on their run folders, which are made first where they are not there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netweave import config as configuration
from netweave import flow
from reports.artifact import read_json

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
CONFIGS = ("digits_dvs_ulx3s.toml", "tiny_icebreaker.toml")
STAGES = ("train", "quantize", "explore", "generate", "build")


def measure() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name in CONFIGS:
        config = configuration.load(EXAMPLES / name)
        run = Path("runs") / config.name
        for stage in STAGES:
            flow.STAGES[stage](config, run, flow.SILENT)
        for target in config.device:
            device = target.target.name
            generated, built = run / "generate" / device, flow.load_build(run, device)
            estimate = read_json(generated / "estimate.json", "estimate", "generate")
            synthesis = read_json(generated / "synthesis.json", "synthesis", "generate")
            figures[f"{config.name} on {built['board']}"] = {
                "point": estimate["point"],
                "estimated": estimate["estimated"]["resources"],
                "synthesized": synthesis["resources"],
                # with the clock, the reset and the serial link around the accelerator
                "routed": built["resources"],
                "routed fmax, MHz": round(built["fmax_mhz"], 1),
                "clock, MHz": built["clock_mhz"],
                "simulated latency, cycles": estimate["simulated"]["latency"],
                "bitstream, bytes": (run / "build" / device / built["bitstream"]).stat().st_size,
            }
    return figures
