"""Finds UDP services by asking each in its own protocol.

A port counts as open only when an answer comes that fits the question, so a silent
or filtered port is never reported. In the end it says which ports it asked in every
protocol it knows for them: one that answered before and does not now is closed.
"""

from __future__ import annotations

import errno
import ipaddress
import re
import secrets
import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from stalker_sdk import CoverageFinding, Finding, PortFinding, TextField, log_finding, log_info, params

TRIES = 2
NONCE = secrets.token_bytes(16)


@dataclass(frozen=True)
class Service:
    """A protocol: its name (as nmap's), a request, and what tells its answer."""

    name: str
    request: bytes
    version: Callable[[bytes], str | None]  # None when it is no answer, else the version or ""
    any_port: bool = False  # answers come from another port of the host


def text(data: bytes, most: int = 200) -> str:
    """Printable text of a hostile peer, folded and cut."""
    return " ".join("".join(c if c.isprintable() else " " for c in data.decode("utf-8", "replace")).split())[:most]


def when(condition: bool, version: str = "") -> str | None:
    return version if condition else None


DNS_ID = NONCE[:2]
DNS_QUERY = DNS_ID + bytes.fromhex("010000010000000000000776657273696f6e0462696e640000100003")
MDNS_QUERY = bytes(4) + bytes.fromhex("000100000000000009") + b"_services\x07_dns-sd\x04_udp\x05local\0" + b"\0\x0c\x80\x01"


def dns(data: bytes) -> str | None:
    """A response with the query's id; the version when BIND-style version.bind is told."""
    if len(data) < 12 or data[:2] != DNS_ID or not data[2] & 0x80:
        return None
    at = len(DNS_QUERY)
    if len(data) > at + 13 and data[7] and data[at + 2:at + 6] == b"\0\x10\0\x03":
        return text(data[at + 13:at + 13 + data[at + 12]])
    return ""


def mdns(data: bytes) -> str | None:
    """An authoritative answer with records about .local (RFC 6762 §18). A name server that merely listens here says
    no such thing: it refuses, or knows no .local."""
    if len(data) < 12 or data[:2] != b"\0\0" or data[2] & 0xFC != 0x84 or data[3] & 0x0F or not any(data[6:8]):
        return None
    return when(b"\x04_udp\x05local\0" in data)


def snmp(data: bytes) -> str | None:
    """A GetResponse of the public community; the version is sysDescr."""
    if data[:1] != b"\x30" or b"\x04\x06public\xa2" not in data[:24]:
        return None
    found = re.search(rb"\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00\x04(.)(.*)", data, re.DOTALL)
    if not found:
        return ""
    size, rest = found[1][0], found[2]
    if size & 0x80:
        octets = size & 0x7F
        size, rest = int.from_bytes(rest[:octets][:2], "big"), rest[octets:]
    return text(rest[:size])


def ntp(data: bytes) -> str | None:
    """A server's answer that repeats our transmit time (RFC 5905)."""
    fits = len(data) >= 48 and data[0] & 7 == 4 and data[24:32] == NONCE[:8]
    return when(fits, f"v{data[0] >> 3 & 7}" if fits else "")


def stun(data: bytes) -> str | None:
    """A binding response with our transaction (RFC 8489); the version is SOFTWARE."""
    if len(data) < 20 or data[:2] not in (b"\x01\x01", b"\x01\x11") or data[4:20] != b"\x21\x12\xa4\x42" + NONCE[:12]:
        return None
    at = 20
    while at + 4 <= len(data):
        kind, size = struct.unpack_from("!HH", data, at)
        if kind == 0x8022:
            return text(data[at + 4:at + 4 + size])
        at += 4 + (size + 3 & ~3)
    return ""


def ike(data: bytes) -> str | None:
    """A response to our initiator's SPI: flagged so (RFC 7296 §3.1), or with the cookie of an IKEv1 responder."""
    if len(data) < 28 or data[:8] != NONCE[:8]:
        return None
    return when(data[17] == 0x20 and bool(data[19] & 0x20) or data[17] == 0x10 and data[8:16] != bytes(8))


def memcached(data: bytes) -> str | None:
    found = re.match(rb"VERSION ([\x21-\x7e]{1,40})\r\n", data[8:]) if data[:2] == NONCE[:2] else None
    return when(found is not None, found[1].decode() if found else "")


def ssdp(data: bytes) -> str | None:
    if not data.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")) or not re.search(rb"(?im)^(?:usn|st):", data):
        return None
    server = re.search(rb"(?im)^server:([^\r\n]*)", data)
    return text(server[1]) if server else ""


