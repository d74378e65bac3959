"""Asks public sources for the names below domains, with subfinder."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from stalker_sdk import DomainFinding, TextField, fail, log_debug, log_finding, log_info, log_warning, params
from stalker_sdk.convert import clean
from stalker_sdk.tool import Tool, ToolError, need

NAME = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")
SOURCE = re.compile(r"[A-Za-z0-9_-]{1,40}$")


def below(line: str, domain: str) -> tuple[str, str] | None:
    """The name and the source a line of subfinder's JSON tells; None when it is not below the domain."""
    try:
        result = json.loads(line)
    except ValueError:
        return None
    if not isinstance(result, dict) or not isinstance(host := result.get("host"), str):
        return None
    name = host.strip().rstrip(".").lower().removeprefix("*.")
    if not NAME.match(name) or not name.endswith("." + domain):
        return None
    return name, clean(str(result.get("source", "")), 100)


def command(domain: str, sources: list[str], config: Path | None) -> list[str]:
    more = ["-sources", ",".join(sources)] if sources else []
    more += ["-provider-config", str(config)] if config else []
    return ["-domain", domain, "-json", "-silent", "-no-color", "-disable-update-check", *more]


def look(program: str, domain: str, sources: list[str], config: Path | None, seconds: float) -> int:
    """Reports the names below one domain and returns how many. Raises ToolError."""
    seen: set[str] = set()
    tool = Tool(program, command(domain, sources, config), seconds)
    for line in tool.lines():
        if (found := below(line, domain)) is None:
            log_debug(f"not a name below {domain}: {clean(line, 200)}")
        elif found[0] not in seen:
            seen.add(found[0])
            log_finding(DomainFinding("HostnameFinding", found[0], None, "New domain", [TextField("source", "Source", found[1])], type="HostnameFinding"))
    if tool.timed_out:
        log_warning(f"{domain}: subfinder was ended after {seconds:g} seconds; what it found until then is kept")
    else:
        tool.check()
    return len(seen)


def main() -> None:
    given = [*params.strings("domainNames", []), params.string("domainName", "")]
    domains = sorted({name.strip().rstrip(".").lower() for name in given if name.strip()})
    sources = params.strings("sources", [])
    text = params.string("providerConfig", "")
    seconds = 60 * params.number("timeoutMinutes", 10, minimum=0.05, maximum=60)
    if not domains:
        fail("give domainNames or domainName")
    if wrong := [name for name in domains if not NAME.match(name)]:
        fail(f"no domain names: {', '.join(clean(name, 80) for name in wrong)}")
    if wrong := [name for name in sources if not SOURCE.match(name)]:
        fail(f"no names of sources: {', '.join(clean(name, 80) for name in wrong)}")
    program = need("subfinder")
    config = None
    if text:
        config = Path.cwd() / "provider-config.yaml"
        with open(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    failures = []
    for domain in domains:
        try:
            log_info(f"{domain}: {look(program, domain, sources, config, seconds)} names below it")
        except ToolError as error:
            failures.append(f"{domain}: {error}")
            log_warning(failures[-1])
    if failures:
        fail(f"{len(failures)} of {len(domains)} domains failed, {failures[0]}")


if __name__ == "__main__":
    main()
