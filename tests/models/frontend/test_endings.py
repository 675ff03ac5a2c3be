"""Softmax, log-softmax and sigmoid at a network's end: left out with a note, undone in training, refused elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.data import Dataset
from models.data.arrays import from_arrays
from models.evaluate import accuracy
from models.frontend.endings import ENDINGS
from models.frontend.trace import TraceError
from models.quant import quantize
from models.quant.qat import NetworkError, plan_for
from models.train import train

FORMS: list[tuple[str, Callable[[], nn.Module | Callable[[Tensor], Tensor]]]] = [
    ("softmax", lambda: nn.Softmax(dim=1)),
    ("softmax", lambda: nn.Softmax(dim=-1)),
    ("softmax", lambda: lambda x: F.softmax(x, dim=1)),
    ("softmax", lambda: lambda x: torch.softmax(x, 1)),
    ("softmax", lambda: lambda x: x.softmax(-1)),
    ("log_softmax", lambda: nn.LogSoftmax(dim=1)),
    ("log_softmax", lambda: lambda x: F.log_softmax(x, 1)),
    ("log_softmax", lambda: lambda x: torch.log_softmax(x, dim=-1)),
    ("log_softmax", lambda: lambda x: x.log_softmax(1)),
    ("sigmoid", nn.Sigmoid),
    ("sigmoid", lambda: torch.sigmoid),
    ("sigmoid", lambda: lambda x: F.sigmoid(x)),
]


class Ended(nn.Module):
    """Features to three classes, and a function of them."""

    def __init__(self, end: Callable[[Tensor], Tensor], after: Callable[[Tensor], Tensor] = lambda x: x) -> None:
        super().__init__()
        self.hidden, self.fc = nn.Linear(4, 16), nn.Linear(16, 3)
        self.end, self.after = end, after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.end(self.fc(self.hidden(x).relu())))


def blobs(n: int = 300) -> Dataset:
    """Features [n, 4] of three classes that lie apart."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    x = rng.normal(size=(n, 4)) + 4 * rng.normal(size=(3, 4))[y]
    return from_arrays("blobs", {"x_train": x, "y_train": y, "x_test": x[::3], "y_test": y[::3]})


def ended(end: Callable[[Tensor], Tensor], **kinds: Callable[[Tensor], Tensor]) -> Ended:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Ended(end, **kinds)


@pytest.mark.parametrize("kind, make", FORMS)
def test_an_ending_is_left_out_and_the_classes_stay(kind: str, make: Callable[[], nn.Module]) -> None:
    data, model = blobs(), ended(make()).eval()
    plan = plan_for(model, data)
    assert [layer.kind for layer in plan.layers] == ["input", "linear", "linear"]
    assert plan.ending == kind
    (note,) = plan.notes
    assert note.endswith("ends the network and is left out, as it leaves the largest output the largest")
    x = torch.from_numpy(data.test_x)
    with torch.no_grad():
        logits = plan.logits(x)
        outputs = model(x.flatten(1))
    torch.testing.assert_close(logits, model.fc(model.hidden(x.flatten(1)).relu()), rtol=1e-4, atol=1e-5)
    assert torch.equal(outputs.argmax(1), logits.argmax(1))
    torch.testing.assert_close(ENDINGS[kind].apply(logits), outputs)
    torch.testing.assert_close(ENDINGS[kind].apply(ENDINGS[kind].undo(outputs)), outputs)


def test_a_network_without_an_ending_has_none() -> None:
    plan = plan_for(ended(lambda x: x), blobs())
    assert (plan.ending, plan.notes) == ("", ())


@pytest.mark.parametrize("kind", ["softmax", "log_softmax"])
def test_elsewhere_it_is_not_supported(kind: str) -> None:
    ending = {"softmax": nn.Softmax(1), "log_softmax": nn.LogSoftmax(1)}[kind]
    with pytest.raises(TraceError, match=rf"^end: {type(ending).__name__} is not supported\nsupported are"):
        plan_for(ended(ending, after=lambda x: x + x), blobs())


def test_a_sigmoid_elsewhere_is_a_layer() -> None:
    plan = plan_for(nn.Sequential(nn.Sigmoid(), nn.Linear(4, 3)), blobs())
    assert (plan.ending, [layer.kind for layer in plan.layers]) == ("", ["input", "lookup", "linear"])


def test_one_sigmoid_for_two_classes_is_refused_with_what_to_give() -> None:
    with pytest.raises(
        NetworkError, match=r"gives 1x1x1; .* each class needs an output of its own, also where there are"
    ):
        plan_for(nn.Sequential(nn.Linear(4, 1), nn.Sigmoid()), blobs())


def test_over_the_images_of_a_batch_it_is_refused() -> None:
    with pytest.raises(TraceError, match=r"^end: Softmax with dim 0 is not supported: must be 1, that of the classes"):
        plan_for(ended(nn.Softmax(0)), blobs())
    with pytest.raises(TraceError, match=r"^softmax: softmax with dim 0 is not supported"):
        plan_for(ended(lambda x: F.softmax(x, dim=0)), blobs())


@pytest.mark.parametrize("kind, end", [("softmax", nn.Softmax(1)), ("sigmoid", nn.Sigmoid()), ("log_softmax", None)])
def test_training_sees_what_comes_before(kind: str, end: nn.Module | None) -> None:
    """The loss and its gradients are those of the network without its ending."""
    data = blobs()
    bare = train(ended(lambda x: x), data, epochs=3)
    whole = train(ended(end or nn.LogSoftmax(1)), data, epochs=3, ending=kind)
    for name, value in bare.state_dict().items():
        torch.testing.assert_close(whole.state_dict()[name], value, rtol=2e-2, atol=2e-3)
    assert accuracy(whole, data, "test") == accuracy(bare, data, "test")
    assert accuracy(whole, data, "test").value > 0.9
    quantized = quantize(whole, data, "int8", epochs=0)
    assert accuracy(quantized, data, "test").value >= accuracy(whole, data, "test").value - 0.02
