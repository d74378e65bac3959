"""One HTTP/1.1 request to one address, for talking to hostile servers.

No name is resolved, no redirect followed, no certificate verified. The whole
exchange has one deadline, and head and body have sizes they cannot pass.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field

from stalker_sdk.wire import Deadline, Stream, WireError

MAX_HEAD = 64 << 10
MAX_HEADERS = 200
MAX_BODY = 512 << 10
USER_AGENT = "Mozilla/5.0 (compatible; Stalker)"
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: ([^\r\n]*))?\r?\Z")
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


class NotHTTP(WireError):
    """The peer answered something that is no HTTP response."""


@dataclass
class Response:
    """A response; header names are lower case, values are text (latin-1)."""

    status: int
    reason: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    truncated: bool = False  # the body is longer than what was read
    certificate: bytes = b""  # DER of the certificate the server presented
    tls_version: str = ""

    def header(self, name: str) -> str:
        """The first header of that name, or ""."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every header of that name."""
        return [value for key, value in self.headers if key == name]


def get(ip: str, port: int, *, host: str = "", path: str = "/", tls: bool = False, seconds: float = 10.0,
        max_body: int = MAX_BODY) -> Response:
    """Asks for ``path``. ``host`` is for SNI and the Host header, the address when empty.

    Raises NotHTTP when the peer speaks something else, WireError when it is unreachable.
    """
    deadline = Deadline(seconds)
    with Stream(ip, port, deadline) as stream:
        if tls:
            stream.start_tls(host)
        stream.send(request(host or ip, port, path, tls))
        response = read_response(stream, max_body)
        response.certificate, response.tls_version = stream.certificate, stream.tls_version
        return response


def request(host: str, port: int, path: str, tls: bool) -> bytes:
    """The bytes of a GET request; what could end a line in ``host`` or ``path`` is escaped."""
    name = f"[{host}]" if ":" in host else host
    where = name if port == (443 if tls else 80) else f"{name}:{port}"
    target = "".join(c if "!" <= c <= "~" else "".join(f"%{b:02X}" for b in c.encode("utf-8", "replace"))
                     for c in path) or "/"
    if not target.startswith("/"):
        target = "/" + target
    if not re.fullmatch(r"[\x21-\x7e]+", where):
        raise WireError(f"{host!r} is no host name")
    return (f"GET {target} HTTP/1.1\r\nHost: {where}\r\nUser-Agent: {USER_AGENT}\r\n"
            "Accept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n").encode("ascii")


def read_response(stream: Stream, max_body: int = MAX_BODY) -> Response:
    """Reads the final response (1xx ones are skipped). Raises NotHTTP or WireError."""
    buffer = b""
    for _ in range(5):
        head, buffer = _read_head(stream, buffer)
        response = parse_head(head)
        if response.status >= 200:
            break
        if response.status == 101:
            return response
    if response.status not in (204, 304):
        _read_body(stream, response, buffer, max_body)
    return response


def _read_head(stream: Stream, data: bytes) -> tuple[bytes, bytes]:
    while True:
        if len(data) >= 5 and not data.startswith(b"HTTP/"):
            raise NotHTTP("the answer is no HTTP response")
        if end := re.search(rb"\r?\n\r?\n", data):
            return data[:end.start()], data[end.end():]
        if len(data) > MAX_HEAD:
            raise NotHTTP(f"the head of the response is longer than {MAX_HEAD} bytes")
        part = stream.receive()
        if not part:
            raise NotHTTP("the connection ended before the head of a response")
        data += part


def parse_head(head: bytes) -> Response:
    """Reads a status line and headers; lines that are no headers are skipped."""
    lines = head.split(b"\n")
    match = _STATUS.match(lines[0])
    if not match:
        raise NotHTTP("the status line is malformed")
    response = Response(int(match[1]), (match[2] or b"").decode("latin-1").strip())
    for line in lines[1:MAX_HEADERS + 1]:
        name, colon, value = line.rstrip(b"\r").partition(b":")
        if colon and _TOKEN.match(name):
            response.headers.append((name.decode("ascii").lower(), value.decode("latin-1").strip()))
        elif line[:1] in (b" ", b"\t") and response.headers:  # folded, RFC 9112 §5.2
            key, first = response.headers[-1]
            response.headers[-1] = key, f"{first} {line.decode('latin-1').strip()}"
    return response


def _read_body(stream: Stream, response: Response, data: bytes, most: int) -> None:
    """Reads what the framing says, at most ``most`` bytes; what came before a fault is kept."""
    chunked = "chunked" in response.header("transfer-encoding").lower()
    length = response.header("content-length")
    want = int(length) if length.isascii() and length.isdigit() and len(length) < 16 and not chunked else None
    # A chunk may be one byte long; its frame is then six times its content.
    limit = most * 6 + 1024 if chunked else most + 1
    raw = bytearray(data)
    try:
        while len(raw) < limit and (want is None or len(raw) < want) and not (chunked and raw.endswith(b"0\r\n\r\n")):
            if chunked and len(raw) > most and len(dechunk(bytes(raw))) > most:
                break
            part = stream.receive()
            if not part:
                break
            raw += part
    except WireError:
        response.truncated = True
    body = dechunk(bytes(raw)) if chunked else bytes(raw[:want])
    body = _decompress(response.header("content-encoding").lower(), body, most)
    response.truncated = response.truncated or len(body) > most
    response.body = body[:most]


def dechunk(raw: bytes) -> bytes:
    """The content of a chunked body, as far as it is well-formed (RFC 9112 §7.1)."""
    out, at = bytearray(), 0
    while (end := raw.find(b"\n", at, at + 1024)) >= 0:
        size = raw[at:end].split(b";")[0].strip()
        if not size or len(size) > 8 or not re.fullmatch(rb"[0-9A-Fa-f]+", size) or int(size, 16) == 0:
            break
        out += raw[end + 1:end + 1 + int(size, 16)]
        at = end + 1 + int(size, 16)
        at += 2 if raw[at:at + 2] == b"\r\n" else 1 if raw[at:at + 1] == b"\n" else 0
    return bytes(out)


def _decompress(encoding: str, body: bytes, most: int) -> bytes:
    """Undoes gzip and deflate, which some servers send unasked; never more than ``most`` + 1 bytes."""
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return body
    try:
        return zlib.decompressobj(47).decompress(body, most + 1)
    except zlib.error:
        return body
