"""The demo's network in one format, made by ``models`` alone.

What rests on it does not rest on the whole flow, and stays measured where only the flow changes.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from models import data
from models.data import Dataset
from models.ir.activity import with_activity
from models.ir.graph import Graph
from models.plan import FloatPlan
from models.quant import quantize
from models.quant.calibrate import Calibration
from models.quant.qat import plan_for
from models.train import train
from models.zoo import load_model

CONFIG = Path(__file__).resolve().parent.parent.parent / "examples" / "digits_dvs.toml"
ACTIVITY_FRAMES = 256


@cache
def demo(fmt: str) -> Graph:
    """The network as `netweave quantize examples/digits_dvs.toml` leaves it in a format."""
    settings, images, plan, scales = _trained()
    own = settings["quantize"]
    seed = settings["train"]["seed"]
    network = quantize(plan, images, fmt, scales, own["epochs"], seed, reconstruction=own["reconstruction"])
    graph = network.export()
    return graph.replace(stats=with_activity(graph, images.sample("train", ACTIVITY_FRAMES)).stats)


@cache
def _trained() -> tuple[dict[str, Any], Dataset, FloatPlan, Calibration]:
    settings = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    images = data.load(settings["data"])
    network = load_model(settings["model"], settings["train"]["seed"])
    train(network, images, settings["train"]["epochs"], settings["train"]["seed"])
    plan = plan_for(network.eval(), images, CONFIG.stem)
    return settings, images, plan, Calibration(plan, images, settings["quantize"]["calibration"])