def sip(data: bytes) -> str | None:
    if not re.match(rb"SIP/2\.0 [1-6][0-9]{2} ", data):
        return None
    agent = re.search(rb"(?im)^(?:server|user-agent):([^\r\n]*)", data)
    return text(agent[1]) if agent else ""


def quic(data: bytes) -> str | None:
    """Version negotiation that returns our connection ids (RFC 9000 §17.2.1)."""
    return when(len(data) >= 27 and bool(data[0] & 0x80) and data[1:5] == bytes(4)
                and data[5:23] == b"\x08" + NONCE[8:16] + b"\x08" + NONCE[:8])


BRANCH = NONCE.hex()
SIP_REQUEST = (f"OPTIONS sip:stalker@invalid SIP/2.0\r\nVia: SIP/2.0/UDP invalid;branch=z9hG4bK{BRANCH};rport\r\n"
               f"From: <sip:stalker@invalid>;tag={BRANCH[:8]}\r\nTo: <sip:stalker@invalid>\r\nCall-ID: {BRANCH}\r\n"
               "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode()
SSDP_REQUEST = (b'M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\nMan: "ssdp:discover"\r\nMX: 1\r\n'
                b"ST: ssdp:all\r\n\r\n")
IKE_PROPOSAL = bytes.fromhex("0000002801010004" "0300000801010003" "0300000802000002" "0300000803000002" "000000080400000e")
IKE_REQUEST = NONCE[:8] + bytes(8) + struct.pack(
    "!BBBB4xI", 33, 0x20, 34, 0x08, 28 + 4 + 40 + 8 + 256 + 4 + 32) + struct.pack("!BBH", 34, 0, 44) + IKE_PROPOSAL + \
    struct.pack("!BBHHxx", 40, 0, 264, 14) + secrets.token_bytes(256) + struct.pack("!BBH", 0, 0, 36) + secrets.token_bytes(32)
SNMP_REQUEST = bytes.fromhex("302902010104067075626c6963a01c020400") + NONCE[1:4] + bytes.fromhex(
    "020100020100300e300c06082b060102010101000500")
NETBIOS_REQUEST = NONCE[:2] + bytes.fromhex("00000001000000000000") + b"\x20CK" + b"A" * 30 + b"\0" + bytes.fromhex("00210001")
RPC_REQUEST = NONCE[:4] + struct.pack("!9I", 0, 2, 100000, 2, 0, 0, 0, 0, 0)
QUIC_REQUEST = (b"\xc0\x1a\x2a\x3a\x4a\x08" + NONCE[:8] + b"\x08" + NONCE[8:16]).ljust(1200, b"\0")
IPMI_REQUEST = bytes.fromhex("0600ff07000000000000000000092018c88100388e04b5")

SERVICES: dict[int, Service] = {
    53: Service("domain", DNS_QUERY, dns),
    69: Service("tftp", b"\0\x01" + NONCE.hex().encode() + b"\0octet\0",
                lambda d: when(d[:3] == b"\0\x05\0" and len(d) >= 5), any_port=True),
    111: Service("rpcbind", RPC_REQUEST, lambda d: when(len(d) >= 24 and d[:8] == NONCE[:4] + b"\0\0\0\x01")),
    123: Service("ntp", b"\x23" + bytes(39) + NONCE[:8], ntp),
    137: Service("netbios-ns", NETBIOS_REQUEST, lambda d: when(
        len(d) > 56 and d[:2] == NONCE[:2] and bool(d[2] & 0x80), text(d[57:72]))),
    161: Service("snmp", SNMP_REQUEST, snmp),
    443: Service("quic", QUIC_REQUEST, quic),
    500: Service("isakmp", IKE_REQUEST, ike),
    623: Service("asf-rmcp", IPMI_REQUEST, lambda d: when(len(d) >= 20 and d[0] == 6 and d[3] == 7 and b"\x1c" in d[14:22])),
    1434: Service("ms-sql-m", b"\x02", lambda d: when(d[:1] == b"\x05" and b"ServerName;" in d[:20], text(
        (re.search(rb"Version;([0-9.]{1,30})", d) or [b"", b""])[1]))),
    1900: Service("upnp", SSDP_REQUEST, ssdp, any_port=True),
    3478: Service("stun", b"\0\x01\0\0\x21\x12\xa4\x42" + NONCE[:12], stun),
    5060: Service("sip", SIP_REQUEST, sip),
    5353: Service("mdns", MDNS_QUERY, mdns),
    5683: Service("coap", b"\x44\x01" + NONCE[:6] + b"\xbb.well-known\x04core",
                  lambda d: when(len(d) >= 8 and d[0] >> 6 == 1 and d[4:8] == NONCE[2:6] and d[1] >> 5 in (2, 4, 5))),
    11211: Service("memcached", NONCE[:2] + b"\0\0\0\x01\0\0version\r\n", memcached),
}
# What else a port may be, likelier ones first: for ports that belong to no protocol.
ELSEWHERE = [SERVICES[port] for port in (53, 161, 123, 3478, 5060, 11211, 5683, 443)]
# Ports that belong to a protocol and are often used by another.
SHARED = {5353: [SERVICES[53]]}


@dataclass
class Conversation:
    """One port and the protocols still to be tried on it."""

    port: int
    services: list[Service]
    sock: socket.socket
    sent: float = 0.0
    tries: int = 0
    unsent: bool = False  # this machine could not send a request


def scan(ip: str, ports: list[int], wait: float) -> tuple[list[tuple[int, Service, str]], list[int]]:
    """Asks all ports at once. Returns port, service and version of those that answer, and the ports that were asked."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    found: list[tuple[int, Service, str]] = []
    asked: list[int] = []
    for start in range(0, len(ports), 200):
        talks = []
        for port in ports[start:start + 200]:
            services = [SERVICES[port], *SHARED.get(port, [])] if port in SERVICES else list(ELSEWHERE)
            sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            talks.append(Conversation(port, services, sock))
        try:
            found += _exchange(ip, talks, wait)
            asked += [talk.port for talk in talks if not talk.unsent]
        finally:
            for talk in talks:
                talk.sock.close()
    return found, asked


def _exchange(ip: str, talks: list[Conversation], wait: float) -> list[tuple[int, Service, str]]:
    found = []
    poll = select.poll()
    by_file = {talk.sock.fileno(): talk for talk in talks}
    for talk in talks:
        poll.register(talk.sock, select.POLLIN)
    while by_file:
        for talk in list(by_file.values()):
            if time.monotonic() - talk.sent >= wait and not _ask(ip, talk):
                poll.unregister(talk.sock)
                del by_file[talk.sock.fileno()]
        for number, _ in poll.poll(50) if by_file else []:
            talk = by_file[number]
            if (answer := _answer(ip, talk)) is not None:
                found.append(answer)
                poll.unregister(number)
                del by_file[number]
    return found


def _ask(ip: str, talk: Conversation) -> bool:
    """Sends the next request; False when nothing is left to try."""
    if talk.tries >= TRIES:
        talk.services.pop(0)
        talk.tries = 0
    if not talk.services:
        return False
    talk.tries += 1
    talk.sent = time.monotonic()
    try:
        talk.sock.sendto(talk.services[0].request, (ip, talk.port))
    except OSError as error:
        # an ICMP error of an earlier request is an answer of a kind; no route, or not permitted, is none
        talk.unsent = talk.unsent or error.errno != errno.ECONNREFUSED
    return True


def _answer(ip: str, talk: Conversation) -> tuple[int, Service, str] | None:
    try:
        data, sender = talk.sock.recvfrom(4096)
    except OSError:
        return None
    service = talk.services[0]
    if sender[0] != ip or (sender[1] != talk.port and not service.any_port):
        return None
    version = service.version(data)
    return None if version is None else (talk.port, service, version)


def findings(ip: str, port: int, service: Service, version: str) -> list[Finding]:
    fields = [TextField("serviceName", "Service name", service.name)]
    if version:
        fields.append(TextField("serviceVersion", "Service version", version))
    return [
        PortFinding("PortFinding", ip, port, "udp", "Found port", [TextField("protocol", "Protocol", "udp")],
                    type="PortFinding"),
        PortFinding("PortServiceFinding", ip, port, "udp", "Found port service", fields),
    ]


def main() -> None:
    ip = str(ipaddress.ip_address(params.ip("targetIp")))
    ports = sorted(set(params.integers("ports", sorted(SERVICES), minimum=1, maximum=65535)))
    wait = params.number("socketTimeoutSeconds", 1.0, minimum=0.05, maximum=5)
    answered, asked = scan(ip, ports, wait)
    for port, service, version in answered:
        log_finding(*findings(ip, port, service, version))
    if asked:
        log_finding(CoverageFinding(ip, asked, "udp"))
    log_info(f"{ip}: {len(answered)} of {len(ports)} UDP ports answered")


if __name__ == "__main__":
    main()
