"""A network's weights on disk: an npz file with every entry of its state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from models.ir.files import read_npz


class WeightsError(ValueError):
    """A weights file that cannot be read or fits another network; the message names the file."""


def save_weights(network: nn.Module, path: Path) -> None:
    np.savez(path, **{name: value.numpy() for name, value in network.state_dict().items()})


def load_weights(network: nn.Module, path: Path) -> None:
    """Put what ``save_weights`` wrote into a network of the same architecture."""
    try:
        state = {name: torch.from_numpy(array) for name, array in read_npz(path).items()}
    except FileNotFoundError:
        raise WeightsError(f"{path}: is not there") from None
    except (OSError, ValueError, TypeError) as error:
        raise WeightsError(f"{path}: is truncated or no npz file: {error}") from None
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(f"{path}: does not fit the network: {error}") from None
