from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

IP = "127.0.30.64"

PAGES = {
    "/": "<a href='/a?x=1#part'>a</a><a href=b/>b</a><form action=/login method=post><input type=password></form><img src='//cdn.example/x.png'>"
         "<a href='javascript:alert(1)'>j</a><a href='http://[bad'>bad</a><a href='mailto:x@y'>m</a>",
    "/a?x=1": "<base href='/deep/'><a href=one>one</a><a href='/'>home</a>",
    "/b/": "<script src=/s.js></script><iframe src='../hidden'></iframe>",
    "/deep/one": "<a href=/deep/two>two</a>",
    "/deep/two": "<a href=/deep/three>three</a>",
    "/s.js": "location='/nowhere'",
    "/hidden": "",
}


def serve(asked: list[str]) -> Callable[[socket.socket], None]:
    def handle(stream: socket.socket) -> None:
        target = stream.recv(8192).split(b" ")[1].decode()
        asked.append(target)
        if target == "/moved":
            stream.sendall(b"HTTP/1.1 302 Found\r\nLocation: /hidden\r\nContent-Length: 0\r\n\r\n")
            return
        body = PAGES.get(target, "").encode()
        kind = "application/javascript" if target.endswith(".js") else "text/html"
        status = "200 OK" if target in PAGES else "404 Not Found"
        stream.sendall(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    return handle


def test_the_whole_site_and_nothing_else(run_job: Callable[..., Any], tcp: Callable[..., int], told: Any) -> None:
    asked: list[str] = []
    port = tcp(serve(asked), IP)
    done = run_job("WebsiteCrawlingJob", targetIp=IP, port=port, ssl=False, domainName="www.lab.example", maxDepth=2)
    assert done.code == 0, done
    found = {told(f)["endpoint"]: told(f) for f in done.about("WebsitePathFinding")}
    assert set(found) == {"/", "/a?x=1", "/b/", "/login", "/deep/one", "/s.js", "/hidden", "/deep/two"}
    assert len(done.about("WebsitePathFinding")) == len(found)
    assert sorted(asked) == ["/", "/a?x=1", "/b/", "/deep/one", "/hidden", "/s.js"]  # not the form, not beyond the depth
    assert found["/login"] == {"endpoint": "/login", "method": "POST", "tag": "form", "attribute": "action", "source": f"http://www.lab.example:{port}/"}
    assert found["/hidden"]["tag"] == "iframe" and found["/hidden"]["statusCode"] == 200 and "statusCode" not in found["/deep/two"]
    assert all(f["path"] == "/" and f["domainName"] == "www.lab.example" and f["ip"] == IP for f in done.findings)
    (other,) = done.about("OutOfScopeEndpoints")
    assert [f["data"] for f in other["fields"]] == ["http://cdn.example/x.png"]


def test_bounds_and_redirects(run_job: Callable[..., Any], tcp: Callable[..., int], told: Any) -> None:
    asked: list[str] = []
    port = tcp(serve(asked), IP)
    done = run_job("WebsiteCrawlingJob", targetIp=IP, port=port, ssl=False, path="/moved")
    assert {told(f)["endpoint"]: told(f)["statusCode"] for f in done.about("WebsitePathFinding")} == {"/moved": 302, "/hidden": 200}
    asked.clear()
    done = run_job("WebsiteCrawlingJob", targetIp=IP, port=port, ssl=False, maxPages=2)
    assert done.code == 0 and len(asked) == 2 and any("more than 2 pages" in x for x in done.logs)
    with socket.create_server((IP, 0)) as listener:
        closed = listener.getsockname()[1]
    done = run_job("WebsiteCrawlingJob", targetIp=IP, port=closed, ssl=False)
    assert done.code == 1 and "cannot be read" in done.logs[-1]
