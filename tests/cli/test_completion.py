"""Completion in the shell: the protocol of bash, zsh and fish, the values of every closed list, and what it loads."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import Any, get_args

import pytest

from lstm_explain.apps.quiz.generate import TOPICS as QUIZ_TOPICS
from lstm_explain.apps.tour.tour import CHAPTERS
from lstm_explain.cli import choices
from lstm_explain.cli.commands import COMMANDS
from lstm_explain.cli.options import Format
from lstm_explain.core.network import Task
from lstm_explain.frameworks.glossary import ENTRIES
from lstm_explain.frameworks.registry import CALLS, FRAMEWORKS, NOTATIONS
from lstm_explain.topics.lookup import find_terms
from lstm_explain.topics.registry import TOPICS
from lstm_explain.topics.window.time_series import Scale

VARIABLE = "_LSTM_EXPLAIN_COMPLETE"
LOADED = """
import atexit, json, sys
from lstm_explain.cli.main import main
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
main()
"""


def ask(
    shell: str, line: str, code: str = "from lstm_explain.cli.main import main; main()"
) -> subprocess.CompletedProcess[str]:
    """Ask for completions of the end of a line, as a shell's script does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("_TYPER")}
    environment[VARIABLE] = f"complete_{shell}"
    if shell == "bash":
        environment |= {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - (not line.endswith(" ")))}
    else:
        environment |= {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert "Traceback" not in done.stderr
    return done


def complete(line: str, shell: str = "bash") -> list[str]:
    """The completions of the end of a line."""
    text = ask(shell, f"lstm-explain {line}").stdout
    if shell == "zsh":
        return re.findall(r'^(?:_arguments \'\*: :\(\()?"([^"]*)"', text, re.MULTILINE)
    return [row.split("\t")[0] for row in text.splitlines() if row]


CLOSED_LISTS: dict[str, Any] = {
    "": COMMANDS,
    "t": [name for name in COMMANDS if name.startswith("t")],
    "help ": COMMANDS,
    "trace --format ": Format,
    "--format ": Format,
    "tasks ": Task,
    "tasks many": [task for task in Task if task.startswith("many")],
    "tasks seq2seq --model x.pt --format ": Format,
    "terms ": [entry.word.replace(" ", "-") for entry in ENTRIES],
    "terms cell-state hid": ["hidden-state", "hidden_size"],
    "equations ": NOTATIONS,
    "equations --notation ": NOTATIONS,
    "equations --notation=ke": ["keras"],
    "tour ": [chapter.name for chapter in CHAPTERS],
    "tour unit s": ["sharing", "states"],
    "tour --chapter ": [chapter.name for chapter in CHAPTERS],
    "shapes ": CALLS,
    "shapes --framework ": CALLS,
    "frameworks ": FRAMEWORKS,
    "frameworks P": ["pytorch", "pytorch-cell"],
    "model x.pt --convention ": FRAMEWORKS,
    "convert ": FRAMEWORKS,
    "convert keras ": FRAMEWORKS,
    "convert a.pt b.npz --to ": FRAMEWORKS,
    "quiz ": QUIZ_TOPICS,
    "quiz --topic ": QUIZ_TOPICS,
    "quiz --level ": ["1", "2", "3"],
    "quiz --export ": ["markdown", "json"],
    "schema ": {topic.name for topic in TOPICS} | {"tour", "quiz", "grades", "trace-jsonl"},
    "unit --dtype ": ["float32", "float64"],
    "unit --init ": ["keras", "pytorch"],
    "unit --direction ": ["forward", "backward"],
    "unit --color ": ["auto", "always", "never"],
    "unit --theme ": ["auto", "dark", "light"],
    "window x.csv --scale ": ["standard", "minmax"],
    "window x.csv --decimal ": [".", ","],
    "shapes --layout ": ["0", "1"],
    "unit --di": ["--direction"],
    "--uni": ["--units"],
    "--ve": ["--version"],
    "--units 3 --tim": ["--timesteps"],
    "unit ": [],
    "unit 3 ": [],
    "shapes mod": [],
    "model ": [],
    "xyzzy ": COMMANDS,
}


@pytest.mark.parametrize("line", CLOSED_LISTS)
def test_the_values_of_closed_lists(line: str) -> None:
    values = complete(line)
    assert sorted(values) == sorted(CLOSED_LISTS[line])


@pytest.mark.parametrize("shell", ["zsh", "fish"])
@pytest.mark.parametrize("line", ["", "tasks ", "trace --format ", "terms ", "frameworks fl", "convert keras ", "tour s"])
def test_other_shells_are_offered_the_same(line: str, shell: str) -> None:
    assert complete(line, shell) == complete(line) != []


def test_commands_are_explained_and_options_keep_their_defaults() -> None:
    text = ask("fish", "lstm-explain ").stdout
    assert f"tour\t{COMMANDS['tour'].summary}\n" in text
    assert "--timesteps\tHow many steps a sequence has. [default: 10]\n" in ask("fish", "lstm-explain trace --timest").stdout
    assert '"tour":"Answer six questions' in ask("zsh", "lstm-explain t").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    "line",
    ["--dropout ", "trace --hiden-size ", "trace --units 3 --hidden-size 4 --", "plot ", "'", "-- ", "help plot ", "x.npz "],
)
def test_a_line_that_is_wrong_is_completed_without_a_message(line: str, shell: str) -> None:
    done = ask(shell, f"lstm-explain {line}")
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("line", ["t", "trace --format ", "tasks ", "terms ", "frameworks ", "tour ", "schema ", "unit --"])
def test_completion_loads_neither_numpy_nor_rich(line: str, shell: str) -> None:
    done = ask(shell, f"lstm-explain {line}", LOADED)
    modules = set(json.loads(done.stderr.splitlines()[-1]))
    assert not modules & {"numpy", "rich", "textual"}
    assert done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_itself_completes() -> None:
    folder = os.path.dirname(sys.executable)  # noqa: PTH120
    if not os.path.exists(f"{folder}/lstm-explain"):  # noqa: PTH110
        pytest.skip("lstm-explain is not installed next to this Python")
    script = """
        eval "$(lstm-explain --show-completion bash)"
        COMP_WORDS=(lstm-explain tasks many-to-) COMP_CWORD=2
        _lstm_explain_completion lstm-explain
        echo "${COMPREPLY[@]}"
        complete -p lstm-explain
    """
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "SHELL": "/bin/bash"}
    environment["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.splitlines() == [
        "many-to-one many-to-many",
        "complete -o default -F _lstm_explain_completion lstm-explain",
    ]


def test_the_lists_are_those_of_the_registries() -> None:
    assert tuple(FRAMEWORKS) == choices.FRAMEWORKS
    assert tuple(CALLS) == choices.DOCUMENTED_CALLS
    assert tuple(NOTATIONS) == choices.NOTATIONS
    assert tuple(Task) == choices.TASKS
    assert tuple(chapter.name for chapter in CHAPTERS) == choices.CHAPTERS
    assert QUIZ_TOPICS == choices.QUIZ_TOPICS
    assert get_args(Scale) == choices.SCALES
    for word in choices.values_of("terms", "words"):
        assert len(find_terms([word])) == 1
