from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_hosts_with_open_ports_are_found(run_job: Callable[..., Any], tcp: Callable[..., int], says: Any, told: Any) -> None:
    first, second = tcp(says(b""), "127.0.31.2"), tcp(says(b""), "127.0.31.5")
    outside = tcp(says(b""), "127.0.31.9")
    ports = [first, second, outside]
    done = run_job("TcpIpRangeScanningJob", targetIp="127.0.31.6", targetMask=29, rate=0, portMin=9, portMax=9, ports=ports)
    assert done.code == 0, done
    assert sorted(f["ip"] for f in done.about("IpFinding")) == ["127.0.31.2", "127.0.31.5"]
    assert sorted((f["ip"], f["port"]) for f in done.about("PortFinding")) == [("127.0.31.2", first), ("127.0.31.5", second)]
    for ip in ("127.0.31.2", "127.0.31.5"):
        kinds = [f["key"] for f in done.findings if f["ip"] == ip]
        assert kinds[0] == "IpFinding", "a host comes before its ports"
    covered = done.findings[-1]
    assert (covered["key"], covered["ip"], covered["mask"]) == ("CoverageFinding", "127.0.31.0", 29)
    assert told(covered)["ports"].startswith("9,")


def test_ipv6_ranges(run_job: Callable[..., Any], ipv6: None, tcp: Callable[..., int], says: Any) -> None:
    port = tcp(says(b""), "::1")
    done = run_job("TcpIpRangeScanningJob", targetIp="::1", targetMask=128, portMin=port, portMax=port)
    assert [(f["ip"], f["port"]) for f in done.about("PortFinding")] == [("::1", port)]


def test_absurd_sizes_are_refused_with_a_way_out(run_job: Callable[..., Any]) -> None:
    done = run_job("TcpIpRangeScanningJob", targetIp="127.0.0.0", targetMask=8)
    assert done.code == 1
    assert "split it into ranges of /20 or longer" in done.logs[-1]
    done = run_job("TcpIpRangeScanningJob", targetIp="::1", targetMask=0, portMin=1, portMax=1)
    assert done.code == 1 and "/106 or longer" in done.logs[-1]
    assert run_job("TcpIpRangeScanningJob", targetIp="127.0.0.1", targetMask=33).code == 1
