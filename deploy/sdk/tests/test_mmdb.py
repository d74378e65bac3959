"""The reader against databases that are written here, bit by bit, as the format says; and against broken ones."""

from __future__ import annotations

import ipaddress
import random
import struct
from pathlib import Path
from typing import Any

import pytest

from stalker_sdk.mmdb import Database, MMDBError


def encode(value: Any) -> bytes:
    def control(kind: int, size: int) -> bytes:
        if size < 29:
            low, more = size, b""
        elif size < 285:
            low, more = 29, bytes([size - 29])
        else:
            low, more = 30, struct.pack("!H", size - 285)
        return (bytes([kind << 5 | low]) if kind < 8 else bytes([low, kind - 7])) + more

    if isinstance(value, bool):
        return control(14, int(value))
    if isinstance(value, int):
        raw = value.to_bytes((value.bit_length() + 7) // 8, "big") if value >= 0 else struct.pack("!i", value)
        return control(6 if 0 <= value < 1 << 32 else 8 if value < 0 else 9, len(raw)) + raw
    if isinstance(value, float):
        return control(3, 8) + struct.pack("!d", value)
    if isinstance(value, str):
        return control(2, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(map(encode, value))
    return control(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


def build(networks: dict[str, Any], bits: int = 24, version: int = 6, record: bytes | None = None) -> bytes:
    """A database with these networks, which must not overlap."""
    nodes: list[list[Any]] = [[None, None]]
    data, offsets = b"", []
    for text, value in networks.items():
        network = ipaddress.ip_network(text)
        number, length = int(network.network_address), network.prefixlen
        width = 32 if version == 4 else 128
        if network.version == 4 and version == 6:
            length += 96
        node = 0
        for i in range(length):
            side = number >> (width - 1 - i) & 1
            if i == length - 1:
                nodes[node][side] = ("data", len(data))
            else:
                if nodes[node][side] is None:
                    nodes.append([None, None])
                    nodes[node][side] = len(nodes) - 1
                node = nodes[node][side]
        offsets.append(len(data))
        data += record if record is not None else encode(value)
    tree = b""
    for node in nodes:
        left, right = (len(nodes) if c is None else c if isinstance(c, int) else len(nodes) + 16 + c[1] for c in node)
        if bits == 28:
            tree += left.to_bytes(4, "big")[1:] + bytes([left >> 24 << 4 | right >> 24]) + right.to_bytes(4, "big")[1:]
        else:
            tree += left.to_bytes(bits // 8, "big") + right.to_bytes(bits // 8, "big")
    return tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encode(
        {"node_count": len(nodes), "record_size": bits, "ip_version": version, "database_type": "Test-City", "languages": ["en"]})


WORLD = {"192.0.2.0/24": {"country": {"iso_code": "CH", "names": {"en": "Switzerland"}}, "location": {"latitude": 46.9, "longitude": -7.25}},
         "198.51.100.7/32": {"autonomous_system_number": 64496, "x": -5, "big": 1 << 40, "yes": True, "text": "é" * 400, "list": [1, "a"]},
         "2001:db8::/32": {"country": {"iso_code": "FR"}}}


@pytest.mark.parametrize("bits", [24, 28, 32])
def test_addresses_of_both_families(tmp_path: Path, bits: int) -> None:
    file = tmp_path / "x.mmdb"
    file.write_bytes(build(WORLD, bits))
    with Database(file) as db:
        assert db.metadata["database_type"] == "Test-City"
        assert db.lookup("192.0.2.200") == WORLD["192.0.2.0/24"]
        assert db.lookup("198.51.100.7") == WORLD["198.51.100.7/32"]
        assert db.lookup("2001:db8:1::5") == WORLD["2001:db8::/32"]
        assert [db.lookup(ip) for ip in ("198.51.100.8", "203.0.113.1", "::1", "2001:db9::")] == [None] * 4


def test_a_database_of_ipv4_alone_and_pointers(tmp_path: Path) -> None:
    file = tmp_path / "x.mmdb"
    # a map {"a": pointer to "deep", "b": "deep"}: offsets count from the record section
    record = b"\xe2\x41a\x20\x06\x41b\x44deep"
    file.write_bytes(build({"192.0.2.0/24": None}, version=4, record=record[:3] + b"\x20\x07" + record[5:]))
    with Database(file) as db:
        assert db.lookup("192.0.2.1") == {"a": "deep", "b": "deep"} and db.lookup("2001:db8::1") is None


def test_broken_files_are_errors(tmp_path: Path) -> None:
    file = tmp_path / "x.mmdb"
    whole = build(WORLD)
    for data in (b"", b"nothing", b"\xab\xcd\xefMaxMind.com", whole[200:], build({"192.0.2.0/24": None}, record=b"\x20\x00")):  # the last points at itself
        file.write_bytes(data)
        with pytest.raises(MMDBError):
            with Database(file) as db:
                db.lookup("192.0.2.1")
    rng = random.Random(5)
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        file.write_bytes(data[:rng.randrange(1, len(data) + 1)] if rng.random() < 0.3 else data)
        try:
            with Database(file) as db:
                for ip in ("192.0.2.1", "198.51.100.7", "2001:db8::1", "::"):
                    db.lookup(ip)
        except MMDBError:
            pass
