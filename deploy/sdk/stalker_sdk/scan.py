"""A TCP connect scanner on non-blocking sockets.

``scan`` connects to every target and port, many at once, and yields what is open.
Connections are reset, not closed, so that none lingers in TIME_WAIT. A connection
that nothing answered is tried once more.
"""

from __future__ import annotations

import errno
import ipaddress
import math
import random
import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stalker_sdk.findings import CoverageFinding

_RESET = struct.pack("ii", 1, 0)
_BUSY = frozenset({errno.EADDRNOTAVAIL, errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
_SPARE_FILES = 64
_KEPT = 100_000  # targets that could not be tried
_HOLES = 8  # addresses of a range that may be left out of what is covered
_SPANS = 1000  # ranges of ports that one finding covers

Target = tuple[str, int]
"""An address and a port."""


@dataclass
class Counts:
    """What happened to the connections of a scan."""

    tried: int = 0
    open: int = 0
    closed: int = 0
    silent: int = 0  # nothing answered, not even the second time
    failed: int = 0  # this machine could not even try (no route, not permitted), or was told that the host is not there
    untried: int = 0  # those of the failed that nobody answered for
    problem: str = ""  # the last such reason


@dataclass
class _Attempt:
    sock: socket.socket
    target: Target
    deadline: float
    again: bool  # whether this is the second attempt


class Scanner:
    """Scans with at most ``concurrency`` connections at once, waiting ``timeout`` seconds each.

    ``rate`` bounds new connections per second; 0 means as fast as it goes.
    """

    def __init__(self, concurrency: int = 1000, timeout: float = 0.7, rate: float = 0.0) -> None:
        self._window = max(1, min(concurrency, raise_file_limit() - _SPARE_FILES))
        self._allowed = self._window
        self._timeout = timeout
        self._interval = 1.0 / rate if rate > 0 else 0.0
        self._next = 0.0
        self._pending: dict[int, _Attempt] = {}
        self._order: deque[_Attempt] = deque()
        self._retry: deque[Target] = deque()
        self._selector = selectors.DefaultSelector()
        self.counts = Counts()
        self.untried: list[Target] = []
        """What could not be tried, as far as it was kept; ``counts.untried`` are all."""

    def scan(self, targets: Iterable[Target]) -> Iterator[Target]:
        """Yields each open target once, in no particular order."""
        source = iter(targets)
        more = True
        try:
            while more or self._pending or self._retry:
                opened: list[Target] = []
                more = self._start(source, opened) if more else False
                if not more:
                    self._start(self._second_round(), opened, again=True)
                self._collect(opened)
                self._expire()
                yield from opened
        finally:
            self._close()

    def _second_round(self) -> Iterator[Target]:
        while self._retry:
            yield self._retry.popleft()

    def _start(self, source: Iterator[Target], opened: list[Target], again: bool = False) -> bool:
        """Starts connections while there is room; False when the source is empty."""
        burst = 0
        while len(self._pending) < self._allowed and burst < 512:
            if self._interval and not self._may_start():
                return True
            target = next(source, None)
            if target is None:
                return False
            burst += 1
            self._connect(target, again, opened)
        return True

    def _may_start(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = max(self._next, now - 0.05) + self._interval
        return True

    def _connect(self, target: Target, again: bool, opened: list[Target]) -> None:
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        try:
            sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            self._failed(error.errno or 0, target)
            return
        code = sock.connect_ex(target)
        if code == errno.EINPROGRESS:
            attempt = _Attempt(sock, target, time.monotonic() + self._timeout, again)
            self._selector.register(sock, selectors.EVENT_WRITE, attempt)
            self._pending[sock.fileno()] = attempt
            self._order.append(attempt)
        else:
            self._settle(sock, target, code, again, opened)

    def _settle(self, sock: socket.socket, target: Target, code: int, again: bool, opened: list[Target]) -> None:
        if code == 0:
            if _is_open(sock):
                self.counts.open += 1
                opened.append(target)
            else:
                self.counts.closed += 1
            self.counts.tried += 1
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        elif code in (errno.ECONNREFUSED, errno.ECONNRESET):
            self.counts.closed += 1
            self.counts.tried += 1
        elif code == errno.ETIMEDOUT:
            self._silent(target, again)
        else:
            self._failed(code, target)
        sock.close()

    def _failed(self, code: int, target: Target) -> None:
        """Out of ports or files: wait and try again with less; else count the failure."""
        if code in _BUSY and (self._pending or self._allowed > 1):
            self._allowed = max(1, self._allowed // 2)
            self._retry.append(target)
            time.sleep(0.01)
            return
        self.counts.tried += 1
        self.counts.failed += 1
        self.counts.problem = errno.errorcode.get(code, str(code))
        if code != errno.EHOSTUNREACH:
            self.counts.untried += 1
            if len(self.untried) < _KEPT:
                self.untried.append(target)

    def _collect(self, opened: list[Target]) -> None:
        if not self._pending:
            if self._interval:
                time.sleep(max(0.0, min(self._next - time.monotonic(), 0.05)))
            return
        wait = 0.0 if len(self._pending) < self._allowed and not self._interval else 0.05
        first = self._order[0].deadline - time.monotonic() if self._order else 0.0
        for key, _ in self._selector.select(max(0.001, min(wait or 0.005, first))):
            attempt: _Attempt = key.data
            self._forget(attempt)
            code = attempt.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self._settle(attempt.sock, attempt.target, code, attempt.again, opened)
            self._allowed = min(self._window, self._allowed + 1)

    def _expire(self) -> None:
        now = time.monotonic()
        while self._order and (self._order[0].sock.fileno() < 0 or self._order[0].deadline <= now):
            attempt = self._order.popleft()
            if attempt.sock.fileno() >= 0:
                self._forget(attempt)
                self._silent(attempt.target, attempt.again)
                attempt.sock.close()

    def _silent(self, target: Target, again: bool) -> None:
        if again:
            self.counts.tried += 1
            self.counts.silent += 1
        else:
            self._retry.append(target)

    def _forget(self, attempt: _Attempt) -> None:
        self._selector.unregister(attempt.sock)
        del self._pending[attempt.sock.fileno()]

    def _close(self) -> None:
        for attempt in self._pending.values():
            attempt.sock.close()
        self._pending.clear()
        self._selector.close()


def _is_open(sock: socket.socket) -> bool:
    """Whether a connected socket has a true peer.

    On the own machine the kernel may pick the port being tried as the local one; TCP
    then connects to itself (RFC 9293 §3.5, simultaneous open).
    """
    try:
        return bool(sock.getsockname()[:2] != sock.getpeername()[:2])
    except OSError:
        return False


def raise_file_limit() -> int:
    """Raises this process's limit of open files as far as allowed and returns it."""
    try:
        import resource
    except ImportError:  # not on every platform
        return 256
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = min(hard, 65536) if hard != resource.RLIM_INFINITY else 65536
    if soft != resource.RLIM_INFINITY and soft < want:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (want, hard))
        except (OSError, ValueError):
            return soft
        return want
    return want if soft == resource.RLIM_INFINITY else soft


def port_list(first: int, last: int, extra: Iterable[int] = ()) -> list[int]:
    """The ports from ``first`` to ``last``, both included, and ``extra``; each once."""
    return sorted(set(range(first, last + 1)) | set(extra))


def shuffled(count: int, rng: random.Random) -> Iterator[int]:
    """The numbers below ``count``, each once, in an order that looks random.

    They are the steps of an affine walk (a·i + b mod count, a coprime to count), so
    no list is made; this spreads load, it hides nothing.
    """
    if count <= 0:
        return
    step = rng.randrange(1, count) if count > 1 else 1
    while math.gcd(step, count) != 1:
        step = rng.randrange(1, count)
    at = rng.randrange(count)
    for _ in range(count):
        yield at
        at = (at + step) % count


def sweep(network: ipaddress.IPv4Network | ipaddress.IPv6Network, ports: list[int],
          rng: random.Random) -> Iterator[Target]:
    """Every address of ``network`` with every port, in random order."""
    base = int(network.network_address)
    make = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
    for number in shuffled(network.num_addresses * len(ports), rng):
        host, port = divmod(number, len(ports))
        yield str(make(base + host)), ports[port]


def coverage(network: ipaddress.IPv4Network | ipaddress.IPv6Network, ports: Iterable[int],
             scanner: Scanner) -> list[CoverageFinding]:
    """What a scan of every address of ``network`` with every port covered: all but what could not be tried.

    Of one address, ports are left out; of a range, whole addresses, and when there
    are many of those (a network that is in part out of reach), nothing is covered.
    """
    if scanner.counts.untried > len(scanner.untried):
        return []
    left = sorted(set(ports))
    networks = [network]
    if network.num_addresses == 1:
        missing = {port for _, port in scanner.untried}
        left = [port for port in left if port not in missing]
    else:
        holes = {ipaddress.ip_network(address) for address, _ in scanner.untried}
        if len(holes) > _HOLES:
            return []
        for hole in holes:
            networks = [rest for whole in networks for rest in _without(whole, hole)]
    return [CoverageFinding(str(each.network_address), part, "tcp", None if network.num_addresses == 1 else each.prefixlen)
            for each in networks for part in _parts(left)]


def _without(whole: ipaddress.IPv4Network | ipaddress.IPv6Network,
             hole: ipaddress.IPv4Network | ipaddress.IPv6Network) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    if hole == whole:
        return []
    return list(whole.address_exclude(hole)) if hole.subnet_of(whole) else [whole]  # type: ignore[arg-type]


def _parts(ports: list[int]) -> list[list[int]]:
    """Ports in parts that make no more ranges than one finding takes."""
    parts: list[list[int]] = []
    spans = _SPANS
    for before, port in zip([-1, *ports], ports):
        if port != before + 1 or not parts:
            spans += 1
            if spans > _SPANS:
                parts.append([])
                spans = 1
        parts[-1].append(port)
    return parts
