from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

IP = "127.0.30.30"


@pytest.fixture(scope="module")
def main() -> ModuleType:
    spec = importlib.util.spec_from_file_location("udp_main", Path(__file__).with_name("main.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys
    sys.modules["udp_main"] = module
    spec.loader.exec_module(module)
    return module


def dns(query: bytes) -> bytes:
    return query[:2] + b"\x81\x80\0\x01\0\x01\0\0\0\0" + query[12:] + b"\xc0\x0c\0\x10\0\x03\0\0\0\0\0\x09\x08lab-dns1"


def ntp(query: bytes) -> bytes:
    return b"\x24" + bytes(23) + query[40:48] + bytes(16)


def stun(query: bytes) -> bytes:
    return b"\x01\x01\0\x0c" + query[4:20] + b"\x80\x22\0\x05coTRN\0\0\0"


def snmp(query: bytes) -> bytes:
    at = query.index(b"\xa0")
    value = b"\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x04\x09Lab Linux"
    return b"\x30\x40\x02\x01\x01\x04\x06public\xa2\x30" + query[at + 2:at + 14] + b"\x30\x17" + b"\x30\x15" + value


def mdns(query: bytes) -> bytes:
    return b"\0\0\x84\0\0\0\0\x01" + bytes(4) + query[12:-4] + b"\0\x0c\0\x01\0\0\0\x0a\0\x08\x05_http\xc0\x0c"


SERVERS: dict[int, tuple[Callable[[bytes], bytes], str, str]] = {
    53: (dns, "domain", "lab-dns1"),
    69: (lambda q: b"\0\x05\0\x01no\0", "tftp", ""),
    111: (lambda q: q[:4] + b"\0\0\0\x01" + bytes(16), "rpcbind", ""),
    123: (ntp, "ntp", "v4"),
    161: (snmp, "snmp", "Lab Linux"),
    443: (lambda q: b"\x80" + bytes(4) + b"\x08" + q[15:23] + b"\x08" + q[6:14] + b"\0\0\0\x01", "quic", ""),
    500: (lambda q: q[:8] + b"\x01" * 8 + b"\0\x20\x22\x20" + bytes(8), "isakmp", ""),
    1434: (lambda q: b"\x05\x60\0ServerName;LAB;Version;15.0.2000.5;;", "ms-sql-m", "15.0.2000.5"),
    1900: (lambda q: b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nServer: Lab/1 UPnP/1.0\r\n\r\n", "upnp", "Lab/1 UPnP/1.0"),
    3478: (stun, "stun", "coTRN"),
    5060: (lambda q: b"SIP/2.0 200 OK\r\nServer: Asterisk 20\r\n\r\n", "sip", "Asterisk 20"),
    5353: (mdns, "mdns", ""),
    5683: (lambda q: b"\x64\x45" + q[2:8] + b"\xff<>", "coap", ""),
    11211: (lambda q: q[:8] + b"VERSION 1.6.22\r\n", "memcached", "1.6.22"),
}


def test_every_service_is_known_by_its_answer(main: ModuleType) -> None:
    for port, (reply, name, version) in SERVERS.items():
        service = main.SERVICES[port]
        assert service.name == name
        assert service.version(reply(service.request)) == version, name


def test_echoes_and_garbage_are_no_answers(main: ModuleType) -> None:
    rng = random.Random(3)
    for service in main.SERVICES.values():
        for data in [b"", b"\0", service.request, *(rng.randbytes(rng.randrange(600)) for _ in range(500))]:
            assert service.version(data) is None, (service.name, data[:40])


def test_services_on_ports_of_their_own_and_elsewhere(run_job: Callable[..., Any], udp: Callable[..., int], told: Any) -> None:
    ports = {udp(dns, IP): ("domain", "lab-dns1"), udp(ntp, IP): ("ntp", "v4"), udp(stun, IP): ("stun", "coTRN")}
    echo, silent = udp(lambda q: q, IP), udp(lambda q: None, IP)
    udp(SERVERS[11211][0], IP, 11211)
    done = run_job("UdpPortScanningJob", targetIp=IP, ports=[*ports, echo, silent, 11211], socketTimeoutSeconds=0.15)
    assert done.code == 0, done
    want = {**ports, 11211: ("memcached", "1.6.22")}
    assert {f["port"] for f in done.about("PortFinding")} == set(want)
    assert all(f["protocol"] == "udp" and told(f) == {"protocol": "udp"} for f in done.about("PortFinding"))
    got = {f["port"]: told(f) for f in done.about("PortServiceFinding")}
    assert got == {port: {"serviceName": name, "serviceVersion": version} for port, (name, version) in want.items()}


def test_ipv6(run_job: Callable[..., Any], ipv6: None, udp: Callable[..., int], told: Any) -> None:
    port = udp(dns, "::1")
    done = run_job("UdpPortScanningJob", targetIp="0:0::1", ports=[port], socketTimeoutSeconds=0.2)
    assert [(f["ip"], f["port"]) for f in done.about("PortFinding")] == [("::1", port)]
    assert [(f["ip"], told(f)["ports"]) for f in done.about("CoverageFinding")] == [("::1", str(port))]


def test_a_port_that_could_not_be_asked_is_not_covered(main: ModuleType) -> None:
    found, asked = main.scan("255.255.255.255", [53], 0.05)  # permission denied: a broadcast
    assert (found, asked) == ([], [])


def test_bad_parameters(run_job: Callable[..., Any]) -> None:
    assert run_job("UdpPortScanningJob", targetIp="x").code == 1
    assert run_job("UdpPortScanningJob", targetIp=IP, ports=[0]).code == 1


def test_a_name_server_on_the_port_of_mdns_is_a_name_server(main: ModuleType, run_job: Callable[..., Any], udp: Callable[..., int], told: Any) -> None:
    def server(query: bytes) -> bytes:
        if b"bind" in query:
            return dns(query)
        return query[:2] + b"\x81\x83\0\x01\0\0\0\0\0\0" + query[12:]  # no such name; the id is 0, as in the query

    for flags in (b"\x81\x83", b"\x81\x80", b"\x85\x83", b"\x81\x85"):
        query = main.MDNS_QUERY
        assert main.SERVICES[5353].version(query[:2] + flags + b"\0\x01\0\0\0\0\0\0" + query[12:]) is None, flags
    udp(server, "127.0.30.31", 5353)
    done = run_job("UdpPortScanningJob", targetIp="127.0.30.31", ports=[5353], socketTimeoutSeconds=0.15)
    assert [told(f)["serviceName"] for f in done.about("PortServiceFinding")] == ["domain"]
