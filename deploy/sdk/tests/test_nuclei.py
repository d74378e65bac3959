"""The nuclei wrapper against a stand-in program that answers in the form nuclei documents; no real run was recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SDK = Path(__file__).parents[1]

LOGIN = {"template-id": "wordpress-login", "info": {"name": "WordPress login", "author": ["x"], "tags": ["panel", "wordpress"], "severity": "info",
         "description": "A login page."}, "type": "http", "host": "www.lab.example", "port": "8443", "scheme": "https", "url": "https://www.lab.example:8443",
         "path": "/wp-login.php", "matched-at": "https://www.lab.example:8443/wp-login.php?a=1", "ip": "192.0.2.7", "timestamp": "2026-01-01T00:00:00Z",
         "matcher-status": True}
EXTRACTED = {"template-id": "tech", "info": {"name": "Versions", "severity": "low"}, "type": "http", "host": "https://192.0.2.7", "url": "https://192.0.2.7/",
             "matched-at": "https://192.0.2.7/", "matcher-name": "ver", "extracted-results": ["1.2", "<b>\x1b[31m3.4"]}
NETWORK = {"template-id": "ssh", "info": {"name": "SSH"}, "type": "tcp", "host": "192.0.2.7:2222", "matched-at": "192.0.2.7:2222"}
V6 = {"template-id": "ssh", "info": {"name": "SSH"}, "type": "tcp", "host": "[2001:db8::1]:22", "matched-at": "[2001:db8::1]:22"}
DNS = {"template-id": "caa", "info": {"name": "CAA"}, "type": "dns", "host": "lab.example", "matched-at": "lab.example"}


@pytest.fixture
def nuclei(tmp_path: Path) -> Any:
    """Runs the wrapper with a nuclei that writes some lines; returns exit code, findings and log."""

    def run(lines: list[Any], handler: str = "", stderr: str = "", code: int = 0, installed: bool = True, **parameters: Any) -> tuple[int, list[dict[str, Any]], list[str], list[str]]:
        bin_dir = tmp_path / "bin"
        bin_dir.mkdir(exist_ok=True)
        program = bin_dir / "nuclei"
        text = "".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines)
        program.write_text(f"#!{sys.executable}\nimport os, sys, json\nassert not [x for x in os.environ if x.startswith('STALKER_')]\nargs = sys.argv[1:]\njson.dump(args, open({str(tmp_path / 'args.json')!r}, 'w'))\n"
                           f"text = {text!r}\nif text: open(args[args.index('-jle') + 1], 'w').write(text)\nsys.stderr.write({stderr!r})\nsys.exit({code})\n")
        program.chmod(0o755 if installed else 0o644)
        (tmp_path / "template.yaml").write_text("id: x\n")
        (tmp_path / "handler.py").write_text(handler)
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        (work / "nuclei.jsonl").unlink(missing_ok=True)
        (tmp_path / "params.json").write_text(json.dumps(parameters))
        env = {"PATH": str(bin_dir), "PYTHONPATH": str(SDK), "STALKER_PARAMS_FILE": str(tmp_path / "params.json"), "PYTHONIOENCODING": "utf-8",
               "PYTHONDONTWRITEBYTECODE": "1", "STALKER_NUCLEI_HANDLER": str(tmp_path / "handler.py") if handler else ""}
        done = subprocess.run([sys.executable, "-m", "stalker_sdk.nuclei", str(tmp_path / "template.yaml")], cwd=work, env=env, capture_output=True, text=True, timeout=50)
        assert not done.stderr, done.stderr
        findings = [json.loads(x.split(" ", 1)[1]) for x in done.stdout.splitlines() if x.startswith("@finding")]
        args = json.loads((tmp_path / "args.json").read_text()) if (tmp_path / "args.json").exists() else []
        return done.returncode, findings, [x for x in done.stdout.splitlines() if not x.startswith("@finding")], args

    return run


def fields(finding: dict[str, Any]) -> dict[str, Any]:
    return {f["key"]: f["data"] for f in finding["fields"]}


def test_results_become_findings_about_what_they_name(nuclei: Any) -> None:
    code, found, _, args = nuclei([LOGIN], domainName="www.lab.example", targetIp="192.0.2.7", port=8443, path="/", ssl=True, outputFindingName="WebsiteLoginPortal")
    assert code == 0 and args[:2] == ["-target", "https://www.lab.example:8443/"] and "-silent" in args and os.path.isabs(args[args.index("-t") + 1])
    (login,) = found
    where = {k: login[k] for k in ("type", "key", "name", "ip", "port", "domainName", "path", "ssl")}
    assert where == {"type": "CustomFinding", "key": "WebsiteLoginPortal", "name": "WordPress login", "ip": "192.0.2.7", "port": 8443,
                     "domainName": "www.lab.example", "path": "/", "ssl": True}
    assert fields(login) == {"template-id": "wordpress-login", "name": "WordPress login", "severity": "info", "tags": "panel,wordpress", "type": "http",
                             "url": "https://www.lab.example:8443", "scheme": "https", "description": "A login page.",
                             "matched-at": "https://www.lab.example:8443/wp-login.php?a=1", "endpoint": "/wp-login.php?a=1"}
    _, found, _, args = nuclei([EXTRACTED, NETWORK], targetIp="192.0.2.7")
    assert args[1] == "192.0.2.7" and [f["port"] for f in found] == [443, 443, 2222] and "path" not in found[2]
    assert [fields(f).get("extracted-result") for f in found] == ["1.2", "<b> [31m3.4", None]
    _, found, _, args = nuclei([V6], targetIp="2001:db8::1", port=22)
    assert args[1] == "[2001:db8::1]:22" and (found[0]["ip"], found[0]["port"], found[0]["protocol"]) == ("2001:db8::1", 22, "tcp")
    _, found, _, _ = nuclei([DNS], domainName="lab.example")
    assert (found[0]["domainName"], found[0].get("ip"), found[0]["key"]) == ("lab.example", None, "NucleiFinding")
    for kind, has in {"domain": "domainName", "host": "ip", "port": "protocol", "website": "path"}.items():
        _, found, _, _ = nuclei([LOGIN], domainName="www.lab.example", targetIp="192.0.2.7", stalkerOutputType=kind)
        assert has in found[0]


def test_garbage_is_told_and_the_rest_is_kept(nuclei: Any) -> None:
    code, found, logs, _ = nuclei(["{broken", "[1]", {"host": 7, "port": "99999", "url": "http://[x", "info": "x"}, NETWORK], targetIp="192.0.2.7",
                                  stderr="[WRN] slow\n[ERR] no such host\n[INF] done\n")
    assert code == 0 and len(found) == 2 and sum("is no result" in x for x in logs) == 2
    assert "[warning] [WRN] slow" in logs and "[error] [ERR] no such host" in logs and "[debug] [INF] done" in logs
    assert nuclei([], targetIp="192.0.2.7")[:2] == (0, [])


def test_handlers(nuclei: Any) -> None:
    own = """
