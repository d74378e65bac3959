"""The runner's contract, seen from outside: exit codes, output, termination log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SDK = Path(__file__).parents[1]


def start(tmp_path: Path, code: str, **environ: str) -> subprocess.Popen[str]:
    script = tmp_path / "main.py"
    script.write_text(code)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SDK), "STALKER_TERMINATION_LOG": str(tmp_path / "end.json"),
           **environ}
    return subprocess.Popen([sys.executable, "-m", "stalker_sdk.run", "main.py"], cwd=tmp_path, env=env, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(tmp_path: Path, code: str, **environ: str) -> tuple[int, str, str]:
    process = start(tmp_path, code, **environ)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def verdict(tmp_path: Path) -> dict[str, str] | None:
    file = tmp_path / "end.json"
    return json.loads(file.read_text()) if file.exists() else None


def test_a_script_runs_as_main_and_prints(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, """
from stalker_sdk import *
if __name__ == "__main__":
    log_finding(IpFinding("IpFinding", "192.0.2.1", type="IpFinding"), DomainFinding("k", "a.example"))
    log_warning("careful")
""")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        '@finding {"type": "IpFinding", "key": "IpFinding", "ip": "192.0.2.1", "fields": []}',
        '@finding {"type": "CustomFinding", "key": "k", "domainName": "a.example", "fields": []}',
        "[warning] careful"]
    assert verdict(tmp_path) is None


@pytest.mark.parametrize(("code", "want", "message"), [
    ("import sys; sys.exit(7)", 7, None),
    ("exit()", 0, None),
    ("import sys; sys.exit('no luck')", 1, None),
    ("from stalker_sdk import fail; fail('the target is gone')", 1, "the target is gone"),
    ("from stalker_sdk import *; log_error('bad'); log_status(JobStatus.FAILED); exit()", 1, "bad"),
    ("from stalker_sdk import *; log_status(JobStatus.SUCCESS)", 0, None),
    ("from stalker_sdk import *; params.string('targetIp')", 1, "parameter targetIp is missing"),
    ("raise ValueError('odd')", 1, "ValueError: odd"),
    ("def f(:", 1, "SyntaxError: invalid syntax (main.py, line 1)"),
])
def test_exit_codes(tmp_path: Path, code: str, want: int, message: str | None) -> None:
    got, _, _ = run(tmp_path, code)
    assert got == want
    assert verdict(tmp_path) == (None if message is None else {"status": "failed", "message": message})


def test_a_traceback_is_error_lines_of_the_script_alone(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, "def f():\n    raise KeyError('x')\nf()\n")
    assert code == 1
    lines = out.splitlines()
    assert lines[0] == "[error] Traceback (most recent call last):"
    assert lines[-1] == "[error] KeyError: 'x'"
    assert "runpy" not in out and "stalker_sdk" not in out and out.count("main.py") == 2


def test_termination_ends_within_a_bound(tmp_path: Path) -> None:
    process = start(tmp_path, "import time\nfrom stalker_sdk import log_info\nlog_info('up')\ntime.sleep(60)\n")
    assert process.stdout is not None and process.stdout.readline() == "[info] up\n"
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=15)
    assert process.returncode == 143
    assert time.monotonic() - began < 5


def test_an_unreachable_gateway_fails_the_job(tmp_path: Path) -> None:
    process = start(tmp_path, "import time\nfrom stalker_sdk import log_info\nlog_info('up')\nprint('go', flush=True)\ntime.sleep(60)",
                    STALKER_GATEWAY="http://127.0.0.1:9/gateway/v1", STALKER_TOKEN="t")
    assert process.stdout is not None and process.stdout.readline() == "go\n"
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 143
    assert "gateway" in err and (tmp_path / "stalker-spool.ndjson").exists()
    ended = verdict(tmp_path)
    assert ended is not None and "gateway" in ended["message"]


def test_no_script_is_a_usage_error() -> None:
    done = subprocess.run([sys.executable, "-m", "stalker_sdk.run"], env={"PYTHONPATH": str(SDK)}, capture_output=True,
                          text=True, timeout=10)
    assert done.returncode == 2 and "usage" in done.stderr
