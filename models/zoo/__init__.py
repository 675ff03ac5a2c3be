"""Networks: built in by name, or a user's own from a file."""

from models.zoo.load import MODELS, TRAINED, ModelError, about, load_model

__all__ = ["MODELS", "TRAINED", "ModelError", "about", "load_model"]
