"""Follows the links of a website and reports where they lead."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from stalker_sdk import TextField, WebsiteFinding, build_url, fail, log_debug, log_finding, log_info, log_warning, params
from stalker_sdk.html import decode
from stalker_sdk.http1 import Response, get
from stalker_sdk.links import Link, join, path, read, site
from stalker_sdk.wire import WireError

SECONDS = 15.0
MAX_BODY = 2 << 20
MAX_ELSEWHERE = 200
# what is worth reading for more links; pictures and archives are only named
READABLE = ("text/html", "application/xhtml+xml", "text/plain", "")


@dataclass(frozen=True)
class Step:
    """A page to request, and how it was found."""

    url: str
    link: Link
    source: str


class Crawl:
    """One website; visits it level by level."""

    def __init__(self, ip: str, port: int, domain: str, first: str, ssl: bool) -> None:
        self.ip, self.port, self.domain, self.first, self.ssl = ip, port, domain, first, ssl
        self.start = join(build_url(ip, port, domain, first, ssl), "")
        self.site = site(self.start)
        self.seen: set[str] = {self.start}
        self.elsewhere: dict[str, None] = {}
        self.requested = 0

    def run(self, depth: int, pages: int, until: float, workers: int) -> bool:
        """False when the first page cannot be had."""
        level = [Step(self.start, Link(self.start, "", ""), "")]
        with ThreadPoolExecutor(workers) as pool:
            for at in range(depth + 1):
                if len(level) > pages - self.requested:
                    log_warning(f"more than {pages} pages: the rest is only named")
                    for step in level[pages - self.requested:]:
                        self.report(step, None)
                    level = level[:pages - self.requested]
                self.requested += len(level)
                answers = list(pool.map(lambda step: self.fetch(step, until), level))
                if at == 0 and answers[0] is None:
                    return False
                found = [self.visit(step, answer) for step, answer in zip(level, answers, strict=True)]
                level = [step for steps in found for step in steps]
                if not level or time.monotonic() >= until:
                    break
            for step in level:  # beyond the depth, or out of time: named, not requested
                self.report(step, None)
        return True

    def fetch(self, step: Step, until: float) -> Response | None:
        left = until - time.monotonic()
        if left <= 1:
            return None
        try:
            return get(self.ip, self.port, host=self.domain, path=path(step.url), tls=self.ssl, seconds=min(SECONDS, left), max_body=MAX_BODY)
        except WireError as error:
            log_debug(f"{step.url}: {error}")
            return None

    def visit(self, step: Step, answer: Response | None) -> list[Step]:
        """Reports a page and returns the new ones it leads to."""
        self.report(step, answer)
        if answer is None:
            return []
        kind = answer.header("content-type").partition(";")[0].strip().lower()
        links = read(decode(answer.body, answer.header("content-type")), step.url)[0] if kind in READABLE else []
        if location := answer.header("location"):
            links.append(Link(join(step.url, location), "", "location"))
        steps = []
        for link in links:
            if not link.url or link.url in self.seen:
                continue
            if site(link.url) != self.site:
                if len(self.elsewhere) < MAX_ELSEWHERE:
                    self.elsewhere[link.url] = None
                continue
            self.seen.add(link.url)
            new = Step(link.url, link, step.url)
            if link.method == "POST":
                self.report(new, None)  # what a form would change is left alone
            else:
                steps.append(new)
        return steps

    def report(self, step: Step, answer: Response | None) -> None:
        said: dict[str, str | int] = {
            "endpoint": clean(path(step.url)), "method": step.link.method, "tag": step.link.tag, "attribute": step.link.attribute, "source": clean(step.source)}
        if answer is not None:
            said["statusCode"] = answer.status
        self.finding("WebsitePathFinding", "Website path", [TextField(k, k, v) for k, v in said.items() if v != ""])

    def finding(self, key: str, name: str, fields: list[TextField]) -> None:
        log_finding(WebsiteFinding(key, self.ip, self.port, self.domain, self.first, self.ssl, name, fields))


def clean(text: str, most: int = 2000) -> str:
    """Printable text of a hostile peer, cut."""
    return "".join(c if c.isprintable() else " " for c in text)[:most]


def main() -> None:
    crawl = Crawl(params.ip("targetIp"), params.integer("port", 443, minimum=1, maximum=65535),
                  params.string("domainName", "").strip().rstrip(".").lower(), params.string("path", "/"), params.boolean("ssl", True))
    until = time.monotonic() + params.number("crawlDurationSeconds", 1800, minimum=1, maximum=86400)
    if not crawl.run(params.integer("maxDepth", 3, minimum=0, maximum=20), params.integer("maxPages", 1000, minimum=1, maximum=100_000), until,
                     params.integer("fetcherConcurrency", 5, minimum=1, maximum=50)):
        fail(f"{crawl.start} at {crawl.ip} cannot be read")
    if crawl.elsewhere:
        crawl.finding("OutOfScopeEndpoints", "Links to other sites", [TextField("oos_endpoint", "Address", clean(url)) for url in crawl.elsewhere])
    log_info(f"{crawl.start}: {len(crawl.seen)} paths, {crawl.requested} pages requested, {len(crawl.elsewhere)} links to other sites")


if __name__ == "__main__":
    main()
