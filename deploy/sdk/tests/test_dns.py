"""The resolver against real UDP and TCP servers, and against garbage."""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Callable

import pytest

from stalker_sdk import dns
from stalker_sdk.dns import A, AAAA, DNSError, MessageError, Resolver, build_query, parse_answer, parse_server, read_name

Udp = Callable[..., int]
IP = "127.0.30.1"


def wire(name: str) -> bytes:
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".") if x) + b"\0"


def record(name: bytes, rtype: int, data: bytes) -> bytes:
    return name + struct.pack("!HHIH", rtype, 1, 60, len(data)) + data


def response(query: bytes, records: list[bytes], rcode: int = 0, flags: int = 0x8180) -> bytes:
    return query[:2] + struct.pack("!5H", flags | rcode, 1, len(records), 0, 0) + query[12:] + b"".join(records)


def zone(query: bytes) -> bytes:
    name, at = read_name(query, 12)
    (rtype,) = struct.unpack_from("!H", query, at)
    here = b"\xc0\x0c"
    table: dict[tuple[str, int], list[bytes]] = {
        ("host.example", A): [record(here, A, bytes([192, 0, 2, 1])), record(here, A, bytes([192, 0, 2, 2]))],
        ("host.example", AAAA): [record(here, AAAA, socket.inet_pton(socket.AF_INET6, "2001:db8::1"))],
        ("alias.example", A): [record(here, dns.CNAME, wire("host.example")),
                               record(wire("host.example"), A, bytes([192, 0, 2, 1]))],
        ("alias.example", AAAA): [record(here, dns.CNAME, wire("host.example"))],
        ("stray.example", A): [record(wire("other.example"), A, bytes([203, 0, 113, 9]))],
        ("loop.example", A): [record(here, dns.CNAME, wire("pool.example"))],
        ("pool.example", A): [record(here, dns.CNAME, wire("loop.example"))],
        ("knot.example", A): [record(here, dns.CNAME, wire("not.example")), record(wire("not.example"), dns.CNAME, here)],
    }
    if name == "refused.example":
        return response(query, [], 5)
    known = {key[0] for key in table}
    return response(query, table.get((name, rtype), []), 0 if name in known else 3)


def resolver(port: int, **options: float) -> Resolver:
    return Resolver([(IP, port)], **{"timeout": 0.5, "attempts": 1, **options})  # type: ignore[arg-type]


def test_addresses_of_both_families(udp: Udp) -> None:
    answer = resolver(udp(zone)).resolve("Host.Example.")
    assert answer.addresses == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    assert answer.exists and answer.aliases == []


def test_aliases_are_followed_within_and_across_answers(udp: Udp) -> None:
    answer = resolver(udp(zone)).resolve("alias.example")
    assert answer.addresses == ["192.0.2.1", "2001:db8::1"]
    assert answer.aliases == ["host.example"]


def test_a_name_that_does_not_exist_is_no_error(udp: Udp) -> None:
    answer = resolver(udp(zone)).resolve("nobody.example")
    assert not answer.exists and answer.addresses == []


def test_records_of_other_names_are_ignored(udp: Udp) -> None:
    answer = resolver(udp(zone)).resolve("stray.example", [A])
    assert answer.exists and answer.addresses == []


@pytest.mark.parametrize(("name", "message"), [
    ("loop.example", "a loop"), ("knot.example", "a loop"),
    ("refused.example", "REFUSED"), ("a..example", "is no domain name"), ("x" * 64 + ".example", "is no domain name"),
])
def test_failures_say_why(udp: Udp, name: str, message: str) -> None:
    with pytest.raises(DNSError, match=message):
        resolver(udp(zone)).resolve(name, [A])


def test_the_next_server_is_asked(udp: Udp) -> None:
    silent, good = udp(lambda _: None), udp(zone)
    sut = Resolver([(IP, silent), (IP, good)], timeout=0.1, attempts=1)
    assert sut.resolve("host.example", [A]).addresses == ["192.0.2.1", "192.0.2.2"]


def test_forged_answers_do_not_hide_the_true_one() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((IP, 0))

        def serve() -> None:
            query, peer = server.recvfrom(512)
            forged = response(query, [record(b"\xc0\x0c", A, bytes([203, 0, 113, 9]))])
            server.sendto(bytes([forged[0] ^ 1]) + forged[1:], peer)
            server.sendto(b"junk", peer)
            server.sendto(zone(query), peer)

        threading.Thread(target=serve, daemon=True).start()
        answer = resolver(server.getsockname()[1]).resolve("host.example", [A])
    assert answer.addresses == ["192.0.2.1", "192.0.2.2"]


def test_truncated_answers_are_asked_for_by_tcp(udp: Udp, tcp: Callable[..., int]) -> None:
    def by_tcp(stream: socket.socket) -> None:
        (size,) = struct.unpack("!H", stream.recv(2))
        answer = zone(stream.recv(size))
        for octet in struct.pack("!H", len(answer)) + answer:  # one byte at a time
            stream.sendall(bytes([octet]))

    port = tcp(by_tcp, IP)
    udp(lambda query: response(query, [], 0, 0x8380), IP, port)
    assert resolver(port, timeout=3).resolve("host.example", [A]).addresses == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize("data", [
    b"\xc0\x00", b"\x01a\xc0\x00", b"\xc0", b"\x05ab", b"\x40a\0", b"\x80a\0", b"", b"\x3f" + b"a" * 63,
    b"".join(b"\x3f" + b"a" * 63 for _ in range(5)) + b"\0",
])
def test_malformed_names(data: bytes) -> None:
    with pytest.raises(MessageError):
        read_name(data, 0)


def test_pointers_must_go_backwards() -> None:
    with pytest.raises(MessageError, match="backwards"):
        read_name(b"\x01a\xc0\x04\x01b\xc0\x02", 4)
    assert read_name(b"\x01a\0\x01b\xc0\x00", 3) == ("b.a", 7)


def test_garbage_is_refused_and_never_breaks_the_parser() -> None:
    rng = random.Random(7)
    good = zone(build_query(99, "host.example", A))
    accepted = 0
    for _ in range(20_000):
        data = bytearray(good)
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            message = parse_answer(bytes(data[:rng.randrange(len(data) + 1)]), 99, "host.example", A)
        except MessageError:
            continue
        accepted += 1
        assert len(message.answers) <= 2
    assert 0 < accepted < 20_000


def test_servers(tmp_path: object) -> None:
    assert parse_server("192.0.2.53:5353") == ("192.0.2.53", 5353)
    assert parse_server("[2001:db8::53]:54") == ("2001:db8::53", 54)
    assert parse_server("2001:db8::53") == ("2001:db8::53", 53)
    for bad in ("dns.example:53", "192.0.2.1:0", "192.0.2.1:x", ""):
        with pytest.raises(DNSError):
            parse_server(bad)


def test_the_system_servers(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "resolv.conf"
    file.write_text("# c\nnameserver 192.0.2.1\nnameserver nonsense\nnameserver\nnameserver 2001:db8::1\nsearch x\n")
    assert dns.system_servers(str(file)) == [("192.0.2.1", 53), ("2001:db8::1", 53)]
    assert dns.system_servers(str(tmp_path / "none")) == [("127.0.0.1", 53)]
