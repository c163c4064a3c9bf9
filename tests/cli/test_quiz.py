"""`lstm-explain quiz`: a sheet that goes out and comes back, what is refused, and a session at a terminal."""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from lstm_explain.apps.quiz.generate import QuizRequest, generate_questions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on this system")


def export(call: Callable[..., Any], *options: str) -> dict[str, Any]:
    done = call("quiz", "--export", "json", *options)
    assert (done.returncode, done.stderr) == (0, b"")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_an_exported_sheet_comes_back_filled_in(call: Callable[..., Any], tmp_path: Path) -> None:
    paper = export(call, "--level", "3", "--seed", "4", "--questions", "6", "--units", "7")
    for question, known in zip(paper["questions"], paper.pop("key"), strict=True):
        question["answer"] = int(known["answer"]) if known["answer"].isdigit() else known["answer"]
    (tmp_path / "filled.json").write_text(json.dumps(paper))
    done = call("quiz", "--answers", "filled.json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["points"] == 6
    assert json.loads(done.stdout)["quiz"] == paper["quiz"]


def test_answers_by_number_and_in_a_list(call: Callable[..., Any]) -> None:
    key = [one["answer"] for one in export(call, "--seed", "2", "--questions", "4")["key"]]
    by_number = {"seed": 2, "questions": 4, "answers": {str(number): one for number, one in enumerate(key, 1)}}
    for text, options in [(by_number, ()), (key, ("--seed", "2", "--questions", "4")), ({**by_number, "answers": key}, ())]:
        done = call("quiz", "--answers", "-", *options, given=json.dumps(text).encode())
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["counts"]["right"] == 4


def test_wrong_answers_are_no_failure(call: Callable[..., Any]) -> None:
    done = call("quiz", "--answers", "-", given=b"[]")
    assert done.returncode == 0
    assert json.loads(done.stdout)["counts"] == {"right": 0, "wrong": 0, "unreadable": 0, "missing": 10}


def test_a_sheet_is_written_whole(call: Callable[..., Any], tmp_path: Path) -> None:
    done = call("quiz", "--export", "markdown", "--level", "1", "-o", "sheet.md")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    paper, _, key = (tmp_path / "sheet.md").read_text("utf-8").partition("\n---\n")
    assert paper.startswith("# Quiz: how an LSTM works\n")
    assert key.startswith("\n# Key\n")
    assert call("quiz", "--export", "markdown", "--level", "1").stdout == (tmp_path / "sheet.md").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--export", "json", "--answers", "x.json"],
            "--export json --answers: a sheet is either made or graded. Leave one of them out.",
        ),
        (
            ["-o", "x.md"],
            "-o x.md: a quiz at the terminal writes no file. Add --export markdown for a sheet, or --answers FILE to ",
        ),
        (
            [],
            "quiz: standard input and standard output are not terminals. Use --export markdown for a sheet, or --answers ",
        ),
        (["--export", "json", "--questions", "0"], "--questions 0: a quiz has 1 to 500 questions."),
        (
            ["--export", "json", "--level", "1", "--topic", "memory"],
            "this level has no questions about memory. Choose level 2 or 3.",
        ),
        (["--export", "json", "--units", "0"], "--units 0: questions are about 1 to 100 units."),
        (["--answers", "same.json", "-o", "same.json"], "-o same.json: the answer would replace the file that is read."),
        (["--answers", "same.json", "--seed", "4"], "--seed 4: same.json answers a quiz with seed 3. Leave out --seed."),
        (
            ["--answers", "same.json", "--units", "4"],
            "--units 4: same.json answers a quiz with units 3. Leave out --units.",
        ),
        (["--export", "html"], "Invalid value for '--export'"),
        (["--level", "two"], "Invalid value for '--level'"),
    ],
)
def test_what_is_refused(refused: Callable[..., str], tmp_path: Path, options: list[str], message: str) -> None:
    (tmp_path / "same.json").write_text('{"seed": 3, "sizes": {"units": 3}, "answers": []}')
    assert message in refused(2, "quiz", *options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"seed": 0, "answers": {"11": "b"}}', "it answers question 11, and the quiz has 10. Give the --questions that "),
        ('{"seed": 0, "answers": {"0": "b"}}', "it answers question 0, and the quiz has 10."),
        ('{"level": 9, "answers": []}', "it asks for a quiz that does not exist: --level 9: unknown level."),
        ('{"seed": -1, "answers": []}', "it asks for a quiz that does not exist: --seed -1: a seed is a whole number"),
        (
            '{"questions": 1000000000000, "answers": []}',
            "it asks for a quiz that does not exist: --questions 1000000000000: a quiz has",
        ),
        (
            '{"quiz": {}, "questions": [{"number": 1, "id": "x-1", "answer": "b"}]}',
            "its question 1 differs from the one of these options",
        ),
    ],
)
def test_answers_to_another_quiz(refused: Callable[..., str], tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.json").write_text(text)
    assert message in refused(3, "quiz", "--answers", "a.json")


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_commands_that_show_the_answers_run(call: Callable[..., Any], level: int) -> None:
    """Each kind of question once."""
    for question in {one.id.rpartition("-")[0]: one for one in generate_questions(QuizRequest(9, level, None, 24))}.values():
        piped, _, command = question.command.rpartition(" | ")
        rows = "".join(f"{row}\n" for row in range(1, int(piped.split()[1]) + 1)) if piped else ""
        done = call(*shlex.split(command)[1:], given=rows.encode())
        assert (done.returncode, done.stderr) == (0, b""), (question.command, done.stderr)
        assert done.stdout


# --- at a terminal ----------------------------------------------------------------------------------------------------

PROMPT = b"Your answer: "
QUESTIONS = generate_questions(QuizRequest(0, 1, None, 3))
OPTIONS = ("--level", "1", "--questions", "3")


START = "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.executable, [sys.executable, '-m', *sys.argv[1:]])"
"""Opening it makes the terminal the one that Ctrl-C is sent from, as the process leads a session of its own."""


def at_a_terminal(lines: Iterable[bytes], *options: str) -> tuple[int, str]:
    """Run the program at a pseudo-terminal, wait for each prompt and type; the exit code, and all that was shown."""
    screen, ours = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80", "LINES": "24"}
    command = [sys.executable, "-c", START, "lstm_explain", "quiz", *options]
    with subprocess.Popen(command, stdin=ours, stdout=ours, stderr=ours, env=environment, start_new_session=True) as process:
        os.close(ours)
        shown = b""
        try:
            for line in lines:
                shown += read_until(screen, PROMPT)
                os.write(screen, line)
            shown += read_until(screen, None)
            code = process.wait(20)
        finally:
            process.kill()
    os.close(screen)
    return code, shown.decode("utf-8", "replace").replace("\r\n", "\n")


def read_until(screen: int, mark: bytes | None) -> bytes:
    """Read up to a mark; up to the end of the program where there is none."""
    shown, end = b"", time.monotonic() + 30
    while mark is None or mark not in shown:
        assert time.monotonic() < end, shown
        if select.select([screen], [], [], 0.1)[0]:
            try:
                read = os.read(screen, 65536)
            except OSError:  # the program has left
                break
            shown += read
            if not read:
                break
    return shown


def test_a_session_from_the_first_question_to_the_score() -> None:
    code, shown = at_a_terminal([b"?\n", f"{QUESTIONS[0].right}\n".encode(), b"eh\n", b"\xff\n", b"9999\n", b"s\n"], *OPTIONS)
    assert code == 0
    assert shown.startswith("A quiz of 3 questions.")
    for words in (
        "Question 1 of 3",
        "Hint: ",
        ", for half a point after the hint.",
        "Question 3 of 3",
        "Wrong. The right answer",
    ):
        assert words in shown
    assert "The answer cannot be read, so it does not count. Answer with" in shown
    assert "\nScore: 0.5 of 3 points: 1 right (1 after a hint), 1 wrong, 1 skipped.\n" in shown
    assert "\x1b" not in shown, "colour, or a place on the screen, would say something"
    assert shown.endswith("For other questions:\n  lstm-explain quiz --seed 1 --questions 3 --level 1\n")
    for question in QUESTIONS[1:]:
        assert f"\n  {question.command}\n" in shown, "a command line is not broken"
    assert max(len(line) for line in shown.split("\n") if not line.startswith("  ")) <= 80


@pytest.mark.parametrize("end", [b"q\n", b"\x04"])
def test_stopping_shows_the_score_so_far(end: bytes) -> None:
    code, shown = at_a_terminal([f"{QUESTIONS[0].right}\n".encode(), end], *OPTIONS)
    assert code == 0
    assert "\nScore: 1 of 1 point: 1 right, 0 wrong, 0 skipped, 2 not answered.\n" in shown


def test_ctrl_c_leaves_at_once_and_the_line_clean() -> None:
    code, shown = at_a_terminal([b"\x03"], *OPTIONS)
    assert code == 128 + signal.SIGINT
    assert "Traceback" not in shown
    assert "Score" not in shown
    assert shown.endswith("\n")


def test_where_only_one_end_is_a_terminal() -> None:
    master, ours = pty.openpty()
    command = [sys.executable, "-m", "lstm_explain", "quiz"]
    for streams, name in (({"stdin": ours}, "output"), ({"stdout": ours, "stdin": subprocess.DEVNULL}, "input")):
        settings: Any = {"stdout": subprocess.PIPE, **streams}
        done = subprocess.run(command, stderr=subprocess.PIPE, timeout=60, check=False, **settings)
        assert done.returncode == 2
        assert f"standard {name} is not a terminal" in done.stderr.decode()
    os.close(master)
    os.close(ours)
