"""Event cameras: recordings from files and from a simulated camera, and the images that networks take."""

from models.events.recording import EventError, Policy, Recording, recording

__all__ = ["EventError", "Policy", "Recording", "recording"]
