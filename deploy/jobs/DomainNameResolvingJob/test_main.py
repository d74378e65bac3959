from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any


def answer(query: bytes) -> bytes | None:
    """lab.example has one address of each family; broken.example is refused; nothing else exists."""
    name, rtype = query[12:-4], struct.unpack("!H", query[-4:-2])[0]
    data = {1: bytes([127, 0, 30, 1]), 28: socket.inet_pton(socket.AF_INET6, "::1")}[rtype]
    records, rcode = b"", 3
    if name == b"\x03lab\x07example\0":
        records, rcode = b"\xc0\x0c" + struct.pack("!HHIH", rtype, 1, 60, len(data)) + data, 0
    elif name.startswith(b"\x06broken"):
        rcode = 5
    return query[:2] + struct.pack("!5H", 0x8180 | rcode, 1, 1 if records else 0, 0, 0) + query[12:] + records


def run(run_job: Callable[..., Any], udp: Callable[..., int], **parameters: Any) -> Any:
    return run_job("DomainNameResolvingJob", {"STALKER_RESOLVERS": f"127.0.30.1:{udp(answer)}"}, **parameters)


def test_both_families_become_findings(run_job: Callable[..., Any], udp: Callable[..., int]) -> None:
    done = run(run_job, udp, domainNames=["LAB.example.", "lab.example", "gone.example"])
    assert done.code == 0, done
    assert [(f["type"], f["domainName"], f["ip"]) for f in done.findings] == [
        ("HostnameIpFinding", "lab.example", "127.0.30.1"), ("HostnameIpFinding", "lab.example", "::1")]
    assert "[info] gone.example does not exist" in done.logs
    assert not any(line.startswith("[error]") for line in done.logs)


def test_one_failing_name_does_not_stop_the_others(run_job: Callable[..., Any], udp: Callable[..., int]) -> None:
    done = run(run_job, udp, domainNames=["broken.example"], domainName="lab.example")
    assert done.code == 0 and len(done.findings) == 2
    assert any(line.startswith("[error] broken.example: no answer") and "REFUSED" in line for line in done.logs)


def test_failures(run_job: Callable[..., Any], udp: Callable[..., int]) -> None:
    assert run(run_job, udp, domainNames=["broken.example"]).code == 1
    assert run(run_job, udp).code == 1
    done = run_job("DomainNameResolvingJob", {"STALKER_RESOLVERS": "nonsense"}, domainName="lab.example")
    assert done.code == 1 and "must be an address and a port" in done.logs[0]
