"""The integer side of netweave, numpy alone: number formats, graph, golden model, activity."""
