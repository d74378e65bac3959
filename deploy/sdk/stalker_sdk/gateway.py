"""The client of the gateway: batches, retries, and a spool when all else fails.

Findings and log lines are numbered from 1 in the order they were said, queued, and
sent by one background thread: a batch goes when it is full or its first item has
waited for a moment. Connection errors, 429 (its Retry-After is honoured) and 5xx
are retried with exponential back-off and jitter. The numbers let the gateway
recognise what it has already taken. When a batch could not be delivered for
``give_up`` seconds, or the gateway refuses the token, everything left is written
to a file in the working directory and the next ``finding`` raises GatewayError.
"""

from __future__ import annotations

import gzip
import http.client
import json
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

MAX_ITEMS = 200
MAX_BYTES = 1 << 20
MAX_QUEUED = 5000
MAX_TEXT = 16 << 10
GZIP_FROM = 4 << 10
SPOOL_NAME = "stalker-spool.ndjson"
_MAX_ANSWER = 4 << 20
_MAX_PAUSE = 15.0

Kind = Literal["findings", "logs"]
Item = tuple[int, bytes]
_KINDS: tuple[Kind, ...] = ("findings", "logs")


class GatewayError(RuntimeError):
    """The gateway could not be reached for too long, or refused this execution."""


class _Refused(Exception):
    """An answer that no retry changes."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"the gateway answered {status}: {text}")
        self.status = status


class _Later(Exception):
    """Try again, not before ``after`` seconds."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.after = after


class Gateway:
    """Sends the output of one execution. Methods may be called from any thread."""

    def __init__(self, url: str, token: str, *, spool: Path, delay: float = 0.1, give_up: float = 120.0,
                 timeout: float = 35.0, pause: float = 0.2) -> None:
        self._post = _Poster(url, token, timeout)
        self._spool = spool / SPOOL_NAME
        self._delay = delay
        self._give_up = give_up
        self._pause = pause
        self._changed = threading.Condition()
        self._queues: dict[Kind, deque[Item]] = {"findings": deque(), "logs": deque()}
        self._seq: dict[Kind, int] = {"findings": 0, "logs": 0}
        self._oldest = 0.0
        self._thread: threading.Thread | None = None
        self._closing = False
        self._bound = float("inf")
        self._problem: str | None = None
        self._spooled = 0

    def finding(self, wire: dict[str, Any]) -> None:
        """Queues a finding; waits while the queue is full."""
        self._put("findings", lambda seq: {"seq": seq, **wire})
        if self._problem:
            raise GatewayError(self._problem)

    def log(self, level: str, text: str) -> None:
        """Queues a log line; a long one is cut."""
        if len(text) > MAX_TEXT:
            text = f"{text[:MAX_TEXT]}… ({len(text) - MAX_TEXT} more characters)"
        at = int(time.time() * 1000)
        self._put("logs", lambda seq: {"seq": seq, "level": level, "text": text, "at": at})

    def close(self, timeout: float) -> str | None:
        """Sends what is left within ``timeout`` seconds; returns what went wrong, or None."""
        with self._changed:
            self._closing = True
            self._bound = time.monotonic() + timeout
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout + 0.5)
            if self._thread.is_alive():
                self._abandon(f"the gateway took longer than {timeout:.0f} s to take the rest of the output")
        self._post.close()
        return self._problem

    def _put(self, kind: Kind, make: Callable[[int], dict[str, Any]]) -> None:
        with self._changed:
            own = threading.current_thread() is self._thread
            while len(self._queues[kind]) >= MAX_QUEUED and not (own or self._problem or self._closing):
                self._changed.wait(1.0)
            self._seq[kind] += 1
            body = json.dumps(make(self._seq[kind]), ensure_ascii=False, separators=(",", ":"))
            item = self._seq[kind], body.encode("utf-8", "replace")
            if self._problem:
                self._write_spool(kind, [item])
                return
            if not any(self._queues.values()):
                self._oldest = time.monotonic()
            self._queues[kind].append(item)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="stalker-gateway", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        while self._wait_for_batch():
            for kind in _KINDS:
                if batch := self._take(kind):
                    self._deliver(kind, batch)

    def _wait_for_batch(self) -> bool:
        """Waits until a batch is due; False when closing and nothing is left."""
        with self._changed:
            while not self._problem:
                waiting = max(len(queue) for queue in self._queues.values())
                rest = self._oldest + self._delay - time.monotonic() if waiting else None
                if waiting and (self._closing or waiting >= MAX_ITEMS or (rest is not None and rest <= 0)):
                    return True
                if self._closing:
                    return False
                self._changed.wait(rest)
            return False

    def _take(self, kind: Kind) -> list[Item]:
        with self._changed:
            queue, size = self._queues[kind], 0
            batch: list[Item] = []
            while queue and len(batch) < MAX_ITEMS and (not batch or size + len(queue[0][1]) <= MAX_BYTES):
                batch.append(queue.popleft())
                size += len(batch[-1][1])
            self._oldest = time.monotonic()
            self._changed.notify_all()
            return batch

    def _deliver(self, kind: Kind, batch: list[Item]) -> None:
        if self._problem:
            self._write_spool(kind, batch)
            return
        try:
            answer = self._persist(kind, batch)
        except _Refused as refused:
            self._split(kind, batch, refused)
        except _Later as later:
            self._abandon(f"the gateway took no output for {self._give_up:.0f} s: {later}", kind, batch)
        else:
            self._report(kind, batch, answer)

    def _persist(self, kind: Kind, batch: list[Item]) -> dict[str, Any]:
        """Sends a batch until it is answered for good or time is up."""
        member = b"findings" if kind == "findings" else b"lines"
        body = b'{"%s":[%s]}' % (member, b",".join(data for _, data in batch))
        began, attempt = time.monotonic(), 0
        while True:
            try:
                return self._post.send("/" + kind, body)
            except _Later as later:
                attempt += 1
                pause = max(later.after, min(_MAX_PAUSE, self._pause * 2**attempt) * random.uniform(0.5, 1.0))
                if time.monotonic() + pause > min(began + self._give_up, self._bound):
                    raise
                self._sleep(pause)

    def _sleep(self, seconds: float) -> None:
        """Waits, and no longer than until the bound that close sets."""
        until = time.monotonic() + seconds
        with self._changed:
            while (rest := min(until, self._bound) - time.monotonic()) > 0:
                self._changed.wait(rest)

    def _split(self, kind: Kind, batch: list[Item], refused: _Refused) -> None:
        """A batch that is too large goes in halves; another refusal ends the output."""
        if refused.status != 413:
            self._abandon(str(refused), kind, batch)
        elif len(batch) > 1:
            middle = len(batch) // 2
            self._deliver(kind, batch[:middle])
            self._deliver(kind, batch[middle:])
        elif kind == "findings":
            self.log("error", f"finding {batch[0][0]} was rejected: it is too large ({len(batch[0][1])} bytes)")

    def _report(self, kind: Kind, batch: list[Item], answer: dict[str, Any]) -> None:
        rejected = answer.get("rejected")
        if kind != "findings" or not isinstance(rejected, list):
            return
        for entry in rejected:
            if isinstance(entry, dict):
                index = entry.get("index")
                seq, data = batch[index] if isinstance(index, int) and 0 <= index < len(batch) else (0, b"")
                reason, what = entry.get("reason", "no reason given"), data[:300].decode("utf-8", "replace")
                self.log("error", f"finding {entry.get('seq') or seq} was rejected: {reason}; it was {what}")

    def _abandon(self, problem: str, kind: Kind = "findings", batch: list[Item] | None = None) -> None:
        with self._changed:
            where = f"; what was left is in {self._spool}"
            self._problem = self._problem or problem + where
            self._write_spool(kind, batch or [])
            for name, queue in self._queues.items():
                self._write_spool(name, list(queue))
                queue.clear()
            self._changed.notify_all()

    def _write_spool(self, kind: Kind, batch: list[Item]) -> None:
        if not batch:
            return
        try:
            with open(self._spool, "ab") as file:
                for _, data in batch:
                    file.write(b'{"%s":%s}\n' % (kind.encode(), data))
        except OSError as error:
            print(f"cannot write {self._spool}: {error}; {len(batch)} {kind} are lost", file=sys.stderr)


