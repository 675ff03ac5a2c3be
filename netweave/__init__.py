"""The front door: command line, configuration, and the list of stages."""
