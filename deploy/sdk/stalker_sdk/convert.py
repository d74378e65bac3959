"""Checks and conversions of single values."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_LIST = re.compile(r"\s*(?:list|List|typing\.List)\s*\[(.+)\]\s*", re.DOTALL)
_DEFAULT_PORT = {"http": 80, "https": 443}


def is_valid_ip(ip: str) -> bool:
    """Whether ``ip`` is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(ip)
    except ValueError:
        return False
    return isinstance(ip, str)


def is_valid_port(port: Any) -> bool:
    """Whether ``port`` is an integer from 1 to 65535."""
    return isinstance(port, int) and not isinstance(port, bool) and 1 <= port <= 65535


def to_boolean(value: str) -> bool | None:
    """True and False for "true" and "false" in any case, None for anything else."""
    return {"true": True, "false": False}.get(str(value).strip().lower())


def build_url(ip: str, port: int, domain: str | None, path: str | None, ssl: bool | None) -> str:
    """The URL of a website, by its domain or else its address.

    The port is left out only when it is the default of the scheme: the
    reference drops 80 and 443 whatever the scheme, which makes
    ``http://host:443/`` and ``http://host/`` the same.
    """
    scheme = "https" if ssl else "http"
    host = domain or (f"[{ip}]" if ":" in ip else ip)
    where = host if port == _DEFAULT_PORT[scheme] else f"{host}:{port}"
    path = path or "/"
    return f"{scheme}://{where}{path if path.startswith('/') else '/' + path}"


def convert_value(value: Any, type_name: str, classes: Mapping[str, type] | Iterable[type] = ()) -> Any:
    """Turns a parameter into the type ``type_name`` names.

    ``value`` is JSON text or what it decodes to; ``type_name`` is str, int,
    float, bool, dict, list, the name of one of ``classes`` (built from an object's
    members by keyword), or ``List[…]`` of one of these. A value that does not fit is
    a ValueError.
    """
    known = classes if isinstance(classes, Mapping) else {c.__name__: c for c in classes}
    if inner := _LIST.fullmatch(type_name):
        items = _decode(value)
        if not isinstance(items, list):
            raise ValueError(f"{type_name} needs a list, not {type(items).__name__}")
        return [convert_value(item, inner[1], known) for item in items]
    name = type_name.strip()
    if name == "str":
        return value if isinstance(value, str) else json.dumps(value)
    decoded = _decode(value)
    if name in known:
        if not isinstance(decoded, dict):
            raise ValueError(f"{name} needs an object, not {type(decoded).__name__}")
        return known[name](**decoded)
    return _primitive(decoded, name)


def _decode(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _primitive(value: Any, name: str) -> Any:
    if name == "bool" and isinstance(value, str) and (flag := to_boolean(value)) is not None:
        return flag
    kinds: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,), "dict": (dict,), "list": (list,)}
    fits = kinds.get(name)
    if fits is None:
        raise ValueError(f"{name} is no known type")
    if not isinstance(value, fits) or (name in ("int", "float") and isinstance(value, bool)):
        raise ValueError(f"{value!r} is no {name}")
    return float(value) if isinstance(value, int) and name == "float" else value


def clean(text: str, most: int = 2000) -> str:
    """Printable text of a hostile peer, white space folded, cut."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:most]
