"""A network of one's own: a function that returns any nn.Module made of the standard layers."""

from __future__ import annotations

from torch import nn


def build() -> nn.Module:
    """8 x 8 grey images to ten classes, without a residual."""
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1, bias=False),
        nn.BatchNorm2d(12),
        nn.ReLU6(),
        nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1, bias=False),
        nn.BatchNorm2d(24),
        nn.ReLU6(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(24, 10),
    )