class _Poster:
    """Posts JSON over one kept connection. Used by one thread at a time."""

    def __init__(self, url: str, token: str, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise GatewayError(f"STALKER_GATEWAY must be an http or https URL, not {url!r}")
        self._https = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._base = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json",
                         "User-Agent": "stalker-sdk-python"}
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def send(self, path: str, body: bytes) -> dict[str, Any]:
        headers = dict(self._headers)
        if len(body) > GZIP_FROM:
            body = gzip.compress(body, 3)
            headers["Content-Encoding"] = "gzip"
        try:
            status, retry_after, data = self._exchange(path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise _Later(f"{type(error).__name__}: {error}") from error
        if status == 429 or status >= 500:
            raise _Later(f"it answered {status} {_problem_text(data)}", retry_after)
        if status != 200:
            raise _Refused(status, _problem_text(data))
        return _decode(data)

    def _exchange(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, float, bytes]:
        reused = self._connection is not None
        try:
            return self._once(path, body, headers)
        except (ConnectionError, http.client.RemoteDisconnected):
            # A kept connection may have been closed while it was idle.
            self.close()
            if not reused:
                raise
            return self._once(path, body, headers)

    def _once(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, float, bytes]:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._https else http.client.HTTPConnection
            self._connection = kind(self._host, self._port, timeout=self._timeout)
        self._connection.request("POST", self._base + path, body, headers)
        response = self._connection.getresponse()
        data = response.read(_MAX_ANSWER)
        if not response.isclosed():
            self.close()
        return response.status, _seconds(response.getheader("Retry-After")), data

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _seconds(retry_after: str | None) -> float:
    """Retry-After in seconds; its other form, a date, is not used by the gateway."""
    try:
        return min(max(float(retry_after or 0), 0.0), 60.0)
    except ValueError:
        return 0.0


def _decode(data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data or b"{}")
    except ValueError as error:
        raise _Later(f"its answer is no JSON: {error}") from error
    if not isinstance(answer, dict):
        raise _Later("its answer is no JSON object")
    return answer


def _problem_text(data: bytes) -> str:
    """The text of a problem document (RFC 9457), or the start of any other body."""
    try:
        problem = json.loads(data)
    except ValueError:
        problem = None
    if isinstance(problem, dict):
        return str(problem.get("detail") or problem.get("title") or problem.get("reason") or "")[:500]
    return data[:200].decode("utf-8", "replace")
