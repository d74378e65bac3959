from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

# What masscan 1.3.2 printed with -oL - about a network of two hosts, and lines that it must not say.
PRINTED = """#masscan
open tcp 8080 192.0.2.2 1795627439
open tcp 80 192.0.2.1 1795627440
open tcp 8080 192.0.2.2 1795627441
banner tcp 80 192.0.2.1 1795627441 http HTTP/1.1 200 OK
open udp 53 192.0.2.1 1795627441
open tcp 22 198.51.100.9 1795627441
open tcp 99999 192.0.2.1 1795627441
open tcp 22 not-an-address 1795627441
# end
"""


def scan(run_job: Callable[..., Any], program: Callable[..., str], body: str, **more: Any) -> Any:
    return run_job("MasscanRangeScanningJob", {"PATH": program("masscan", body), "STALKER_TOKEN": "t0ken"},
                   targetIp="192.0.2.1", targetMask=30, portMin=80, portMax=81, ports=[8080], **more)


def test_what_masscan_finds(run_job: Callable[..., Any], program: Callable[..., str], tmp_path: Path) -> None:
    done = scan(run_job, program, f'echo "$@" >{tmp_path}/asked; env >{tmp_path}/environment\ncat <<"X"\n{PRINTED}X', rate=50)
    assert done.code == 0, done
    assert [(f["key"], f["ip"], f.get("port")) for f in done.findings] == [
        ("IpFinding", "192.0.2.2", None), ("PortFinding", "192.0.2.2", 8080), ("IpFinding", "192.0.2.1", None), ("PortFinding", "192.0.2.1", 80)]
    assert (tmp_path / "asked").read_text().split() == ["192.0.2.0/30", "--ports", "80-81,8080", "--rate", "50", "-oL", "-"]
    assert "t0ken" not in (tmp_path / "environment").read_text()


def test_its_failures_are_the_jobs(run_job: Callable[..., Any], program: Callable[..., str]) -> None:
    done = scan(run_job, program, "echo '[-] FAIL: failed to load libpcap shared library' >&2; exit 1")
    assert done.code == 1 and "masscan ended with code 1: [-] FAIL: failed to load libpcap" in "\n".join(done.logs)
    done = run_job("MasscanRangeScanningJob", {"PATH": "/nowhere"}, targetIp="192.0.2.1", targetMask=30)
    assert done.code == 1 and "masscan is not installed here" in "\n".join(done.logs)


def test_out_of_time_keeps_what_was_found(run_job: Callable[..., Any], program: Callable[..., str]) -> None:
    done = scan(run_job, program, f'cat <<"X"\n{PRINTED}X\nsleep 600', timeoutSeconds=10)
    assert done.code == 0 and len(done.findings) == 4
    assert any("was ended after 10 seconds" in line for line in done.logs)
