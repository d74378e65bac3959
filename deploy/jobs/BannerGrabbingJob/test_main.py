from __future__ import annotations

import importlib.util
import random
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

IP = "127.0.30.40"


@pytest.fixture(scope="module")
def main() -> ModuleType:
    spec = importlib.util.spec_from_file_location("banner_main", Path(__file__).with_name("main.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["banner_main"] = module
    spec.loader.exec_module(module)
    return module


MYSQL = b"\x4a\0\0\0\x0a8.0.35\0" + bytes(68)


@pytest.mark.parametrize(("said", "want"), [
    (b"SSH-2.0-OpenSSH_9.6p1 Ubuntu-3\r\n", ("ssh", "OpenSSH", "9.6p1", "protocol 2.0")),
    (b"SSH-2.0-dropbear_2022.83\r\n", ("ssh", "Dropbear sshd", "2022.83", "protocol 2.0")),
    (b"SSH-2.0-Lab-Server\r\n", ("ssh", "Lab-Server", "", "protocol 2.0")),
    (b"220 mail.lab.example ESMTP Postfix (Debian)\r\n", ("smtp", "Postfix smtpd", "", "")),
    (b"220 mail.lab.example ESMTP Exim 4.96\r\n", ("smtp", "Exim smtpd", "4.96", "")),
    (b"220 (vsFTPd 3.0.5)\r\n", ("ftp", "vsftpd", "3.0.5", "")),
    (b"220-FileZilla Server 1.7.3\r\n", ("ftp", "FileZilla ftpd", "1.7.3", "")),
    (b"+OK Dovecot ready.\r\n", ("pop3", "Dovecot pop3d", "", "")),
    (b"* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n", ("imap", "Dovecot imapd", "", "")),
    (MYSQL, ("mysql", "MySQL", "8.0.35", "")),
    (b"\x50\0\0\0\x0a5.5.5-10.11.6-MariaDB\0" + bytes(20), ("mysql", "MariaDB", "5.5.5-10.11.6-MariaDB", "")),
    (b"RFB 003.008\n", ("vnc", "VNC", "003.008", "")),
    (b"\xff\xfd\x18", ("telnet", "", "", "")),
])
def test_greetings(main: ModuleType, said: bytes, want: tuple[str, ...]) -> None:
    assert main.greeting(said) == main.Service(*want)


def test_hostile_greetings(main: ModuleType) -> None:
    rng = random.Random(1)
    began = time.monotonic()
    for start in (b"220 ", b"* OK ", b"+OK", b"SSH-", b":", b"", b"\0" * 4, b"\x05\0\0\0\x0a"):
        main.greeting(start + b"a " * 2000)
        for _ in range(200):
            found = main.greeting(start + rng.randbytes(rng.randrange(300)))
            assert found is None or (found.name and (found.product + found.version + found.extra).isprintable())
    assert time.monotonic() - began < 5
    assert main.greeting(b"hello") is None and main.greeting(b"") is None


def dns_over_tcp(stream: socket.socket) -> None:
    size = struct.unpack("!H", stream.recv(2))[0]
    query = stream.recv(size)
    answer = query[:2] + b"\x81\x80\0\x01\0\x01\0\0\0\0" + query[12:] + b"\xc0\x0c\0\x10\0\x03\0\0\0\0\0\x08\x079.18.24"
    stream.sendall(struct.pack("!H", len(answer)) + answer)


def redis(stream: socket.socket) -> None:
    while data := stream.recv(1024):
        if data == b"PING\r\n":
            stream.sendall(b"+PONG\r\n")
        elif data == b"INFO server\r\n":
            stream.sendall(b"$30\r\n# Server\r\nredis_version:7.2.4\r\n\r\n")
        else:
            return


def run(run_job: Callable[..., Any], ports: list[int], told: Any, ip: str = IP, **parameters: Any) -> dict[int, dict[str, str]]:
    done = run_job("BannerGrabbingJob", targetIp=ip, ports=ports, **parameters)
    assert done.code == 0, done
    assert all(f["key"] == "PortServiceFinding" and f["ip"] == ip and f["protocol"] == "tcp" for f in done.findings)
    assert len(done.findings) == len(ports)
    return {f["port"]: told(f) for f in done.findings}


def test_services_of_a_host(run_job: Callable[..., Any], tcp: Callable[..., int], says: Any, web: Any, told: Any) -> None:
    http = web(b"HTTP/1.1 200 OK\r\nServer: nginx/1.25.3 (Ubuntu)\r\nContent-Length: 2\r\n\r\nhi")
    want = {
        tcp(says(b"SSH-2.0-OpenSSH_9.6\r\n"), IP):
            {"serviceName": "ssh", "serviceProduct": "OpenSSH", "serviceVersion": "9.6", "serviceExtraInfo": "protocol 2.0"},
        tcp(says(b"220 mail ESMTP Postfix\r\n"), IP): {"serviceName": "smtp", "serviceProduct": "Postfix smtpd"},
        tcp(http, IP):
            {"serviceName": "http", "serviceProduct": "nginx", "serviceVersion": "1.25.3", "serviceExtraInfo": "Ubuntu"},
        tcp(http, IP, tls=True):
            {"serviceName": "https", "serviceProduct": "nginx", "serviceVersion": "1.25.3", "serviceExtraInfo": "Ubuntu"},
        tcp(dns_over_tcp, IP): {"serviceName": "domain", "serviceVersion": "9.18.24"},
        tcp(redis, IP): {"serviceName": "redis", "serviceProduct": "Redis key-value store", "serviceVersion": "7.2.4"},
        tcp(says(b"what is this\r\n"), IP): {"serviceName": "unknown", "serviceExtraInfo": "what is this"},
        tcp(lambda stream: None, IP): {"serviceName": "unknown"},
    }
    assert run(run_job, sorted(want), told) == want


def test_who_is_slow_is_asked_again(main: ModuleType, monkeypatch: pytest.MonkeyPatch, tcp: Callable[..., int]) -> None:
    patient, identify = threading.Event(), main.identify

    def asked(ip: str, port: int, wait: Any) -> Any:
        if wait is main.PATIENT:
            patient.set()
        return identify(ip, port, wait)

    def late(stream: socket.socket) -> None:
        if patient.is_set():
            stream.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
        while stream.recv(1024):
            pass

    monkeypatch.setattr(main, "identify", asked)
    monkeypatch.setattr(main, "QUICK", main.Patience(0.05, 0.1))
    monkeypatch.setattr(main, "PATIENT", main.Patience(60, 60))
    port = tcp(late, IP)
    assert main.identify_all(IP, [port]) == {port: main.Service("ssh", "OpenSSH", "9.6", "protocol 2.0")}


@pytest.mark.parametrize("body", [
    b"Client sent an HTTP request to an HTTPS server.\n", b"<center>The plain HTTP request was sent to HTTPS port</center>",
    b"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
])
def test_a_server_that_wants_tls_is_not_http(main: ModuleType, tcp: Callable[..., int], web: Any, body: bytes) -> None:
    port = tcp(web(b"HTTP/1.0 400 Bad Request\r\n\r\n" + body), IP)
    assert main.by_http(IP, port, main.PATIENT) is None
    port = tcp(web(b"HTTP/1.0 400 Bad Request\r\nServer: x\r\n\r\nwhat?"), IP)
    assert main.by_http(IP, port, main.PATIENT) == main.Service("http", "x")


def test_mail_within_tls(run_job: Callable[..., Any], tcp: Callable[..., int], says: Any, told: Any) -> None:
    port = tcp(says(b"220 mail ESMTP Exim 4.96\r\n"), IP, tls=True)
    assert run(run_job, [port], told)[port]["serviceName"] == "smtps"


def test_ipv6(run_job: Callable[..., Any], ipv6: None, tcp: Callable[..., int], says: Any, told: Any) -> None:
    port = tcp(says(b"SSH-2.0-x\r\n"), "::1")
    assert run(run_job, [port], told, "::1")[port]["serviceName"] == "ssh"


def test_a_closed_port_is_unknown(run_job: Callable[..., Any], told: Any) -> None:
    with socket.create_server((IP, 0)) as listener:
        port = listener.getsockname()[1]
    assert run(run_job, [port], told) == {port: {"serviceName": "unknown"}}


XML = b"""<?xml version="1.0"?><!DOCTYPE nmaprun><nmaprun><host><ports>
<port protocol="tcp" portid="22"><state state="open"/><service name="ssh" product="OpenSSH" version="9.6" method="probed"/></port>
<port protocol="tcp" portid="443"><service name="http" tunnel="ssl" product="nginx" method="probed"/></port>
<port protocol="tcp" portid="9"><service name="discard" method="table"/></port></ports></host></nmaprun>"""


def test_nmap_output(main: ModuleType) -> None:
    assert main.parse_nmap(XML) == {22: main.Service("ssh", "OpenSSH", "9.6"), 443: main.Service("https", "nginx")}


@pytest.mark.parametrize("xml", [
    b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><nmaprun>&a;</nmaprun>',
    b'<!DOCTYPE x [<!ENTITY a "b">]><nmaprun/>', b"<nmaprun>", b"",
])
def test_unsafe_or_broken_nmap_output_is_refused(main: ModuleType, xml: bytes) -> None:
    from xml.parsers.expat import ExpatError
    with pytest.raises((ValueError, ExpatError)):
        main.parse_nmap(xml)


def test_nmap_is_asked_for_what_is_unknown_and_gets_no_credential(
        run_job: Callable[..., Any], tcp: Callable[..., int], says: Any, told: Any, tmp_path: Path) -> None:
    port = tcp(says(b"odd\r\n"), IP)
    tools = tmp_path / "tools"
    tools.mkdir()
    answer = f'<nmaprun><port portid="{port}"><service name="oddd" product="Odd" method="probed"/></port></nmaprun>'
    program = tools / "nmap"
    program.write_text(f"#!/bin/sh\n[ -z \"$STALKER_TOKEN\" ] || exit 1\ncat <<'X'\n{answer}\nX\n")
    program.chmod(0o755)
    environ = {"PATH": f"{tools}:/usr/bin:/bin", "STALKER_TOKEN": "secret"}
    done = run_job("BannerGrabbingJob", environ, targetIp=IP, ports=[port], useNmap=True)
    assert [told(f) for f in done.findings] == [{"serviceName": "oddd", "serviceProduct": "Odd"}], done
    program.write_text("#!/bin/sh\nexit 1\n")
    done = run_job("BannerGrabbingJob", environ, targetIp=IP, ports=[port], useNmap=True)
    assert done.code == 0 and told(done.findings[0])["serviceName"] == "unknown"
    assert any(line.startswith("[warning] nmap gave no result") for line in done.logs)
