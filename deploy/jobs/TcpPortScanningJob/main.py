"""Finds the open TCP ports of one host by connecting to them.

In the end it says which ports it looked for: those that are not open any more are
closed from then on.
"""

import ipaddress
import random

from stalker_sdk import PortFinding, TextField, fail, log_finding, log_info, params
from stalker_sdk.scan import Scanner, coverage, port_list


def main() -> None:
    ip = params.ip("targetIp")
    threads = params.integer("threads", 100, minimum=1, maximum=4000)
    timeout = params.number("socketTimeoutSeconds", 0.7, minimum=0.01, maximum=3)
    first = params.integer("portMin", 1, minimum=1, maximum=65535)
    last = params.integer("portMax", 1000, minimum=1, maximum=65535)
    extra = params.integers("ports", [3000, 3389, 8000, 8080, 8443], minimum=1, maximum=65535)
    if first > last:
        fail(f"portMin ({first}) is above portMax ({last})")
    ports = port_list(first, last, extra)
    random.shuffle(ports)

    scanner = Scanner(threads, timeout)
    for _, port in scanner.scan((ip, port) for port in ports):
        log_finding(PortFinding("PortFinding", ip, port, "tcp", "Found port",
                                [TextField("protocol", "Protocol", "tcp")], type="PortFinding"))
    counts = scanner.counts
    if counts.failed == counts.tried:
        fail(f"{ip} cannot be reached from here: {counts.problem}")
    log_finding(*coverage(ipaddress.ip_network(ip), ports, scanner))
    log_info(f"{ip}: {counts.open} ports open, {counts.closed} closed, {counts.silent} silent, {counts.failed} not tried")


if __name__ == "__main__":
    main()
