"""Resolves domain names and says which hosts they lead to."""

from concurrent.futures import ThreadPoolExecutor

from stalker_sdk import DomainFinding, fail, log_debug, log_error, log_finding, log_info, params
from stalker_sdk.dns import DNSError, Resolver

CONCURRENCY = 16


def resolve(resolver: Resolver, name: str) -> bool:
    """Publishes the addresses of one name; False when no server answered."""
    try:
        answer = resolver.resolve(name)
    except DNSError as error:
        log_error(str(error))
        return False
    if answer.aliases:
        log_debug(f"{name} is an alias of {' → '.join(answer.aliases)}")
    if not answer.addresses:
        log_info(f"{name} {'has no addresses' if answer.exists else 'does not exist'}")
    log_finding(*(DomainFinding("HostnameIpFinding", name, ip, type="HostnameIpFinding") for ip in answer.addresses))
    return True


def main() -> None:
    names = params.strings("domainNames", []) + [params.string("domainName", "")]
    names = list(dict.fromkeys(name.strip().rstrip(".").lower() for name in names if name.strip()))
    if not names:
        fail("give the names to resolve in domainNames")
    try:
        resolver = Resolver.from_env()
    except DNSError as error:
        fail(str(error))
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        answered = list(pool.map(lambda name: resolve(resolver, name), names))
    if not any(answered):
        fail(f"none of {len(names)} names could be asked for; see the errors above")
    log_info(f"asked for {len(names)} names, {answered.count(False)} without an answer")


if __name__ == "__main__":
    main()
