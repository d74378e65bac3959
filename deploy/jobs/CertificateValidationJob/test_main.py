from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

IP = "127.0.30.61"
CERT = Path(__file__).parents[2] / "sdk" / "tests" / "testdata" / "cert.pem"


def test_a_certificate_that_nobody_signed(run_job: Callable[..., Any], tcp: Callable[..., int], says: Any, told: Any) -> None:
    port = tcp(says(b""), IP, tls=True)
    done = run_job("CertificateValidationJob", targetIp=IP, port=port, domainName="www.lab.example")
    assert done.code == 0, done
    (facts,), (problem,) = done.about("CertificateFinding"), done.about("CertificateProblemFinding")
    assert (facts["type"], facts["ip"], facts["port"], facts["domainName"], facts["ssl"]) == ("CustomFinding", IP, port, "www.lab.example", True)
    got = told(facts)
    assert got["trusted"] is False and got["selfSigned"] is True and got["tlsVersion"] == "TLSv1.3" and got["daysLeft"] > 30_000
    assert told(problem) == {"problems": "it is self-signed", "problemCount": 1}


def test_trust_and_names(run_job: Callable[..., Any], tcp: Callable[..., int], says: Any, told: Any) -> None:
    port = tcp(says(b""), IP, tls=True)
    trusting = {"SSL_CERT_FILE": str(CERT), "SSL_CERT_DIR": "/nonexistent"}
    for name, problem in {"www.lab.example": "", "x.lab.example": "", "other.example": "it is for other names", "": "it is for other addresses"}.items():
        done = run_job("CertificateValidationJob", trusting, targetIp=IP, port=port, domainName=name)
        got = told(done.about("CertificateFinding")[0])
        assert got["trusted"] is (problem == ""), (name, done)
        assert [told(f)["problems"] for f in done.about("CertificateProblemFinding")] == ([problem] if problem else []), name
    done = run_job("CertificateValidationJob", trusting, targetIp=IP, port=port, domainName="www.lab.example", warnDays=0)
    assert done.code == 0


def test_without_authorities_nothing_is_called_untrusted(run_job: Callable[..., Any], tcp: Callable[..., int], says: Any, told: Any) -> None:
    port = tcp(says(b""), IP, tls=True)
    done = run_job("CertificateValidationJob", {"SSL_CERT_FILE": "/nonexistent", "SSL_CERT_DIR": "/nonexistent"}, targetIp=IP, port=port)
    assert "trusted" not in told(done.about("CertificateFinding")[0]) and not done.about("CertificateProblemFinding")
    assert any("ca-certificates" in line for line in done.logs)


def test_no_tls_is_a_failure(run_job: Callable[..., Any], tcp: Callable[..., int], says: Any) -> None:
    port = tcp(says(b"SSH-2.0-x\r\n"), IP)
    done = run_job("CertificateValidationJob", targetIp=IP, port=port)
    assert done.code == 1 and "no TLS" in done.logs[-1]
