"""``quantize``: from a float network to a quantized one, calibrated and trained for a short while."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from models.data.dataset import Dataset
from models.frontend.trace import trace_for
from models.layers.input import input_layer
from models.layers.layer import WeightedLayer
from models.plan import FloatPlan
from models.quant.bias import correct_bias
from models.quant.calibrate import Calibration
from models.quant.formats import resolve
from models.quant.network import QuantizedNetwork
from models.quant.reconstruct import reconstruct
from models.sparse import SparseTensor
from models.train import BATCH, Progress, batches

EPOCHS = 6
WEIGHT_RATE = 2e-2
"""Of a layer's weights, times what rounding moves them by: one for all would be too slow for 2 bits or ruin 8."""
BIAS_RATE = 1e-4
SCALE_RATE = 1e-3
AVERAGED = 10
"""The parameters that training ends with are averages of the last ones: over about the last step of so many."""


class NetworkError(ValueError):
    """A network that does not fit its data set; the message names both and the shapes."""


def plan_for(model: nn.Module | FloatPlan, data: Dataset, name: str = "network") -> FloatPlan:
    """The plan of ``model`` for the images of ``data``, one output a class."""
    plan = model if isinstance(model, FloatPlan) else trace_for(model, input_layer(data), name)
    shape = plan[plan.output].shape
    if tuple(shape) != (1, 1, data.classes):
        hint = "; each class needs an output of its own, also where there are two" if tuple(shape) == (1, 1, 1) else ""
        needs = f"data set {data.name!r} needs 1x1x{data.classes}, as its labels are 0 to {data.classes - 1}{hint}"
        raise NetworkError(f"network {plan.name!r} gives {shape}; {needs}")
    return plan


def quantize(
    model: nn.Module | FloatPlan,
    data: Dataset,
    assignment: Mapping[str, str] | str,
    calibration: str | Calibration = "mse",
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: Progress | None = None,
    reconstruction: int = 0,
) -> QuantizedNetwork:
    """The network with the formats of ``assignment``, in eval mode.

    Scales come from ``calibration``: ``minmax``, ``percentile``, ``mse``, or one made before for
    the same plan. Biases are corrected or, if ``reconstruction`` is not 0, every weight's rounding
    chosen so many times for what its layer gives. ``epochs`` of training follow, with the float
    network as teacher; 0 for none.

    Deterministic for one seed on one machine.
    """
    plan = plan_for(model, data)
    formats = resolve(plan, data.input_dtype, assignment)
    scales = Calibration(plan, data, calibration) if isinstance(calibration, str) else calibration
    network = QuantizedNetwork(plan, formats, scales)
    if reconstruction:
        reconstruct(network, scales, reconstruction)
    else:
        correct_bias(network, scales)
    _finetune(network, plan, data, epochs, seed, progress)
    return network.eval()


def _finetune(
    network: QuantizedNetwork, plan: FloatPlan, data: Dataset, epochs: int, seed: int, progress: Progress | None
) -> None:
    """Train ``network`` in place, with ``plan`` as teacher."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(_rates(network))
    steps = max(1, epochs * max(1, len(data.train_x) // BATCH))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    averages = [parameter.detach().clone() for parameter in network.parameters()]
    done = 0
    for epoch in range(epochs):
        for x, _ in batches(data, generator):
            if not data.sparse:
                x = x.contiguous(memory_format=torch.channels_last)  # as calibration's images are
            with torch.no_grad():
                wanted = plan.values(x)
            loss = relative_mse(network.values(x), wanted, plan.quantizable_layers)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            done += 1
            # a weight beside the middle of two values is rounded now up and now down
            for average, parameter in zip(averages, network.parameters(), strict=True):
                average.lerp_(parameter.detach(), AVERAGED / (AVERAGED + done))
        if progress:
            progress("quantize", epoch + 1, epochs)
    with torch.no_grad():
        for average, parameter in zip(averages, network.parameters(), strict=True):
            parameter.copy_(average)


def relative_mse(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], names: Iterable[str]) -> Tensor:
    """The squared error of each layer's output over the output's own square, added up over the layers of ``names``.

    The float network knows its training images by heart: labels, or its last outputs alone, would say little of them.
    """
    total = torch.zeros(())
    for name in names:
        ours, real = (x.features if isinstance(x, SparseTensor) else x for x in (found[name], wanted[name]))
        total = total + (ours - real).square().sum() / real.square().sum().clamp(min=torch.finfo(real.dtype).tiny)
    return total


def _rates(network: QuantizedNetwork) -> list[dict[str, Any]]:
    """Every parameter with its learning rate."""
    named = dict(network.named_parameters())
    groups: list[dict[str, Any]] = [
        {"params": [p for name, p in named.items() if "log_" in name], "lr": SCALE_RATE},
        {"params": [p for name, p in named.items() if name.endswith(".bias")], "lr": BIAS_RATE},
    ]
    for part in network.layers.values():
        if isinstance(part.layer, WeightedLayer):
            with torch.no_grad():
                moved = float((part.quantized_weight() - part.layer.weight).square().mean().sqrt())
            groups.append({"params": [part.weight], "lr": WEIGHT_RATE * moved})
    return groups
