"""A page read strictly: what is left open, named twice, without words, or leads nowhere."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

VOID = {"img", "input", "br", "hr", "meta"}


class Page(HTMLParser):
    """The elements of a page, and what is wrong with them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.images: list[dict[str, str | None]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        if self._open:
            self.wrong.append(f"left open: {self._open}")
        self._look()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        if len(about) != len(attrs):
            self.wrong.append(f"{tag}: an attribute stands twice")
        self.elements.append((tag, about))
        if "id" in about:
            self.ids.append(str(about["id"]))
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in ("style", "script"):
            self.text.append(data)

    def _look(self) -> None:
        twice = {each for each in self.ids if self.ids.count(each) > 1}
        if twice:
            self.wrong.append(f"ids used twice: {sorted(twice)}")
        steps = zip([0, *self.headings], self.headings, strict=False)
        self.wrong += [f"h{one} is followed by h{two}" for one, two in steps if two > one + 1]
        if self.headings.count(1) != 1:
            self.wrong.append(f"{self.headings.count(1)} headings of the first level")
        for tag, about in self.elements:
            if tag == "img" and not str(about.get("alt") or "").strip():
                self.wrong.append("a picture without words")
            for key in ("aria-labelledby", "for", "aria-controls"):
                wanted = str(about[key]).split() if key in about else []
                self.wrong += [f"{key} {each} is not there" for each in wanted
                               if each not in self.ids]  # fmt: skip
            for key in ("src", "href"):
                found = str(about.get(key) or "")
                if found.startswith(("http:", "https:", "//")):
                    self.wrong.append(f"{tag} needs the network: {found}")
            self.wrong += [f"{tag} has {key}" for key in about if key.startswith("on")]
        landmarks = [tag for tag, _ in self.elements]
        self.wrong += [
            f"no {each}" for each in ("header", "nav", "main", "footer") if each not in landmarks
        ]

    def links(self) -> list[str]:
        """Return where links lead."""
        return [str(about["href"]) for tag, about in self.elements if tag == "a"]

    def dead_links(self, folder: Path) -> list[str]:
        """Return the links whose file or part of the page is not there."""
        found = []
        for each in self.links():
            if each.startswith("#"):
                if each[1:] not in self.ids:
                    found.append(each)
            elif not (folder / unquote(each)).is_file():
                found.append(each)
        return found
