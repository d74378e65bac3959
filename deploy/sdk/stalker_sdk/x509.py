"""A strict reader of X.509 certificates (RFC 5280) in DER (X.690).

Python's ssl tells nothing about a certificate it did not verify. This reads the
parts people ask about and checks no signature.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime

from stalker_sdk.convert import clean
from stalker_sdk.findings import TextField

MAX_SIZE = 64 << 10
_MAX_NAMES = 1000
_SEQUENCE, _SET, _INTEGER, _OID, _BITS, _OCTETS = 0x30, 0x31, 0x02, 0x06, 0x03, 0x04
_ALT_NAMES = "2.5.29.17"
_SHORT = {"2.5.4.3": "CN", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
          "0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "emailAddress"}
_ENCODINGS = {0x0C: "utf-8", 0x13: "ascii", 0x16: "ascii", 0x14: "latin-1", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}


class CertificateError(ValueError):
    """The bytes are no certificate in DER."""


@dataclass(frozen=True)
class Certificate:
    """What a certificate says of itself."""

    subject: str  # as "CN=…, O=…"
    issuer: str
    common_name: str
    names: tuple[str, ...]  # DNS names and addresses it is for; the common name when it lists none
    not_before: datetime
    not_after: datetime
    fingerprint: str  # SHA-256 of the DER form, lower-case hex
    self_signed: bool  # subject and issuer are the same


class _Reader:
    """Reads one level of DER values."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def more(self) -> bool:
        return self._at < len(self._data)

    def peek(self) -> int:
        return self._data[self._at] if self.more() else -1

    def next(self, want: int | None = None) -> tuple[int, bytes]:
        """Tag and content of the next value; ``want`` is the tag it must have."""
        tag, length, start = self.peek(), self._length(), self._at
        if tag & 0x1F == 0x1F or (want is not None and tag != want):
            raise CertificateError(f"tag {tag:#x} is not expected here")
        if start + length > len(self._data):
            raise CertificateError("a value runs past its end")
        self._at = start + length
        return tag, self._data[start:self._at]

    def content(self, want: int) -> bytes:
        return self.next(want)[1]

    def _length(self) -> int:
        if self._at + 2 > len(self._data):
            raise CertificateError("the data ends within a value")
        first = self._data[self._at + 1]
        self._at += 2
        if first < 0x80:
            return first
        size = first & 0x7F
        octets = self._data[self._at:self._at + size]
        if not 1 <= size <= 4 or len(octets) != size or octets[0] == 0:
            raise CertificateError("a length is not in its shortest form")
        self._at += size
        length = int.from_bytes(octets, "big")
        if length < 0x80:
            raise CertificateError("a length is not in its shortest form")
        return length


def parse(der: bytes) -> Certificate:
    """Reads a certificate. Raises CertificateError."""
    if len(der) > MAX_SIZE:
        raise CertificateError(f"the certificate has more than {MAX_SIZE} bytes")
    outer = _Reader(der)
    whole = _Reader(outer.content(_SEQUENCE))
    if outer.more():
        raise CertificateError("there are bytes behind the certificate")
    signed = _Reader(whole.content(_SEQUENCE))
    whole.content(_SEQUENCE)
    whole.content(_BITS)
    if signed.peek() == 0xA0:  # version
        signed.next()
    signed.content(_INTEGER)  # serial number
    signed.content(_SEQUENCE)  # signature algorithm
    issuer = signed.content(_SEQUENCE)
    validity = _Reader(signed.content(_SEQUENCE))
    not_before, not_after = _time(*validity.next()), _time(*validity.next())
    subject = signed.content(_SEQUENCE)
    signed.content(_SEQUENCE)  # public key
    names = _alternative_names(signed)
    attributes = _attributes(subject)
    common = next((value for key, value in attributes if key == "CN"), "")
    return Certificate(
        subject=_text(attributes), issuer=_text(_attributes(issuer)), common_name=common,
        names=tuple(names or ([common] if common else [])), not_before=not_before, not_after=not_after,
        fingerprint=hashlib.sha256(der).hexdigest(), self_signed=subject == issuer,
    )


def _attributes(name: bytes) -> list[tuple[str, str]]:
    """The attributes of a distinguished name, the most telling first (CN, O, …)."""
    found: list[tuple[str, str]] = []
    sets = _Reader(name)
    while sets.more():
        members = _Reader(sets.content(_SET))
        while members.more():
            pair = _Reader(members.content(_SEQUENCE))
            oid = _oid(pair.content(_OID))
            tag, value = pair.next()
            found.append((_SHORT.get(oid, oid), _string(tag, value)))
    rank = list(_SHORT.values())
    return sorted(found, key=lambda item: rank.index(item[0]) if item[0] in rank else len(rank))


def _text(attributes: list[tuple[str, str]]) -> str:
    return ", ".join(f"{key}={value}" for key, value in attributes)


def _string(tag: int, value: bytes) -> str:
    text = value.decode(_ENCODINGS.get(tag, "latin-1"), "replace")
    return "".join(c if c.isprintable() else "�" for c in text)


def _oid(data: bytes) -> str:
    if not data or data[-1] & 0x80:
        raise CertificateError("an object identifier is malformed")
    arcs, value = [], 0
    for octet in data:
        value = value << 7 | octet & 0x7F
        if value.bit_length() > 128:
            raise CertificateError("an object identifier is too long")
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def _time(tag: int, value: bytes) -> datetime:
    """UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 allows them."""
    try:
        text = value.decode("ascii")
        if tag == 0x17 and len(text) == 13:
            text = ("20" if text[:2] < "50" else "19") + text
        elif tag != 0x18 or len(text) != 15:
            raise ValueError
        if not text[:14].isdigit() or text[14] != "Z":
            raise ValueError
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise CertificateError(f"{value[:20]!r} is no time") from None


def _alternative_names(signed: _Reader) -> list[str]:
    names: list[str] = []
    while signed.more():
        tag, content = signed.next()
        if tag != 0xA3:  # unique identifiers
            continue
        extensions = _Reader(_Reader(content).content(_SEQUENCE))
        while extensions.more():
            extension = _Reader(extensions.content(_SEQUENCE))
            oid = _oid(extension.content(_OID))
            if extension.peek() == 0x01:  # critical
                extension.next()
            value = extension.content(_OCTETS)
            if oid == _ALT_NAMES:
                names += _general_names(_Reader(value).content(_SEQUENCE))
    return list(dict.fromkeys(names))


def _general_names(data: bytes) -> list[str]:
    names: list[str] = []
    reader = _Reader(data)
    while reader.more() and len(names) < _MAX_NAMES:
        tag, value = reader.next()
        if tag == 0x82:
            names.append(_string(0x16, value).replace(",", "�").lower())
        elif tag == 0x87 and len(value) in (4, 16):
            names.append(str(ipaddress.ip_address(value)))
    return names


def certificate_fields(certificate: Certificate) -> list[TextField]:
    """What a CertificateFinding says; texts are made printable, since the server chose them."""
    return [
        TextField("subject", "Subject", clean(certificate.subject, 500)),
        TextField("issuer", "Issuer", clean(certificate.issuer, 500)),
        TextField("names", "Names", ",".join(certificate.names)),
        TextField("notBefore", "Not before", certificate.not_before.strftime("%Y-%m-%dT%H:%M:%SZ")),
        TextField("notAfter", "Not after", certificate.not_after.strftime("%Y-%m-%dT%H:%M:%SZ")),
        TextField("fingerprint", "SHA-256 fingerprint", certificate.fingerprint),
        TextField("selfSigned", "Self-signed", certificate.self_signed),
    ]
