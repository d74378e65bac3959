"""Recognises the services behind open TCP ports.

For each port: what it says first, else what it answers to TLS and HTTP (the likelier
of plain and TLS first, by the port's number), to DNS and to Redis. What nobody
recognises is asked once more with more patience (the target, the way to it or this
job's own processor may be slow) before it is "unknown". Names are nmap's, but HTTP
within TLS is https.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from xml.parsers import expat

from stalker_sdk import PortFinding, TextField, log_debug, log_finding, log_info, log_warning, params
from stalker_sdk.http1 import NotHTTP, Response, get
from stalker_sdk.wire import Deadline, Stream, WireError

CONCURRENCY = 16
TLS_PORTS = frozenset({443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 2376, 4443, 5061, 5986, 6443, 6697,
                       8443, 8883, 9443, 10443})
WANTS_TLS = re.compile(rb"HTTP request (?:was sent )?to (?:an )?HTTPS|plain HTTP to an SSL-enabled")
TLS_NAMES = {"smtp": "smtps", "imap": "imaps", "pop3": "pop3s", "ftp": "ftps", "http": "https", "irc": "ircs"}


@dataclass(frozen=True)
class Service:
    """What is known of the service behind a port; "" where it does not say."""

    name: str
    product: str = ""
    version: str = ""
    extra: str = ""


UNKNOWN = Service("unknown")


@dataclass(frozen=True)
class Patience:
    """How many seconds a peer may be silent, and how many one probe may take."""

    silence: float
    probe: float


QUICK, PATIENT = Patience(2, 5), Patience(6, 15)

# Greetings: a pattern over the first bytes, the service's name, and the product when
# the pattern implies it. Groups named product, version and extra are kept. No pattern
# repeats a repetition: a hostile greeting costs linear time.
GREETINGS: list[tuple[re.Pattern[bytes], str, str]] = [
    (re.compile(pattern, re.DOTALL), name, product) for pattern, name, product in [
        (rb"SSH-(?P<extra>[\d.]+)-OpenSSH[_-](?P<version>[\w.]+)", "ssh", "OpenSSH"),
        (rb"SSH-(?P<extra>[\d.]+)-dropbear_?(?P<version>[\w.]*)", "ssh", "Dropbear sshd"),
        (rb"SSH-(?P<extra>[\d.]+)-(?P<product>[^\r\n]{1,100})", "ssh", ""),
        (rb"220[ -][^\r\n]{0,200}?ESMTP Postfix", "smtp", "Postfix smtpd"),
        (rb"220[ -][^\r\n]{0,200}?ESMTP Exim (?P<version>[\d.]+)", "smtp", "Exim smtpd"),
        (rb"220[ -][^\r\n]{0,200}?ESMTP Sendmail (?P<version>[\w./]+)", "smtp", "Sendmail"),
        (rb"220[ -][^\r\n]{0,200}?Microsoft ESMTP MAIL Service", "smtp", "Microsoft ESMTP"),
        (rb"220[ -][^\r\n]{0,200}?E?SMTP(?: (?P<product>[^\r\n]{1,100}))?", "smtp", ""),
        (rb"220[ -][^\r\n]{0,100}?vsFTPd (?P<version>[\d.]+)", "ftp", "vsftpd"),
        (rb"220[ -][^\r\n]{0,100}?ProFTPD (?P<version>[\w.]+)", "ftp", "ProFTPD"),
        (rb"220[ -][^\r\n]{0,100}?Pure-FTPd", "ftp", "Pure-FTPd"),
        (rb"220[ -][^\r\n]{0,100}?FileZilla Server(?: version)? ?(?P<version>[\d.]*)", "ftp", "FileZilla ftpd"),
        (rb"220[ -][^\r\n]{0,200}?FTP", "ftp", ""),
        (rb"\+OK[^\r\n]{0,100}?Dovecot", "pop3", "Dovecot pop3d"),
        (rb"\+OK\b", "pop3", ""),
        (rb"\* (?:OK|PREAUTH)[^\r\n]{0,400}?Dovecot", "imap", "Dovecot imapd"),
        (rb"\* (?:OK|PREAUTH|BYE)\b", "imap", ""),
        (rb"20[01] [^\r\n]{0,200}?(?:NNTP|InterNetNews)", "nntp", ""),
        (rb"RFB (?P<version>\d{3}\.\d{3})\n", "vnc", "VNC"),
        (rb":[^\r\n ]{1,100} (?:NOTICE|020|001) ", "irc", ""),
        (rb"@RSYNCD: (?P<version>[\d.]+)", "rsync", ""),
        (rb"-(?:ERR|DENIED) [^\r\n]{0,100}?[Rr]edis", "redis", "Redis key-value store"),
        (rb"\xff[\xfb-\xfe]", "telnet", ""),
        (rb"SIP/2\.0 ", "sip", ""),
        (rb"AMQP\x00?", "amqp", ""),
    ]
]


def clean(data: bytes | str, most: int = 200) -> str:
    """Printable text of a hostile peer, folded and cut."""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:most]


def greeting(data: bytes) -> Service | None:
    """The service that begins a connection with ``data``, None when it is not known."""
    if found := mysql(data):
        return found
    for pattern, name, product in GREETINGS:
        if match := pattern.match(data):
            said = {key: clean(value or b"") for key, value in match.groupdict().items()}
            extra = said.get("extra", "")
            return Service(name, product or said.get("product", ""), said.get("version", ""),
                           f"protocol {extra}" if name == "ssh" and extra else extra)
    return None


def mysql(data: bytes) -> Service | None:
    """A MySQL handshake (protocol 10), or its refusal of this host."""
    if len(data) < 6 or data[3] != 0 or int.from_bytes(data[:3], "little") + 4 > 4096:
        return None
    if data[4] == 0x0A and (end := data.find(b"\0", 5, 105)) > 5:
        version = clean(data[5:end])
        return Service("mysql", "MariaDB" if "mariadb" in version.lower() else "MySQL", version)
    if data[4] == 0xFF and b"not allowed to connect" in data[:300]:
        return Service("mysql", "MySQL", "", "unauthorized")
    return None


def web(response: Response, tls: bool) -> Service:
    """The service behind an HTTP response; product and version from its Server header."""
    server = clean(response.header("server"))
    match = re.match(r"([^/(\s][^/(]{0,80}?)\s*(?:/\s*([\w.+-]{1,40}))?(?:\s*\(([^)]{1,80})\))?(?:\s|$)", server)
    product, version, extra = (match[1], match[2] or "", match[3] or "") if match else (server, "", "")
    return Service("https" if tls else "http", product, version, extra)


def listen(ip: str, port: int, wait: Patience) -> bytes:
    """What the port says when nobody asks."""
    with Stream(ip, port, Deadline(wait.probe)) as stream:
        return stream.receive(4096, wait.silence)


def by_http(ip: str, port: int, wait: Patience) -> Service | None:
    response = get(ip, port, seconds=wait.probe, max_body=1024)
    # Many servers tell in plain text that they want TLS: what does not speak TLS (in time) then is unknown.
    return None if response.status == 400 and WANTS_TLS.search(response.body) else web(response, tls=False)


def by_tls(ip: str, port: int, wait: Patience) -> Service | None:
    """TLS, then HTTP in it, then what it says first in it."""
    deadline = Deadline(2 * wait.probe)
    with Stream(ip, port, deadline) as stream:
        stream.start_tls("")
        version = stream.tls_version
    try:
        return web(get(ip, port, tls=True, seconds=wait.probe, max_body=1024), tls=True)
    except NotHTTP:
        pass
    except WireError as error:
        log_debug(f"{ip}:{port}: HTTP over TLS: {error}")
    with Stream(ip, port, deadline) as stream:
        stream.start_tls("")
        inner = greeting(stream.receive(4096, wait.silence))
    if inner is None:
        return Service("ssl", extra=version)
    return Service(TLS_NAMES.get(inner.name, f"ssl/{inner.name}"), inner.product, inner.version, inner.extra)


def by_dns(ip: str, port: int, wait: Patience) -> Service | None:
    """A DNS question over TCP (RFC 7766) for the server's version."""
    number = secrets.token_bytes(2)
    query = number + bytes.fromhex("010000010000000000000776657273696f6e0462696e640000100003")
    with Stream(ip, port, Deadline(wait.probe)) as stream:
        stream.send(struct.pack("!H", len(query)) + query)
        data = stream.receive(4096, wait.silence)
    if len(data) < 14 or data[2:4] != number or not data[4] & 0x80:
        return None
    at = 2 + len(query)
    told = data[9] and len(data) > at + 13 and data[at + 2:at + 6] == b"\0\x10\0\x03"
    return Service("domain", version=clean(data[at + 13:at + 13 + data[at + 12]]) if told else "")


