from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

IP = "127.0.30.63"


def site(plain: bytes, suspicious: bytes | None) -> Callable[[socket.socket], None]:
    """Answers a request with markup in it otherwise, or not at all."""

    def handle(stream: socket.socket) -> None:
        request = stream.recv(8192)
        answer = suspicious if b"script" in request.split(b"\r\n")[0] else plain
        if answer is not None:
            stream.sendall(answer)

    return handle


def page(status: str, headers: str = "", body: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}".encode()


# made up after what each product is known to send, not recorded from sites
ANSWERS: list[tuple[bytes, bytes | None, dict[str, tuple[str, bool]]]] = [
    (page("200 OK", "Server: nginx\r\n"), page("200 OK", "Server: nginx\r\n"), {}),
    (page("200 OK", "Server: cloudflare\r\nCF-RAY: 8a1b-FRA\r\n"), page("403 Forbidden", "Server: cloudflare\r\n"), {"Cloudflare": ("header server", True)}),
    (page("200 OK"), page("403 Forbidden", "", "<p>The requested URL was rejected. Please consult with your administrator.</p>"),
     {"F5 BIG-IP ASM": ("the page that refuses", True)}),
    (page("200 OK", "Set-Cookie: a=b\r\nSet-Cookie: visid_incap_1=x; path=/\r\n"), page("200 OK"), {"Imperva": ("header set-cookie", False)}),
    (page("200 OK"), page("406 Not Acceptable", "", "Not acceptable"), {"unknown": ("status 406 instead of 200", True)}),
    (page("200 OK"), None, {"unknown": ("the connection is cut", True)}),
    (page("200 OK", "", "Our guide to _Incapsula_Resource"), page("200 OK", "", "Our guide to _Incapsula_Resource"), {}),
    (page("403 Forbidden"), page("403 Forbidden"), {}),
    (page("404 Not Found"), page("200 OK"), {}),
]


def test_each_answer(run_job: Callable[..., Any], tcp: Callable[..., int], told: Any) -> None:
    for plain, suspicious, want in ANSWERS:
        port = tcp(site(plain, suspicious), IP)
        done = run_job("WafIdentificationJob", targetIp=IP, port=port, ssl=False, domainName="www.lab.example", path="/x?a=b")
        assert done.code == 0, done
        assert {told(f)["waf"]: (told(f)["evidence"], told(f)["refuses"]) for f in done.about("WafFinding")} == want, plain
        assert all(f["ip"] == IP and f["port"] == port and f["path"] == "/x?a=b" for f in done.findings)


def test_a_site_that_is_away_is_a_failure(run_job: Callable[..., Any]) -> None:
    with socket.create_server((IP, 0)) as listener:
        port = listener.getsockname()[1]
    done = run_job("WafIdentificationJob", targetIp=IP, port=port, ssl=False)
    assert done.code == 1 and "cannot connect" in done.logs[-1]
