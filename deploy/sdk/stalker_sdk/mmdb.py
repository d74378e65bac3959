"""Reads MaxMind DB files (version 2 of the format): what is known about an address, from a file on this machine.

The file is the operator's, not a target's; still a broken one gives MMDBError and never reads outside of itself or forever.
"""

from __future__ import annotations

import ipaddress
import mmap
import struct
from pathlib import Path
from types import TracebackType
from typing import Any

_MARKER = b"\xab\xcd\xefMaxMind.com"
_SEPARATOR = 16
_MAX_DEPTH = 32
_MAX_VALUES = 10_000  # of one record


class MMDBError(ValueError):
    """The file is no such database, or is broken."""


class _Decoder:
    def __init__(self, data: bytes | mmap.mmap, start: int, end: int) -> None:
        self._data = data
        self._start = start  # what pointers count from
        self._end = end
        self._left = 0

    def decode(self, offset: int) -> Any:
        self._left = _MAX_VALUES
        return self._value(self._start + offset, 0)[0]

    def _bytes(self, at: int, size: int) -> bytes:
        if at < self._start or size < 0 or at + size > self._end:
            raise MMDBError("a value runs past the file")
        return self._data[at:at + size]

    def _value(self, at: int, depth: int) -> tuple[Any, int]:
        """The value at a place, and the place behind it."""
        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            raise MMDBError("a record is too deep or too large")
        control = self._bytes(at, 1)[0]
        at += 1
        kind = control >> 5
        if kind == 1:
            target, behind = self._pointer(control, at)
            return self._value(target, depth + 1)[0], behind
        if kind == 0:
            kind = 7 + self._bytes(at, 1)[0]
            at += 1
        size, at = self._size(control & 0x1F, at)
        if kind == 7:
            return self._map(size, at, depth)
        if kind == 11:
            return self._array(size, at, depth)
        if kind == 14:
            return size != 0, at
        return self._scalar(kind, self._bytes(at, size)), at + size

    def _size(self, size: int, at: int) -> tuple[int, int]:
        if size < 29:
            return size, at
        octets, base = size - 28, (29, 285, 65821)[size - 29]
        return base + int.from_bytes(self._bytes(at, octets), "big"), at + octets

    def _pointer(self, control: int, at: int) -> tuple[int, int]:
        octets = (control >> 3 & 3) + 1
        value = int.from_bytes(self._bytes(at, octets), "big")
        if octets < 4:
            value += ((control & 7) << 8 * octets) + (0, 2048, 526336)[octets - 1]
        return self._start + value, at + octets

    def _map(self, size: int, at: int, depth: int) -> tuple[dict[str, Any], int]:
        out: dict[str, Any] = {}
        for _ in range(size):
            key, at = self._value(at, depth + 1)
            value, at = self._value(at, depth + 1)
            out[str(key)] = value
        return out, at

    def _array(self, size: int, at: int, depth: int) -> tuple[list[Any], int]:
        out = []
        for _ in range(size):
            value, at = self._value(at, depth + 1)
            out.append(value)
        return out, at

    def _scalar(self, kind: int, raw: bytes) -> Any:
        if kind == 2:
            return raw.decode("utf-8", "replace")
        if kind in (3, 15):
            if len(raw) != (8 if kind == 3 else 4):
                raise MMDBError("a number has the wrong length")
            return struct.unpack("!d" if kind == 3 else "!f", raw)[0]
        if kind == 4:
            return raw
        if kind in (5, 6, 9, 10):
            return int.from_bytes(raw, "big")
        if kind == 8:
            return int.from_bytes(raw, "big", signed=len(raw) == 4)
        raise MMDBError(f"a value is of an unknown kind, {kind}")


class Database:
    """An open database. Close it, or use it in ``with``."""

    def __init__(self, file: str | Path) -> None:
        """Raises OSError or MMDBError."""
        with open(file, "rb") as handle:
            try:
                self._data = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError as error:
                raise MMDBError("the file is empty") from error
        at = self._data.rfind(_MARKER)
        if at < 0:
            raise MMDBError("the file is no MaxMind database")
        at += len(_MARKER)
        self.metadata = _Decoder(self._data, at, len(self._data)).decode(0)
        try:
            self._nodes, self._bits, version = (int(self.metadata[key]) for key in ("node_count", "record_size", "ip_version"))
        except (KeyError, TypeError, ValueError) as error:
            raise MMDBError("the database does not describe itself") from error
        size = self._nodes * self._bits // 4
        if self._bits not in (24, 28, 32) or version not in (4, 6) or self._nodes < 1 or size + _SEPARATOR > at:
            raise MMDBError("the database describes itself wrongly")
        self._v4_only = version == 4
        self._records = _Decoder(self._data, size + _SEPARATOR, at)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._data.close()

    def lookup(self, ip: str) -> dict[str, Any] | None:
        """What is known about an address, None when nothing is. Raises MMDBError for a broken file."""
        address = ipaddress.ip_address(ip)
        if address.version == 6 and self._v4_only:
            return None
        width = 32 if self._v4_only else 128  # IPv4 addresses are below ::/96
        node = 0
        for bit in range(width - 1, -1, -1):
            node = self._child(node, int(address) >> bit & 1)
            if node == self._nodes:
                return None
            if node > self._nodes:
                record = self._records.decode(node - self._nodes - _SEPARATOR)
                return record if isinstance(record, dict) else {"value": record}
        raise MMDBError("the tree is deeper than an address")

    def _child(self, node: int, side: int) -> int:
        size = self._bits // 4
        raw = self._data[node * size:(node + 1) * size]
        if self._bits == 28:
            middle = raw[3] >> 4 if side == 0 else raw[3] & 0xF
            return middle << 24 | int.from_bytes(raw[:3] if side == 0 else raw[4:], "big")
        half = size // 2
        return int.from_bytes(raw[half * side:half * (side + 1)], "big")