def by_redis(ip: str, port: int, wait: Patience) -> Service | None:
    with Stream(ip, port, Deadline(wait.probe)) as stream:
        stream.send(b"PING\r\n")
        answer = stream.receive(512, wait.silence)
        if answer.startswith((b"-NOAUTH", b"-DENIED")):
            return Service("redis", "Redis key-value store", "", "authentication required")
        if not answer.startswith(b"+PONG"):
            return None
        stream.send(b"INFO server\r\n")
        version = re.search(rb"redis_version:([\w.]{1,30})", stream.receive(4096, wait.silence))
        return Service("redis", "Redis key-value store", clean(version[1]) if version else "")


def by_postgresql(ip: str, port: int, wait: Patience) -> Service | None:
    """An SSLRequest: PostgreSQL alone answers with one letter."""
    with Stream(ip, port, Deadline(wait.probe)) as stream:
        stream.send(struct.pack("!II", 8, 80877103))
        answer = stream.receive(64, wait.silence)
    return Service("postgresql", "PostgreSQL DB") if answer in (b"S", b"N") else None


def identify(ip: str, port: int, wait: Patience) -> Service:
    """The service behind one port; UNKNOWN when no probe recognises it."""
    try:
        said = listen(ip, port, wait)
    except WireError as error:
        log_debug(f"{ip}:{port}: {error}")
        said = b""
    if found := greeting(said):
        return found
    probes = [by_tls, by_http] if port in TLS_PORTS else [by_http, by_tls]
    for probe in [*probes, by_dns, by_redis, by_postgresql]:
        try:
            if found := probe(ip, port, wait):
                return found
        except WireError as error:
            log_debug(f"{ip}:{port}: {probe.__name__}: {error}")
    return Service("unknown", extra=clean(said, 100))


