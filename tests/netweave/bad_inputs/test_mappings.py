"""The chosen point of a front: its mapping, its accuracy and its graph."""

from __future__ import annotations

from tests.netweave.bad_inputs.support import (
    DEEP,
    Break,
    Command,
    entry,
    removed,
    rows_of,
    text,
    without,
)  # fmt: skip

EXPLORED = "explore/ecp5-25k"
POINT = f"{EXPLORED}/int2-70"
MAPPING, ACCURACY = f"{POINT}/mapping.json", f"{POINT}/accuracy.json"

# what was changed and is taken by force: name, file, break, stage that reads it, what the error says
POINTS = [
    ("no mapping", MAPPING, removed, "generate", f"run/{MAPPING}: cannot be read as JSON: [Errno 2] No such file"),
    ("a mapping of brackets", MAPPING, text(DEEP), "generate", f"run/{MAPPING}: cannot be read as JSON: its lists"),
    (
        "a mapping's version", MAPPING, entry("version", value=9), "generate",
        f"run/{MAPPING}, field 'version': 9; this netweave reads version 1",
    ),
    ("a mapping in a list", MAPPING, text("[1]"), "generate", f"run/{MAPPING}, field 'version': None; this netweave"),
    ("ops in a list", MAPPING, entry("ops", value=[]), "generate", "run/explore/ecp5-25k/int2-70/mapping.json, field"),
    ("an op as text", MAPPING, entry("ops", "conv_0", value="wide"), "generate", f"run/{MAPPING}, op 'conv_0': "),
    ("a pe of 0", MAPPING, entry("ops", "conv_0", "pe", value=0), "generate", f"run/{MAPPING}, op 'conv_0': pe must"),
    (
        "a pe that does not divide", MAPPING, entry("ops", "conv_0", "pe", value=3), "generate",
        f"run/{MAPPING}: op 'conv_0', field 'pe': 3 does not divide 8 output",
    ),
    (
        "a pe without end", MAPPING, entry("ops", "conv_0", "pe", value=2**70), "generate",
        "run/explore/ecp5-25k/int2-70/mapping.json, op 'conv_0': pe must be a positive integer of at most "
        "1048576, not",
    ),
    (
        "a pe as truth", MAPPING, entry("ops", "conv_0", "pe", value=True), "generate",
        "run/explore/ecp5-25k/int2-70/mapping.json, op 'conv_0': pe must be a positive integer of at most "
        "1048576, not",
    ),
    ("a simd by halves", MAPPING, entry("ops", "conv_0", "simd", value=0.5), "generate", "op 'conv_0': simd must be"),
    ("taps below 0", MAPPING, entry("ops", "conv_0", "taps", value=-9), "generate", "op 'conv_0': taps must be a"),
    (
        "a memory unknown", MAPPING, entry("ops", "conv_0", "memory", value="disk"), "generate",
        "op 'conv_0': 'disk' is not a valid Memory",
    ),
    (
        "a multiplier unknown", MAPPING, entry("ops", "conv_0", "multiplier", value="gpu"), "generate",
        "op 'conv_0': 'gpu' is not a valid Multiplier",
    ),
    (
        "an operand of no DSP block", MAPPING, entry("ops", "conv_0", "operand", value=27), "generate",
        "op 'conv_0': operand must be 0 where multiplier is lut, not 27",
    ),
    (
        "a field of an op unknown", MAPPING, entry("ops", "conv_0", "pes", value=1), "generate",
        "op 'conv_0': ... unexpected keyword argument 'pes'",
    ),
    (
        "an op missing", MAPPING, without("ops", "conv_0"), "generate",
        f"run/{MAPPING}: mapping of graph 'net': ops missing ['conv_0']",
    ),
    (
        "an op more", MAPPING, entry("ops", "conv_9", value={"pe": 1}), "generate",
        f"run/{MAPPING}: mapping of graph 'net': ops missing [], ops of no node",
    ),
    ("no device", MAPPING, without("device"), "generate", f"run/{MAPPING}, field 'device': None must be a text"),
    ("a mapping's clock", MAPPING, entry("clock_mhz", value="fast"), "generate", "'clock_mhz': 'fast' must be above"),
    (
        "a mapping's clock below 0", MAPPING, entry("clock_mhz", value=-80), "generate",
        "run/explore/ecp5-25k/int2-70/mapping.json, field 'clock_mhz': -80 must be above 0 and at most 2000",
    ),
    (
        "a queue of no edge", MAPPING, entry("queues", value={"a->b": 3}), "generate",
        "field 'queues': 'a->b' is no edge of the network; edges are input->conv_0",
    ),
    (
        "a queue below 0", MAPPING, entry("queues", value={"conv_0->linear_4": -3}), "generate",
        "run/explore/ecp5-25k/int2-70/mapping.json, field 'queues': 'conv_0->linear_4': -3 must be an integer of 0 to",
    ),
    (
        "a queue as text", MAPPING, entry("queues", value={"conv_0->linear_4": "deep"}), "generate",
        "run/explore/ecp5-25k/int2-70/mapping.json, field 'queues': 'conv_0->linear_4': 'deep' must be an "
        "integer of 0",
    ),
    (
        "a queue without end", MAPPING, entry("queues", value={"conv_0->linear_4": 2**70}), "generate",
        "run/explore/ecp5-25k/int2-70/mapping.json, field 'queues': 'conv_0->linear_4': "
        "1180591620717411303424 must be",
    ),
    (
        "queues as text", MAPPING, entry("queues", value="deep"), "generate",
        f"run/{MAPPING}, field 'queues': 'deep' must be an object",
    ),
    (
        "an input unknown", MAPPING, entry("frame_input", value="frames"), "generate",
        f"run/{MAPPING}: frame_input: 'frames' must be one of tokens, mask",
    ),
    ("no accuracy", ACCURACY, removed, "generate", f"run/{ACCURACY}: is not there; `netweave explore` makes it"),
    ("an accuracy of brackets", ACCURACY, text(DEEP), "generate", f"run/{ACCURACY}: cannot be read: its lists and"),
    ("an accuracy without test", ACCURACY, without("test"), "generate", "run/explore/ecp5-25k/int2-70/accuracy.json,"),
    ("a point's graph missing", f"{POINT}/graph.json", removed, "generate", f"run/{POINT}/graph.json: does not exist"),
    (
        "a point's graph of another size", f"{POINT}/graph.json", entry("nodes", 0, "shape", value=[9, 9, 1]),
        "generate",
        "run/explore/ecp5-25k/int2-70/graph.json: graph node 'linear_4', field 'weight': (10, 4, 4, 8) must have",
    ),
]  # fmt: skip


@rows_of("file, change, stage, says", POINTS)
def test_what_is_taken_by_force_is_read_with_care(
    broken: Command, file: str, change: Break, stage: str, says: str
) -> None:
    change(broken.run / file)
    broken.refuses(f"{stage} net.toml -o run --force", says)
