"""Proofs that `netweave verify` reads, and fronts that they do not bear out."""

from __future__ import annotations

from tests.netweave.bad_inputs.support import (
    DEEP,
    Break,
    Command,
    cut,
    entry,
    folder,
    removed,
    rows_of,
    text,
    without,
    zipped,
)  # fmt: skip

EXPLORED = "explore/ecp5-25k"
POINT = f"{EXPLORED}/int2-70"
FRONT, PROOF = f"{EXPLORED}/front.json", f"{POINT}/proof.json.gz"

# a proof that `verify` reads: name, break, what the error says
PROOFS = [
    ("no archive", text("proof"), "Not a gzipped file"),
    ("half an archive", cut, "Compressed file ended before the end-of-stream marker"),
    ("no file", removed, "No such file or directory"),
    ("a folder", folder, "Is a directory"),
    ("brackets", zipped(DEEP), "its lists and objects lie too deep within each other"),
    ("no object", zipped("null"), "object is not subscriptable"),
    ("nothing", zipped("{}"), "'version'"),
    ("a problem without ops", entry("problem", "ops", value=None), "object is not iterable"),
    (
        "waiting for ever", entry("problem", "ops", 1, "input_fraction", value=float("inf")),
        "cannot convert Infinity to integer ratio",
    ),
    ("a choice too far", entry("choice", value=[99, 99, 99]), "index out of range"),
    ("a choice of too few", entry("choice", value=[0]), "zip() argument 2 is shorter"),
    ("a choice from behind", entry("choice", value=[-1, -1, -1]), "field 'choice': [-1, -1, -1] must be integers of"),
    ("a choice by halves", entry("choice", value=[0.5, 0, 0]), "field 'choice': [0.5, 0, 0] must be integers of 0 or"),
    ("an objective unknown", entry("objective", value="beauty"), "'beauty' is not a valid Objective"),
    ("a figure as text", entry("problem", "ops", 1, "candidates", 0, 0, value="few"), "invalid literal for int()"),
    (
        "a figure without end", entry("problem", "ops", 1, "candidates", 0, 0, value=float("inf")),
        "run/explore/ecp5-25k/int2-70/proof.json.gz: missing or bad field: cannot convert float infinity to integer",
    ),
    ("no certificate's tree", without("solver", "certificate", "tree"), "run/explore/ecp5-25k/int2-70/proof.json.gz:"),
    ("a certificate in a list", entry("solver", "certificate", value=[]), "run/explore/ecp5-25k/int2-70/proof.json.gz"),
    ("a budget in numbers", entry("problem", "budget", value=[1]), "run/explore/ecp5-25k/int2-70/proof.json.gz:"),
    ("an interface missing", entry("problem", "interfaces", value=[]), "list index out of range"),
]  # fmt: skip


@rows_of("change, says", PROOFS)
def test_proofs(broken: Command, change: Break, says: str) -> None:
    change(broken.run / PROOF)
    broken.refuses(f"verify run/{FRONT} --force", f"run/{PROOF} ... {says}")


# a front that its proof does not bear out: name, file, break, what the error says
CLAIMS = [
    ("another version", PROOF, entry("version", value=1), f"run/{PROOF}, field 'version': 1; this netweave reads"),
    (
        "another objective", PROOF, entry("solver", "objective", value=104),
        "field 'objective': 104 is said, the choice has 103.0",
    ),
    (
        "another bound", PROOF, entry("solver", "certificate", "value", value="104"),
        "run/explore/ecp5-25k/int2-70/proof.json.gz: certificate: labels reach the output with less than 104",
    ),
    (
        "another goal", PROOF, entry("solver", "certificate", "goal", value="error"),
        "certificate: it is of error, not of latency",
    ),
    ("no certificate", PROOF, entry("solver", "certificate", value=None), "field 'bound': 103.0 is said, 0.0 is shown"),
    ("a front's own bound", FRONT, entry("points", 0, "solver", "bound", value=1), "its proof says"),
    ("no images", FRONT, entry("points", 0, "total", value=0), "field 'points[0].total': 0 must be an integer of 1"),
]  # fmt: skip


@rows_of("file, change, says", CLAIMS)
def test_claims(broken: Command, file: str, change: Break, says: str) -> None:
    change(broken.run / file)
    broken.refuses(f"verify run/{FRONT} --force", says)


# a front that was changed since, where nobody forces it: name, file, break, what the error says
STAMPED = [
    ("a front", FRONT, entry("clock_mhz", value=100), f"run/{FRONT}: was changed since `netweave explore` made the"),
    ("a proof", PROOF, cut, f"run/{PROOF}: was changed since `netweave explore` made the folder; `netweave explore"),
    ("a stamp", f"{EXPLORED}/stamp.json", removed, f"run/{EXPLORED}/stamp.json: was removed since `netweave explore`"),
    ("a point", f"{POINT}/mapping.json", removed, f"run/{POINT}/mapping.json: was removed since `netweave explore`"),
    ("a file", f"{POINT}/more.json", text("{}"), f"run/{POINT}/more.json: was added since `netweave explore` made the"),
]  # fmt: skip


@rows_of("file, change, says", STAMPED)
def test_what_was_changed_since_is_not_verified(broken: Command, file: str, change: Break, says: str) -> None:
    change(broken.run / file)
    broken.refuses(f"verify run/{FRONT}", says)


def test_what_is_as_it_was_written_is_verified_wherever_it_lies(broken: Command) -> None:
    assert broken("verify", f"run/{FRONT}") == (0, "")
    (broken.run / EXPLORED).rename(broken.folder / "elsewhere")
    assert broken("verify", "elsewhere/front.json") == (0, "")
