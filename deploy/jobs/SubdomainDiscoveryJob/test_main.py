from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

# What subfinder 2 prints with -json, and what nobody should take from it.
PRINTED = r"""{"host":"www.lab.example","input":"lab.example","source":"crtsh"}
{"host":"WWW.lab.example.","input":"lab.example","source":"hackertarget"}
{"host":"*.dev.lab.example","input":"lab.example","source":"crtsh"}
{"host":"lab.example","input":"lab.example","source":"crtsh"}
{"host":"notlab.example","input":"lab.example","source":"x"}
{"host":"a b.lab.example","input":"lab.example","source":"x"}
{"host":"\u001b[31m.lab.example","input":"lab.example","source":"x"}
{"host":7}
[1]
not JSON
"""


def test_names_below_a_domain(run_job: Callable[..., Any], program: Callable[..., str], told: Any, tmp_path: Path) -> None:
    path = program("subfinder", f'echo "$@" >{tmp_path}/asked\ncat <<"X"\n{PRINTED}X')
    done = run_job("SubdomainDiscoveryJob", {"PATH": path}, domainName=" Lab.Example. ", sources=["crtsh"], providerConfig="shodan: [k3y]")
    assert done.code == 0, done
    assert [(f["key"], f["domainName"], told(f)["source"]) for f in done.findings] == [
        ("HostnameFinding", "www.lab.example", "crtsh"), ("HostnameFinding", "dev.lab.example", "crtsh")]
    asked = (tmp_path / "asked").read_text()
    assert "-domain lab.example -json -silent" in asked and "-sources crtsh -provider-config" in asked and "k3y" not in asked
    assert "k3y" in (tmp_path / "provider-config.yaml").read_text()
    assert (tmp_path / "provider-config.yaml").stat().st_mode & 0o077 == 0


def test_one_domain_that_fails_does_not_hide_the_other(run_job: Callable[..., Any], program: Callable[..., str]) -> None:
    path = program("subfinder", 'case "$2" in bad.example) echo "[ERR] no sources" >&2; exit 1;; esac\n'
                                'echo \'{"host":"a.good.example","source":"crtsh"}\'')
    done = run_job("SubdomainDiscoveryJob", {"PATH": path}, domainNames=["bad.example", "good.example"])
    assert done.code == 1 and [f["domainName"] for f in done.findings] == ["a.good.example"]
    assert any("1 of 2 domains failed, bad.example: subfinder ended with code 1: [ERR] no sources" in line for line in done.logs)


def test_what_cannot_be_asked_is_refused(run_job: Callable[..., Any], program: Callable[..., str]) -> None:
    path = program("subfinder", "exit 9")
    for parameters, want in (
            ({"domainName": "-oX"}, "no domain names"), ({"domainName": ""}, "give domainNames"), ({"domainName": "a.example", "sources": ["x -o y"]}, "no names of sources")):
        done = run_job("SubdomainDiscoveryJob", {"PATH": path}, **parameters)
        assert done.code == 1 and want in "\n".join(done.logs)
    done = run_job("SubdomainDiscoveryJob", {"PATH": "/nowhere"}, domainName="a.example")
    assert done.code == 1 and "subfinder is not installed here" in "\n".join(done.logs)
