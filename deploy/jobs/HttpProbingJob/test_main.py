from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

IP = "127.0.30.50"
PAGE = b"<html><head><title> The\n Lab </title><meta name=generator content='WordPress 6.4.2'></head></html>"
RESPONSE = (b"HTTP/1.1 200 OK\r\nServer: nginx/1.25.3\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: "
            + str(len(PAGE)).encode() + b"\r\n\r\n" + PAGE)


def test_a_site_over_tls(run_job: Callable[..., Any], tcp: Callable[..., int], web: Any, told: Any) -> None:
    requests: list[bytes] = []
    port = tcp(web(RESPONSE, requests), IP, tls=True)
    done = run_job("HttpProbingJob", domainName="www.lab.example", targetIp=IP, port=port, path="/x", ssl=True)
    assert done.code == 0, done
    assert len(requests) == 1 and requests[0].startswith(b"GET /x HTTP/1.1\r\nHost: www.lab.example:%d\r\n" % port)
    for finding in done.findings:
        where = {key: finding[key] for key in ("type", "ip", "port", "domainName", "path", "ssl", "protocol")}
        assert where == {"type": "CustomFinding", "ip": IP, "port": port, "domainName": "www.lab.example", "path": "/x",
                         "ssl": True, "protocol": "tcp"}
    assert [told(f) for f in done.about("WebsiteResponseFinding")] == [{
        "statusCode": 200, "title": "The Lab", "server": "nginx/1.25.3", "contentType": "text/html; charset=utf-8",
        "contentLength": len(PAGE)}]
    assert [told(f) for f in done.about("WebsiteTechnologyFinding")] == [
        {"technology": "Nginx", "version": "1.25.3"}, {"technology": "WordPress", "version": "6.4.2"}]
    assert [told(f) for f in done.about("CertificateFinding")] == [{
        "subject": "CN=www.lab.example, O=Stalker Test, C=CH", "issuer": "CN=www.lab.example, O=Stalker Test, C=CH",
        "names": "www.lab.example,*.lab.example,127.0.0.1,::1", "notBefore": "2026-11-23T21:18:21Z",
        "notAfter": "2126-10-30T21:18:21Z", "selfSigned": True,
        "fingerprint": "52cffef19329abf3948b143319efd9269bae9080faa1ea3c00775cf7ccec6b7e"}]


def test_a_redirect_of_the_bare_address_is_recorded_not_followed(
        run_job: Callable[..., Any], tcp: Callable[..., int], web: Any, told: Any) -> None:
    requests: list[bytes] = []
    port = tcp(web(b"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/\r\n\r\n", requests), IP)
    done = run_job("HttpProbingJob", targetIp=IP, port=port, ssl=False)
    assert done.code == 0 and len(requests) == 1
    (finding,) = done.findings
    assert (finding["domainName"], finding["path"], finding["ssl"]) == ("", "/", False)
    assert told(finding) == {"statusCode": 301, "location": "https://elsewhere.example/", "contentLength": 0}


def test_ipv6(run_job: Callable[..., Any], ipv6: None, tcp: Callable[..., int], web: Any) -> None:
    requests: list[bytes] = []
    port = tcp(web(RESPONSE, requests), "::1")
    assert run_job("HttpProbingJob", targetIp="::1", port=port, ssl=False).code == 0
    assert f"Host: [::1]:{port}\r\n".encode() in requests[0]


def test_failures_have_reasons(run_job: Callable[..., Any], tcp: Callable[..., int], says: Any) -> None:
    port = tcp(says(b"SSH-2.0-x\r\n"), IP)
    done = run_job("HttpProbingJob", targetIp=IP, port=port, ssl=False)
    assert done.code == 1 and "no HTTP response" in done.logs[-1]
    assert "no TLS" in run_job("HttpProbingJob", targetIp=IP, port=port, ssl=True).logs[-1]
    with socket.create_server((IP, 0)) as listener:
        closed = listener.getsockname()[1]
    assert "cannot connect" in run_job("HttpProbingJob", targetIp=IP, port=closed, ssl=False).logs[-1]
    assert run_job("HttpProbingJob", targetIp=IP, port=0).code == 1
