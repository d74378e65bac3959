"""The scanner against real listeners on loopback."""

from __future__ import annotations

import errno
import ipaddress
import random
import socket
import time
from collections.abc import Callable

import pytest

from stalker_sdk import scan
from stalker_sdk.findings import port_ranges
from stalker_sdk.scan import Scanner, coverage, port_list, shuffled, sweep

Tcp = Callable[..., int]


def test_all_ports_of_an_address_quickly(tcp: Tcp, says: Callable[..., object]) -> None:
    ip = "127.0.30.7"
    want = {tcp(says(b"hi"), ip) for _ in range(20)}
    elsewhere = tcp(says(b"hi"), "127.0.30.8")
    scanner = Scanner(1000, 0.7)
    began = time.monotonic()
    found = [port for _, port in scanner.scan((ip, port) for port in range(1, 65536))]
    took = time.monotonic() - began
    ours = [port for port in found if port in want]
    assert sorted(ours) == sorted(want), "each once"
    assert elsewhere not in found or elsewhere in want
    # Whatever else is found must truly listen on all addresses of this machine.
    for port in set(found) - want:
        socket.create_connection((ip, port), 2).close()
    counts = scanner.counts
    assert counts.tried == 65535 and counts.silent == counts.failed == 0
    assert took < 20, f"took {took:.1f} s"


def test_ipv6(ipv6: None, tcp: Tcp, says: Callable[..., object]) -> None:
    port = tcp(says(b"hi"), "::1")
    closed = socket.create_server(("::1", 0), family=socket.AF_INET6)
    free = closed.getsockname()[1]
    closed.close()
    assert list(Scanner().scan([("::1", port), ("::1", free)])) == [("::1", port)]


def test_a_connection_to_itself_is_not_open() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.30.9", 0))
        sock.connect(sock.getsockname())
        assert not scan._is_open(sock)


def test_silence_is_tried_twice() -> None:
    # A full backlog makes the kernel drop further connection requests.
    with socket.socket() as listener:
        listener.bind(("127.0.30.10", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        scanner = Scanner(10, 0.15)
        began = time.monotonic()
        assert list(scanner.scan([listener.getsockname()])) == []
        took = time.monotonic() - began
        for filler in fillers:
            filler.close()
    assert scanner.counts.silent == 1 and scanner.counts.tried == 1
    assert 0.3 <= took < 2


def test_no_free_local_ports_is_waited_for(monkeypatch: pytest.MonkeyPatch, tcp: Tcp, says: Callable[..., object]) -> None:
    port = tcp(says(b"hi"))
    real, failures = socket.socket.connect_ex, iter([errno.EADDRNOTAVAIL] * 5)

    class Flaky(socket.socket):
        def connect_ex(self, address: object) -> int:
            return next(failures, None) or real(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "socket", Flaky)
    assert list(Scanner(50, 0.5).scan([("127.0.30.1", port)])) == [("127.0.30.1", port)]


def test_what_cannot_be_tried_is_counted() -> None:
    scanner = Scanner(10, 0.2)
    assert list(scanner.scan([("255.255.255.255", 80)])) == []
    assert scanner.counts.failed == 1 and scanner.counts.problem


def test_the_rate_is_kept() -> None:
    began = time.monotonic()
    assert list(Scanner(100, 0.2, rate=100).scan([("127.0.30.11", 9)] * 50)) == []
    assert 0.4 <= time.monotonic() - began < 3


def test_stopping_early_closes_everything(tcp: Tcp, says: Callable[..., object]) -> None:
    port = tcp(says(b"hi"))
    scanner = Scanner(10, 1)
    results = scanner.scan([("127.0.30.1", port)] * 100)
    assert next(results) == ("127.0.30.1", port)
    results.close()  # type: ignore[attr-defined]
    assert not scanner._pending


@pytest.mark.parametrize("count", [0, 1, 2, 3, 16, 997, 1000, 4096])
def test_a_shuffle_gives_each_number_once(count: int) -> None:
    assert sorted(shuffled(count, random.Random(1))) == list(range(count))


def test_sweep_covers_a_network() -> None:
    network = ipaddress.ip_network("192.0.2.4/30")
    got = list(sweep(network, [22, 80, 443], random.Random(3)))
    assert sorted(got) == sorted((str(a), p) for a in network for p in (22, 80, 443))
    assert got != sorted(got)


def test_port_list() -> None:
    assert port_list(10, 12, [11, 5]) == [5, 10, 11, 12]
    assert port_list(5, 4, []) == []


def scanned(untried: list[tuple[str, int]], all_kept: bool = True) -> Scanner:
    scanner = Scanner()
    scanner.untried = untried
    scanner.counts.untried = len(untried) + (0 if all_kept else 1)
    return scanner


def said(network: str, ports: list[int], scanner: Scanner) -> list[tuple[str, int | None, str]]:
    return [(f.ip, f.mask, f.fields[0].data) for f in coverage(ipaddress.ip_network(network), ports, scanner)]


def test_coverage_is_what_was_really_tried() -> None:
    ports = [80, 22, 23, 443]
    assert said("192.0.2.1", ports, scanned([])) == [("192.0.2.1", None, "22-23,80,443")]
    assert said("192.0.2.1", ports, scanned([("192.0.2.1", 22)])) == [("192.0.2.1", None, "23,80,443")]
    assert said("192.0.2.1", ports, scanned([("192.0.2.1", p) for p in ports])) == []
    assert said("2001:db8::/127", [22], scanned([])) == [("2001:db8::", 127, "22")]
    assert said("192.0.2.0/30", [22], scanned([("192.0.2.3", 22), ("192.0.2.0", 22)])) == [
        ("192.0.2.1", 32, "22"), ("192.0.2.2", 32, "22")]


def test_what_cannot_be_named_is_not_covered() -> None:
    assert said("192.0.2.0/24", [22], scanned([(f"192.0.2.{n}", 22) for n in range(9)])) == []
    assert said("192.0.2.1", [22], scanned([], all_kept=False)) == []


def test_many_separate_ports_take_several_findings() -> None:
    parts = said("192.0.2.1", list(range(1, 5000, 2)), scanned([]))
    assert [len(ports.split(",")) for _, _, ports in parts] == [1000, 1000, 500]
    assert ",".join(ports for _, _, ports in parts) == ",".join(str(p) for p in range(1, 5000, 2))


def test_ports_in_their_shortest_form() -> None:
    assert port_ranges([3, 1, 2, 9, 1]) == "1-3,9"
    assert port_ranges([]) == ""
    assert port_ranges(range(1, 65536)) == "1-65535"
