"""What an importer says of an operator."""

from __future__ import annotations

from models.frontend.imported import Verdict


def test_an_operator_without_a_remark_becomes_its_node() -> None:
    verdict = Verdict("operator 3, ADD", "add_3")
    assert (verdict.node, verdict.why, verdict.refused) == ("add_3", "", False)
