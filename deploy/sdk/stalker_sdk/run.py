"""Runs a job: ``python3 -m stalker_sdk.run main.py``.

Exit codes: 0 the script ended well; the script's own code when it called
``sys.exit(n)``; 1 it raised an exception, said it failed, or its output could not be
delivered; 143 it was terminated. Whatever the end, queued output is sent first.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import traceback
from types import FrameType
from typing import NoReturn

from stalker_sdk.params import ParameterError
from stalker_sdk.session import Session, current

_FLUSH = 150.0  # seconds to deliver the rest after a normal end
_GRACE = 5.0  # and after SIGTERM


def main(argv: list[str]) -> int:
    """Runs the script ``argv[1]`` names and returns the exit code."""
    if len(argv) < 2:
        print("usage: python3 -m stalker_sdk.run SCRIPT [ARGUMENT…]", file=sys.stderr)
        return 2
    session = current()
    stopped = threading.Event()

    def terminate(_number: int, _frame: FrameType | None) -> NoReturn:
        if not stopped.is_set():
            stopped.set()
            # A script that swallows SystemExit, or a blocked thread, must not keep us.
            watchdog = threading.Timer(2 * _GRACE, os._exit, (143,))
            watchdog.daemon = True
            watchdog.start()
        raise SystemExit(143)

    signal.signal(signal.SIGTERM, terminate)
    code = _execute(session, argv[1:])
    signal.signal(signal.SIGTERM, signal.SIG_IGN if stopped.is_set() else _stop_now)
    problem = session.close(_GRACE if stopped.is_set() else _FLUSH)
    if problem:
        print(problem, file=sys.stderr)
        session.fail(problem)
    if session.failure is not None and code == 0:
        code = 1
    return 143 if stopped.is_set() else code


def _stop_now(_number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(143)


def _execute(session: Session, argv: list[str]) -> int:
    script = argv[0]
    sys.argv = argv
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as leaving:
        return _exit_code(session, leaving)
    except ParameterError as error:
        session.log("error", str(error))
        session.fail(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    except BaseException as error:
        return _crashed(session, error, script)
    return 0


def _exit_code(session: Session, leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    session.log("error", str(leaving.code))
    return 1


def _crashed(session: Session, error: BaseException, script: str) -> int:
    """Reports an exception without the frames of this runner."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename != script:
        frame = frame.tb_next
    for entry in traceback.format_exception(type(error), error, frame or error.__traceback__):
        for line in entry.rstrip().splitlines():
            session.log("error", line)
    session.fail(f"{type(error).__name__}: {error}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
