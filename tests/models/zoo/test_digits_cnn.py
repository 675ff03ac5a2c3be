"""The network for 8 x 8 grey images: its size, and its blocks by PyTorch's functions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.zoo import load_model
from models.zoo.digits_cnn import Residual
from tests.models.nets import randomized


def test_digits_cnn_is_small_and_residual() -> None:
    model = load_model("digits_cnn")
    assert 15_000 <= sum(p.numel() for p in model.parameters()) <= 25_000
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in model.modules()) <= 8
    assert model(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_a_residual_block_is_two_convolutions_and_a_shortcut() -> None:
    """By PyTorch's functions on the weights, with and without a stride."""
    for c_in, c_out, stride in ((3, 3, 1), (3, 5, 2), (3, 5, 1)):
        block = randomized(Residual(c_in, c_out, stride), 0)
        state = block.state_dict()

        def conv_norm(x: Tensor, conv: str, norm: str, stride: int, state: dict[str, Tensor] = state) -> Tensor:
            weight = state[f"{conv}.weight"]
            y = F.conv2d(x, weight, None, stride, weight.shape[-1] // 2)
            mean, variance, gain, bias = (
                state[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
            )
            return F.batch_norm(y, mean, variance, gain, bias)

        x = torch.randn(2, c_in, 6, 6, generator=torch.Generator().manual_seed(0))
        y = conv_norm(x, "conv1", "bn1", stride).clamp(min=0)
        y = conv_norm(y, "conv2", "bn2", 1)
        shortcut = x if c_in == c_out else conv_norm(x, "around.0", "around.1", stride)
        torch.testing.assert_close(block(x), (y + shortcut).clamp(min=0))
