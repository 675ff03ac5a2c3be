"""Pages of HTML taken apart: their words, tables, images and what they load."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """Words, images, tables and cards of a page; asserts that every tag that must be closed is.

    ``tables``: by the heading above, the cells of each table, row by row, and the class of the element around it.
    """

    VOID = ("meta", "img", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.images: list[str] = []
        self.links: list[str] = []
        self.classes: list[str] = []
        self.heading = ""
        self.tables: dict[str, list[tuple[list[list[str]], str]]] = {}
        self.cards: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "table":
            self.tables.setdefault(self.heading, []).append(([], self.classes[-1]))
        if tag not in self.VOID:
            self.open.append(tag)
            self.classes.append(values.get("class") or "")
        match tag, values.get("class"):
            case "h2" | "h3", _:
                self.heading = ""
            case "tr", _:
                self.tables[self.heading][-1][0].append([])
            case "td" | "th", _:
                self.tables[self.heading][-1][0][-1].append("")
            case "div", "card":
                self.cards.append("")
        if tag == "img":
            self.images.append(values["src"] or "")
        self.links += [value for key, value in attrs if key in ("href", "src") and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.classes.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if {"h2", "h3"} & {*self.open}:
            self.heading += data
        if {"td", "th"} & {*self.open}:
            self.tables[self.heading][-1][0][-1][-1] += data
        if "card" in self.classes:
            self.cards[-1] += data


class Tags(HTMLParser):
    """The addresses that a page loads by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for key, value in attrs if key in ("src", "href")]


def rows_of(page: Page, heading: str, device: int = 0) -> list[list[str]]:
    """The rows of the first table below a heading in the section of a device, the head left out."""
    return page.tables[heading][device][0][1:]
