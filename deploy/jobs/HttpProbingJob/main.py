"""Requests a website once and reports what its answer tells."""

from __future__ import annotations

from stalker_sdk import Finding, TextField, WebsiteFinding, build_url, fail, log_error, log_finding, log_info, params
from stalker_sdk.convert import clean
from stalker_sdk.html import Page, read_page
from stalker_sdk.http1 import Response, get
from stalker_sdk.technologies import Technology, detect
from stalker_sdk.wire import WireError
from stalker_sdk.x509 import CertificateError, certificate_fields, parse


class Site:
    """The website probed; makes findings about it."""

    def __init__(self, ip: str, port: int, domain: str, path: str, ssl: bool) -> None:
        self.ip, self.port, self.domain, self.path, self.ssl = ip, port, domain, path, ssl
        self.url = build_url(ip, port, domain, path, ssl)

    def finding(self, key: str, name: str, fields: list[TextField]) -> Finding:
        present = [field for field in fields if field.data not in (None, "")]
        return WebsiteFinding(key, self.ip, self.port, self.domain, self.path, self.ssl, name, present)


def response_finding(site: Site, response: Response, page: Page) -> Finding:
    return site.finding("WebsiteResponseFinding", "Website response", [
        TextField("statusCode", "Status code", response.status),
        TextField("title", "Title", clean(page.title, 300)),
        TextField("server", "Server", clean(response.header("server"), 200)),
        TextField("contentType", "Content type", clean(response.header("content-type"), 200)),
        TextField("contentLength", "Content length", content_length(response)),
        TextField("location", "Location", clean(response.header("location"), 2000)),
    ])


def content_length(response: Response) -> int:
    """What the server says, else what came."""
    said = response.header("content-length")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 16 else len(response.body)


def technology_finding(site: Site, technology: Technology) -> Finding:
    return site.finding("WebsiteTechnologyFinding", "Website technology", [
        TextField("technology", "Technology", technology.name), TextField("version", "Version", technology.version)])


def certificate_finding(site: Site, der: bytes) -> Finding:
    """Raises CertificateError."""
    return site.finding("CertificateFinding", "Certificate", certificate_fields(parse(der)))


def main() -> None:
    site = Site(params.ip("targetIp"), params.integer("port", 443, minimum=1, maximum=65535),
                params.string("domainName", "").strip().rstrip(".").lower(), params.string("path", "/"),
                params.boolean("ssl", True))
    seconds = params.number("timeoutSeconds", 10.0, minimum=1, maximum=60)
    try:
        response = get(site.ip, site.port, host=site.domain, path=site.path, tls=site.ssl, seconds=seconds)
    except WireError as error:
        fail(f"{site.url} at {site.ip}: {error}")
    page = read_page(response.body, response.header("content-type"))
    log_info(f"{site.url} at {site.ip}: {response.status} {clean(page.title, 100)}".rstrip())
    log_finding(response_finding(site, response, page))
    log_finding(*(technology_finding(site, technology) for technology in detect(response, page)))
    if response.certificate:
        try:
            log_finding(certificate_finding(site, response.certificate))
        except CertificateError as error:
            log_error(f"the certificate of {site.url} cannot be read: {error}")


if __name__ == "__main__":
    main()
