"""Validates a website's certificate, with this machine's certificate authorities."""

from __future__ import annotations

import os
import socket
import ssl
import warnings
from datetime import UTC, datetime

from stalker_sdk import Finding, TextField, WebsiteFinding, fail, log_error, log_finding, log_info, params
from stalker_sdk.convert import clean
from stalker_sdk.wire import Deadline, Stream, WireError
from stalker_sdk.x509 import CertificateError, certificate_fields, parse

OLD = {"TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1}
# OpenSSL's numbers (X509_V_ERR_…) of what people should read in other words
REASONS = {9: "it is not valid yet", 10: "it has expired", 18: "it is self-signed", 19: "its chain ends in an authority that nobody trusts",
           20: "the certificate of its issuer is missing, or nobody trusts it", 21: "the chain that the server sends is incomplete",
           23: "it was revoked", 62: "it is for other names", 64: "it is for other addresses"}


def authorities() -> bool:
    """Whether this machine knows any certificate authority: without one nothing can be called untrusted."""
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile and os.path.getsize(paths.cafile)) or bool(paths.capath and os.listdir(paths.capath))


def verdict(ip: str, port: int, name: str, seconds: float) -> str:
    """Why a browser would refuse the certificate, "" when it would not. Raises WireError."""
    context = ssl.create_default_context()
    try:
        with socket.create_connection((ip, port), seconds) as sock, context.wrap_socket(sock, server_hostname=name):
            return ""
    except ssl.SSLCertVerificationError as error:
        return REASONS.get(error.verify_code, clean(error.verify_message, 200))
    except (OSError, ValueError) as error:
        raise WireError(f"no TLS: {error}") from error


def speaks(ip: str, port: int, name: str, version: ssl.TLSVersion, seconds: float) -> bool:
    """Whether the peer completes a handshake in one old version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        with socket.create_connection((ip, port), seconds) as sock, context.wrap_socket(sock, server_hostname=name or None):
            return True
    except (OSError, ValueError):
        return False


def main() -> None:
    ip, port = params.ip("targetIp"), params.integer("port", 443, minimum=1, maximum=65535)
    domain, path = params.string("domainName", "").strip().rstrip(".").lower(), params.string("path", "/")
    seconds = params.number("timeoutSeconds", 10.0, minimum=1, maximum=60)
    warn = params.integer("warnDays", 30, minimum=0, maximum=3650)

    def finding(key: str, name: str, fields: list[TextField]) -> Finding:
        return WebsiteFinding(key, ip, port, domain, path, True, name, fields)

    try:
        with Stream(ip, port, Deadline(seconds)) as stream:
            stream.start_tls(domain)
            certificate, tls = parse(stream.certificate), stream.tls_version
        refused = verdict(ip, port, domain or ip, seconds) if authorities() else None
    except (WireError, CertificateError) as error:
        fail(f"{domain or ip}:{port}: {error}")
    if refused is None:
        log_error("this machine has no certificate authorities (package ca-certificates): trust is not judged")
    left = (certificate.not_after - datetime.now(UTC)).days
    problems = [refused] if refused else []
    if 0 <= left < warn:
        problems.append(f"it ends in {left} days")
    problems += [f"the server still speaks {name}" for name, version in OLD.items() if speaks(ip, port, domain, version, seconds)]
    trust = [] if refused is None else [TextField("trusted", "Trusted", not refused)]
    log_finding(finding("CertificateFinding", "Certificate", [
        *certificate_fields(certificate), TextField("daysLeft", "Days left", left), TextField("tlsVersion", "TLS version", tls), *trust]))
    if problems:
        log_finding(finding("CertificateProblemFinding", "Certificate problem", [
            TextField("problems", "Problems", "; ".join(problems)), TextField("problemCount", "Number of problems", len(problems))]))
    log_info(f"{domain or ip}:{port}: {'; '.join(problems) or 'nothing is wrong with the certificate'}")


if __name__ == "__main__":
    main()
