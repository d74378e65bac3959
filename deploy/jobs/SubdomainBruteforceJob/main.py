"""Finds names below a domain by asking for likely ones."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from stalker_sdk import DomainFinding, TextField, fail, log_debug, log_error, log_finding, log_info, params
from stalker_sdk.dns import Answer, DNSError, Resolver, normalise

WORDS = """
www mail ftp smtp pop imap webmail email mx mx1 mx2 ns ns1 ns2 ns3 dns dns1 dns2 autodiscover autoconfig admin administrator api api1 api2 app apps
auth login sso id accounts account portal intranet extranet vpn remote access gateway gw fw proxy citrix rdp ssh sftp cdn static assets img images
media files download downloads upload uploads docs doc wiki help support helpdesk status monitor monitoring grafana kibana prometheus jenkins ci cd git
gitlab github svn jira confluence redmine nexus registry docker k8s kube kubernetes rancher harbor vault consul dev dev1 dev2 development test test1
test2 testing qa uat stage staging preprod pre prod production demo sandbox beta alpha old new legacy backup backups bak archive db database mysql
postgres pg redis mongo elastic search es kafka mq rabbitmq sql ldap ad dc exchange owa lync sip voip pbx shop store cart pay payment payments billing
invoice crm erp hr sap blog news forum community cms wp wordpress drupal m mobile wap web web1 web2 www1 www2 www3 secure ssl server server1 host
host1 node node1 lb cluster cloud aws azure gcp s3 storage nas internal int corp office partner partners client clients customer customers panel cpanel
whm plesk phpmyadmin pma stats analytics tracking metrics log logs events graphql rest ws socket chat meet video stream live tv radio ntp time print
""".split()
PROBES = 3  # labels that nobody has: what they lead to is the wildcard's doing


@dataclass
class Wildcard:
    """What a name that nobody made leads to."""

    addresses: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)

    def explains(self, answer: Answer) -> bool:
        """Whether an answer is nothing but the wildcard's."""
        if not self.addresses and not self.aliases:
            return False
        return bool(self.aliases.intersection(answer.aliases)) or bool(answer.addresses) and self.addresses.issuperset(answer.addresses)


def wildcard(resolver: Resolver, domain: str) -> Wildcard:
    """Raises DNSError when nobody answers."""
    found = Wildcard()
    for _ in range(PROBES):
        answer = resolver.resolve(f"{secrets.token_hex(8)}.{domain}")
        found.addresses.update(answer.addresses)
        found.aliases.update(answer.aliases)
    return found


def try_name(resolver: Resolver, name: str, wild: Wildcard) -> bool | None:
    """Publishes a name that exists. None when no server answered."""
    try:
        answer = resolver.resolve(name)
    except DNSError as error:
        log_debug(str(error))
        return None
    if not answer.exists or wild.explains(answer):
        return False
    # a name may exist without an address, such as one that has only names below it
    if answer.addresses or answer.aliases:
        log_finding(DomainFinding("HostnameFinding", name, type="HostnameFinding"),
                    *(DomainFinding("HostnameIpFinding", name, ip, type="HostnameIpFinding") for ip in answer.addresses))
        return True
    return False


def main() -> None:
    domain = params.string("domainName").strip().rstrip(".").lower()
    words = [w.strip().strip(".").lower() for w in params.strings("words", []) if w.strip()] or WORDS
    workers = params.integer("concurrency", 16, minimum=1, maximum=200)
    names = []
    for word in dict.fromkeys(words):
        try:
            names.append(normalise(f"{word}.{domain}"))
        except (ValueError, DNSError):
            log_error(f"{word[:80]!r} is no label of a name")
    if not names:
        fail("there is no name to ask for")
    try:
        resolver = Resolver.from_env()
        wild = wildcard(resolver, domain)
    except DNSError as error:
        fail(str(error))
    if wild.addresses or wild.aliases:
        leads = ",".join(sorted(wild.addresses | wild.aliases)[:20])
        log_info(f"*.{domain} is a wildcard: any name leads to {leads}")
        log_finding(DomainFinding("WildcardDomainFinding", domain, None, "Wildcard", [TextField("leadsTo", "Leads to", leads)]))
    with ThreadPoolExecutor(workers) as pool:
        results = list(pool.map(lambda name: try_name(resolver, name, wild), names))
    if all(r is None for r in results):
        fail(f"none of {len(names)} questions was answered")
    log_info(f"asked for {len(names)} names: {results.count(True)} exist, {results.count(None)} without an answer")


if __name__ == "__main__":
    main()
