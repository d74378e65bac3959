from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from stalker_sdk.dns import A, CNAME, read_name

IP = "127.0.30.62"


def name(text: str) -> bytes:
    return b"".join(bytes([len(x)]) + x.encode() for x in text.split(".")) + b"\0"


def server(known: dict[str, str], anything: str = "") -> Callable[[bytes], bytes]:
    """A zone: names to addresses or aliases; anything is what every other name below example.com leads to."""

    def answer(query: bytes) -> bytes:
        asked, at = read_name(query, 12)
        (rtype,) = struct.unpack_from("!H", query, at)
        leads = known.get(asked, anything if asked.endswith(".example.com") else "")
        records = b""
        count = 0
        if leads and leads[0].isdigit():
            if rtype == A:
                records, count = b"\xc0\x0c" + struct.pack("!HHIH", A, 1, 60, 4) + bytes(map(int, leads.split("."))), 1
        elif leads:
            data = name(leads)
            records, count = b"\xc0\x0c" + struct.pack("!HHIH", CNAME, 1, 60, len(data)) + data, 1
        return query[:2] + struct.pack("!5H", 0x8180 if leads else 0x8183, 1, count, 0, 0) + query[12:] + records

    return answer


def run(run_job: Callable[..., Any], udp: Callable[..., int], zone: Callable[[bytes], bytes], **more: Any) -> Any:
    port = udp(zone, IP)
    return run_job("SubdomainBruteforceJob", {"STALKER_RESOLVERS": f"{IP}:{port}"}, domainName="Example.com.", **more)


def found(done: Any) -> list[tuple[str, str | None]]:
    return sorted((f["domainName"], f.get("ip")) for f in done.findings if f["type"] == "HostnameIpFinding")


def test_names_that_exist(run_job: Callable[..., Any], udp: Callable[..., int]) -> None:
    done = run(run_job, udp, server({"www.example.com": "192.0.2.1", "vpn.example.com": "gate.example.net", "gate.example.net": "192.0.2.2"}))
    assert done.code == 0, done
    assert found(done) == [("vpn.example.com", "192.0.2.2"), ("www.example.com", "192.0.2.1")]
    assert sorted(f["domainName"] for f in done.about("HostnameFinding")) == ["vpn.example.com", "www.example.com"]
    assert not done.about("WildcardDomainFinding") and "2 exist" in done.logs[-1]


def test_a_wildcard_hides_nothing_and_adds_nothing(run_job: Callable[..., Any], udp: Callable[..., int], told: Any) -> None:
    zone = {"www.example.com": "192.0.2.1", "api.example.com": "203.0.113.5", "mail.example.com": "203.0.113.5"}
    done = run(run_job, udp, server(zone, "203.0.113.5"))
    assert found(done) == [("www.example.com", "192.0.2.1")]
    (wild,) = done.about("WildcardDomainFinding")
    assert (wild["domainName"], told(wild)) == ("example.com", {"leadsTo": "203.0.113.5"})
    done = run(run_job, udp, server({"www.example.com": "192.0.2.1", "park.example.net": "192.0.2.9"}, "park.example.net"), words=["www", "shop"])
    assert found(done) == [("www.example.com", "192.0.2.1")]


def test_own_words_and_bad_ones(run_job: Callable[..., Any], udp: Callable[..., int]) -> None:
    done = run(run_job, udp, server({"a.b.example.com": "192.0.2.7"}), words=["a.b", "A.B.", "no such label", "x" * 70])
    assert found(done) == [("a.b.example.com", "192.0.2.7")] and sum("no label" in line for line in done.logs) == 2


def test_silence_is_a_failure(run_job: Callable[..., Any], udp: Callable[..., int]) -> None:
    done = run(run_job, udp, lambda q: q[:2] + b"\x81\x85" + q[4:])
    assert done.code == 1 and not done.findings
