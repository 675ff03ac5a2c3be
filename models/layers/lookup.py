"""Any function of single numbers: sigmoid, SiLU, leaky ReLU and the like. Its integers are a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from models.ir.ops.lookup import Lookup
from models.layers.integers import Integers
from models.layers.layer import ClippedLayer
from models.sparse import SparseTensor


@dataclass(frozen=True, eq=False, kw_only=True)
class LookupLayer(ClippedLayer):
    """A function of each number.

    Parameters
        function    the function, of a tensor of any shape; with ``weight`` its second argument
        weight      float [c], a number of each channel that the function also takes; or None
    """

    kind: ClassVar[str] = "lookup"
    tabulated: ClassVar[bool] = True

    function: Callable[..., Tensor]
    weight: Tensor | None = None

    def compute(self, *inputs: Tensor) -> Tensor:
        return self.function(inputs[0]) if self.weight is None else self.function(inputs[0], self.weight)

    def results(self, values: Tensor) -> Tensor:
        """The function's float64 results for float64 ``values`` [v], as [1 or c, v]."""
        if self.weight is None:
            return self.compute(values)[None]
        weight = self.weight.double()
        return self.function(values[:, None].expand(-1, len(weight)), weight).t()

    def integer(self, integers: Integers, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        assert integers.table is not None
        assert integers.source is not None
        table, values = integers.table, torch.from_numpy(integers.source.values())
        row = torch.arange(len(table)) if len(table) > 1 else torch.zeros(1, dtype=torch.int64)
        if isinstance(x, SparseTensor):
            return x.map(lambda features: table[row, torch.searchsorted(values, features)])
        return table[row[:, None, None], torch.searchsorted(values, x)]

    def node(self, integers: Integers) -> Lookup:
        assert integers.table is not None
        assert integers.source is not None
        return Lookup(**self.common(integers), source=integers.source, table=integers.table.numpy())
