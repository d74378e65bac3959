"""Runs a nuclei template as a job: ``python3 -m stalker_sdk.nuclei template.yaml``.

The target is made of the customary parameters: ``domainName`` or ``targetIp``, and ``port``, ``path`` or ``endpoint`` and ``ssl``
where they are given. Results are read as JSON lines. What becomes of them:

* without a handler, each result is a finding of the name ``outputFindingName`` (default NucleiFinding) about a domain, host,
  port or website, as ``stalkerOutputType`` says (default: the narrowest that is known);
* with one (the file that ``STALKER_NUCLEI_HANDLER`` names), its class ``FindingHandler`` decides: ``parse_finding(self, finding,
  line, job_input)`` gives what a result is, and ``publish_findings(self, findings)`` what is said about all of them. Either may
  be left out. A handler that does not load, or raises, fails the job.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stalker_sdk.convert import build_url, is_valid_ip
from stalker_sdk.findings import DomainFinding, Finding, IpFinding, PortFinding, TextField, WebsiteFinding
from stalker_sdk.params import params
from stalker_sdk.session import fail, log_debug, log_error, log_finding, log_info, log_warning

OUTPUTS = ("domain", "host", "port", "website")
MAX_LINE = 4 << 20
_SCHEME_PORTS = {"ftp": 21, "ssh": 22, "http": 80, "https": 443}


@dataclass
class JobInput:
    """The parameters of the job."""

    target_ip: str = ""
    port: int = 0
    domain: str = ""
    path: str = ""
    ssl: bool | None = None
    endpoint: str = ""
    output_type: str = ""
    finding_name: str = "NucleiFinding"

    @classmethod
    def read(cls) -> JobInput:
        """Raises ParameterError."""
        ssl = params.string("ssl", "").lower()
        return cls(params.ip("targetIp") if params.string("targetIp", "") else "", params.integer("port", 0, minimum=0, maximum=65535),
                   params.string("domainName", "").strip().rstrip(".").lower(), params.string("path", ""),
                   {"true": True, "false": False}.get(ssl), params.string("endpoint", ""), params.string("stalkerOutputType", "").lower(),
                   params.string("outputFindingName", "NucleiFinding"))

    def target(self) -> str:
        """What nuclei is given."""
        host = self.domain or self.target_ip
        if self.port and (self.path or self.endpoint):
            return build_url(self.target_ip, self.port, self.domain, self.endpoint or self.path, bool(self.ssl))
        if ":" in host:
            host = f"[{host}]"
        return f"{host}:{self.port}" if self.port else host


@dataclass
class NucleiFinding:
    """One result, as nuclei tells it; ``raw`` is all of it."""

    template_id: str = ""
    name: str = ""
    severity: str = ""
    description: str = ""
    tags: str = ""
    type: str = ""
    scheme: str = ""
    url: str = ""
    matched_at: str = ""
    matcher_name: str = ""
    endpoint: str = ""
    ip: str = ""
    port: int = 0
    domain: str = ""
    extracted_results: list[str] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, result: dict[str, Any], job_input: JobInput) -> NucleiFinding:
        """Reads a result. Where it says nothing, what the job was aimed at holds."""
        info = result.get("info") if isinstance(result.get("info"), dict) else {}
        assert isinstance(info, dict)
        tags = info.get("tags")
        found = cls(_text(result, "template-id"), _text(info, "name"), _text(info, "severity"), _text(info, "description"),
                    ",".join(map(str, tags)) if isinstance(tags, list) else _text(info, "tags"), _text(result, "type"), _text(result, "scheme"),
                    _text(result, "url"), _text(result, "matched-at"), _text(result, "matcher-name"), raw=result)
        extracted = result.get("extracted-results")
        found.extracted_results = [str(x) for x in extracted] if isinstance(extracted, list) else []
        where = _split(found.matched_at) or _split(found.url)
        found.endpoint = (where.path + (f"?{where.query}" if where.query else "")) if where else ""
        host = _host(_text(result, "host")) or (where.hostname or "" if where else "")
        found.ip = next((ip for ip in (_text(result, "ip"), host, job_input.target_ip) if ip and is_valid_ip(ip)), "")
        found.domain = host.lower() if host and not is_valid_ip(host) else job_input.domain
        found.port = _port(result, found, where) or job_input.port
        return found

    def fields(self) -> list[TextField]:
        """What is said about it; empty values are left out. Labels are the reference's keys."""
        said = {"template-id": self.template_id, "name": self.name, "severity": self.severity, "tags": self.tags, "url": self.url, "type": self.type,
                "scheme": self.scheme, "description": self.description, "matched-at": self.matched_at, "matcher-name": self.matcher_name,
                "endpoint": self.endpoint}
        return [TextField(key, key, clean(value)) for key, value in said.items() if value]


