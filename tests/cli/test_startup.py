"""Each command starts only its own stages: what a run has loaded by its end."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from lstm_explain.topics.registry import LSTM_TOPICS

pytestmark = pytest.mark.slow

LIST = """
import atexit, json, sys
from lstm_explain.cli.main import main
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
main()
"""

STAGES = {f"lstm_explain.{stage}" for stage in ("core.lstm", "readers", "document", "render.terminal", "frameworks")}
TOPICS = set(LSTM_TOPICS)
HEAVY = {"numpy", "rich", "threadpoolctl", "asyncio", "pydantic"}
EXTRAS = {"torch", "keras", "onnx", "onnxruntime", "textual", "pytest", "hypothesis", "jsonschema"}


def loaded(*arguments: str) -> set[str]:
    """The modules that a run had loaded when it ended."""
    done = subprocess.run([sys.executable, "-c", LIST, *arguments], capture_output=True, check=False, timeout=60)
    assert done.returncode in (0, 2), done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("--help",),
        ("trace", "--help"),
        ("tour", "--help"),
        ("quiz", "--help"),
        ("schema", "trace"),
        ("shapse",),
    ],
)
def test_what_computes_nothing_loads_no_numpy(arguments: tuple[str, ...]) -> None:
    assert not loaded(*arguments) & (HEAVY | STAGES | EXTRAS)


@pytest.mark.parametrize(
    ("arguments", "others"),
    [
        (("shapes", "--json"), {"lstm_explain.document.blocks", "lstm_explain.render.terminal", "lstm_explain.topics.trace"}),
        (("unit", "--json"), {"lstm_explain.document.blocks", "lstm_explain.topics.trace", "lstm_explain.cli.trace"}),
        (("trace", "--json"), {"lstm_explain.document.blocks", "lstm_explain.topics.shapes", "lstm_explain.cli.shapes"}),
        (("trace", "--format", "csv"), {"lstm_explain.document.blocks", "lstm_explain.render.json_text", "zipfile"}),
        (("trace", "--all-samples", "--samples", "3"), {"lstm_explain.document.blocks", "lstm_explain.render.csv_rows"}),
        (("trace", "--format", "markdown"), {"lstm_explain.render.terminal", "lstm_explain.topics.shapes.page"}),
    ],
)
def test_what_programs_read_loads_no_rich(arguments: tuple[str, ...], others: set[str]) -> None:
    modules = loaded(*arguments)
    assert "numpy" in modules
    assert not modules & {
        "rich",
        "lstm_explain.readers.containers.numpy_files",
        "lstm_explain.readers.containers.csv_table",
        *others,
        *EXTRAS,
    }


@pytest.mark.parametrize("arguments", [(topic,) for topic in sorted(TOPICS)])
def test_a_table_loads_no_reader_and_no_framework(arguments: tuple[str, ...]) -> None:
    modules = loaded(*arguments)
    assert not modules & {"lstm_explain.readers.containers.numpy_files", "lstm_explain.readers.containers.csv_table", *EXTRAS}
    others = TOPICS - set(arguments)
    assert not modules & {
        name for other in others for name in (f"lstm_explain.cli.{other}", f"lstm_explain.topics.{other}.page")
    }


@pytest.mark.parametrize(
    "arguments", [("explore",), ("explore", "--help"), ("unit", "--edit", "h_1[0]=1"), ("tour", "--help")]
)
def test_only_the_explorer_on_a_screen_loads_textual(arguments: tuple[str, ...]) -> None:
    """Without a terminal, `explore` says so before anything is loaded."""
    modules = loaded(*arguments)
    assert not modules & {"lstm_explain.apps.explorer.app", *EXTRAS}
    assert ("numpy" in modules) is (arguments[0] == "unit")


def test_this_check_can_fail() -> None:
    """A module that a run does load is seen."""
    assert {"numpy", "lstm_explain.topics.shapes"} <= loaded("shapes", "--json")
    assert "lstm_explain.topics.trace.page" in loaded("trace")
    assert "typer" in loaded("--version")
