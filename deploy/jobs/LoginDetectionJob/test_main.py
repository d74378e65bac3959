from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

IP = "127.0.30.65"


def serve(pages: dict[str, bytes]) -> Callable[[socket.socket], None]:
    def handle(stream: socket.socket) -> None:
        stream.sendall(pages.get(stream.recv(8192).split(b" ")[1].decode(), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))

    return handle


def page(body: str, head: str = "200 OK\r\nContent-Type: text/html") -> bytes:
    return f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


PAGES = {
    "/": page("", "302 Found\r\nLocation: /login?next=/"),
    "/login?next=/": page("<form action='/session' method=POST><input name=u><INPUT TYPE=Password name=p></form>"),
    "/basic": page("", '401 Unauthorized\r\nWWW-Authenticate: Basic realm="Lab"'),
    "/script": page("<div><input type=password></div>"),
    "/plain": page("<p>Forgot your password?</p><form><input type=text name=password></form>"),
    "/away": page("", "302 Found\r\nLocation: https://sso.example/login"),
    "/loop": page("", "302 Found\r\nLocation: /loop"),
}


def test_pages_that_ask_and_pages_that_do_not(run_job: Callable[..., Any], tcp: Callable[..., int], told: Any) -> None:
    port = tcp(serve(PAGES), IP)
    base = f"http://{IP}:{port}"
    for endpoint, want in {"": ("a form with a password", base + "/login?next=/", base + "/session"),
                           "/basic": ('HTTP authentication: Basic realm="Lab"', base + "/basic", base + "/basic"),
                           "/script": ("a form with a password", base + "/script", base + "/script"),
                           "/plain": None, "/away": None, "/loop": None, "/gone": None}.items():
        done = run_job("LoginDetectionJob", targetIp=IP, port=port, ssl=False, endpoint=endpoint)
        assert done.code == 0, done
        got = [told(f) for f in done.about("WebsiteLoginPortal")]
        assert [(f["description"], f["url"], f["action"]) for f in got] == ([want] if want else []), endpoint
        tags = [(f["type"], f["tag"], f["path"], f["port"]) for f in done.about("TagFinding")]
        assert tags == ([("TagFinding", "Login", "/", port)] if want else [])
    with socket.create_server((IP, 0)) as listener:
        closed = listener.getsockname()[1]
    assert run_job("LoginDetectionJob", targetIp=IP, port=closed, ssl=False).code == 1
