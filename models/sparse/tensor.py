"""``SparseTensor``: the features of the active sites of a batch of images."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import torch
from torch import Tensor

from models.ir.frame import Frame
from models.sparse.sites import Sites

P = ParamSpec("P")

FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {}
"""The implementation of each torch function for a SparseTensor; ``functions`` fills it."""

# networks take it wherever they take a Tensor, so a type checker shall see one
_Base = Tensor if TYPE_CHECKING else object


class SparseTensor(_Base):
    """Images ``[n, C, H, W]`` that store active sites only.

    Arithmetic acts on the features. The other operand is a number, a tensor ``[C, 1, 1]`` or a SparseTensor with the
    same sites. A convolution or pooling ignores inactive sites, which is zero for a sum; its output sites are those of
    ``Window.out_sites``. A function that reduces a whole image returns a plain tensor.

    Parameters
        features     [sites, C], one row for each active site
        sites        the active sites
    """

    features: Tensor
    sites: Sites

    def __init__(self, features: Tensor, sites: Sites) -> None:
        if features.dim() != 2 or len(features) != len(sites):
            raise ValueError(f"features must have shape [{len(sites)}, channels], not {tuple(features.shape)}")
        self.features = features
        self.sites = sites

    @classmethod
    def from_dense(cls, x: Tensor, mask: Tensor | None = None) -> SparseTensor:
        """The active sites of images ``x`` [n, C, H, W].

        They are those of ``mask`` [n, H, W] or, without a mask, those with a channel that is not zero.
        """
        sites = Sites.of((x != 0).any(dim=1) if mask is None else mask)
        return cls(x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]).index_select(0, sites.raster), sites)

    def to_dense(self) -> Tensor:
        """``[n, C, H, W]``, zero where no site is active."""
        n, channels, height, width = self.shape
        image = self.features
        if not self.sites.full:
            image = image.new_zeros(n * height * width, channels).index_copy(0, self.sites.raster, image)
        return image.view(n, height, width, channels).permute(0, 3, 1, 2)

    def frames(self) -> list[Frame]:
        """Each image of integers as a frame."""
        _, _, height, width = self.shape
        return [
            Frame(height, width, part.sites.coordinates.cpu().numpy(), part.features.cpu().numpy())
            for part in self.split(1)
        ]

    def map(self, function: Callable[[Tensor], Tensor]) -> SparseTensor:
        """Apply ``function`` to the features; the sites stay."""
        return SparseTensor(function(self.features), self.sites)

    @property
    def shape(self) -> torch.Size:
        return torch.Size((self.sites.batch, self.features.shape[1], self.sites.height, self.sites.width))

    @property
    def dtype(self) -> torch.dtype:
        return self.features.dtype

    @property
    def device(self) -> torch.device:
        return self.features.device

    def __len__(self) -> int:
        return self.sites.batch

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return 4

    def double(self) -> SparseTensor:
        return self.map(Tensor.double)

    def float(self) -> SparseTensor:
        return self.map(Tensor.float)

    def long(self) -> SparseTensor:
        return self.map(Tensor.long)

    def split(self, size: int) -> tuple[SparseTensor, ...]:
        """Groups of ``size`` images."""
        sites = self.sites.split(size)
        features = self.features.split([len(part) for part in sites])
        return tuple(SparseTensor(part, own) for part, own in zip(features, sites, strict=True))

    def __add__(self, other: Any) -> SparseTensor:
        return self.map(lambda features: features + self._operand(other))

    def add(self, other: Any, *, alpha: Any = 1) -> SparseTensor:
        return self.map(lambda features: features.add(self._operand(other), alpha=alpha))

    def __mul__(self, other: Any) -> SparseTensor:
        return self.map(lambda features: features * self._operand(other))

    def __truediv__(self, other: Any) -> SparseTensor:
        return self.map(lambda features: features / self._operand(other))

    def __rshift__(self, other: Any) -> SparseTensor:
        return self.map(lambda features: features >> self._operand(other))

    def relu(self) -> SparseTensor:
        return self.map(torch.relu)

    def clamp(self, min: Any = None, max: Any = None) -> SparseTensor:
        return self.map(lambda features: features.clamp(min, max))

    def sum(self, dim: Sequence[int], keepdim: bool = False) -> Tensor:
        """The sum over the sites of each image: ``[n, C]``, or ``[n, C, 1, 1]``."""
        if sorted(d % 4 for d in dim) != [2, 3]:
            raise ValueError(f"dim {dim} of a SparseTensor: must be (2, 3), the sites of each image")
        total = self.features.new_zeros(self.shape[:2]).index_add(0, self.sites.image, self.features)
        return total[:, :, None, None] if keepdim else total

    def mean(self, dim: Sequence[int], keepdim: bool = False) -> Tensor:
        """The sum over the active sites of each image, divided by the number of all its sites."""
        return self.sum(dim, keepdim) / (self.sites.height * self.sites.width)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        return self.to_dense().flatten(start_dim, end_dim)

    def reshape(self, *shape: Any) -> Tensor:
        return self.to_dense().reshape(*shape)

    def view(self, *shape: Any) -> Tensor:
        return self.reshape(*shape)

    def contiguous(self) -> SparseTensor:
        return self

    def _operand(self, other: Any) -> Any:
        if isinstance(other, SparseTensor):
            if not self.sites.same(other.sites):
                raise ValueError(f"two tensors of {self.shape} and {other.shape}: they have different active sites")
            return other.features
        if isinstance(other, Tensor) and other.dim():
            if other.shape != (self.shape[1], 1, 1):
                raise ValueError(f"an operand of {tuple(other.shape)}: must be a number or [{self.shape[1]}, 1, 1]")
            return other[:, 0, 0]
        return other

    @classmethod
    def __torch_function__(
        cls,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if function not in FUNCTIONS:
            supported = ", ".join(sorted({str(getattr(own, "__name__", own)) for own in FUNCTIONS} - {"fn"}))
            raise TypeError(f"{getattr(function, '__name__', function)} of a SparseTensor: possible are {supported}")
        return FUNCTIONS[function](*args, **(kwargs or {}))


def elementwise(function: Callable[Concatenate[Tensor, P], Tensor]) -> Callable[Concatenate[Tensor, P], Tensor]:
    """Extend a function that acts on each number of its first argument by itself to SparseTensors."""

    @functools.wraps(function)
    def dense_or_sparse(x: Tensor, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        if isinstance(x, SparseTensor):
            return x.map(lambda features: function(features, *args, **kwargs))
        return function(x, *args, **kwargs)

    return dense_or_sparse


def images(x: Tensor, sparse: bool) -> Tensor:
    """Images [n, C, H, W] as a network takes them. With ``sparse``, sites that are not all zero are active."""
    return SparseTensor.from_dense(x) if sparse and not isinstance(x, SparseTensor) else x
