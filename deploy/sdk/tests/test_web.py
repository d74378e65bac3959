"""HTTP, HTML, technologies and certificates, from hostile servers too."""

from __future__ import annotations

import base64
import gzip
import random
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stalker_sdk.html import read_page
from stalker_sdk.http1 import NotHTTP, Response, dechunk, get, parse_head, request
from stalker_sdk.technologies import Technology, detect, rules
from stalker_sdk.wire import WireError
from stalker_sdk.x509 import CertificateError, parse

IP = "127.0.30.1"
TESTDATA = Path(__file__).parent / "testdata"
Tcp = Callable[..., int]
Web = Callable[..., Callable[[socket.socket], None]]


def der() -> bytes:
    lines = (TESTDATA / "cert.pem").read_text().splitlines()
    return base64.b64decode("".join(line for line in lines if not line.startswith("-")))


def test_a_request_over_tls_keeps_the_certificate(tcp: Tcp, web: Web) -> None:
    requests: list[bytes] = []
    port = tcp(web(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nX-A: 2\r\n\r\nhi", requests), tls=True)
    got = get(IP, port, host="www.lab.example", path="/a b\r\nX: y", tls=True)
    assert (got.status, got.reason, got.body, got.truncated) == (200, "OK", b"hi", False)
    assert got.all("x-a") == ["1", "2"] and got.tls_version.startswith("TLSv1")
    assert got.certificate == der()
    assert requests[0].startswith(f"GET /a%20b%0D%0AX:%20y HTTP/1.1\r\nHost: www.lab.example:{port}\r\n".encode())


@pytest.mark.parametrize(("response", "status", "body", "truncated"), [
    (b"HTTP/1.0 404 Not Found\n\nno", 404, b"no", False),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, b"", False),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", 200, b"abcde", False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", 200, b"abc", False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc", 200, b"abc", False),
    (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000, 200, b"x" * 1000, True),
    (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"z" * 1_000_000), 200, b"z" * 1000, True),
    (b"HTTP/1.1 301 \r\nLocation: http://127.0.0.1/\r\nnot a header\r\n folded\r\n\r\n", 301, b"", False),
])
def test_responses(tcp: Tcp, web: Web, response: bytes, status: int, body: bytes, truncated: bool) -> None:
    got = get(IP, tcp(web(response)), max_body=1000, seconds=5)
    assert (got.status, got.body, got.truncated) == (status, body, truncated)


@pytest.mark.parametrize("response", [
    b"SSH-2.0-x\r\n", b"", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 999 x\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: b",
    b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000, b"HTTP/1.1 100 \r\n\r\n" * 10 + b"x",
])
def test_what_is_no_response(tcp: Tcp, web: Web, response: bytes) -> None:
    try:
        got = get(IP, tcp(web(response)), seconds=5)
    except WireError:
        return
    assert got.status < 200, got


def test_a_slow_server_is_left_at_the_deadline(tcp: Tcp) -> None:
    def drip(stream: socket.socket) -> None:
        stream.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            stream.sendall(b"a")
            time.sleep(0.05)

    began = time.monotonic()
    with pytest.raises(WireError, match="out of time"):
        get(IP, tcp(drip), seconds=0.5)
    assert time.monotonic() - began < 3


def test_many_small_chunks_stay_bounded() -> None:
    assert dechunk(b"1\r\na\r\n" * 1000 + b"0\r\n\r\n") == b"a" * 1000
    for raw in (b"", b"\r\n", b"zz\r\nabc", b"-1\r\nabc", b"fffffffff\r\nabc"):
        assert dechunk(raw) == b""
    assert dechunk(b"ff\r\nabc") == b"abc"


def test_a_request_cannot_be_split() -> None:
    with pytest.raises(WireError):
        request("a\r\nX: y", 80, "/", False)
    assert b"Host: [2001:db8::1]:8080\r\n" in request("2001:db8::1", 8080, "/", False)


def test_garbage_heads() -> None:
    rng = random.Random(5)
    for _ in range(3000):
        data = b"HTTP/1.1 200 OK\r\n" + rng.randbytes(rng.randrange(200))
        assert parse_head(data).status == 200
    with pytest.raises(NotHTTP):
        parse_head(b"HTTP/1.1 OK")


