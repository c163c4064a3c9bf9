"""What the tests of the command line share: the program as a process of its own, and within this one where that is enough."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHOICES = ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLUMNS", "LINES", "PYTHONIOENCODING", "PYTHONUTF8", "TTY_COMPATIBLE")

Done = subprocess.CompletedProcess[bytes]


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to work in, and none of the reader's own tastes in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in CHOICES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("_TYPER_FORCE_DISABLE_TERMINAL", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def run() -> Callable[..., Done]:
    """Run the program as a process: `run("shapes", "--json", stdout=file, NO_COLOR="1")`."""

    def process(*arguments: str, **settings: Any) -> Done:
        environment = {**os.environ, **{name: settings.pop(name) for name in list(settings) if name.isupper()}}
        if "input" not in settings:
            settings.setdefault("stdin", subprocess.DEVNULL)
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60, **settings}
        return subprocess.run([sys.executable, "-m", "lstm_explain", *arguments], env=environment, check=False, **settings)

    return process


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run the program within this process: the same way in, the same error boundary."""
    from lstm_explain.cli.main import main

    def called(*arguments: str, given: bytes = b"", encoding: str = "utf-8", **settings: str) -> Done:
        out, err = io.TextIOWrapper(io.BytesIO(), encoding), io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace")
        with monkeypatch.context() as patch:
            for name, value in settings.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["lstm-explain", *arguments])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(given))))
            patch.setattr(os, "dup2", lambda *_: None)  # the last resort of `main` would close this process's own output
            with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
                main()
        out.flush()
        err.flush()
        code = left.value.code or 0
        assert isinstance(code, int)
        return Done(arguments, code, out.buffer.getvalue(), err.buffer.getvalue())

    return called


@pytest.fixture
def refused(call: Callable[..., Done], tmp_path: Path) -> Callable[..., str]:
    """Run the program, see that it refuses as documented and leaves nothing behind, and give its message."""

    def message(code: int, *arguments: str, runner: Callable[..., Done] = call, **settings: Any) -> str:
        before = sorted(tmp_path.rglob("*"))
        done = runner(*arguments, **settings)
        text = done.stderr.decode()
        lines = text.splitlines()
        assert (done.returncode, done.stdout) == (code, b""), text
        assert "Traceback" not in text
        assert "Exception ignored" not in text
        assert text.endswith("\n")
        assert lines[-1].startswith("Error: ")
        assert lines[:-1] == [] or (code == 2 and lines[0].startswith("Usage: ") and len(lines) == 4), text
        assert all(line.isprintable() for line in lines)
        assert len(lines[-1]) < 500
        assert sorted(tmp_path.rglob("*")) == before
        return lines[-1].removeprefix("Error: ")

    return message