def clean(text: str, most: int = 4000) -> str:
    """Printable text of a hostile peer, cut."""
    return "".join(c if c.isprintable() else " " for c in text)[:most]


def _text(of: dict[str, Any], key: str) -> str:
    value = of.get(key)
    return value if isinstance(value, str) else "" if value is None or isinstance(value, (dict, list)) else str(value)


def _split(url: str) -> Any:
    """A URL taken apart; None for anything else."""
    if "://" not in url:
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises for one out of range
    except ValueError:
        return None
    return parts


def _host(text: str) -> str:
    """The host of host, host:port, [address]:port or a URL."""
    if parts := _split(text):
        return parts.hostname or ""
    if is_valid_ip(text):
        return text
    try:
        return urlsplit(f"//{text}").hostname or ""
    except ValueError:
        return ""


def _port(result: dict[str, Any], found: NucleiFinding, where: Any) -> int:
    said = _text(result, "port")
    if said.isascii() and said.isdigit() and 0 < int(said) <= 65535:
        return int(said)
    for parts in (where, _split(found.url), _split(f"tcp://{_text(result, 'host')}")):
        if parts is not None and parts.port:
            return int(parts.port)
    return _SCHEME_PORTS.get(found.scheme or (where.scheme if where else ""), 0)


class FindingHandler:
    """What is done when the job has no handler of its own."""

    def parse_finding(self, finding: dict[str, Any], line: str, job_input: JobInput) -> Any:
        return NucleiFinding.parse(finding, job_input)

    def publish_findings(self, findings: list[Any]) -> None:
        job_input = JobInput.read()
        for found in findings:
            if not isinstance(found, NucleiFinding):
                log_warning(f"the handler gave {type(found).__name__}, which cannot be published without its own publish_findings")
                continue
            log_finding(*self.findings(found, job_input))

    @staticmethod
    def findings(found: NucleiFinding, job_input: JobInput) -> Iterable[Finding]:
        """One finding, or one for each result that was extracted."""
        extracted = [[TextField("extracted-result", "extracted-result", clean(x))] for x in found.extracted_results] or [[]]
        for more in extracted:
            yield _about(found, job_input, found.fields() + more)


def _about(found: NucleiFinding, job_input: JobInput, fields: list[TextField]) -> Finding:
    key, name = job_input.finding_name, clean(found.name or found.template_id, 200)
    kind = job_input.output_type or ("website" if found.type == "http" and found.ip and found.port else
                                     "port" if found.ip and found.port else "host" if found.ip else "domain")
    if kind == "website":
        ssl = job_input.ssl if found.scheme not in ("http", "https") else found.scheme == "https"
        return WebsiteFinding(key, found.ip, found.port, job_input.domain or found.domain, job_input.path or "/", ssl, name, fields)
    if kind == "port":
        return PortFinding(key, found.ip, found.port, "tcp", name, fields)
    if kind == "host":
        return IpFinding(key, found.ip, name, fields)
    return DomainFinding(key, found.domain, None, name, fields)


