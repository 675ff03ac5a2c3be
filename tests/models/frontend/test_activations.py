"""Functions of single numbers in a traced network: as modules, functions and methods, with their settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.frontend.trace import trace
from models.layers.lookup import LookupLayer
from tests.models.frontend.stages import IMAGE, Wrap, refused

MODULES = [
    nn.Sigmoid(), nn.Tanh(), nn.SiLU(), nn.GELU(), nn.GELU("tanh"), nn.Mish(), nn.Hardswish(), nn.Hardsigmoid(),
    nn.LeakyReLU(0.2), nn.ELU(0.7), nn.Softplus(2.0, 5.0), nn.Softsign(), nn.PReLU(), nn.PReLU(4),
]  # fmt: skip
FUNCTIONS: list[Callable[[Tensor], Tensor]] = [
    torch.sigmoid, torch.tanh, F.silu, F.gelu, F.mish, F.hardswish, F.hardsigmoid, F.leaky_relu, F.elu, F.softplus,
    F.softsign, lambda x: x.sigmoid(), lambda x: x.tanh(), lambda x: F.gelu(x, approximate="tanh"),
    lambda x: F.leaky_relu(x, 0.3, True), lambda x: F.elu(x, alpha=0.2), lambda x: F.silu(x, inplace=True),
]  # fmt: skip


@pytest.mark.parametrize("layer", [*MODULES, *map(Wrap, FUNCTIONS)], ids=str)
def test_a_function_becomes_a_table_with_its_settings(layer: nn.Module) -> None:
    x = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    plan = trace(nn.Sequential(layer, nn.Flatten()), IMAGE)
    (found,) = plan.layers[1:]
    assert isinstance(found, LookupLayer)
    torch.testing.assert_close(plan.logits(x), layer(x.clone()).flatten(1))


def test_what_is_never_negative_is_known() -> None:
    """So that it takes an unsigned format."""
    for function, low in ((nn.Sigmoid(), 0.0), (nn.Hardsigmoid(), 0.0), (nn.Softplus(), 0.0), (nn.SiLU(), -torch.inf)):
        layer = trace(nn.Sequential(function, nn.Flatten()), IMAGE).layers[1]
        assert isinstance(layer, LookupLayer)
        assert layer.clip == (low, torch.inf)


def test_slopes_of_other_channels_are_refused() -> None:
    refused(nn.PReLU(3), r"^stage: PReLU with num_parameters 3 is not supported: its input has 4 channels")
