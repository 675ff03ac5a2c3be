"""PyTorch side of netweave. Imports nothing, so that torch loads only for the stages that train."""