class FindingHandler:
    def parse_finding(self, finding, line, job_input):
        return finding["template-id"] if finding["type"] == "tcp" else None
    def publish_findings(self, findings):
        for f in findings: log_finding(IpFinding(f, "192.0.2.7"), TagFinding("Ssh", "192.0.2.7"))
"""
    code, found, _, _ = nuclei([LOGIN, NETWORK], own, targetIp="192.0.2.7")
    assert code == 0 and [(f["key"], f.get("tag")) for f in found] == [("ssh", None), ("TagFinding", "Ssh")]
    half = "class FindingHandler:\n    def parse_finding(self, finding, line, job_input):\n        f = NucleiFinding.parse(finding, job_input)\n        f.name = 'mine'\n        return f\n"
    assert [f["name"] for f in nuclei([LOGIN, NETWORK], half, targetIp="192.0.2.7")[1]] == ["mine", "mine"]
    for bad, reason in {"x = 1": "no class FindingHandler", "class FindingHandler:\n  def parse_finding(self, *a): raise KeyError('k')": "KeyError", "def": "SyntaxError"}.items():
        code, found, logs, _ = nuclei([LOGIN], bad, targetIp="192.0.2.7")
        assert code == 1 and not found and any(reason in x for x in logs), (bad, logs)


def test_failures_have_reasons(nuclei: Any) -> None:
    for want, how in {"nuclei is not installed": {"installed": False, "targetIp": "192.0.2.7"}, "give domainName or targetIp": {},
                      "is none of domain": {"targetIp": "192.0.2.7", "stalkerOutputType": "planet"},
                      "ended with code 2: [FTL] bad template": {"targetIp": "192.0.2.7", "code": 2, "stderr": "[FTL] bad template\n"}}.items():
        code, found, logs, _ = nuclei([], **how)
        assert code == 1 and not found and any(want in x for x in logs), (want, logs)