@pytest.mark.parametrize(("body", "content_type", "title"), [
    (b"<title>\n A &amp;\n B </title><title>C</title>", "text/html", "A & B"),
    ("<title>é</title>".encode("latin-1"), "text/html; charset=iso-8859-1", "é"),
    ("<meta charset=windows-1251><title>ж</title>".encode("cp1251"), "text/html", "ж"),
    ("<title>é</title>".encode("utf-16"), "text/html", "é"),
    ("<title>é</title>".encode(), "", "é"),
    (b"<title>\xe9</title>", "text/html; charset=hex", "é"),
    (b"<title>x</title>", "application/json", ""),
    (b"<title>" + b"y" * 5000 + b"</title>", "text/html", "y" * 300),
    (b"<title>unclosed", "text/html", ""),
])
def test_titles(body: bytes, content_type: str, title: str) -> None:
    assert read_page(body, content_type).title == title


@pytest.mark.parametrize("unit", [
    b"<", b"<a ", b"<!--", b"<a b='", b"<![", b"</", b"&", b"<script>", b"<title>", b"<a b=", b"<?", b"<!x", b"<a/", b"<meta charset "])
def test_hostile_markup_takes_bounded_time(unit: bytes) -> None:
    began = time.monotonic()
    page = read_page(unit * (512 * 1024 // len(unit)), "text/html")
    detect(Response(200), page)
    assert time.monotonic() - began < 8


def test_technologies() -> None:
    response = Response(200, headers=[("server", "nginx/1.25.3"), ("x-powered-by", "PHP/8.2.1"), ("set-cookie", "JSESSIONID=1; Path=/"),
                                      ("set-cookie", "PHPSESSID=2")])
    page = read_page(b'<meta name="Generator" content="WordPress 6.4.2"><script src="/js/jquery-3.7.1.min.js"></script>'
                     b'<div ng-version="17.0.1">', "text/html")
    assert detect(response, page) == [
        Technology("Angular", "17.0.1"), Technology("Java Servlet"), Technology("Nginx", "1.25.3"), Technology("PHP", "8.2.1"),
        Technology("WordPress", "6.4.2"), Technology("jQuery", "3.7.1")]
    assert detect(Response(200), read_page(b"<p>nothing</p>", "text/html")) == []


def test_every_rule_can_match_and_is_named_once() -> None:
    names = [rule.name for rule in rules()]
    assert len(names) == len(set(names)) >= 40
    for rule in rules():
        assert rule.headers or rule.cookies or rule.meta or rule.scripts or rule.html, rule.name
        patterns = [p for _, p in rule.headers + rule.meta] + list(rule.scripts + rule.html)
        assert all(p.groups <= 1 for p in patterns), rule.name
        assert not any(p.search("") for p in patterns), rule.name


def test_a_certificate() -> None:
    got = parse(der())
    assert got.subject == got.issuer == "CN=www.lab.example, O=Stalker Test, C=CH"
    assert got.common_name == "www.lab.example" and got.self_signed
    assert got.names == ("www.lab.example", "*.lab.example", "127.0.0.1", "::1")
    assert got.not_before == datetime(2026, 11, 23, 21, 18, 21, tzinfo=UTC)
    assert got.not_after == datetime(2126, 10, 30, 21, 18, 21, tzinfo=UTC)
    assert got.fingerprint == "52cffef19329abf3948b14331 9efd9269b ae9080faa1ea3c00775cf7ccec6b7e".replace(" ", "")


def test_damaged_certificates_are_refused_or_read_but_never_break() -> None:
    good, rng, refused = der(), random.Random(11), 0
    for _ in range(5000):
        data = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            parse(bytes(data[:rng.choice([len(data), rng.randrange(len(data))])]))
        except CertificateError:
            refused += 1
    assert refused > 2500
    for data in (b"", b"\x30", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x30\x81\x01\0", good + b"\0", b"\x30\x03\x30\x01\0"):
        with pytest.raises(CertificateError):
            parse(data)
