from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

# What katana 1 prints with -jsonl: one object a request, without what -omit-raw and -omit-body leave out.
PRINTED = r"""{"timestamp":"2026-01-02T03:04:05.678+00:00","request":{"method":"GET","endpoint":"https://www.lab.example:8443/"},"response":{"status_code":200,"headers":{"server":"nginx/1.24.0"},"technologies":["Nginx:1.24.0","PHP"]}}
{"timestamp":"2026-01-02T03:04:06.1+00:00","request":{"method":"GET","endpoint":"https://www.lab.example:8443/app.js","tag":"script","attribute":"src","source":"https://www.lab.example:8443/"},"response":{"status_code":404,"headers":{},"technologies":["PHP"]}}
{"timestamp":"2026-01-02T03:04:06.2+00:00","request":{"method":"GET","endpoint":"https://www.lab.example:8443/app.js","tag":"script","attribute":"src","source":"https://www.lab.example:8443/again"}}
{"timestamp":"2026-01-02T03:04:06.3+00:00","request":{"method":"GET","endpoint":"https://www.lab.example/","tag":"a","attribute":"href","source":"https://www.lab.example:8443/"},"error":"timeout"}
{"timestamp":"2026-01-02T03:04:06.4+00:00","request":{"method":"GET","endpoint":"https://www.lab.example:8443/\u001b[2J","tag":7},"response":{"status_code":"x","technologies":"y"}}
{"request":[]}
nothing
"""


def crawl(run_job: Callable[..., Any], path: str) -> Any:
    return run_job("KatanaCrawlingJob", {"PATH": path}, targetIp="192.0.2.1", port=8443, domainName="www.lab.example", maxDepth=2)


def test_paths_technologies_and_what_is_elsewhere(run_job: Callable[..., Any], program: Callable[..., str], told: Any, tmp_path: Path) -> None:
    done = crawl(run_job, program("katana", f'echo "$@" >{tmp_path}/asked\ncat <<"X"\n{PRINTED}X'))
    assert done.code == 0, done
    assert all(f["ip"] == "192.0.2.1" and f["port"] == 8443 and f["domainName"] == "www.lab.example" and f["ssl"] for f in done.findings)
    assert [told(f) for f in done.about("WebsitePathFinding")] == [
        {"endpoint": "/", "method": "GET", "statusCode": 200},
        {"endpoint": "/app.js", "method": "GET", "tag": "script", "attribute": "src", "source": "https://www.lab.example:8443/", "statusCode": 404},
        {"endpoint": told(done.about("WebsitePathFinding")[2])["endpoint"], "method": "GET"}]
    assert told(done.about("WebsitePathFinding")[2])["endpoint"].isprintable()
    assert [told(f) for f in done.about("WebsiteTechnologyFinding")] == [{"technology": "Nginx", "version": "1.24.0"}, {"technology": "PHP"}]
    assert told(done.about("OutOfScopeEndpoints")[0]) == {"oos_endpoint": "https://www.lab.example/"}
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("-u https://www.lab.example:8443/ -jsonl ") and " -depth 2 " in asked and asked.endswith(" -crawl-duration 1800s\n")


def test_its_failures_are_the_jobs(run_job: Callable[..., Any], program: Callable[..., str]) -> None:
    for body, want in (("echo '[FTL] could not create runner' >&2; exit 1", "katana ended with code 1: [FTL] could not create runner"),
                       ("exit 0", "https://www.lab.example:8443/ cannot be read")):
        done = crawl(run_job, program("katana", body))
        assert done.code == 1 and want in "\n".join(done.logs) and not done.findings
    assert "katana is not installed here" in "\n".join(crawl(run_job, "/nowhere").logs)
