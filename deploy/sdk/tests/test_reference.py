"""Scripts of the reference product, unmodified: in dry mode, against its own orchestrator, against our gateway."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

SDK = Path(__file__).parents[1]

# in the style of the reference's templates: star import, environment, positional arguments, status and exit()
SCRIPT = """
import os
from %s import *

target_ip = os.environ["targetIp"]
if not is_valid_ip(target_ip):
    log_error(f"targetIp parameter is not a valid ip: {target_ip}")
    log_status(JobStatus.FAILED)
    exit()
fields = [TextField("protocol", "Protocol", "tcp")]
log_finding(PortFinding("PortFinding", target_ip, 443, "tcp", "Found port", fields, "PortFinding"),
            TagFinding("Login", target_ip, 443, "tcp"))
log_info("url " + build_url(target_ip, 443, None, "/", True))
log_status(JobStatus.SUCCESS)
"""


class Orchestrator(http.server.BaseHTTPRequestHandler):
    """Takes what the reference's does, and is away for the first request."""

    seen: list[tuple[str, dict[str, str]]] = []
    refuse = 0

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        cls = type(self)
        if cls.refuse:
            cls.refuse -= 1
            self.send_response(503)
        else:
            cls.seen.append((self.path, body))
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def orchestrator() -> Iterator[str]:
    Orchestrator.seen, Orchestrator.refuse = [], 1
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Orchestrator)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def run(tmp_path: Path, module: str, **environ: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "main.py").write_text(SCRIPT % module)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SDK), "PYTHONDONTWRITEBYTECODE": "1", **environ}
    return subprocess.run([sys.executable, "-m", "stalker_sdk.run", "main.py"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=50)


@pytest.mark.parametrize("module", ["stalker_job_sdk", "red_kite_job_sdk"])
def test_without_a_server_it_prints(tmp_path: Path, module: str) -> None:
    done = run(tmp_path, module, targetIp="192.0.2.1")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line.split(" ", 1)[1])["type"] for line in done.stdout.splitlines()[:2]] == ["PortFinding", "TagFinding"]
    assert run(tmp_path, module, targetIp="nowhere").returncode == 1


def test_against_the_references_orchestrator(tmp_path: Path, orchestrator: str) -> None:
    context = '{"Id":"aaaaaaaaaaaaaaaaaaaaaaaa","ProjectId":"bbbbbbbbbbbbbbbbbbbbbbbb","Signature":"c2ln"}'
    done = run(tmp_path, "red_kite_job_sdk", targetIp="2001:db8::1", RedKiteContext=context, RedKiteOrchestratorUrl=orchestrator)
    assert done.returncode == 0, done.stderr
    assert all(body["RedKiteContext"] == context for _, body in Orchestrator.seen)
    said = [(path, body.get("Finding", body.get("Status", ""))) for path, body in Orchestrator.seen]
    assert [path for path, _ in said] == ["/Jobs/Finding"] * 3 + ["/Jobs/Status"] * 2
    prefix, _, data = said[0][1].partition(" ")
    assert prefix == "@finding" and json.loads(data)["findings"] == [{
        "type": "PortFinding", "key": "PortFinding", "name": "Found port", "ip": "2001:db8::1", "port": 443, "protocol": "tcp",
        "fields": [{"key": "protocol", "type": "text", "label": "Protocol", "data": "tcp"}]}]
    assert [text for _, text in said[2:]] == ["@info url https://[2001:db8::1]/", "Success", "Ended"]


def test_an_orchestrator_that_refuses_is_told_of(tmp_path: Path) -> None:
    done = run(tmp_path, "stalker_job_sdk", targetIp="192.0.2.1", RedKiteContext="{}", RedKiteOrchestratorUrl="http://127.0.0.1:1")
    assert done.returncode == 1 and "127.0.0.1:1" in done.stderr