def identify_all(ip: str, ports: list[int]) -> dict[int, Service]:
    """The service behind each port; a few unknown ones are asked again, patiently."""
    services: dict[int, Service] = {}
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        def ask(which: list[int], wait: Patience) -> None:
            services.update(zip(which, pool.map(lambda port: identify(ip, port, wait), which), strict=True))

        ask(ports, QUICK)
        if 0 < len(again := unknown_in(services)) <= CONCURRENCY:
            ask(again, PATIENT)
    return services


def unknown_in(services: dict[int, Service]) -> list[int]:
    return [port for port, service in services.items() if service.name == UNKNOWN.name]


def nmap(ip: str, ports: list[int]) -> dict[int, Service]:
    """What nmap -sV says of ports; nothing when it is missing or fails."""
    program = shutil.which("nmap")
    if program is None:
        log_warning("useNmap is set, but nmap is not installed; only the own probes are used")
        return {}
    family = ["-6"] if ":" in ip else []
    command = [program, "-sT", "-sV", "-Pn", "-n", "--open", "-oX", "-", *family, "-p", ",".join(map(str, ports)), "--", ip]
    # The child gets no credential of this execution.
    environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
    try:
        done = subprocess.run(command, capture_output=True, timeout=300, check=True, env=environment,
                              stdin=subprocess.DEVNULL)
        return parse_nmap(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError, expat.ExpatError) as error:
        log_warning(f"nmap gave no result: {error}")
        return {}


def parse_nmap(xml: bytes) -> dict[int, Service]:
    """The services in nmap's XML. Entities are refused, none is ever fetched. Raises ValueError."""
    services: dict[int, Service] = {}
    port = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal port
        if tag == "port" and attributes.get("portid", "").isdigit():
            port = int(attributes["portid"])
        elif tag == "service" and port and attributes.get("method") == "probed":
            name = clean(attributes.get("name", "unknown"))
            if attributes.get("tunnel") == "ssl":
                name = TLS_NAMES.get(name, f"ssl/{name}")
            services[port] = Service(name, clean(attributes.get("product", "")), clean(attributes.get("version", "")),
                                     clean(attributes.get("extrainfo", "")))

    def refuse(*_: object) -> None:
        raise ValueError("the XML declares an entity")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = refuse
    parser.Parse(xml, True)
    return services


def finding(ip: str, port: int, service: Service) -> PortFinding:
    fields = [TextField(key, label, value) for key, label, value in (
        ("serviceName", "Service name", service.name), ("serviceProduct", "Service product", service.product),
        ("serviceVersion", "Service version", service.version), ("serviceExtraInfo", "Service extra info", service.extra),
    ) if value]
    return PortFinding("PortServiceFinding", ip, port, "tcp", "Found port service", fields)


def main() -> None:
    ip = params.ip("targetIp")
    ports = sorted(set(params.integers("ports", [22, 80, 443], minimum=1, maximum=65535)))
    use_nmap = params.boolean("useNmap", False)
    services = identify_all(ip, ports)
    unknown = unknown_in(services)
    if use_nmap and unknown:
        services |= {port: found for port, found in nmap(ip, unknown).items() if port in services}
    for port, service in services.items():
        log_info(f"{ip}:{port} is {service.name} {service.product} {service.version}".rstrip())
        log_finding(finding(ip, port, service))


if __name__ == "__main__":
    main()
