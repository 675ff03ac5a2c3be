"""Data sets, numpy alone: built in by name, or a user's own from a file."""

from models.data.dataset import Augment, Dataset, DatasetError
from models.data.load import DATASETS, load
from models.data.resize import resized

__all__ = ["DATASETS", "Augment", "Dataset", "DatasetError", "load", "resized"]
