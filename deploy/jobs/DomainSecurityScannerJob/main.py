"""Looks at what protects a domain's mail: SPF, DKIM, DMARC, MTA-STS and TLS-RPT."""

from __future__ import annotations

import base64
import binascii
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from stalker_sdk import DomainFinding, TextField, fail, get_all_domains, log_error, log_finding, log_info, params
from stalker_sdk.dns import MX, TXT, DNSError, Resolver

CONCURRENCY = 8
LOOKUPS = 10  # RFC 7208 §4.6.4: more of them, and receivers give up
WEAK_BITS = 1024


@dataclass
class Report:
    """What was found about one domain, and what is wrong with it."""

    domain: str
    fields: dict[str, str | int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def clean(text: str, most: int = 1000) -> str:
    """Printable text of a hostile zone, cut."""
    return "".join(c if c.isprintable() else " " for c in text)[:most]


def tagged(record: str) -> dict[str, str]:
    """The tags of a record such as ``v=DMARC1; p=none``, names in lower case."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def beginning(records: list[str], version: str) -> list[str]:
    """The records of a version, such as v=spf1; what merely begins so is another."""
    return [r for r in records if r.lower() == version or r.lower().startswith((version + " ", version + ";"))]


def spf_terms(record: str) -> list[str]:
    return [term.lower() for term in record.split()[1:]]


def lookups(resolver: Resolver, record: str, seen: set[str], depth: int = 0) -> int:
    """How many questions a receiver has to ask, followed through includes up to the limit."""
    count = 0
    for term in spf_terms(record):
        mechanism, _, value = term.lstrip("+-~?").partition(":")
        if mechanism.startswith("redirect="):
            mechanism, value = "redirect", mechanism.partition("=")[2]
        if mechanism.partition("/")[0] not in ("include", "a", "mx", "ptr", "exists", "redirect"):
            continue
        count += 1
        if mechanism in ("include", "redirect") and value and "%" not in value and value not in seen and depth < LOOKUPS and count <= LOOKUPS:
            seen.add(value)
            for inner in beginning(resolver.records(value, TXT), "v=spf1")[:1]:
                count += lookups(resolver, inner, seen, depth + 1)
    return count


def spf(resolver: Resolver, report: Report, texts: list[str]) -> None:
    records = beginning(texts, "v=spf1")
    if not records:
        report.problems.append("no SPF record: anybody may send in its name")
        return
    report.fields["spf"] = clean(records[0])
    if len(records) > 1:
        report.problems.append(f"{len(records)} SPF records: receivers take none of them")
    terms = spf_terms(records[0])
    ends = [t for t in terms if t.lstrip("+-~?") == "all"]
    policy = {"-": "fail", "~": "softfail", "?": "neutral"}.get(ends[0][0], "pass") if ends else ""
    if policy:
        report.fields["spfPolicy"] = policy
    if policy == "pass":
        report.problems.append("SPF ends with +all: it lets everybody send")
    elif policy == "neutral" or not ends and not any(t.startswith("redirect=") for t in terms):
        report.problems.append("SPF does not say what to do with other senders")
    if any(t.lstrip("+-~?").partition(":")[0] == "ptr" for t in terms):
        report.problems.append("SPF uses ptr, which whoever owns an address can answer")
    try:
        count = lookups(resolver, records[0], {report.domain})
    except DNSError:
        report.problems.append("SPF includes a name whose servers do not answer")
        return
    report.fields["spfLookups"] = count
    if count > LOOKUPS:
        report.problems.append(f"SPF takes {count} or more DNS lookups, {LOOKUPS} are allowed: receivers take it for broken")


def dmarc(resolver: Resolver, report: Report) -> None:
    """Looks under the domain, then under the registered one above it (RFC 7489 §6.6.3)."""
    above = sorted(get_all_domains([report.domain]), key=len)[:1]
    for name in dict.fromkeys([report.domain, *above]):
        records = beginning(resolver.records(f"_dmarc.{name}", TXT), "v=dmarc1")
        if not records:
            continue
        if len(records) > 1:
            report.problems.append(f"{len(records)} DMARC records: receivers take none of them")
        tags = tagged(records[0])
        policy = tags.get("p", "").lower()
        if name != report.domain:
            policy = tags.get("sp", policy).lower()
            report.fields["dmarcFrom"] = name
        report.fields |= {"dmarc": clean(records[0]), "dmarcPolicy": clean(policy, 50) or "missing"}
        if policy not in ("none", "quarantine", "reject"):
            report.problems.append("DMARC names no policy")
        elif policy == "none":
            report.problems.append("DMARC only watches (p=none)")
        if tags.get("pct", "100") != "100":
            report.problems.append(f"DMARC is applied to {clean(tags['pct'], 10)} % of mail only")
        if "rua" not in tags:
            report.problems.append("DMARC asks for no reports (rua)")
        return
    report.problems.append("no DMARC record: a forged sender is not refused")


def inside(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the first value, which must have the tag, and what follows it. Raises ValueError."""
    if len(der) < 2 or der[0] != tag:
        raise ValueError("another value is expected")
    size, at = der[1], 2
    if size & 0x80:
        octets = size & 0x7F
        size, at = int.from_bytes(der[2:2 + octets], "big"), 2 + octets
    if at + size > len(der):
        raise ValueError("a value is cut off")
    return der[at:at + size], der[at + size:]


def key_bits(key: str) -> int:
    """The size of an RSA key, a SubjectPublicKeyInfo, in bits; 0 when it is no such key."""
    try:
        der = base64.b64decode("".join(key.split()), validate=True)
        _, rest = inside(inside(der, 0x30)[0], 0x30)
        bits, _ = inside(rest, 0x03)
        modulus, _ = inside(inside(bits[1:], 0x30)[0], 0x02)
    except (binascii.Error, ValueError):
        return 0
    return int.from_bytes(modulus, "big").bit_length()


def dkim(resolver: Resolver, report: Report, selectors: list[str]) -> None:
    found = []
    for selector in selectors:
        for record in resolver.records(f"{selector}._domainkey.{report.domain}", TXT):
            tags = tagged(record)
            if "p" not in tags or tags.get("v", "DKIM1").upper() != "DKIM1":
                continue
            found.append(selector)
            if not tags["p"]:
                report.problems.append(f"the DKIM key {selector} is revoked")
            elif tags.get("k", "rsa").lower() == "rsa" and 0 < key_bits(tags["p"]) < WEAK_BITS:
                report.problems.append(f"the DKIM key {selector} is shorter than {WEAK_BITS} bits")
            if "y" in tags.get("t", "").lower().split(":"):
                report.problems.append(f"the DKIM key {selector} is in test mode")
            break
    if found:
        report.fields["dkimSelectors"] = ",".join(found)


def transport(resolver: Resolver, report: Report) -> None:
    for name, version, key in (("_mta-sts", "v=stsv1", "mtaSts"), ("_smtp._tls", "v=tlsrptv1", "tlsRpt")):
        if records := beginning(resolver.records(f"{name}.{report.domain}", TXT), version):
            report.fields[key] = clean(records[0])


def examine(resolver: Resolver, domain: str, selectors: list[str]) -> bool:
    """Publishes the report of one domain; False when its servers do not answer."""
    report = Report(domain)
    try:
        texts = resolver.records(domain, TXT)
        exchanges = sorted(resolver.records(domain, MX), key=lambda r: int(r.partition(" ")[0]))
        names = [clean(e.partition(" ")[2], 253) for e in exchanges]
        if names:
            report.fields["mx"] = "none" if names == ["."] else ",".join(names[:20])
        spf(resolver, report, texts)
        dmarc(resolver, report)
        dkim(resolver, report, selectors)
        transport(resolver, report)
    except DNSError as error:
        log_error(str(error))
        return False
    if names and names != ["."] and "mtaSts" not in report.fields:
        report.problems.append("no MTA-STS: mail to it can be made to go unencrypted")
    report.fields["problems"] = "; ".join(report.problems)
    report.fields["problemCount"] = len(report.problems)
    labels = {"spf": "SPF", "spfPolicy": "SPF policy", "spfLookups": "SPF lookups", "dmarc": "DMARC", "dmarcPolicy": "DMARC policy",
              "dmarcFrom": "DMARC from", "dkimSelectors": "DKIM selectors", "mx": "Mail servers", "mtaSts": "MTA-STS", "tlsRpt": "TLS-RPT",
              "problems": "Problems", "problemCount": "Number of problems"}
    log_finding(DomainFinding("DomainSecurityReportFinding", domain, None, "Mail security",
                              [TextField(key, labels[key], value) for key, value in report.fields.items()]))
    log_info(f"{domain}: {len(report.problems)} problems")
    return True


def main() -> None:
    names = params.strings("domainNames", []) + [params.string("domainName", "")]
    names = list(dict.fromkeys(name.strip().rstrip(".").lower() for name in names if name.strip()))
    if not names:
        fail("give the domains to look at in domainNames")
    selectors = [s.strip().lower() for s in params.strings("dkimSelectors", []) if s.strip()]
    try:
        resolver = Resolver.from_env()
    except DNSError as error:
        fail(str(error))
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        answered = list(pool.map(lambda name: examine(resolver, name, selectors), names))
    if not any(answered):
        fail(f"none of {len(names)} domains could be asked for; see the errors above")


if __name__ == "__main__":
    main()
