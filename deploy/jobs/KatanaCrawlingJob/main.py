"""Follows the links of a website with katana.

It takes the parameters of WebsiteCrawlingJob, so that a subscription can use either.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from stalker_sdk import TextField, WebsiteFinding, build_url, fail, log_debug, log_finding, log_info, log_warning, params
from stalker_sdk.convert import clean
from stalker_sdk.links import join, path, site
from stalker_sdk.tool import Tool, ToolError, need

MAX_ELSEWHERE = 200
MAX_PATHS = 100_000


@dataclass(frozen=True)
class Request:
    """One line of katana's: what it asked for, why, and what came back."""

    url: str
    method: str
    tag: str
    attribute: str
    source: str
    status: int
    technologies: tuple[str, ...]


def request(line: str) -> Request | None:
    """Reads a line of katana's JSON; None when it is none."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    if not isinstance(told, dict) or not isinstance(asked := told.get("request"), dict) or not isinstance(url := asked.get("endpoint"), str):
        return None
    got = told.get("response")
    answer: dict[str, Any] = got if isinstance(got, dict) else {}
    status, technologies = answer.get("status_code"), answer.get("technologies")
    text = {key: clean(value) if isinstance(value := asked.get(key), str) else "" for key in ("method", "tag", "attribute", "source")}
    return Request(url, **text, status=status if isinstance(status, int) and 100 <= status <= 599 else 0,
                   technologies=tuple(clean(t, 200) for t in technologies if isinstance(t, str)) if isinstance(technologies, list) else ())


class Crawl:
    """Gathers what katana says of one website."""

    def __init__(self, ip: str, port: int, domain: str, first: str, ssl: bool) -> None:
        self.ip, self.port, self.domain, self.first, self.ssl = ip, port, domain, first, ssl
        self.start = join(build_url(ip, port, domain, first, ssl), "")
        self.paths: set[tuple[str, str]] = set()
        self.technologies: set[str] = set()
        self.elsewhere: dict[str, None] = {}

    def take(self, asked: Request) -> None:
        url = join(self.start, asked.url)
        if site(url) != site(self.start):
            if url and len(self.elsewhere) < MAX_ELSEWHERE:
                self.elsewhere[url] = None
            return
        for technology in asked.technologies:
            if technology not in self.technologies:
                self.technologies.add(technology)
                name, _, version = technology.partition(":")
                fields = [TextField("technology", "Technology", name), TextField("version", "Version", version)]
                self.finding("WebsiteTechnologyFinding", "Website technology", [f for f in fields if f.data])
        where = clean(path(url))
        if (asked.method, where) in self.paths or len(self.paths) >= MAX_PATHS:
            return
        self.paths.add((asked.method, where))
        said: dict[str, str | int] = {"endpoint": where, "method": asked.method, "tag": asked.tag, "attribute": asked.attribute,
                                      "source": asked.source, "statusCode": asked.status}
        self.finding("WebsitePathFinding", "Website path", [TextField(key, key, value) for key, value in said.items() if value])

    def finding(self, key: str, name: str, fields: list[TextField]) -> None:
        log_finding(WebsiteFinding(key, self.ip, self.port, self.domain, self.first, self.ssl, name, fields))


def main() -> None:
    crawl = Crawl(params.ip("targetIp"), params.integer("port", 443, minimum=1, maximum=65535),
                  params.string("domainName", "").strip().rstrip(".").lower(), params.string("path", "/"), params.boolean("ssl", True))
    seconds = params.integer("crawlDurationSeconds", 1800, minimum=1, maximum=86400)
    arguments = ["-u", crawl.start, "-jsonl", "-silent", "-no-color", "-disable-update-check", "-omit-raw", "-omit-body", "-js-crawl",
                 "-tech-detect", "-field-scope", "fqdn", "-depth", str(params.integer("maxDepth", 3, minimum=1, maximum=20)),
                 "-concurrency", str(params.integer("fetcherConcurrency", 10, minimum=1, maximum=50)),
                 "-rate-limit", str(params.integer("rate", 50, minimum=1, maximum=1000)), "-crawl-duration", f"{seconds}s"]
    try:
        tool = Tool(need("katana"), arguments, seconds + 60)  # it ends by itself; this is for when it does not
        for line in tool.lines():
            if (asked := request(line)) is None:
                log_debug(f"not a result: {clean(line, 200)}")
            else:
                crawl.take(asked)
        if tool.timed_out:
            log_warning("katana was ended a minute after its time was over")
        else:
            tool.check()
    except ToolError as error:
        fail(str(error))
    if not crawl.paths:
        fail(f"{crawl.start} cannot be read" + (f": {said}" if (said := tool.said()) else ""))
    if crawl.elsewhere:
        crawl.finding("OutOfScopeEndpoints", "Links to other sites", [TextField("oos_endpoint", "Address", clean(url)) for url in crawl.elsewhere])
    log_info(f"{crawl.start}: {len(crawl.paths)} paths, {len(crawl.elsewhere)} links to other sites")


if __name__ == "__main__":
    main()
