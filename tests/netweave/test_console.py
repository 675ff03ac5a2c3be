"""What goes to standard output and what to standard error, without colours in a pipe."""

from __future__ import annotations

import pytest

from netweave.console import err, out


def test_results_and_errors_go_to_streams_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    out.print("[bold]7[/] of 'digits'")
    err.print("[red]error:[/] 8")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("7 of 'digits'\n", "error: 8\n")


def test_numbers_and_names_in_a_line_keep_their_colour_on_a_terminal() -> None:
    for console in (out, err):
        segments = console.render("7 of 'digits' at /run/1", console.options.update(highlight=None))
        assert {str(segment.style or "none") for segment in segments} == {"none"}
