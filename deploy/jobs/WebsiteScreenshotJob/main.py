"""Takes a picture of a website with Chromium.

The page is hostile. The browser is new for each picture, gets no credential, connects the
site's name to the address it is about, and no other name to anything unless thirdParties is set.
"""

from __future__ import annotations

import base64
import os
import re
import tempfile
from pathlib import Path

from stalker_sdk import ImageField, TextField, WebsiteFinding, build_url, fail, log_finding, log_info, log_warning, params
from stalker_sdk.convert import clean
from stalker_sdk.links import join
from stalker_sdk.tool import Tool, ToolError, need

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "headless-shell")
MAX_IMAGE = 4 << 20
NAME = re.compile(r"[a-z0-9_.-]{1,253}$")
FAILED = re.compile(r"Page load failed: (\S+)")
NO_SANDBOX = re.compile(r"[Nn]o usable sandbox|zygote_host_impl_linux|Failed to move to new namespace")


def rules(ip: str, domain: str, third_parties: bool) -> str:
    """What names lead to, in the browser (its --host-resolver-rules)."""
    address = f"[{ip}]" if ":" in ip else ip
    first = [f"MAP {domain} {address}"] if domain else []
    return ", ".join(first if third_parties else [*first, "MAP * ~NOTFOUND", f"EXCLUDE {ip}", f"EXCLUDE {address}"])


def command(url: str, port: int, resolve: str, size: tuple[int, int], profile: Path, picture: Path) -> list[str]:
    return [
        "--headless=new", "--disable-gpu", "--hide-scrollbars", "--mute-audio", "--no-first-run", "--disable-extensions", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-dev-shm-usage",
        "--disable-features=Translate,MediaRouter,OptimizationHints", "--ignore-certificate-errors", "--deny-permission-prompts",
        "--proxy-server=direct://", f"--explicitly-allowed-ports={port}", f"--window-size={size[0]},{size[1]}", f"--user-data-dir={profile}",
        f"--host-resolver-rules={resolve}", "--virtual-time-budget=10000", "--timeout=30000", f"--screenshot={picture}", url]


def take(program: str, arguments: list[str], seconds: float) -> str:
    """Runs the browser and returns the end of what it said. Raises ToolError."""
    sandbox = [] if os.getuid() else ["--no-sandbox"]  # it refuses to be root with one
    while True:
        tool = Tool(program, [*sandbox, *arguments], seconds)
        for _ in tool.lines():
            pass
        if not sandbox and NO_SANDBOX.search(tool.errors()):
            log_warning("Chromium cannot build its sandbox here; the one this job runs in has to do")
            sandbox = ["--no-sandbox"]
            continue
        tool.check()
        return tool.errors()


def main() -> None:
    ip, port = params.ip("targetIp"), params.integer("port", 443, minimum=1, maximum=65535)
    domain, first = params.string("domainName", "").strip().rstrip(".").lower(), params.string("path", "/")
    ssl, seconds = params.boolean("ssl", True), params.number("timeoutSeconds", 120, minimum=5, maximum=600)
    size = params.integer("width", 1280, minimum=320, maximum=3840), params.integer("height", 800, minimum=240, maximum=2160)
    if domain and not NAME.match(domain):
        fail(f"{clean(domain, 80)!r} is no host name")
    start = join(build_url(ip, port, domain, first, ssl), "")
    url = join(start, params.string("endpoint", "")) or start
    program = need(*BROWSERS)
    with tempfile.TemporaryDirectory(dir=Path.cwd(), ignore_cleanup_errors=True) as folder:
        picture = Path(folder) / "picture.webp"
        resolve = rules(ip, domain, params.boolean("thirdParties", False))
        try:
            said = take(program, command(url, port, resolve, size, Path(folder) / "profile", picture), seconds)
        except ToolError as error:
            fail(f"{url} at {ip}: {error}")
        if not picture.exists():
            why = FAILED.search(said)
            fail(f"{url} at {ip} cannot be shown" + (f": {clean(why[1], 80)}" if why else ""))
        image = picture.read_bytes()
    if len(image) > MAX_IMAGE:
        fail(f"the picture of {url} has {len(image)} bytes, at most {MAX_IMAGE} are kept: ask for a smaller window")
    log_finding(WebsiteFinding(params.string("finding", "WebsiteScreenshotFinding"), ip, port, domain, first, ssl,
                               params.string("findingTitle", "Website screenshot"),
                               [ImageField("image", "data:image/webp;base64," + base64.b64encode(image).decode("ascii")),
                                TextField("endpoint", "Address", url)]))
    log_info(f"{url} at {ip}: {size[0]} × {size[1]}, {len(image)} bytes")


if __name__ == "__main__":
    main()
