"""``quantize``: from a float network to a quantized one, calibrated and trained for a short while."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from models.data.dataset import Dataset
from models.plan import Plan
from models.quant.bias import correct_bias
from models.quant.calibrate import Calibration
from models.quant.formats import resolve
from models.quant.network import QuantizedNetwork
from models.trace import trace
from models.train import BATCH, Progress, batches

EPOCHS = 6
LEARNING_RATE = 1e-3
SCALE_LEARNING_RATE = 1e-2
TEACHER_SHARE = 0.5
TEMPERATURE = 2.0


class NetworkError(ValueError):
    """A network that does not fit its data set; the message names both and the shapes."""


def plan_for(model: nn.Module | Plan, data: Dataset, name: str = "network") -> Plan:
    """The plan of ``model`` for the images of ``data``, one output a class."""
    plan = model if isinstance(model, Plan) else trace(model, data.shape, name, data.sparse)
    shape = plan[plan.output].shape
    if tuple(shape) != (1, 1, data.classes):
        raise NetworkError(f"network {plan.name!r} gives {shape}; data set {data.name!r} needs 1x1x{data.classes}")
    return plan


def quantize(
    model: nn.Module | Plan,
    data: Dataset,
    assignment: Mapping[str, str] | str,
    calibration: str | Calibration = "mse",
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: Progress | None = None,
) -> QuantizedNetwork:
    """The network with the formats of ``assignment``, in eval mode.

    Scales come from ``calibration``: ``minmax``, ``percentile``, ``mse``, or one made before for
    the same plan; biases are corrected with them. ``epochs`` of training follow, with the float
    network as teacher; 0 for none.
    Deterministic for one seed on one machine.
    """
    plan = plan_for(model, data)
    formats = resolve(plan, data.input_dtype, assignment)
    scales = Calibration(plan, data, calibration) if isinstance(calibration, str) else calibration
    network = QuantizedNetwork(plan, formats, scales)
    correct_bias(network, scales)
    finetune(network, plan, data, epochs, seed, progress)
    return network.eval()


def finetune(
    network: nn.Module, plan: Plan, data: Dataset, epochs: int, seed: int, progress: Progress | None = None
) -> None:
    """Train ``network`` in place, with ``plan`` as teacher; of any but a quantized one, all parameters alike."""
    generator = torch.Generator().manual_seed(seed)
    scales = [p for name, p in network.named_parameters() if "log_" in name]
    others = [p for name, p in network.named_parameters() if "log_" not in name]
    optimizer = torch.optim.Adam(
        [{"params": others, "lr": LEARNING_RATE}, {"params": scales, "lr": SCALE_LEARNING_RATE}]
    )
    steps = max(1, epochs * max(1, len(data.train_x) // BATCH))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    network.train()
    for epoch in range(epochs):
        for x, y in batches(data, generator):
            if not data.sparse:
                x = x.contiguous(memory_format=torch.channels_last)  # as calibration's images are
            with torch.no_grad():
                teacher = (plan.logits(x) / TEMPERATURE).softmax(dim=1)
            logits = network(x)
            imitation = F.kl_div((logits / TEMPERATURE).log_softmax(dim=1), teacher, reduction="batchmean")
            loss = (1 - TEACHER_SHARE) * F.cross_entropy(logits, y) + TEACHER_SHARE * TEMPERATURE**2 * imitation
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if progress:
            progress("quantize", epoch + 1, epochs)
