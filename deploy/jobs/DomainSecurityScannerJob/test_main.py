from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from stalker_sdk.dns import MX, TXT, read_name

IP = "127.0.30.60"
KEY = ("MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDSO1VkLbPeuoBzUEipmmc2vA9mHQRPOin0p3hhBMjn70kq15Pahe6JSVUuyGtTRBuM3d+dfx"
         "byAoV78OMJWyRw6t4UDaUwSETODeb/lVPPj+lI/5ZTU8SjC1kEPl2+UFD7hF7TipifmduT2XDT9jHphpjSOYPWYNcAKsaTr7JwzQIDAQAB")  # 1024 bits
SHORT = ("MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL0/M+isFBsntlfVsqznuhPQzt9uZrWFdbelpAPYQg9qqSUpSF0Q4mEM5dH/FlQaLaHEj5+T0rQOw3"
         "EMEGnF9iUCAwEAAQ==")  # 512 bits

# answers made up after the formats (RFC 7208, 6376, 7489), one of each kind
ZONE: dict[tuple[str, int], list[str]] = {
    ("good.example", TXT): ["some-verification=abc", "v=spf1 include:_spf.good.example ip4:192.0.2.0/24 -all"],
    ("_spf.good.example", TXT): ["v=spf1 a mx ~all"],
    ("good.example", MX): ["20 mx2.good.example", "10 mx1.good.example"],
    ("_dmarc.good.example", TXT): ["v=DMARC1; p=reject; sp=quarantine; rua=mailto:d@good.example"],
    ("s1._domainkey.good.example", TXT): ["v=DKIM1; k=rsa; p=" + KEY],
    ("_mta-sts.good.example", TXT): ["v=STSv1; id=20260101"],
    ("_smtp._tls.good.example", TXT): ["v=TLSRPTv1; rua=mailto:t@good.example"],
    ("www.good.example", TXT): [],
    ("bad.example", TXT): ["v=spf1 ptr +all", "v=spf1 -all", "v=spf10 is something else"],
    ("bad.example", MX): ["5 mail.bad.example"],
    ("_dmarc.bad.example", TXT): ["v=DMARC1; p=none; pct=20"],
    ("s1._domainkey.bad.example", TXT): ["p=" + SHORT + "; t=y"],
    ("old._domainkey.bad.example", TXT): ["v=DKIM1; p="],
    ("bare.example", TXT): [],
    ("bare.example", MX): ["0 ."],
    ("loop.example", TXT): ["v=spf1 include:loop.example include:i1.example -all"],
    **{(f"i{n}.example", TXT): [f"v=spf1 include:i{n + 1}.example -all"] for n in range(1, 20)},
}


def server(query: bytes) -> bytes:
    name, at = read_name(query, 12)
    (rtype,) = struct.unpack_from("!H", query, at)
    records = []
    for text in ZONE.get((name, rtype), []):
        if rtype == TXT:
            raw = text.encode()
            data = b"".join(bytes([len(raw[i:i + 255])]) + raw[i:i + 255] for i in range(0, len(raw), 255))
        else:
            preference, _, host = text.partition(" ")
            data = struct.pack("!H", int(preference)) + b"".join(bytes([len(x)]) + x.encode() for x in host.split(".") if x) + b"\0"
        records.append(b"\xc0\x0c" + struct.pack("!HHIH", rtype, 1, 60, len(data)) + data)
    exists = any(key[0] == name for key in ZONE)
    return query[:2] + struct.pack("!5H", 0x8180 if exists else 0x8183, 1, len(records), 0, 0) + query[12:] + b"".join(records)


def reports(run_job: Callable[..., Any], udp: Callable[..., int], told: Any, *names: str) -> dict[str, dict[str, Any]]:
    port = udp(server, IP)
    done = run_job("DomainSecurityScannerJob", {"STALKER_RESOLVERS": f"{IP}:{port}"}, domainNames=list(names), dkimSelectors=["s1", "old"])
    assert done.code == 0, done
    assert all(f["type"] == "CustomFinding" for f in done.findings)
    return {f["domainName"]: told(f) for f in done.about("DomainSecurityReportFinding")}


def test_a_domain_that_does_everything_right(run_job: Callable[..., Any], udp: Callable[..., int], told: Any) -> None:
    got = reports(run_job, udp, told, "Good.example.", "www.good.example")
    assert got["good.example"] == {
        "mx": "mx1.good.example,mx2.good.example", "spf": ZONE["good.example", TXT][1], "spfPolicy": "fail", "spfLookups": 3,
        "dmarc": ZONE["_dmarc.good.example", TXT][0], "dmarcPolicy": "reject", "dkimSelectors": "s1", "mtaSts": "v=STSv1; id=20260101",
        "tlsRpt": "v=TLSRPTv1; rua=mailto:t@good.example", "problems": "", "problemCount": 0}
    below = got["www.good.example"]
    assert (below["dmarcPolicy"], below["dmarcFrom"]) == ("quarantine", "good.example")


def test_every_mistake_is_named(run_job: Callable[..., Any], udp: Callable[..., int], told: Any) -> None:
    got = reports(run_job, udp, told, "bad.example", "bare.example", "loop.example")
    for part in ("2 SPF records", "+all", "ptr", "only watches", "20 %", "no reports", "s1 is shorter than 1024", "s1 is in test mode",
                 "old is revoked", "no MTA-STS"):
        assert part in got["bad.example"]["problems"], part
    assert got["bare.example"]["mx"] == "none"
    assert got["bare.example"]["problems"] == "no SPF record: anybody may send in its name; no DMARC record: a forged sender is not refused"
    assert "DNS lookups, 10 are allowed" in got["loop.example"]["problems"]


def test_servers_that_do_not_answer_are_a_failure(run_job: Callable[..., Any], udp: Callable[..., int]) -> None:
    port = udp(lambda q: q[:2] + b"\x81\x85" + q[4:], IP)
    done = run_job("DomainSecurityScannerJob", {"STALKER_RESOLVERS": f"{IP}:{port}"}, domainName="good.example")
    assert done.code == 1 and not done.findings and "REFUSED" in done.logs[0]
    assert run_job("DomainSecurityScannerJob").code == 1