def load_handler(file: str) -> FindingHandler:
    """The handler of a job, with ours for what it leaves out. Raises whatever loading it does."""
    if not file:
        return FindingHandler()
    import stalker_sdk

    names: dict[str, Any] = {name: getattr(stalker_sdk, name) for name in stalker_sdk.__all__}
    names |= {"__name__": "handler", "NucleiFinding": NucleiFinding, "JobInput": JobInput, "FindingHandler": FindingHandler}
    exec(compile(Path(file).read_text(encoding="utf-8"), file, "exec"), names)
    made: Any = names["FindingHandler"]
    if made is FindingHandler:
        raise TypeError("the handler defines no class FindingHandler")
    if not issubclass(made, FindingHandler):
        made = type("FindingHandler", (made, FindingHandler), {})
    handler = made()
    assert isinstance(handler, FindingHandler)
    return handler


def run(template: str, target: str, output: Path) -> None:
    """Runs nuclei and logs what it says; a failure of it fails the job."""
    program = shutil.which("nuclei")
    if program is None:
        fail("nuclei is not installed here: install it, or run this job on Kubernetes with an image that has it")
    command = [program, "-target", target, "-jle", str(output), "-t", template, "-duc", "-ot", "-or", "-silent", "-no-color"]
    # a template is somebody else's: the execution's credential is not for it
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("STALKER_", "RedKite"))}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    assert process.stderr is not None
    last = ""
    for raw in iter(lambda: process.stderr.readline(64 << 10), b""):  # type: ignore[union-attr]
        last = clean(raw.decode("utf-8", "replace").strip()) or last
        log = log_error if "[ERR]" in last or "[FTL]" in last else log_warning if "[WRN]" in last else log_debug
        log(last)
    if code := process.wait():
        fail(f"nuclei ended with code {code}" + (f": {last}" if last else ""))


def results(output: Path, handler: FindingHandler, job_input: JobInput) -> list[Any]:
    """What the handler makes of each line; a line that is no result is told and passed over."""
    found: list[Any] = []
    if not output.exists():
        return found
    with output.open("rb") as file:
        for number, raw in enumerate(iter(lambda: file.readline(MAX_LINE), b""), 1):
            line = raw.decode("utf-8", "replace").strip()
            if not line:
                continue
            try:
                result = json.loads(line)
            except ValueError:
                result = None
            if not isinstance(result, dict):
                log_warning(f"line {number} of nuclei's output is no result: {clean(line, 200)}")
                continue
            if (one := handler.parse_finding(result, line, job_input)) is not None:
                found.append(one)
    return found


def scan(template: str, handler_file: str = "") -> None:
    """The whole job."""
    job_input = JobInput.read()
    if not job_input.domain and not job_input.target_ip:
        fail("give domainName or targetIp")
    if job_input.output_type not in ("", *OUTPUTS):
        fail(f"stalkerOutputType {job_input.output_type!r} is none of {', '.join(OUTPUTS)}")
    handler = load_handler(handler_file)
    target, output = job_input.target(), Path.cwd() / "nuclei.jsonl"
    log_info(f"nuclei looks at {target}")
    run(template, target, output)
    found = results(output, handler, job_input)
    handler.publish_findings(found)
    log_info(f"{len(found)} results")


def main(argv: list[str]) -> int:
    """Runs the template ``argv[1]`` names as a job and returns the exit code."""
    from stalker_sdk import run as runner

    if len(argv) != 2:
        print("usage: python3 -m stalker_sdk.nuclei TEMPLATE", file=sys.stderr)
        return 2
    script = str(Path(__file__).with_name("nuclei_job.py"))
    return runner.main(["nuclei", script, os.path.abspath(argv[1]), os.environ.get("STALKER_NUCLEI_HANDLER", "")])


if __name__ == "__main__":
    sys.exit(main(sys.argv))
