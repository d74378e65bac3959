"""Recognises what a website is made with, by the rules in technologies.json.

A rule has a name and any of: ``headers`` (name to pattern), ``cookies`` (names),
``meta`` (name to pattern), ``scripts`` and ``html`` (patterns). One match is enough. The
first group of a pattern that matched is the version. Patterns are searched without
regard to case, and repeat nothing that itself repeats.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from stalker_sdk.html import Page
from stalker_sdk.http1 import Response


@dataclass(frozen=True)
class Technology:
    """A technology, and its version when it is told."""

    name: str
    version: str = ""


@dataclass(frozen=True)
class Rule:
    """One row of the table."""

    name: str
    headers: tuple[tuple[str, re.Pattern[str]], ...]
    cookies: tuple[str, ...]
    meta: tuple[tuple[str, re.Pattern[str]], ...]
    scripts: tuple[re.Pattern[str], ...]
    html: tuple[re.Pattern[str], ...]


@cache
def rules() -> tuple[Rule, ...]:
    """The table."""
    table = json.loads(resources.files("stalker_sdk").joinpath("technologies.json").read_text("utf-8"))
    return tuple(_rule(row) for row in table)


def _rule(row: dict[str, Any]) -> Rule:
    unknown = row.keys() - {"name", "headers", "cookies", "meta", "scripts", "html"}
    if unknown:
        raise ValueError(f"rule {row.get('name')}: unknown {', '.join(sorted(unknown))}")
    return Rule(row["name"], _pairs(row.get("headers", {})), tuple(row.get("cookies", ())),
                _pairs(row.get("meta", {})), _patterns(row.get("scripts", ())), _patterns(row.get("html", ())))


def _pairs(patterns: dict[str, str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name.lower(), re.compile(pattern, re.IGNORECASE)) for name, pattern in patterns.items())


def _patterns(patterns: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


def detect(response: Response, page: Page) -> list[Technology]:
    """The technologies of a page, each once, by name; a version wins over none."""
    cookies = {cookie.split("=")[0].strip().lower() for cookie in response.all("set-cookie")}
    markup = page.text[:128 << 10]
    found: dict[str, str] = {}
    for rule in rules():
        versions = list(_matches(rule, response, page, cookies, markup))
        if versions:
            found[rule.name] = next((v for v in versions if v), "")
    return [Technology(name, version[:40]) for name, version in sorted(found.items())]


def _matches(rule: Rule, response: Response, page: Page, cookies: set[str], markup: str) -> Iterator[str]:
    """The version each match tells, "" when it tells none."""
    for name, pattern in rule.headers:
        yield from _versions(pattern, response.all(name))
    for name, pattern in rule.meta:
        yield from _versions(pattern, [content for key, content in page.meta if key == name])
    for pattern in rule.scripts:
        yield from _versions(pattern, page.scripts)
    for pattern in rule.html:
        yield from _versions(pattern, [markup])
    for cookie in rule.cookies:
        prefix = cookie.lower()
        if any(c.startswith(prefix[:-1]) if prefix.endswith("*") else c == prefix for c in cookies):
            yield ""


def _versions(pattern: re.Pattern[str], texts: list[str]) -> Iterator[str]:
    for text in texts:
        if match := pattern.search(text):
            yield (match[1] or "") if pattern.groups else ""
