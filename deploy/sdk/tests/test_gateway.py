"""The gateway client against a real HTTP server that fails in every way."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from stalker_sdk import gateway
from stalker_sdk.gateway import SPOOL_NAME, Gateway, GatewayError


class FakeGateway:
    """Answers from a script, then accepts; keeps what it was sent."""

    def __init__(self) -> None:
        self.script: list[tuple[int, dict[str, str], bytes]] = []
        self.received: list[tuple[str, dict[str, Any], dict[str, str], float]] = []
        self.drop = 0  # connections to close without an answer
        self.max_items = 10_000
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                self.reply(*outer.answer(self.path, json.loads(body), dict(self.headers)))

            def reply(self, status: int, headers: dict[str, str], data: bytes) -> None:
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/gateway/v1"

    def answer(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if self.drop:
            self.drop -= 1
            return 0, {}, b""
        if self.script:
            return self.script.pop(0)
        if len(body.get("findings", [])) > self.max_items:
            return 413, {}, b"{}"
        self.received.append((path, body, headers, time.monotonic()))
        return 200, {}, json.dumps({"accepted": len(body.get("findings", []))}).encode()

    def seqs(self, kind: str = "findings") -> list[int]:
        member = "findings" if kind == "findings" else "lines"
        return [item["seq"] for path, body, _, _ in self.received if path.endswith(kind) for item in body[member]]

    def lines(self) -> list[str]:
        return [line["text"] for path, body, _, _ in self.received if path.endswith("/logs") for line in body["lines"]]


@pytest.fixture
def fake() -> Iterator[FakeGateway]:
    server = FakeGateway()
    yield server
    server.server.shutdown()
    server.server.server_close()


def client(fake: FakeGateway, tmp_path: Path, **options: Any) -> Gateway:
    return Gateway(fake.url, "secret-token", spool=tmp_path, **{"pause": 0.01, "delay": 0.02, **options})


def test_everything_arrives_once_in_order_in_batches(fake: FakeGateway, tmp_path: Path) -> None:
    sut = client(fake, tmp_path)
    for number in range(950):
        sut.finding({"type": "IpFinding", "ip": f"192.0.2.{number % 250}"})
        if number % 100 == 0:
            sut.log("info", f"line {number}")
    assert sut.close(10) is None
    assert fake.seqs() == list(range(1, 951))
    assert fake.seqs("logs") == list(range(1, 11))
    batches = [len(body["findings"]) for path, body, _, _ in fake.received if path.endswith("/findings")]
    assert max(batches) <= gateway.MAX_ITEMS and len(batches) <= 30
    _, _, headers, _ = fake.received[0]
    assert headers["Authorization"] == "Bearer secret-token"
    assert any(h.get("Content-Encoding") == "gzip" for _, _, h, _ in fake.received)


def test_a_lone_finding_does_not_wait_for_more(fake: FakeGateway, tmp_path: Path) -> None:
    sut = client(fake, tmp_path, delay=0.05)
    sut.finding({"ip": "192.0.2.1"})
    until = time.monotonic() + 5
    while not fake.received and time.monotonic() < until:
        time.sleep(0.01)
    assert fake.seqs() == [1]
    assert "Content-Encoding" not in fake.received[0][2]
    assert sut.close(5) is None


def test_failures_are_retried_with_the_same_numbers(fake: FakeGateway, tmp_path: Path) -> None:
    fake.drop = 2
    fake.script = [(503, {}, b"down"), (500, {}, b""), (200, {}, b"{cut"), (429, {"Retry-After": "0"}, b"")]
    sut = client(fake, tmp_path)
    sut.finding({"ip": "192.0.2.1"})
    assert sut.close(20) is None
    assert fake.seqs() == [1]
    assert not (tmp_path / SPOOL_NAME).exists()


def test_retry_after_is_honoured(fake: FakeGateway, tmp_path: Path) -> None:
    fake.script = [(429, {"Retry-After": "1"}, b"")]
    began = time.monotonic()
    sut = client(fake, tmp_path)
    sut.finding({"ip": "192.0.2.1"})
    assert sut.close(10) is None
    assert fake.received[0][3] - began >= 1.0


def test_a_rejected_finding_is_an_error_line(fake: FakeGateway, tmp_path: Path) -> None:
    answer = {"accepted": 1, "rejected": [{"index": 1, "seq": 2, "code": "invalid", "reason": "port 0 is no port"}]}
    fake.script = [(200, {}, json.dumps(answer).encode())]
    sut = client(fake, tmp_path, delay=0.2)
    sut.finding({"ip": "192.0.2.1"})
    sut.finding({"ip": "192.0.2.1", "port": 0})
    assert sut.close(10) is None
    assert len(fake.lines()) == 1
    assert fake.lines()[0].startswith("finding 2 was rejected: port 0 is no port") and '"port":0' in fake.lines()[0]


def test_batches_that_are_too_large_are_halved(fake: FakeGateway, tmp_path: Path) -> None:
    fake.max_items = 3
    sut = client(fake, tmp_path)
    for _ in range(50):
        sut.finding({"ip": "192.0.2.1"})
    assert sut.close(10) is None
    assert fake.seqs() == list(range(1, 51))


def test_a_gateway_away_for_too_long_spools_and_fails(tmp_path: Path, fake: FakeGateway) -> None:
    fake.script = [(503, {}, b"bus away")] * 1000
    sut = client(fake, tmp_path, give_up=0.3)
    for number in range(3):
        sut.finding({"number": number})
    sut.log("info", "a line")
    until = time.monotonic() + 10
    with pytest.raises(GatewayError, match="503 bus away"):
        while time.monotonic() < until:
            sut.finding({"late": True})
            time.sleep(0.02)
    problem = sut.close(5)
    assert problem is not None and SPOOL_NAME in problem
    spooled = [json.loads(line) for line in (tmp_path / SPOOL_NAME).read_text().splitlines()]
    seqs = [entry["findings"]["seq"] for entry in spooled if "findings" in entry]
    assert sorted(seqs) == list(range(1, max(seqs) + 1)), "every finding is in the spool"
    assert any(entry.get("logs", {}).get("text") == "a line" for entry in spooled)
    assert "secret-token" not in (tmp_path / SPOOL_NAME).read_text()


def test_a_refused_token_is_not_retried(fake: FakeGateway, tmp_path: Path) -> None:
    fake.script = [(401, {}, b'{"detail":"the token has expired"}')] * 2
    sut = client(fake, tmp_path)
    sut.finding({"ip": "192.0.2.1"})
    problem = sut.close(10)
    assert problem is not None and "401: the token has expired" in problem
    assert len(fake.script) == 1


def test_closing_is_bounded(fake: FakeGateway, tmp_path: Path) -> None:
    fake.script = [(503, {}, b"")] * 1000
    sut = client(fake, tmp_path)
    sut.finding({"ip": "192.0.2.1"})
    began = time.monotonic()
    assert sut.close(0.5) is not None
    assert time.monotonic() - began < 3
    assert (tmp_path / SPOOL_NAME).exists()


def test_long_lines_are_cut(fake: FakeGateway, tmp_path: Path) -> None:
    sut = client(fake, tmp_path)
    sut.log("info", "x" * (gateway.MAX_TEXT + 5))
    assert sut.close(5) is None
    assert fake.lines()[0].endswith("x… (5 more characters)")


def test_a_gateway_must_be_a_url(tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="http or https"):
        Gateway("127.0.0.1:80", "", spool=tmp_path)
