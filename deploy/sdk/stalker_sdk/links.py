"""Where a web page leads, read with bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit, urlunsplit

from stalker_sdk.html import MAX_MARKUP

MAX_LINKS = 2000
MAX_URL = 2000
_ATTRIBUTES = {"a": "href", "area": "href", "link": "href", "script": "src", "img": "src", "iframe": "src", "frame": "src", "embed": "src",
               "source": "src", "form": "action", "object": "data"}
_DEFAULT_PORT = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Link:
    """An address in a page, and what names it there."""

    url: str
    tag: str
    attribute: str
    method: str = "GET"


@dataclass
class Form:
    """A form: its method and the types and names of its inputs, lower case."""

    action: str
    method: str
    inputs: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[Link] = []
        self.forms: list[Form] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {key: (value or "").strip()[:MAX_URL] for key, value in attrs}
        if tag == "base" and not self.base:
            self.base = said.get("href", "")
        if tag == "form" and len(self.forms) < 100:
            self.forms.append(Form(said.get("action", ""), said.get("method", "get").upper()[:10]))
        elif tag == "input" and self.forms and len(self.forms[-1].inputs) < 100:
            self.forms[-1].inputs.append((said.get("type", "text").lower(), said.get("name", "").lower()))
        elif tag == "input" and not self.forms:
            self.forms.append(Form("", "GET", [(said.get("type", "text").lower(), said.get("name", "").lower())]))  # scripts need no form
        attribute = _ATTRIBUTES.get(tag, "")
        if attribute in said and len(self.links) < MAX_LINKS:
            method = self.forms[-1].method if tag == "form" and self.forms else "GET"
            self.links.append(Link(said[attribute], tag, attribute, method if method in ("GET", "POST") else "GET"))


def read(text: str, url: str) -> tuple[list[Link], list[Form]]:
    """The links of a page at ``url``, absolute, and its forms. Never raises."""
    reader = _Reader()
    try:
        reader.feed(text[:MAX_MARKUP])  # once and never closed: see html.read_page
    except (AssertionError, ValueError, RecursionError):
        pass  # markup the parser gives up on
    base = join(url, reader.base) or url
    links = [Link(target, link.tag, link.attribute, link.method) for link in reader.links if (target := join(base, link.url))]
    return list(dict.fromkeys(links)), reader.forms


def join(base: str, url: str) -> str:
    """A web address without its fragment, made absolute; "" for anything else."""
    try:
        parts = urlsplit(urljoin(base, url.replace("\\", "/") if "://" not in url else url))
        if parts.scheme not in _DEFAULT_PORT or not parts.hostname:
            return ""
        parts.port  # noqa: B018  # raises for one out of range
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", parts.query, ""))[:MAX_URL]


def site(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address that ``join`` gave."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or _DEFAULT_PORT[parts.scheme]


def path(url: str) -> str:
    """Path and query of an address that ``join`` gave."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
