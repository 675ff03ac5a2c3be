"""Networks: built in by name, or a user's own from a file."""

from models.zoo.load import MODELS, PRETRAINED, ModelError, describe, load_model

__all__ = ["MODELS", "PRETRAINED", "ModelError", "describe", "load_model"]
