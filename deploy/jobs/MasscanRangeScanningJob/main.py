"""Finds open TCP ports of a range with masscan.

It takes the parameters of TcpIpRangeScanningJob, so that a subscription can use either.
masscan sends single packets and keeps no account of them: what does not answer may
be lost on the way. So this job never says that a port is closed.
"""

from __future__ import annotations

import ipaddress
import re

from stalker_sdk import IpFinding, PortFinding, TextField, fail, log_finding, log_info, log_warning, params
from stalker_sdk.findings import port_ranges
from stalker_sdk.scan import port_list
from stalker_sdk.tool import Tool, ToolError, need

OPEN = re.compile(r"open (tcp|udp) (\d{1,5}) (\S{1,45}) \d+$")  # a line of masscan's list format


def opened(line: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> tuple[str, int] | None:
    """The address and port a line names; None for a comment, and for what was not asked for."""
    match = OPEN.match(line.strip())
    if not match or match[1] != "tcp" or not 1 <= int(match[2]) <= 65535:
        return None
    try:
        address = ipaddress.ip_address(match[3])
    except ValueError:
        return None
    return (str(address), int(match[2])) if address.version == network.version and address in network else None


def main() -> None:
    ip = params.ip("targetIp")
    mask = params.integer("targetMask", minimum=0, maximum=ipaddress.ip_address(ip).max_prefixlen)
    rate = params.integer("rate", 1000, minimum=1, maximum=1_000_000)
    first = params.integer("portMin", 1, minimum=1, maximum=65535)
    last = params.integer("portMax", 1000, minimum=1, maximum=65535)
    ports = port_list(first, last, params.integers("ports", [], minimum=1, maximum=65535))
    seconds = params.number("timeoutSeconds", 21000, minimum=1, maximum=86400)
    if not ports:
        fail(f"portMin ({first}) is above portMax ({last}) and ports is empty")
    network = ipaddress.ip_network(f"{ip}/{mask}", strict=False)
    program = need("masscan")
    hosts: set[str] = set()
    seen: set[tuple[str, int]] = set()
    try:
        tool = Tool(program, [str(network), "--ports", port_ranges(ports), "--rate", str(rate), "-oL", "-"], seconds)
        for line in tool.lines():
            if (found := opened(line, network)) is None or found in seen:
                continue
            seen.add(found)
            if found[0] not in hosts:
                hosts.add(found[0])
                log_finding(IpFinding("IpFinding", found[0], "Found host", type="IpFinding"))
            log_finding(PortFinding("PortFinding", *found, "tcp", "Found port", [TextField("protocol", "Protocol", "tcp")], type="PortFinding"))
        if tool.timed_out:
            log_warning(f"masscan was ended after {seconds:g} seconds: the rest of {network} was not looked at")
        else:
            tool.check()
    except ToolError as error:
        fail(str(error))
    log_info(f"{network}: {len(hosts)} hosts with {len(seen)} open ports")


if __name__ == "__main__":
    main()
