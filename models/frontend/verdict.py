"""What an importer says of one operator of a file."""

from __future__ import annotations

from dataclasses import dataclass


def valid_name(text: str) -> str:
    """A graph's name for a file's."""
    return "".join(letter if letter.isalnum() else "_" for letter in text.lower())[:48] or "network"


@dataclass(frozen=True)
class Verdict:
    """What becomes of an operator.

    Parameters
        operator    its number and its name in the file
        node        name of the node that it becomes; empty where it becomes none
        why         why it becomes none, or nothing
        refused     whether the network cannot be imported because of it
    """

    operator: str
    node: str = ""
    why: str = ""
    refused: bool = False
