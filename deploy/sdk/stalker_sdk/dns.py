"""A small, strict DNS client (RFC 1035, RFC 3596).

It asks the servers of ``STALKER_RESOLVERS`` (host:port, comma separated), or those of
the system, by UDP with random ids and ports, and by TCP when an answer was
truncated. Answers are taken only from the server asked, for the question asked.
Names are followed through CNAMEs up to a limit. Everything in an answer is hostile:
compression pointers must go backwards, lengths are checked, counts are bounded by
the message.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

A = 1
CNAME = 5
MX = 15
TXT = 16
AAAA = 28
NOERROR = 0
NXDOMAIN = 3
_IN = 1
_MAX_CHASE = 8
_MAX_RECORDS = 500
_RCODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}

Server = tuple[str, int]


class DNSError(Exception):
    """No server gave a usable answer; the text says what each did."""


class MessageError(ValueError):
    """A message is malformed, or answers something else."""


@dataclass(frozen=True)
class Record:
    """A resource record; ``data`` is an address, a name or a text; of an MX "preference name"."""

    name: str
    type: int
    data: str


@dataclass(frozen=True)
class Message:
    """The parts of an answer that matter here."""

    rcode: int
    truncated: bool
    answers: tuple[Record, ...]


@dataclass
class Answer:
    """What a name resolves to."""

    name: str
    exists: bool = False  # False: every question was answered by NXDOMAIN
    addresses: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)  # the CNAMEs passed, in order


class Resolver:
    """Asks ``servers`` in order; each question tries every server ``attempts`` times."""

    def __init__(self, servers: Sequence[Server], timeout: float = 2.0, attempts: int = 2) -> None:
        self._servers = tuple(servers)
        self._timeout = timeout
        self._attempts = attempts

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Resolver:
        """The resolvers of the execution, or else of the system."""
        text = (os.environ if environ is None else environ).get("STALKER_RESOLVERS", "")
        servers = [parse_server(part) for part in text.split(",") if part.strip()]
        return cls(servers or system_servers())

    def resolve(self, name: str, types: Sequence[int] = (A, AAAA)) -> Answer:
        """All addresses of a name. Raises DNSError when nobody answers.

        One type that fails while another gives addresses is not an error.
        """
        answer, problems = Answer(name), []
        for rtype in types:
            try:
                self._chase(answer, name, rtype)
            except DNSError as error:
                problems.append(error)
        if problems and (not answer.addresses or len(problems) == len(types)):
            raise problems[0]
        return answer

    def records(self, name: str, rtype: int) -> list[str]:
        """The data of all records of one type of a name, none when it does not exist. Raises DNSError when nobody answers."""
        answer = Answer(name)
        self._chase(answer, name, rtype)
        return answer.addresses

    def _chase(self, answer: Answer, name: str, rtype: int) -> None:
        current, seen = normalise(name), set[str]()
        while current not in seen and len(seen) < _MAX_CHASE:
            seen.add(current)
            message = self._ask(current, rtype)
            target, addresses = follow(message.answers, current, rtype, answer.aliases)
            answer.addresses.extend(a for a in addresses if a not in answer.addresses)
            # The queried name exists when it has any record, even if its alias leads nowhere.
            answer.exists = answer.exists or message.rcode == NOERROR or target != current or len(seen) > 1
            if addresses or target == current or message.rcode == NXDOMAIN:
                return
            current = target
        raise DNSError(f"{name}: the chain of aliases is longer than {_MAX_CHASE} or a loop")

    def _ask(self, name: str, rtype: int) -> Message:
        problems: list[str] = []
        for _ in range(self._attempts):
            for server in self._servers:
                try:
                    message = self._query(server, name, rtype)
                except (OSError, MessageError) as error:
                    problems.append(f"{server[0]}:{server[1]}: {error or type(error).__name__}")
                    continue
                if message.rcode in (NOERROR, NXDOMAIN):
                    return message
                problems.append(f"{server[0]}:{server[1]}: {_RCODES.get(message.rcode, message.rcode)}")
        raise DNSError(f"{name}: no answer ({'; '.join(dict.fromkeys(problems)) or 'no resolver is known'})")

    def _query(self, server: Server, name: str, rtype: int) -> Message:
        number = secrets.randbits(16)
        query = build_query(number, name, rtype)
        message = self._udp(server, query, number, name, rtype)
        return self._tcp(server, query, number, name, rtype) if message.truncated else message

    def _udp(self, server: Server, query: bytes, number: int, name: str, rtype: int) -> Message:
        until = time.monotonic() + self._timeout
        with socket.socket(_family(server), socket.SOCK_DGRAM) as sock:
            sock.connect(server)  # the kernel drops what others send
            sock.send(query)
            while True:
                sock.settimeout(max(until - time.monotonic(), 0.001))
                try:
                    return parse_answer(sock.recv(4096), number, name, rtype)
                except MessageError:
                    # A forged or late datagram must not hide the true answer.
                    if time.monotonic() >= until:
                        raise

    def _tcp(self, server: Server, query: bytes, number: int, name: str, rtype: int) -> Message:
        until = time.monotonic() + self._timeout
        with socket.create_connection(server, self._timeout) as sock:
            sock.sendall(struct.pack("!H", len(query)) + query)
            (size,) = struct.unpack("!H", _exactly(sock, 2, until))
            return parse_answer(_exactly(sock, size, until), number, name, rtype)


def _exactly(sock: socket.socket, size: int, until: float) -> bytes:
    data = bytearray()
    while len(data) < size:
        sock.settimeout(max(until - time.monotonic(), 0.001))
        part = sock.recv(size - len(data))
        if not part:
            raise MessageError("the server closed the connection")
        data += part
    return bytes(data)


def _family(server: Server) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in server[0] else socket.AF_INET


def parse_server(text: str) -> Server:
    """Reads ``192.0.2.1:53``, ``[2001:db8::1]:53`` or a bare address (port 53)."""
    host, port = text.strip(), "53"
    if host.startswith("[") and "]" in host:
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":") or "53"
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    try:
        ipaddress.ip_address(host)
        number = int(port)
    except ValueError:
        raise DNSError(f"resolver {text.strip()!r} must be an address and a port, like 192.0.2.53:53") from None
    if not 1 <= number <= 65535:
        raise DNSError(f"resolver {text.strip()!r} has no port from 1 to 65535")
    return host, number


def system_servers(path: str = "/etc/resolv.conf") -> list[Server]:
    """The name servers of resolv.conf(5); 127.0.0.1 when it names none."""
    servers: list[Server] = []
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.readlines()
    except OSError:
        lines = []
    for words in (line.split() for line in lines):
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                ipaddress.ip_address(words[1])
            except ValueError:
                continue
            servers.append((words[1], 53))
    return servers or [("127.0.0.1", 53)]


def normalise(name: str) -> str:
    """Lower case, without the final dot, in ASCII (IDNA). Raises DNSError."""
    text = name.strip().rstrip(".").lower()
    try:
        text = text if text.isascii() else text.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise DNSError(f"{name!r} is no domain name: {error}") from error
    labels = text.split(".")
    if len(text) > 253 or not all(0 < len(label) <= 63 and label.isprintable() and " " not in label for label in labels):
        raise DNSError(f"{name[:80]!r} is no domain name")
    return text


def build_query(number: int, name: str, rtype: int) -> bytes:
    """A query with recursion desired, for one question."""
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in normalise(name).split("."))
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", rtype, _IN)


def read_name(data: bytes, offset: int) -> tuple[str, int]:
    """The name at ``offset`` and the offset behind it. Raises MessageError."""
    labels: list[str] = []
    size, behind, lowest = 0, -1, offset
    while True:
        if offset >= len(data):
            raise MessageError("a name runs past the message")
        length = data[offset]
        if length & 0xC0 == 0xC0:
            if offset + 1 >= len(data):
                raise MessageError("a pointer runs past the message")
            behind = offset + 2 if behind < 0 else behind
            offset = (length & 0x3F) << 8 | data[offset + 1]
            if offset >= lowest:
                raise MessageError("a pointer does not go backwards")
            lowest = offset
            continue
        if length & 0xC0:
            raise MessageError("a label of an unknown kind")
        offset += 1
        if length == 0:
            return ".".join(labels), offset if behind < 0 else behind
        label = data[offset:offset + length]
        size += length + 1
        if len(label) != length or size > 254:
            raise MessageError("a name is too long or cut off")
        labels.append("".join(chr(c) if 0x21 <= c <= 0x7E and c != 0x2E else f"\\{c:03d}" for c in label).lower())
        offset += length


def parse_answer(data: bytes, number: int, name: str, rtype: int) -> Message:
    """Reads the answer to one question. Raises MessageError for anything else."""
    if len(data) < 12:
        raise MessageError("the message is shorter than its header")
    got, flags, questions, answers = struct.unpack_from("!4H", data)
    if got != number or not flags & 0x8000 or flags & 0x7800:
        raise MessageError("the message is no answer to this query")
    rcode = flags & 0xF
    if questions != 1:
        if questions == 0 and rcode not in (NOERROR, NXDOMAIN):
            return Message(rcode, False, ())
        raise MessageError("the answer repeats no question")
    asked, offset = read_name(data, 12)
    if data[offset:offset + 4] != struct.pack("!2H", rtype, _IN) or asked != normalise(name):
        raise MessageError("the answer is to another question")
    truncated = bool(flags & 0x0200)
    if truncated:
        return Message(rcode, True, ())
    return Message(rcode, False, tuple(_records(data, offset + 4, min(answers, _MAX_RECORDS))))


def _records(data: bytes, offset: int, count: int) -> list[Record]:
    records = []
    for _ in range(count):
        owner, offset = read_name(data, offset)
        if offset + 10 > len(data):
            raise MessageError("a record is cut off")
        rtype, rclass, _ttl, size = struct.unpack_from("!HHIH", data, offset)
        offset += 10
        if offset + size > len(data):
            raise MessageError("a record's data is cut off")
        if rclass == _IN and (text := _rdata(data, offset, rtype, size)) is not None:
            records.append(Record(owner, rtype, text))
        offset += size
    return records


def _rdata(data: bytes, offset: int, rtype: int, size: int) -> str | None:
    if rtype == CNAME:
        target, end = read_name(data, offset)
        if end != offset + size:
            raise MessageError("an alias does not fill its record")
        return target
    if rtype in (A, AAAA):
        if size != (4 if rtype == A else 16):
            raise MessageError("an address has the wrong length")
        return str(ipaddress.ip_address(data[offset:offset + size]))
    if rtype == MX:
        if size < 3:
            raise MessageError("a mail exchange is cut off")
        name, end = read_name(data, offset + 2)
        if end != offset + size:
            raise MessageError("a mail exchange does not fill its record")
        return f"{int.from_bytes(data[offset:offset + 2], 'big')} {name or '.'}"
    if rtype == TXT:
        return _strings(data[offset:offset + size])
    return None


def _strings(data: bytes) -> str:
    """The character strings of a TXT record, joined, as RFC 7208 §3.3 reads them."""
    text = b""
    while data:
        if len(data) <= data[0]:
            raise MessageError("a text is cut off")
        text, data = text + data[1:1 + data[0]], data[1 + data[0]:]
    return text.decode("utf-8", "replace")


def follow(records: Sequence[Record], name: str, rtype: int, aliases: list[str]) -> tuple[str, list[str]]:
    """Follows aliases within one answer: the last name, and its addresses.

    Records that belong to no name of the chain are ignored. Raises DNSError for a loop.
    """
    chain = {r.name: r.data for r in records if r.type == CNAME}
    passed = {name}
    while name in chain:
        name = chain[name]
        if name in passed or len(passed) > _MAX_CHASE:
            raise DNSError(f"{name}: the chain of aliases is longer than {_MAX_CHASE} or a loop")
        passed.add(name)
        if name not in aliases:
            aliases.append(name)
    return name, [r.data for r in records if r.type == rtype and r.name == name]
