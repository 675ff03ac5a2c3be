"""The limits of a selection, as label passes use them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dse.labels.kernels import NEVER


@dataclass(frozen=True)
class Limits:
    """The limits of a selection.

    Parameters
        deadline  latest finish of the output in cycles; ``NEVER`` for no limit
        caps      int64 [rows], limit of each row of the network
        cycles    limit of the steady-state cycles of each op; ``NEVER`` for no limit
    """

    deadline: int
    caps: np.ndarray
    cycles: int = NEVER
