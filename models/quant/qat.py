"""``quantize``: from a float network to a quantized one, by calibration and a short training."""

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
"""Rate of a layer's weights, relative to their rounding error. A common rate is too slow for 2 bits or ruins 8."""
BIAS_RATE = 1e-4
SCALE_RATE = 1e-3
AVERAGING_DIVISOR = 10
"""Final parameters are a running average over roughly the last step in this many, the last 10 % of steps."""


class NetworkError(ValueError):
    """A network that does not fit its data set; the message names both and the shapes."""


def plan_for(model: nn.Module | FloatPlan, data: Dataset, name: str = "network") -> FloatPlan:
    """Trace a network for the images of a data set, and check that it has one output per class.

    Parameters
        model     module, or a plan already traced
        data      data set
        name      name of the plan
    """
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
    """Quantize a network. The result is in eval mode, and deterministic for one seed on one machine.

    Parameters
        model              module, or a plan already traced
        data               data set for calibration and training
        assignment         format of each layer, or one for all
        calibration        ``minmax``, ``percentile`` or ``mse``, or a calibration of the same plan
        epochs             epochs of training with the float network as teacher
        seed               seed of the training
        progress           called after each epoch
        reconstruction     passes of layer-wise reconstruction; with 0 the biases are corrected instead
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
    """Train ``network`` in place, with the float network ``plan`` as teacher."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(_rates(network))
    steps = max(1, epochs * max(1, len(data.train_x) // BATCH))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    averages = [parameter.detach().clone() for parameter in network.parameters()]
    step = 0
    for epoch in range(epochs):
        for x, _ in batches(data, generator):
            if not data.sparse:
                x = x.contiguous(memory_format=torch.channels_last)  # as calibration's images are
            with torch.no_grad():
                targets = plan.values(x)
            loss = relative_mse(network.values(x), targets, plan.quantizable_layers)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            # a weight near the middle of two values flips between them; the average is stable
            for average, parameter in zip(averages, network.parameters(), strict=True):
                average.lerp_(parameter.detach(), AVERAGING_DIVISOR / (AVERAGING_DIVISOR + step))
        if progress:
            progress("quantize", epoch + 1, epochs)
    with torch.no_grad():
        for average, parameter in zip(averages, network.parameters(), strict=True):
            parameter.copy_(average)


def relative_mse(values: Mapping[str, Tensor], targets: Mapping[str, Tensor], names: Iterable[str]) -> Tensor:
    """The squared error of a layer's output over the square of the target, added up over layers.

    The float network has overfitted its training images: labels, or its last outputs alone, would be a weak target.

    Parameters
        values      outputs by layer
        targets     outputs of the float network by layer
        names       layers to add up
    """
    total = torch.zeros(())
    for name in names:
        value, target = (x.features if isinstance(x, SparseTensor) else x for x in (values[name], targets[name]))
        total = total + (value - target).square().sum() / target.square().sum().clamp(
            min=torch.finfo(target.dtype).tiny
        )
    return total


def _rates(network: QuantizedNetwork) -> list[dict[str, Any]]:
    """The parameter groups of the optimizer, with their learning rates."""
    parameters = dict(network.named_parameters())
    groups: list[dict[str, Any]] = [
        {"params": [p for name, p in parameters.items() if "log_" in name], "lr": SCALE_RATE},
        {"params": [p for name, p in parameters.items() if name.endswith(".bias")], "lr": BIAS_RATE},
    ]
    for part in network.layers.values():
        if isinstance(part.layer, WeightedLayer):
            with torch.no_grad():
                error = float((part.quantized_weight() - part.layer.weight).square().mean().sqrt())
            groups.append({"params": [part.weight], "lr": WEIGHT_RATE * error})
    return groups
