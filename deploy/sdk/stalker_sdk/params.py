"""Typed access to a job's parameters.

>>> from stalker_sdk import params
>>> ip = params.string("targetIp")
>>> threads = params.integer("threads", 100, minimum=1, maximum=1000)

Values come from the file ``STALKER_PARAMS_FILE`` names (a JSON object, types kept),
or else from the environment variable of the parameter's name. A missing value and
an empty text give the default; without a default they are a ParameterError, which
ends the job with its text as the reason.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from stalker_sdk.convert import is_valid_ip, to_boolean

T = TypeVar("T")


class _Required:
    """Stands for "no default"."""


REQUIRED: Final = _Required()


class ParameterError(ValueError):
    """A parameter is missing or does not fit; the text names it."""


class Parameters:
    """The parameters of one execution."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = environ
        self._loaded: dict[str, Any] | None = None

    def string(self, name: str, default: str | _Required = REQUIRED) -> str:
        """A text."""
        value = self._value(name)
        if value is None:
            return _default(name, default)
        if isinstance(value, (dict, list)):
            raise ParameterError(f"parameter {name} must be a text, not {_kind(value)}")
        return value if isinstance(value, str) else json.dumps(value)

    def ip(self, name: str, default: str | _Required = REQUIRED) -> str:
        """An IPv4 or IPv6 address without a zone."""
        value = self.string(name, default).strip()
        if not is_valid_ip(value) or "%" in value:
            raise ParameterError(f"parameter {name} must be an IP address, not {value[:80]!r}")
        return value

    def integer(self, name: str, default: int | _Required = REQUIRED, minimum: int | None = None,
                maximum: int | None = None) -> int:
        """A whole number between ``minimum`` and ``maximum``, both included."""
        value = self._value(name)
        if value is None:
            return _default(name, default)
        return int(_within(name, _integer(name, value), minimum, maximum))

    def number(self, name: str, default: float | _Required = REQUIRED, minimum: float | None = None,
               maximum: float | None = None) -> float:
        """A finite number between ``minimum`` and ``maximum``, both included."""
        value = self._value(name)
        if value is None:
            return _default(name, default)
        return _within(name, _number(name, value), minimum, maximum)

    def boolean(self, name: str, default: bool | _Required = REQUIRED) -> bool:
        """True or false; the words count too, in any case."""
        value = self._value(name)
        if value is None:
            return _default(name, default)
        flag = value if isinstance(value, bool) else to_boolean(value) if isinstance(value, str) else None
        if flag is None:
            raise ParameterError(f"parameter {name} must be true or false, not {_kind(value)}")
        return flag

    def strings(self, name: str, default: list[str] | _Required = REQUIRED) -> list[str]:
        """A list of texts; empty ones are left out, one text is a list of one."""
        value = self._list(name)
        if value is None:
            return _default(name, default)
        for item in value:
            if isinstance(item, (dict, list)):
                raise ParameterError(f"parameter {name} must be a list of texts, and one element is {_kind(item)}")
        texts = (item if isinstance(item, str) else json.dumps(item) for item in value if item is not None)
        return [text for text in texts if text.strip()]

    def integers(self, name: str, default: list[int] | _Required = REQUIRED, minimum: int | None = None,
                 maximum: int | None = None) -> list[int]:
        """A list of whole numbers; empty texts are left out, one number is a list of one."""
        value = self._list(name)
        if value is None:
            return _default(name, default)
        present = [item for item in value if item is not None and item != ""]
        return [int(_within(name, _integer(name, item), minimum, maximum)) for item in present]

    def _list(self, name: str) -> list[Any] | None:
        value = self._value(name)
        if isinstance(value, str) and value.lstrip().startswith("["):
            value = _parse(value)
        return value if value is None or isinstance(value, list) else [value]

    def _value(self, name: str) -> Any:
        environ = os.environ if self._environ is None else self._environ
        if self._loaded is None:
            self._loaded = _load(environ.get("STALKER_PARAMS_FILE", ""))
        value = self._loaded[name] if name in self._loaded else environ.get(name)
        return None if isinstance(value, str) and not value.strip() else value


def _load(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            loaded = json.load(file)
    except (OSError, ValueError) as error:
        raise ParameterError(f"the parameters in {path} cannot be read: {error}") from error
    if not isinstance(loaded, dict):
        raise ParameterError(f"the parameters in {path} must be a JSON object, not {_kind(loaded)}")
    return loaded


def _default(name: str, default: T | _Required) -> T:
    if isinstance(default, _Required):
        raise ParameterError(f"parameter {name} is missing")
    return default


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _number(name: str, value: Any) -> float:
    if isinstance(value, str):
        value = _parse(value.strip())
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ParameterError(f"parameter {name} must be a number, not {_kind(value)}")
    return value


def _integer(name: str, value: Any) -> int:
    number = _number(name, value)
    if number != int(number):
        raise ParameterError(f"parameter {name} must be a whole number, not {number}")
    return int(number)


def _within(name: str, value: float, minimum: float | None, maximum: float | None) -> float:
    if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
        bounds = f"{'' if minimum is None else minimum} to {'' if maximum is None else maximum}"
        raise ParameterError(f"parameter {name} must be in {bounds}, not {value}")
    return value


def _kind(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{type(value).__name__} of {len(text)} bytes of JSON"


params = Parameters()
"""The parameters of this process; they are read when first asked for."""
