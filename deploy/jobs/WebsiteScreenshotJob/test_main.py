from __future__ import annotations

import base64
import importlib.util
import shutil
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

IP = "127.0.30.45"
PAGE = (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<!doctype html><title>x</title>"
        b"<body style='background:#c00'><img src='http://elsewhere.example:%d/'><img src='http://127.0.30.46:%d/'>")

browser = pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")


def picture(finding: dict[str, Any], told: Any) -> bytes:
    text = told(finding)["image"]
    assert text.startswith("data:image/webp;base64,")
    return base64.b64decode(text.partition(",")[2], validate=True)


def size(image: bytes) -> tuple[int, int]:
    """The width and height in the head of a lossy WebP."""
    assert image[:4] == b"RIFF" and image[8:15] == b"WEBPVP8"
    if image[15:16] == b"X":
        return 1 + int.from_bytes(image[24:27], "little"), 1 + int.from_bytes(image[27:30], "little")
    width, height = struct.unpack("<HH", image[26:30])
    return width & 0x3FFF, height & 0x3FFF


@browser
def test_a_real_page_by_name_and_nothing_else(run_job: Callable[..., Any], tcp: Callable[..., int], web: Any, told: Any) -> None:
    asked: list[bytes] = []
    others: list[socket.socket] = []
    other = tcp(others.append, "127.0.30.46")
    port = tcp(web(PAGE % (other, other), asked), IP)
    done = run_job("WebsiteScreenshotJob", targetIp=IP, port=port, domainName="shot.example", ssl=False, width=800, height=600)
    assert done.code == 0, done
    (finding,) = done.findings
    assert (finding["key"], finding["ip"], finding["port"], finding["domainName"], finding["path"]) == ("WebsiteScreenshotFinding", IP, port, "shot.example", "/")
    assert size(picture(finding, told)) == (800, 600)
    assert asked and f"Host: shot.example:{port}".encode() in asked[0]
    assert not others, "the browser reached a host that the page named"


@browser
def test_tls_by_address(run_job: Callable[..., Any], tcp: Callable[..., int], web: Any, told: Any) -> None:
    port = tcp(web(PAGE % (1, 1)), IP, tls=True)
    done = run_job("WebsiteScreenshotJob", targetIp=IP, port=port, finding="MyFinding", endpoint="/login")
    assert done.code == 0 and done.findings[0]["key"] == "MyFinding", done
    assert told(done.findings[0])["endpoint"] == f"https://{IP}:{port}/login" and picture(done.findings[0], told)


@browser
def test_ipv6(run_job: Callable[..., Any], ipv6: None, tcp: Callable[..., int], web: Any, told: Any) -> None:
    port = tcp(web(PAGE % (1, 1)), "::1")
    for domain in ("", "six.example"):
        done = run_job("WebsiteScreenshotJob", targetIp="::1", port=port, ssl=False, domainName=domain)
        assert done.code == 0 and picture(done.findings[0], told), done


@browser
def test_a_page_that_cannot_be_had(run_job: Callable[..., Any]) -> None:
    with socket.create_server((IP, 0)) as listener:
        port = listener.getsockname()[1]
    done = run_job("WebsiteScreenshotJob", targetIp=IP, port=port, ssl=False)
    assert done.code == 1 and "cannot be shown: net::ERR_CONNECTION_REFUSED" in "\n".join(done.logs), done


def test_a_browser_without_sandbox_is_asked_again(monkeypatch: pytest.MonkeyPatch, program: Callable[..., str], tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("screenshot_main", Path(__file__).with_name("main.py"))
    assert spec is not None and spec.loader is not None
    main = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(main)
    path = program("chromium", f'echo "$@" >>{tmp_path}/calls\ncase "$1" in --no-sandbox) ;; *) echo "FATAL: No usable sandbox!" >&2; exit 133;; esac')
    for user, calls in ((1000, ["--x", "--no-sandbox --x"]), (0, ["--no-sandbox --x"])):
        monkeypatch.setattr("os.getuid", lambda user=user: user)
        main.take(path.split(":")[0] + "/chromium", ["--x"], 60)
        assert (tmp_path / "calls").read_text().splitlines() == calls
        (tmp_path / "calls").unlink()


def test_its_failures_are_the_jobs(run_job: Callable[..., Any], program: Callable[..., str]) -> None:
    done = run_job("WebsiteScreenshotJob", {"PATH": "/nowhere"}, targetIp=IP)
    assert done.code == 1 and "chromium is not installed here" in "\n".join(done.logs)
    done = run_job("WebsiteScreenshotJob", {"PATH": program("chromium", "echo broken >&2; exit 5")}, targetIp=IP)
    assert done.code == 1 and "chromium ended with code 5: broken" in "\n".join(done.logs)
    done = run_job("WebsiteScreenshotJob", targetIp=IP, domainName="a.example, MAP * 10.0.0.1")
    assert done.code == 1 and "is no host name" in "\n".join(done.logs)
