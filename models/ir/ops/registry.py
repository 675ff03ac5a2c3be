"""The list of operations, by the names that files call them."""

from __future__ import annotations

from models.ir.node import Node
from models.ir.ops.add import Add
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.concat import Concat
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.input import Input
from models.ir.ops.linear import Linear
from models.ir.ops.lookup import Lookup
from models.ir.ops.max_pool import MaxPool
from models.ir.ops.requantize import Requantize

NODES: dict[str, type[Node]] = {
    kind.op: kind for kind in (Input, Conv, MaxPool, AvgPool, GlobalPool, Linear, Add, Concat, Requantize, Lookup)
}
