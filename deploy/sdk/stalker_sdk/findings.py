"""Findings and their dynamic fields, in the gateway's wire form.

What is not set is left out of the JSON. ``type`` selects what the store does with
a finding, ``key`` selects subscriptions; for findings that make resources both
are the same (``PortFinding("PortFinding", …, type="PortFinding")``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


class Field:
    """A dynamic field of a finding."""

    def __init__(self, key: str, type: str, data: Any = None, label: str | None = None) -> None:
        self.key = key
        self.type = type
        self.data = data
        self.label = label

    def to_wire(self) -> dict[str, Any]:
        """The field as the gateway takes it."""
        wire = {"key": self.key, "type": self.type, "label": self.label, "data": self.data}
        return {name: value for name, value in wire.items() if value is not None}


class TextField(Field):
    """A labelled value: text, a number or a boolean."""

    def __init__(self, key: str, label: str | None = None, data: Any = None) -> None:
        super().__init__(key, "text", data, label)


class ImageField(Field):
    """A picture, as a data URL (``data:image/png;base64,…``)."""

    def __init__(self, key: str, data: str | None = None) -> None:
        super().__init__(key, "image", data)


class Finding:
    """One statement about one resource; the subclasses say which kind."""

    def __init__(self, key: str, name: str | None = None, fields: Sequence[Field] | None = None,
                 type: str = "CustomFinding") -> None:
        self.type = type
        self.key = key
        self.name = name
        self.fields: list[Field] = list(fields or [])

    def locators(self) -> dict[str, Any]:
        """What names the resource; None where not given."""
        return {}

    def to_wire(self) -> dict[str, Any]:
        """The finding as the gateway takes it."""
        wire: dict[str, Any] = {"type": self.type, "key": self.key, "name": self.name}
        wire |= self.locators()
        wire = {name: value for name, value in wire.items() if value is not None}
        wire["fields"] = [field.to_wire() for field in self.fields]
        return wire


class IpFinding(Finding):
    """Says something about a host."""

    def __init__(self, key: str, ip: str, name: str | None = None, fields: Sequence[Field] | None = None,
                 type: str = "CustomFinding") -> None:
        super().__init__(key, name, fields, type)
        self.ip = ip

    def locators(self) -> dict[str, Any]:
        return {"ip": self.ip}


class IpRangeFinding(Finding):
    """Says something about a range: the network that ``ip``/``mask`` (prefix length) names."""

    def __init__(self, key: str, ip: str, mask: int, name: str | None = None,
                 fields: Sequence[Field] | None = None, type: str = "CustomFinding") -> None:
        super().__init__(key, name, fields, type)
        self.ip = ip
        self.mask = mask

    def locators(self) -> dict[str, Any]:
        return {"ip": self.ip, "mask": self.mask}


class PortFinding(Finding):
    """Says something about a port; ``protocol`` is tcp or udp."""

    def __init__(self, key: str, ip: str, port: int, protocol: str, name: str | None = None,
                 fields: Sequence[Field] | None = None, type: str = "CustomFinding") -> None:
        super().__init__(key, name, fields, type)
        self.ip = ip
        self.port = port
        self.protocol = protocol

    def locators(self) -> dict[str, Any]:
        return {"ip": self.ip, "port": self.port, "protocol": self.protocol}


class WebsiteFinding(Finding):
    """Says something about a website; ``domainName`` "" is the bare address."""

    def __init__(self, key: str, ip: str, port: int, domainName: str | None, path: str | None,
                 ssl: bool | None = None, name: str | None = None, fields: Sequence[Field] | None = None,
                 type: str = "CustomFinding") -> None:
        super().__init__(key, name, fields, type)
        self.ip = ip
        self.port = port
        self.domainName = domainName
        self.path = path
        self.ssl = ssl
        self.protocol = "tcp"

    def locators(self) -> dict[str, Any]:
        return {"ip": self.ip, "port": self.port, "domainName": self.domainName or "",
                "path": self.path or "/", "ssl": self.ssl, "protocol": self.protocol}


class DomainFinding(Finding):
    """Says something about a domain, or with ``ip`` that the domain resolves to it."""

    def __init__(self, key: str, domainName: str, ip: str | None = None, name: str | None = None,
                 fields: Sequence[Field] | None = None, type: str = "CustomFinding") -> None:
        super().__init__(key, name, fields, type)
        self.domainName = domainName
        self.ip = ip

    def locators(self) -> dict[str, Any]:
        return {"domainName": self.domainName, "ip": self.ip}


class TagFinding(Finding):
    """Tags the resource its locators name."""

    def __init__(self, tag: str, ip: str | None = None, port: int | None = None, protocol: str | None = None,
                 domainName: str | None = None, path: str | None = None, mask: int | None = None) -> None:
        super().__init__("TagFinding", "Tag", None, "TagFinding")
        self.tag = tag
        self.ip = ip
        self.port = port
        self.protocol = protocol
        self.domainName = domainName
        self.path = path
        self.mask = mask

    def locators(self) -> dict[str, Any]:
        return {"tag": self.tag, "ip": self.ip, "port": self.port, "protocol": self.protocol,
                "domainName": self.domainName, "path": self.path, "mask": self.mask}


class CoverageFinding(Finding):
    """Says that ports of a host, or with ``mask`` of a range, were looked for.

    It is the last thing a scanner says. What it covers and was not seen since the
    execution began is closed from then on, so it covers only what was really tried.
    """

    def __init__(self, ip: str, ports: Iterable[int], protocol: str = "tcp", mask: int | None = None) -> None:
        super().__init__("CoverageFinding", "Looked for ports",
                         [TextField("ports", "Ports", port_ranges(ports)), TextField("protocol", "Protocol", protocol)])
        self.ip = ip
        self.mask = mask

    def locators(self) -> dict[str, Any]:
        return {"ip": self.ip, "mask": self.mask}


def port_ranges(ports: Iterable[int]) -> str:
    """Ports in their shortest form: ``22,80,8000-8100``."""
    spans: list[list[int]] = []
    for port in sorted(set(ports)):
        if spans and spans[-1][1] == port - 1:
            spans[-1][1] = port
        else:
            spans.append([port, port])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
