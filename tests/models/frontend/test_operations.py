"""Functions and modules of torch: what each adds to a plan, and calls that are refused with their setting."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.frontend.trace import trace
from tests.models.frontend.stages import IMAGE, Wrap, kinds, refused


@pytest.mark.parametrize(
    "function, layers",
    [
        (lambda x: F.relu(x) + torch.relu(x) + x.relu(), ["requantize"] * 2 + ["add", "requantize", "add"]),
        (lambda x: torch.clamp(x, max=0.5).clamp(-0.5), ["requantize"]),
        (lambda x: F.relu6(F.hardtanh(x, -0.25)), ["requantize"]),
        (lambda x: torch.mean(x, (-1, -2), keepdim=True), ["global_pool"]),
        (lambda x: x.mean((3, 2)), ["global_pool"]),
        (lambda x: F.avg_pool2d(x, 8), ["global_pool"]),
        (lambda x: F.adaptive_avg_pool2d(x, (4, 4)), ["avg_pool"]),
        (lambda x: F.adaptive_avg_pool2d(x, (8, None)), []),
        (lambda x: F.max_pool2d(x, 2), ["max_pool"]),
        (lambda x: F.dropout2d(F.dropout(x, 0.5, False), 0.5, False), []),
        (lambda x: torch.concat([x, x, x], -3), ["concat"] * 2),
        (lambda x: torch.cat([x.mean((2, 3)), x.mean((2, 3))], -1), ["global_pool"] * 2 + ["concat"]),
        (lambda x: x.add(x).add_(x), ["add"] * 2),
        (lambda x: torch.flatten(x, 1), []),
        (lambda x: x.contiguous().view(x.size(0), -1), []),
        (lambda x: x.mean((2, 3)).reshape(x.shape[0], x.size()[1]), ["global_pool"]),
        (lambda x: x.reshape((-1, 256)), []),
    ],
)
def test_functions_become_layers_that_compute_the_same(function: Callable[..., Tensor], layers: list[str]) -> None:
    model = Wrap(function)
    plan = trace(model, IMAGE)
    assert [kind for _, kind in kinds(plan)[1:]] == layers
    x = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(plan.logits(x), model(x.clone()).flatten(1))


@pytest.mark.parametrize(
    "function, message",
    [
        (lambda x: torch.cat([x, x], 2), r"^stage\.cat: cat with dim 2 is not supported: must be 1 or -3, that of the"),
        (lambda x: torch.cat([x, torch.ones(1)], 1), r"^stage\.cat: cat with tensors tensor.* all must be tensors"),
        (
            lambda x: torch.cat([x, F.max_pool2d(x, 2)], 1),
            r"cat with tensors 8x8x4 and 4x4x4 is not supported: both must",
        ),
        (lambda x: torch.cat([x.flatten(1), x.flatten(1)], 1), r"cat with tensors .*features\] that were no images"),
        (lambda x: x + 1, r"^stage\.add: add with operand 1 is not supported: both must be tensors"),
        (lambda x: torch.add(x, x, alpha=2), r"^stage\.add: add with alpha 2 is not supported"),
        (lambda x: x + F.max_pool2d(x, 2), r"^stage\.add: add with operands 8x8x4 and 4x4x4 is not supported"),
        (
            lambda x: F.max_pool2d(x, 2, 3),
            r"^stage\.max_pool2d: max_pool2d with stride 3 is not supported: must be at most",
        ),
        (lambda x: x[:, :2], r"^stage\.getitem: getitem with index"),
        (lambda x: x.view(x.size(0), 4, 64), r"^stage\.view: view with shape .*only \(n, 256\) is possible"),
        (lambda x: x.mean(1), r"^stage\.mean: mean with dim 1 is not supported: must be \(2, 3\)"),
        (lambda x: F.dropout(x, 0.5), r"^stage\.dropout: dropout with training True"),
    ],
)
def test_a_refused_call_names_its_setting(function: Callable[..., Tensor], message: str) -> None:
    refused(Wrap(function), message)
