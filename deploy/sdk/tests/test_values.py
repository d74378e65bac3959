"""Findings, parameters and conversions."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import stalker_sdk as sdk
from stalker_sdk import ParameterError, Parameters


@pytest.mark.parametrize(("cls", "names"), [
    (sdk.IpFinding, "key ip name fields type"),
    (sdk.IpRangeFinding, "key ip mask name fields type"),
    (sdk.PortFinding, "key ip port protocol name fields type"),
    (sdk.WebsiteFinding, "key ip port domainName path ssl name fields type"),
    (sdk.DomainFinding, "key domainName ip name fields type"),
    (sdk.TagFinding, "tag ip port protocol domainName path mask"),
    (sdk.TextField, "key label data"),
    (sdk.ImageField, "key data"),
])
def test_arguments_have_the_names_and_order_of_the_reference(cls: type, names: str) -> None:
    assert list(inspect.signature(cls).parameters) == names.split()


@pytest.mark.parametrize(("finding", "want"), [
    (sdk.IpRangeFinding("k", "192.0.2.0", 24), {"type": "CustomFinding", "key": "k", "ip": "192.0.2.0", "mask": 24, "fields": []}),
    (sdk.PortFinding("PortFinding", "::1", 53, "udp", "n", [sdk.TextField("a", "A", 1)], "PortFinding"),
     {"type": "PortFinding", "key": "PortFinding", "name": "n", "ip": "::1", "port": 53, "protocol": "udp",
      "fields": [{"key": "a", "type": "text", "label": "A", "data": 1}]}),
    (sdk.WebsiteFinding("k", "192.0.2.1", 80, None, None, False),
     {"type": "CustomFinding", "key": "k", "ip": "192.0.2.1", "port": 80, "domainName": "", "path": "/", "ssl": False,
      "protocol": "tcp", "fields": []}),
    (sdk.DomainFinding("k", "a.example", fields=[sdk.ImageField("i", "data:image/png;base64,AA==")]),
     {"type": "CustomFinding", "key": "k", "domainName": "a.example",
      "fields": [{"key": "i", "type": "image", "data": "data:image/png;base64,AA=="}]}),
    (sdk.TagFinding("Login", domainName="a.example"),
     {"type": "TagFinding", "key": "TagFinding", "name": "Tag", "tag": "Login", "domainName": "a.example", "fields": []}),
])
def test_wire_form(finding: sdk.Finding, want: dict[str, Any]) -> None:
    assert finding.to_wire() == want


def test_findings_do_not_share_their_fields() -> None:
    first, second = sdk.IpFinding("k", "192.0.2.1"), sdk.IpFinding("k", "192.0.2.2")
    first.fields.append(sdk.TextField("a"))
    assert second.fields == []


@pytest.mark.parametrize(("args", "want"), [
    (("192.0.2.1", 80, "a.example", "/x", False), "http://a.example/x"),
    (("192.0.2.1", 443, "a.example", "x", True), "https://a.example/x"),
    (("192.0.2.1", 443, "", "", False), "http://192.0.2.1:443/"),
    (("192.0.2.1", 80, None, None, True), "https://192.0.2.1:80/"),
    (("2001:db8::1", 8080, "", "/", None), "http://[2001:db8::1]:8080/"),
])
def test_build_url(args: tuple[Any, ...], want: str) -> None:
    assert sdk.build_url(*args) == want


def test_get_all_domains() -> None:
    assert sdk.get_all_domains(["*.asdf.example.com", "qwerty.co.uk.", "abc.asd.asd.com"]) == {
        "example.com", "asdf.example.com", "qwerty.co.uk", "asd.com", "asd.asd.com", "abc.asd.asd.com"}
    assert sdk.get_all_domains(["co.uk", "localhost", "192.0.2.1", "", "a..b", "x" * 300 + ".com", "-.-."]) == set()
    assert sdk.get_all_domains(["https://WWW.Example.org/path"]) == {"example.org", "www.example.org"}


@pytest.mark.parametrize(("value", "want"), [("true", True), ("FALSE", False), ("yes", None), ("", None)])
def test_to_boolean(value: str, want: bool | None) -> None:
    assert sdk.to_boolean(value) is want


def test_validity() -> None:
    assert sdk.is_valid_ip("192.0.2.1") and sdk.is_valid_ip("::1")
    assert not any(sdk.is_valid_ip(x) for x in ("", "192.0.2", "192.0.2.1/24", "a.example", 1))  # type: ignore[arg-type]
    assert sdk.is_valid_port(1) and sdk.is_valid_port(65535)
    assert not any(sdk.is_valid_port(x) for x in (0, 65536, "80", True, 1.5, None))


def test_convert_value() -> None:
    class Pair:
        def __init__(self, a: int, b: str = "") -> None:
            self.a, self.b = a, b

    pairs = sdk.convert_value('[{"a": 1, "b": "x"}, {"a": 2}]', "List[Pair]", [Pair])
    assert [(p.a, p.b) for p in pairs] == [(1, "x"), (2, "")]
    assert sdk.convert_value('{"a": 3}', "Pair", {"Pair": Pair}).a == 3
    assert sdk.convert_value("[1, 2]", "List[int]") == [1, 2]
    assert sdk.convert_value("TRUE", "bool") is True
    assert sdk.convert_value("1", "str") == "1"
    assert sdk.convert_value(2, "float") == 2.0
    for value, kind in (("x", "int"), (True, "int"), ("{}", "List[int]"), ("1", "Unknown"), ("[]", "Pair")):
        with pytest.raises(ValueError):
            sdk.convert_value(value, kind, [Pair])


def given(tmp_path: Path, **values: Any) -> Parameters:
    file = tmp_path / "params.json"
    file.write_text(json.dumps(values))
    return Parameters({"STALKER_PARAMS_FILE": str(file), "fromEnv": "[1, 2]", "port": "1"})


def test_parameters_come_from_the_file_then_the_environment(tmp_path: Path) -> None:
    params = given(tmp_path, targetIp=" 192.0.2.1 ", port=443, rate="0.5", ssl="True", names=["a", "", "b"],
                   ports=["22", 80, ""], one=7, whole=3.0, empty="")
    assert params.ip("targetIp") == "192.0.2.1"
    assert params.integer("port", minimum=1, maximum=65535) == 443
    assert params.number("rate") == 0.5
    assert params.boolean("ssl") is True
    assert params.strings("names") == ["a", "b"]
    assert params.integers("ports") == [22, 80]
    assert params.integers("one") == [7]
    assert params.integer("whole") == 3
    assert params.integers("fromEnv") == [1, 2]
    assert params.string("empty", "x") == "x"
    assert params.integer("missing", 5) == 5


@pytest.mark.parametrize(("value", "method", "message"), [
    ("", "string", "parameter p is missing"),
    ([1], "string", r"parameter p must be a text, not \[1\]"),
    ("x", "integer", 'parameter p must be a number, not "x"'),
    (1.5, "integer", "parameter p must be a whole number, not 1.5"),
    (True, "integer", "parameter p must be a number, not true"),
    (float("nan"), "number", "parameter p must be a number"),
    ("maybe", "boolean", "parameter p must be true or false"),
    ([["x"]], "strings", "parameter p must be a list of texts"),
    (["x"], "integers", 'parameter p must be a number, not "x"'),
    ("a.example", "ip", "parameter p must be an IP address, not 'a.example'"),
    ("fe80::1%lo", "ip", "parameter p must be an IP address"),
])
def test_wrong_parameters_are_named(tmp_path: Path, value: Any, method: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        getattr(given(tmp_path, p=value), method)("p")


def test_bounds_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="parameter p must be in 1 to 10, not 11"):
        given(tmp_path, p=11).integer("p", minimum=1, maximum=10)
    file = tmp_path / "bad.json"
    file.write_text("[")
    for path in (file, tmp_path / "none.json"):
        with pytest.raises(ParameterError, match="cannot be read"):
            Parameters({"STALKER_PARAMS_FILE": str(path)}).string("p", "")
