"""Finds the hosts of a range that have open TCP ports.

Addresses and ports are tried in random order. A range is limited to LIMIT pairs of
address and port (a /22 with 4,096 ports, a /20 with 1,024): at the default rate that
is a quarter of an hour. A larger range is refused with a mask that fits. In the end it says what it looked for:
ports that are not open any more are closed from then on.
"""

import ipaddress
import random

from stalker_sdk import IpFinding, PortFinding, TextField, fail, log_finding, log_info, params
from stalker_sdk.scan import Scanner, coverage, port_list, sweep

LIMIT = 1 << 22
CONCURRENCY = 4000
TIMEOUT = 0.7


def main() -> None:
    ip = params.ip("targetIp")
    bits = ipaddress.ip_address(ip).max_prefixlen
    mask = params.integer("targetMask", minimum=0, maximum=bits)
    rate = params.number("rate", 5000, minimum=0, maximum=1_000_000)
    first = params.integer("portMin", 1, minimum=1, maximum=65535)
    last = params.integer("portMax", 1000, minimum=1, maximum=65535)
    ports = port_list(first, last, params.integers("ports", [], minimum=1, maximum=65535))
    if not ports:
        fail(f"portMin ({first}) is above portMax ({last}) and ports is empty")
    network = ipaddress.ip_network(f"{ip}/{mask}", strict=False)
    if (pairs := network.num_addresses * len(ports)) > LIMIT:
        fits = bits - (LIMIT // len(ports)).bit_length() + 1
        fail(f"{network} with {len(ports)} ports makes {pairs} connections, at most {LIMIT} are allowed: "
             f"split it into ranges of /{fits} or longer, or ask for fewer ports")

    scanner = Scanner(CONCURRENCY, TIMEOUT, rate)
    hosts: set[str] = set()
    for address, port in scanner.scan(sweep(network, ports, random.Random())):
        if address not in hosts:
            hosts.add(address)
            log_finding(IpFinding("IpFinding", address, "Found host", type="IpFinding"))
        log_finding(PortFinding("PortFinding", address, port, "tcp", "Found port",
                                [TextField("protocol", "Protocol", "tcp")], type="PortFinding"))
    counts = scanner.counts
    if counts.failed == counts.tried:
        fail(f"{network} cannot be reached from here: {counts.problem}")
    log_finding(*coverage(network, ports, scanner))
    log_info(f"{network}: {len(hosts)} hosts with {counts.open} open ports; "
             f"{counts.closed} closed, {counts.silent} silent, {counts.failed} not tried")


if __name__ == "__main__":
    main()
