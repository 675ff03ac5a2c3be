"""The layers of a float network, a file each: what they compute in float and in integers, and the node they become."""
