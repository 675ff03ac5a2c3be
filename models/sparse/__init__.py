"""Submanifold sparse networks: PyTorch's own layers over the active sites of a batch of images.

``SparseTensor`` stands where a network takes images ``[n, C, H, W]``. There are no sparse layers: the
modules of ``torch.nn`` compute on it, a dense layer being the sparse one in which every site is active.
"""

from models.sparse import functions as _functions  # noqa: F401  (gives SparseTensor its functions)
from models.sparse.sites import Sites
from models.sparse.tensor import SparseTensor, elementwise, images

__all__ = ["Sites", "SparseTensor", "elementwise", "images"]
