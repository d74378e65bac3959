"""What a job says, and where it goes: to the gateway, or to the terminal."""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, NoReturn, Protocol

from stalker_sdk.findings import Finding
from stalker_sdk.gateway import Gateway, GatewayError
from stalker_sdk.redkite import RedKite

__all__ = ["GatewayError", "JobStatus", "Session", "current", "fail", "log_debug", "log_error", "log_finding",
           "log_info", "log_status", "log_warning", "use"]

_MAX_MESSAGE = 4096


class JobStatus(str, Enum):
    """How a job ended."""

    SUCCESS = "Success"
    FAILED = "Failed"


class Output(Protocol):
    """Takes findings and log lines of one execution."""

    def finding(self, wire: dict[str, Any]) -> None: ...
    def log(self, level: str, text: str) -> None: ...
    def close(self, timeout: float) -> str | None: ...


class Terminal:
    """Dry mode: prints what would be sent."""

    def finding(self, wire: dict[str, Any]) -> None:
        print("@finding", json.dumps(wire, ensure_ascii=False), flush=True)

    def log(self, level: str, text: str) -> None:
        print(f"[{level}] {text}", flush=True)

    def close(self, timeout: float) -> str | None:
        return None


class Session:
    """One execution's output and its verdict."""

    def __init__(self, output: Output, termination_log: str = "") -> None:
        self._output = output
        self._termination_log = termination_log
        self._last_error = ""
        self._closed: tuple[str | None] | None = None
        self.failure: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Session:
        """A session as the environment contract says; without a gateway, ours or the reference's, it prints."""
        output: Output = Terminal()
        if url := environ.get("STALKER_GATEWAY", ""):
            output = Gateway(url, environ.get("STALKER_TOKEN", ""), spool=Path.cwd())
        elif context := environ.get("RedKiteContext", ""):
            output = RedKite(context, environ.get("RedKiteOrchestratorUrl", ""))
        return cls(output, environ.get("STALKER_TERMINATION_LOG", ""))

    def finding(self, *findings: Finding) -> None:
        """Publishes findings. Raises GatewayError once the gateway was given up."""
        for finding in findings:
            self._output.finding(finding.to_wire())

    def log(self, level: str, message: object) -> None:
        """Writes a log line; level is debug, info, warning or error."""
        text = str(message)
        if level == "error":
            self._last_error = text
        self._output.log(level, text)

    def status(self, status: JobStatus | str) -> None:
        """Takes the job's own verdict; anything but Failed changes nothing."""
        if isinstance(self._output, RedKite) and status in (JobStatus.SUCCESS, JobStatus.FAILED):
            self._output.status(JobStatus(status).value)
        if status == JobStatus.FAILED:
            self.fail(self._last_error or "the job reported a failure")
        elif status == JobStatus.SUCCESS and isinstance(self._output, Terminal):
            print("Status: Success", flush=True)

    def fail(self, message: str) -> None:
        """Records that the job failed; the first reason stays."""
        if self.failure is not None:
            return
        self.failure = message
        if not self._termination_log:
            return
        verdict = {"status": "failed", "message": message[:_MAX_MESSAGE]}
        try:
            Path(self._termination_log).write_text(json.dumps(verdict), encoding="utf-8")
        except OSError as error:
            print(f"cannot write the termination log {self._termination_log}: {error}", file=sys.stderr)

    def close(self, timeout: float = 150.0) -> str | None:
        """Sends what is left within ``timeout`` seconds; returns what went wrong, or None."""
        if self._closed is None:
            self._closed = (self._output.close(timeout),)
        return self._closed[0]


class _Process:
    """The session of this process, made when first needed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.session: Session | None = None


_process = _Process()


def current() -> Session:
    """The session of this process."""
    with _process.lock:
        if _process.session is None:
            _process.session = Session.from_env(os.environ)
            atexit.register(_close_at_exit, _process.session)
        return _process.session


def use(session: Session | None) -> None:
    """Replaces the session of this process; None makes a new one when next needed. For tests."""
    with _process.lock:
        _process.session = session


def _close_at_exit(session: Session) -> None:
    problem = session.close()
    if problem:
        print(problem, file=sys.stderr)


def log_finding(*findings: Finding) -> None:
    """Publishes findings."""
    current().finding(*findings)


def log_debug(message: object) -> None:
    """Writes a log line of level debug."""
    current().log("debug", message)


def log_info(message: object) -> None:
    """Writes a log line of level info."""
    current().log("info", message)


def log_warning(message: object) -> None:
    """Writes a log line of level warning."""
    current().log("warning", message)


def log_error(message: object) -> None:
    """Writes a log line of level error."""
    current().log("error", message)


def log_status(status: JobStatus | str) -> None:
    """Says how the job ended; Failed makes the runner exit with code 1."""
    current().status(status)


def fail(message: str) -> NoReturn:
    """Ends the job as failed; ``message`` is the reason people see."""
    current().log("error", message)
    current().fail(message)
    raise SystemExit(1)
