"""A small network as the files of ESDA have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np


def write_network(folder: Path, rng: np.random.Generator) -> Path:
    """A small network with a layer of each kind and a residual block."""
    layers = [
        ("stem", "conv3x3", 2, 4, 2, True, None),
        ("block_0_0", "pointwise", 4, 8, 1, True, None),
        ("block_0_1", "depthwise3x3", 8, 8, 1, True, None),
        ("block_0_2", "pointwise", 8, 4, 1, False, 50_000),
        ("head", "pointwise", 4, 4, 1, True, None),
    ]
    shapes = {
        "conv3x3": lambda i, o: (9, i, o),
        "depthwise3x3": lambda _, o: (9, o),
        "pointwise": lambda i, o: (o, i),
    }
    records: list[dict[str, Any]] = []
    mask = rng.random((5, 7)) < 0.4
    arrays: dict[str, np.ndarray] = {
        "input/mask": mask.astype(np.uint8),
        "input/features": rng.integers(-1, 2, (mask.sum(), 2)),
    }
    for name, op, i, o, stride, relu, identity in layers:
        record = {"name": name, "op": op, "in_channels": i, "out_channels": o, "stride": stride, "relu": relu}
        if identity:
            record |= {"residual_from": "block_0/input", "identity_scale": identity}
        records.append(record)
        arrays[f"{name}/weight"] = rng.integers(-127, 128, shapes[op](i, o), dtype=np.int8)
        arrays[f"{name}/bias"] = rng.integers(-500, 500, o, dtype=np.int16)
        arrays[f"{name}/scale"] = rng.integers(100, 20_000, o, dtype=np.int16)
    folder.mkdir(exist_ok=True)
    (folder / "net.json").write_text(json.dumps({"name": "net", "input_hw": [5, 7], "layers": records}))
    np.savez(folder / "net.npz", **arrays)  # type: ignore[arg-type]
    return folder / "net.json"
