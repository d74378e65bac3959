"""Byte streams to hostile peers: every read is bounded in size and in time."""

from __future__ import annotations

import socket
import ssl
import struct
import time
import warnings
from types import TracebackType

_CHUNK = 16 << 10


class WireError(OSError):
    """The peer is unreachable, too slow, or does not speak what was expected."""


class Deadline:
    """A point in time all steps of a conversation share."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left; raises WireError when none are."""
        rest = self._end - time.monotonic()
        if rest <= 0:
            raise WireError("out of time")
        return rest


class Stream:
    """A TCP connection, with TLS when asked. Close it, or use it in ``with``."""

    def __init__(self, ip: str, port: int, deadline: Deadline) -> None:
        self._deadline = deadline
        try:
            self._sock: socket.socket = socket.create_connection((ip, port), deadline.left())
        except OSError as error:
            raise WireError(f"cannot connect: {error}") from error
        if self._sock.getsockname()[:2] == self._sock.getpeername()[:2]:
            self._sock.close()
            raise WireError("cannot connect: the kernel connected the port to itself")
        self.certificate = b""  # DER of the peer's certificate, after start_tls
        self.tls_version = ""

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def start_tls(self, server_name: str) -> None:
        """Begins TLS; nothing is verified, the certificate is only kept. Raises WireError."""
        try:
            self._sock.settimeout(self._deadline.left())
            secured = _context().wrap_socket(self._sock, server_hostname=server_name or None)
        except (OSError, ValueError) as error:
            raise WireError(f"no TLS: {error}") from error
        self._sock = secured
        self.certificate = secured.getpeercert(binary_form=True) or b""
        self.tls_version = secured.version() or ""

    def send(self, data: bytes) -> None:
        """Sends everything. Raises WireError."""
        try:
            self._sock.settimeout(self._deadline.left())
            self._sock.sendall(data)
        except OSError as error:
            raise WireError(f"cannot send: {error}") from error

    def receive(self, most: int = _CHUNK, wait: float | None = None) -> bytes:
        """What has come, at most ``most`` bytes; b"" at the end or after ``wait`` seconds of silence."""
        left = self._deadline.left()
        self._sock.settimeout(left if wait is None else min(left, wait))
        try:
            return self._sock.recv(most)
        except TimeoutError:
            if wait is None:
                raise WireError("out of time") from None
            return b""
        except OSError as error:
            raise WireError(f"cannot read: {error}") from error

    def close(self) -> None:
        """Closes the connection at once."""
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self._sock.close()


def _context() -> ssl.SSLContext:
    """A client that takes any certificate and speaks with servers of any age."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.options |= 0x4  # OP_LEGACY_SERVER_CONNECT, unnamed before Python 3.12
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context
