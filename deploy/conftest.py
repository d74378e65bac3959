"""Fixtures for the tests of the SDK and of the jobs: real servers on loopback."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
TESTDATA = HERE / "sdk" / "tests" / "testdata"


@dataclass
class Outcome:
    """What a job run in dry mode printed."""

    code: int
    findings: list[dict[str, Any]] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    stderr: str = ""

    def about(self, key: str) -> list[dict[str, Any]]:
        return [f for f in self.findings if f["key"] == key]


def fields(finding: dict[str, Any]) -> dict[str, Any]:
    """The dynamic fields of a finding, by key."""
    return {f["key"]: f["data"] for f in finding["fields"]}


@pytest.fixture
def run_job(tmp_path: Path) -> Callable[..., Outcome]:
    """Runs jobs/<name>/main.py as the launcher does, without a gateway."""

    def run(name: str, environ: dict[str, str] | None = None, **parameters: Any) -> Outcome:
        file = tmp_path / "params.json"
        file.write_text(json.dumps(parameters))
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HERE / "sdk"), "STALKER_PARAMS_FILE": str(file),
               "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1", **(environ or {})}
        done = subprocess.run([sys.executable, "-m", "stalker_sdk.run", str(HERE / "jobs" / name / "main.py")],
                              cwd=tmp_path, env=env, capture_output=True, text=True, timeout=50)
        outcome = Outcome(done.returncode, stderr=done.stderr)
        for line in done.stdout.splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "@finding":
                outcome.findings.append(json.loads(rest))
            else:
                outcome.logs.append(line)
        return outcome

    return run


@pytest.fixture
def tcp() -> Iterator[Callable[..., int]]:
    """Starts a TCP server that calls a function with each connection; returns its port."""
    listeners: list[socket.socket] = []

    def serve(handle: Callable[[socket.socket], None], ip: str = "127.0.30.1", tls: bool = False) -> int:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        listener = socket.create_server((ip, 0), family=family, backlog=64)
        listeners.append(listener)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TESTDATA / "cert.pem", TESTDATA / "key.pem")

        def one(peer: socket.socket) -> None:
            try:
                peer.settimeout(5)
                with context.wrap_socket(peer, server_side=True) if tls else peer as stream:
                    handle(stream)
            except OSError:
                peer.close()

        def accept() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=one, args=(peer,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return int(listener.getsockname()[1])

    yield serve
    for listener in listeners:
        listener.close()


@pytest.fixture
def udp() -> Iterator[Callable[..., int]]:
    """Starts a UDP server that answers by a function of the request; returns its port."""
    sockets: list[socket.socket] = []

    def serve(answer: Callable[[bytes], bytes | None], ip: str = "127.0.30.1", port: int = 0) -> int:
        sock = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((ip, port))
        sockets.append(sock)

        def loop() -> None:
            while True:
                try:
                    data, peer = sock.recvfrom(4096)
                    if reply := answer(data):
                        sock.sendto(reply, peer)
                except OSError:
                    return

        threading.Thread(target=loop, daemon=True).start()
        return int(sock.getsockname()[1])

    yield serve
    for sock in sockets:
        sock.close()


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., str]:
    """Puts a shell script in place of a program; returns the PATH that has it."""

    def make(name: str, body: str) -> str:
        tools = tmp_path / "tools"
        tools.mkdir(exist_ok=True)
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
        return f"{tools}:/usr/bin:/bin"

    return make


@pytest.fixture
def ipv6() -> None:
    """Skips where the kernel has no IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        pytest.skip("this kernel has no IPv6")


@pytest.fixture
def says() -> Callable[[bytes], Callable[[socket.socket], None]]:
    """Makes a handler that greets and then waits for the peer to leave."""

    def make(greeting: bytes) -> Callable[[socket.socket], None]:
        def handle(stream: socket.socket) -> None:
            stream.sendall(greeting)
            stream.recv(4096)

        return handle

    return make


@pytest.fixture
def web() -> Callable[..., Callable[[socket.socket], None]]:
    """Makes a handler that answers any HTTP request with the same bytes, and keeps the requests."""

    def make(response: bytes, requests: list[bytes] | None = None) -> Callable[[socket.socket], None]:
        def handle(stream: socket.socket) -> None:
            request = stream.recv(8192)
            if request.startswith(b"GET "):
                if requests is not None:
                    requests.append(request)
                stream.sendall(response)

        return handle

    return make


@pytest.fixture
def told() -> Callable[[dict[str, Any]], dict[str, Any]]:
    return fields
