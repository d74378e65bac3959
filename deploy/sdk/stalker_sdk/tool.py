"""Runs other people's programs for a job, and reads what they print as it comes.

A program gets no shell, no standard input, and no credential of the execution; it runs in
a process group of its own that is killed when its time is over or its reader leaves.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence

from stalker_sdk.convert import clean
from stalker_sdk.session import fail

MAX_LINE = 4 << 20
_TAIL = 2000
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")


class ToolError(RuntimeError):
    """A program failed; the text says which, and its last words."""


def need(*names: str) -> str:
    """The path of the first of these programs that is installed; without any, the job fails and says so."""
    for name in names:
        if path := shutil.which(name):
            return path
    fail(f"{names[0]} is not installed here: install it, or run this job on Kubernetes with an image that has it (kubernetes.image)")


class Tool:
    """One run of a program. Read ``lines`` to the end, then ``check`` how it ended."""

    def __init__(self, program: str, arguments: Sequence[str], seconds: float) -> None:
        self.name = os.path.basename(program)
        self.timed_out = False
        self._tail = b""
        environment = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
        try:
            self._process = subprocess.Popen([program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                             stderr=subprocess.PIPE, env=environment, start_new_session=True)
        except OSError as error:
            raise ToolError(f"{self.name} cannot be started: {error}") from error
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._timer.start()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def lines(self) -> Iterator[str]:
        """What it prints, line by line, without ends; of a line that is too long the beginning."""
        out = self._process.stdout
        assert out is not None
        try:
            while raw := out.readline(MAX_LINE):
                yield raw.decode("utf-8", "replace").rstrip("\r\n")
                while raw and not raw.endswith(b"\n"):  # the rest of a line that is too long
                    raw = out.readline(MAX_LINE)
            self._process.wait()
        finally:
            self._kill()  # whatever is left of it, when its reader leaves early all of it
            self._process.wait()
            self._timer.cancel()
            self._listener.join(5)

    def check(self, *fine: int) -> None:
        """Raises ToolError unless it ended by itself with 0 or one of the codes that are fine."""
        if self.timed_out:
            raise ToolError(f"{self.name} was ended: its time was over")
        code = self._process.returncode
        if code != 0 and code not in fine:
            how = f"signal {-code}" if code < 0 else f"code {code}"
            raise ToolError(f"{self.name} ended with {how}" + (f": {said}" if (said := self.said()) else ""))

    def said(self) -> str:
        """Its last line on standard error."""
        lines = [clean(line, 500) for line in self._tail.decode("utf-8", "replace").replace("\r", "\n").splitlines()]
        return next((line for line in reversed(lines) if line), "")

    def errors(self) -> str:
        """The end of what it wrote to standard error."""
        return self._tail.decode("utf-8", "replace")

    def _listen(self) -> None:
        assert self._process.stderr is not None
        while part := os.read(self._process.stderr.fileno(), 4096):
            self._tail = (self._tail + part)[-_TAIL:]

    def _expire(self) -> None:
        self.timed_out = True
        self._kill()

    def _kill(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except OSError:
            pass
