"""What models of a user's file are written with."""

from __future__ import annotations

from tests.netweave.bad_inputs.support import DEVICE, Command

LAYERS = "nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(128, 10)"
MODULES = """
import torch
import torch.nn.functional as F
from torch import nn

class Added(nn.Module):
    def __init__(self):
        super().__init__()
        self.offset = nn.Parameter(torch.ones(64))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        return self.linear(x.flatten(1) + self.offset)


class Own(nn.Module):
    def __init__(self, compute):
        super().__init__()
        self.compute, self.linear = compute, nn.Linear(64, 10)

    def forward(self, x):
        return self.linear(self.compute(x).flatten(1))


class Failing(Own):
    def forward(self, x):
        if self.training:
            raise RuntimeError("not today")
        return super().forward(x)


class Two(nn.Module):
    def forward(self, x, y):
        return x


class Plain(nn.Module):
    def __init__(self, compute):
        super().__init__()
        self.compute, self.conv = compute, nn.Conv2d(1, 4, 3, padding=1)

    def forward(self, x):
        return self.compute(self.conv(x), x)
"""


def refused(command: Command, content: str, says: str, epochs: int = 1) -> None:
    (command.folder / "own.py").write_text(content)
    (command.folder / "net.toml").write_text(f'model = "own.py:build"\n[train]\nepochs = {epochs}\n{DEVICE}')
    command.refuses("train net.toml -o run", says.replace("own.py", str(command.folder / "own.py")))
    assert not list(command.run.glob("train"))
