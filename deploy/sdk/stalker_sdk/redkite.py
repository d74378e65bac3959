"""The reference product's contract: a job speaks over ``/Jobs/Finding`` and ``/Jobs/Status``.

A script written with this SDK runs there too. One request carries one line or one batch of findings; the address
stands in ``RedKiteOrchestratorUrl``, the credential in ``RedKiteContext``, which is passed on as it is. That side does
not number what it takes, so only what certainly did not arrive is sent again.
"""

from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

DEFAULT_URL = "http://orchestrator.stalker.svc.cluster.local."
_PREFIX = {"debug": "@debug", "info": "@info", "warning": "@warning", "error": "@error"}
_ATTEMPTS = 3


class RedKite:
    """Sends the output of one execution to the reference's orchestrator."""

    def __init__(self, context: str, url: str = "", *, timeout: float = 30.0, pause: float = 0.3) -> None:
        self._context = context
        self._url = urlsplit(url or DEFAULT_URL)
        self._timeout = timeout
        self._pause = pause
        self._problem: str | None = None

    def finding(self, wire: dict[str, Any]) -> None:
        self._send("Finding", {"Finding": "@finding " + json.dumps({"findings": [wire]}, ensure_ascii=False)})

    def log(self, level: str, text: str) -> None:
        self._send("Finding", {"Finding": f"{_PREFIX[level]} {text}"})

    def status(self, status: str) -> None:
        """Success, Failed or Ended."""
        self._send("Status", {"Status": status})

    def close(self, timeout: float) -> str | None:
        self.status("Ended")
        return self._problem

    def _send(self, action: str, body: dict[str, str]) -> None:
        data = json.dumps({**body, "RedKiteContext": self._context}, ensure_ascii=False).encode("utf-8", "replace")
        problem = ""
        for attempt in range(1 if self._problem else _ATTEMPTS):  # it was given up once: not again for every line
            if attempt:
                time.sleep(self._pause * 2 ** attempt)
            try:
                status = self._post(f"{self._url.path.rstrip('/')}/Jobs/{action}", data)
            except ConnectionRefusedError as error:
                problem = f"{self._url.netloc}: {error}"
                continue
            except (OSError, http.client.HTTPException) as error:
                problem = f"{self._url.netloc}: {error}"
                break
            if status < 400:
                return
            problem = f"{self._url.netloc} answered {status} to /Jobs/{action}"
            if status != 429 and status < 500:
                break
        self._problem = self._problem or problem

    def _post(self, path: str, data: bytes) -> int:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=self._timeout)
        try:
            connection.request("POST", path, data, {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read(1 << 16)
            return response.status
        finally:
            connection.close()
