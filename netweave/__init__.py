"""The front door: command line, configuration, and the list of stages."""

__version__ = "0.1.0"
