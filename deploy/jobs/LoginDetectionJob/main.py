"""Looks whether a page asks for a password."""

from __future__ import annotations

from stalker_sdk import TagFinding, TextField, WebsiteFinding, build_url, fail, log_finding, log_info, params
from stalker_sdk.html import decode
from stalker_sdk.http1 import Response, get
from stalker_sdk.links import join, path, read, site
from stalker_sdk.wire import WireError

REDIRECTS = 5
SECONDS = 15.0


def clean(text: str, most: int = 500) -> str:
    """Printable text of a hostile peer, cut."""
    return "".join(c if c.isprintable() else " " for c in text)[:most]


def asks(response: Response, url: str) -> tuple[str, str]:
    """How a page asks for a password, and where it sends it; ("", "") when it does not."""
    if response.status == 401 and (challenge := response.header("www-authenticate")):
        return f"HTTP authentication: {clean(challenge, 200)}", url
    for form in read(decode(response.body, response.header("content-type")), url)[1]:
        if any(kind == "password" for kind, _ in form.inputs):
            return "a form with a password", join(url, form.action) or url
    return "", ""


def main() -> None:
    ip, port = params.ip("targetIp"), params.integer("port", 443, minimum=1, maximum=65535)
    domain, first, tls = params.string("domainName", "").strip().rstrip(".").lower(), params.string("path", "/"), params.boolean("ssl", True)
    url = join(build_url(ip, port, domain, params.string("endpoint", "") or first, tls), "")
    here = site(url)
    for _ in range(REDIRECTS):
        try:
            response = get(ip, port, host=domain, path=path(url), tls=tls, seconds=SECONDS)
        except WireError as error:
            fail(f"{url} at {ip}: {error}")
        target = join(url, response.header("location")) if 300 <= response.status < 400 else ""
        if not target or site(target) != here:
            break
        url = target
    how, action = asks(response, url)
    if not how:
        log_info(f"{url} asks for no password")
        return
    log_finding(
        WebsiteFinding(params.string("outputFindingName", "WebsiteLoginPortal"), ip, port, domain, first, tls, "Login", [
            TextField("url", "URL", clean(url, 2000)), TextField("endpoint", "Endpoint", clean(path(url), 2000)),
            TextField("description", "How it asks", how), TextField("action", "Where it sends it", clean(action, 2000))]),
        TagFinding("Login", ip, port, "tcp", domain, first))
    log_info(f"{url}: {how}")


if __name__ == "__main__":
    main()
