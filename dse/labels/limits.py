"""What a choice must keep to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dse.labels.kernels import NEVER


@dataclass(frozen=True)
class Limits:
    """What a choice must keep to.

    Parameters
        deadline  the latest finish of the output in cycles; ``NEVER`` where there is none
        caps      int64 [rows], the most of each row of the network
        cycles    the most steady-state cycles of an op; ``NEVER`` where there is no limit
    """

    deadline: int
    caps: np.ndarray
    cycles: int = NEVER
