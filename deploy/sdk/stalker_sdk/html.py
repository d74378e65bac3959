"""What a web page says in its markup, read with bounds."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

MAX_MARKUP = 512 << 10
MAX_ITEMS = 500
MAX_TITLE = 300


@dataclass
class Page:
    """A page; everything is empty when the body is no HTML."""

    title: str = ""
    meta: list[tuple[str, str]] = field(default_factory=list)  # name (lower case) and content
    scripts: list[str] = field(default_factory=list)  # addresses of scripts
    links: list[str] = field(default_factory=list)  # addresses of style sheets and other links
    text: str = ""  # the decoded markup


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._title: list[str] | None = None
        self._done = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {key: value or "" for key, value in attrs}
        if tag == "title" and not self._done:
            self._title = []
        elif tag == "meta" and len(self.page.meta) < MAX_ITEMS:
            name = said.get("name") or said.get("property") or said.get("http-equiv") or ""
            self.page.meta.append((name.lower(), said.get("content", "")[:1000]))
        elif tag == "script" and said.get("src") and len(self.page.scripts) < MAX_ITEMS:
            self.page.scripts.append(said["src"][:1000])
        elif tag == "link" and said.get("href") and len(self.page.links) < MAX_ITEMS:
            self.page.links.append(said["href"][:1000])

    def handle_data(self, data: str) -> None:
        if self._title is not None and len(self._title) < 100:
            self._title.append(data[:10 * MAX_TITLE])

    def handle_endtag(self, tag: str) -> None:
        if tag == "title" and self._title is not None:
            self.page.title = " ".join("".join(self._title).split())[:MAX_TITLE]
            self._title, self._done = None, True


def read_page(body: bytes, content_type: str) -> Page:
    """Reads a page. Never raises: what is broken is read as far as it goes."""
    text = decode(body[:MAX_MARKUP], content_type)
    kind = content_type.split(";")[0].strip().lower()
    if kind and "html" not in kind and "xml" not in kind:
        return Page(text=text)
    reader = _Reader()
    try:
        # Fed once and never closed: closing, or feeding piecewise, makes the parser
        # look at unfinished markup again and again, in quadratic time.
        reader.feed(text)
    except (AssertionError, ValueError, RecursionError):
        pass  # markup the parser gives up on; what it read until then stays
    reader.page.text = text
    return reader.page


def decode(body: bytes, content_type: str) -> str:
    """The body as text: by byte order mark, header, meta element, then UTF-8 or Windows-1252."""
    for mark, name in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if body.startswith(mark):
            return body.decode(name, "replace")
    declared = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", content_type, re.IGNORECASE)
    inside = re.search(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w.:-]{1,40})", body[:2048], re.IGNORECASE)
    name = declared[1] if declared else inside[1].decode("ascii", "replace") if inside else ""
    if name and (text := _decode(body, name)) is not None:
        return text
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        # A body cut in the middle of a character is UTF-8 all the same.
        return body.decode("utf-8" if error.start >= len(body) - 3 else "windows-1252", "replace")


def _decode(body: bytes, name: str) -> str | None:
    """None when the name is no text encoding (hex and zip are codecs too)."""
    try:
        found = codecs.lookup(name)
        return body.decode(found.name, "replace") if found._is_text_encoding else None
    except (LookupError, ValueError):
        return None
