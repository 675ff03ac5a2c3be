"""Templates of pages refuse what they do not know and escape what they are given."""

from __future__ import annotations

import jinja2
import pytest

from reports.style import templates


def test_a_name_that_a_page_is_not_given_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'missing' is undefined"):
        templates().from_string("{{ missing }}").render()


def test_pages_escape_and_styles_do_not() -> None:
    """By the name of the file: ``.html.j2`` is a page, ``.css.j2`` is not."""
    environment = templates()
    assert callable(environment.autoescape)
    assert [environment.autoescape(name) for name in ("report.html.j2", "style.css.j2")] == [True, False]


def test_statements_leave_no_lines_of_their_own() -> None:
    page = templates().from_string("a\n  {% if true %}\nb\n  {% endif %}\nc")
    assert page.render() == "a\nb\nc"
