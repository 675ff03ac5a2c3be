"""How sums become numbers of the output's format: the rules that a node may have."""

from __future__ import annotations

from models.ir.requant import Requant
from models.ir.thresholds import Thresholds

Rescaling = Requant | Thresholds
"""Both have ``to_dtype``, for golden, and ``check``."""
RULES: tuple[type[Requant] | type[Thresholds], ...] = (Requant, Thresholds)
