"""Networks by name and from a user's file: seeds, and names that are no network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from models.zoo import MODELS, PRETRAINED, ModelError, load_model


def test_a_model_follows_its_seed_and_leaves_the_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    one, same, other = (load_model("digits_cnn", seed) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    weights = [torch.cat([p.flatten() for p in model.parameters()]) for model in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_users_model_comes_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text("WIDTH = 3\n")
    (tmp_path / "net.py").write_text(
        "import torch.nn as nn\nfrom parts import WIDTH\n"
        "def build(): return nn.Conv2d(1, WIDTH, 3)\ndef wrong(): return 'net'\n"
    )
    model = load_model(f"{tmp_path}/net.py:build")
    assert isinstance(model, nn.Conv2d)
    assert torch.equal(model.weight, load_model(f"{tmp_path}/net.py:build").weight)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"must return a torch\.nn\.Module, not str"):
        load_model(f"{tmp_path}/net.py:wrong")


def test_unknown_models_are_named() -> None:
    with pytest.raises(ModelError, match=rf"did you mean '\w+'\? valid are {', '.join([*MODELS, *PRETRAINED])}, or"):
        load_model("resnet")
