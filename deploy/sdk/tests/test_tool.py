from __future__ import annotations

import os
import re
import time
from collections.abc import Callable

import pytest

from stalker_sdk.session import Session, use
from stalker_sdk.tool import MAX_LINE, Tool, ToolError, need


def tool(program: Callable[..., str], body: str, seconds: float = 60) -> Tool:
    return Tool(program("thing", body).split(":")[0] + "/thing", ["a b", "$HOME"], seconds)


def test_lines_come_as_they_are(program: Callable[..., str]) -> None:
    one = tool(program, r"""printf '%s|%s\n\377\r\nlast' "$1" "$2"; echo x | cat >&2; cat""")
    assert list(one.lines()) == ["a b|$HOME", "�", "last"]
    one.check()
    assert one.said() == "x" and not one.timed_out


def test_a_line_without_end_is_cut(program: Callable[..., str]) -> None:
    got = list(tool(program, f"head -c {2 * MAX_LINE + 5} /dev/zero | tr '\\0' x; echo; echo next").lines())
    assert [len(line) for line in got] == [MAX_LINE, 4]


def test_how_it_ended(program: Callable[..., str]) -> None:
    for body, fine, want in (("exit 3", (), "thing ended with code 3"), ("printf 'a\\nb\\033[1m\\n' >&2; exit 3", (2,), "thing ended with code 3: b [1m"),
                             ("kill -9 $$", (), "thing ended with signal 9"), ("exit 3", (3,), "")):
        one = tool(program, body)
        assert list(one.lines()) == []
        if not want:
            one.check(*fine)
            continue
        with pytest.raises(ToolError, match=f"^{re.escape(want)}$"):
            one.check(*fine)


def test_its_time_is_bounded_and_its_children_go_with_it(program: Callable[..., str]) -> None:
    one = tool(program, "sleep 600 & echo $!; wait", seconds=600)
    lines = one.lines()
    child = next(lines)
    one._expire()  # as its clock would
    assert list(lines) == [] and one.timed_out
    with pytest.raises(ToolError, match="its time was over"):
        one.check()
    assert gone(int(child))


def test_who_stops_reading_ends_it(program: Callable[..., str]) -> None:
    one = tool(program, "echo $$; while :; do echo more; done")
    lines = one.lines()
    leader = int(next(lines))
    lines.close()  # type: ignore[attr-defined]
    assert gone(leader)


def gone(pid: int) -> bool:
    """Whether a process ends; it may not have been collected yet."""
    for _ in range(600):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] in "ZX":
                    return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.1)
    return False


def test_it_gets_no_credential(program: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STALKER_TOKEN", "t0ken")
    monkeypatch.setenv("shodanKey", "k3y")
    assert {line.partition("=")[0] for line in tool(program, "env").lines()} <= {"PATH", "HOME", "LANG", "TMPDIR", "PWD", "_", "SHLVL", "OLDPWD"}


def test_what_is_missing_is_the_reason(monkeypatch: pytest.MonkeyPatch, program: Callable[..., str]) -> None:
    monkeypatch.setenv("PATH", program("second", ":").split(":")[0])
    assert os.path.basename(need("first", "second")) == "second"

    class Silent:
        def finding(self, wire: object) -> None: ...
        def log(self, level: str, text: str) -> None: ...
        def close(self, timeout: float) -> str | None: ...

    session = Session(Silent())
    use(session)
    try:
        with pytest.raises(SystemExit):
            need("first")
        assert session.failure is not None and session.failure.startswith("first is not installed here")
    finally:
        use(None)
