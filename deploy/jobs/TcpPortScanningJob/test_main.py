from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

IP = "127.0.30.20"


def test_open_ports_become_findings(run_job: Callable[..., Any], tcp: Callable[..., int], says: Any, told: Any) -> None:
    ports = {tcp(says(b""), IP) for _ in range(3)}
    done = run_job("TcpPortScanningJob", targetIp=IP, portMin=min(ports), portMax=min(ports), ports=sorted(ports))
    assert done.code == 0, done
    found = done.about("PortFinding")
    assert {f["port"] for f in found} == ports and len(found) == 3
    for finding in found:
        assert (finding["type"], finding["key"], finding["ip"], finding["protocol"]) == ("PortFinding", "PortFinding", IP, "tcp")
        assert told(finding) == {"protocol": "tcp"}


def test_what_was_looked_for_is_said_last(run_job: Callable[..., Any], tcp: Callable[..., int], says: Any, told: Any) -> None:
    port = tcp(says(b""), IP)
    done = run_job("TcpPortScanningJob", targetIp=IP, portMin=1, portMax=100, ports=[port, 102])
    last = done.findings[-1]
    assert (last["type"], last["key"], last["ip"]) == ("CustomFinding", "CoverageFinding", IP) and "mask" not in last
    assert told(last) == {"ports": f"1-100,102,{port}", "protocol": "tcp"}
    assert len(done.about("CoverageFinding")) == 1


def test_ipv6(run_job: Callable[..., Any], ipv6: None, tcp: Callable[..., int], says: Any) -> None:
    port = tcp(says(b""), "::1")
    done = run_job("TcpPortScanningJob", targetIp="::1", portMin=port, portMax=port, ports=[])
    assert [(f["ip"], f["port"]) for f in done.about("PortFinding")] == [("::1", port)]


def test_a_whole_address_is_quick(run_job: Callable[..., Any], tcp: Callable[..., int], says: Any) -> None:
    port = tcp(says(b""), IP)
    began = time.monotonic()
    done = run_job("TcpPortScanningJob", targetIp=IP, threads=1000, portMin=1, portMax=65535, ports=[])
    assert done.code == 0 and port in {f["port"] for f in done.about("PortFinding")}
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(("parameters", "message"), [
    ({}, "parameter targetIp is missing"),
    ({"targetIp": "lab.example"}, "parameter targetIp must be an IP address"),
    ({"targetIp": IP, "portMin": 10, "portMax": 9}, "portMin (10) is above portMax (9)"),
    ({"targetIp": IP, "portMax": 65536}, "parameter portMax must be in 1 to 65535, not 65536"),
    ({"targetIp": IP, "socketTimeoutSeconds": 0}, "parameter socketTimeoutSeconds must be in"),
    ({"targetIp": "255.255.255.255", "portMax": 2, "ports": []}, "255.255.255.255 cannot be reached from here"),
])
def test_failures(run_job: Callable[..., Any], parameters: dict[str, Any], message: str) -> None:
    done = run_job("TcpPortScanningJob", **parameters)
    assert done.code == 1 and done.findings == []
    assert any(message in line for line in done.logs), done.logs
