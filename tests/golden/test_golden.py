"""What people and programs see, pinned: each case is a command line and the file that holds its whole output.

The goldens are made in float64, so that another processor's last bits stay far behind the last digit shown. After a change
that is meant, `python tests/golden/test_golden.py` writes them anew; read the difference before you commit it.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lstm_explain.cli.main import app

HERE = Path(__file__).parent
SMALL = "--samples 3 --timesteps 4 --features 2 --units 3 --dtype float64"
STACK = f"{SMALL} --layers 2 --bidirectional --projection 2"

TEXTS = {
    "shapes.txt": "shapes --dtype float64",
    "shapes-160.txt": "shapes --dtype float64 --width 160",
    "shapes-40.txt": f"shapes {SMALL} --width 40",
    "shapes-stack.txt": f"shapes {STACK}",
    "shapes-options.txt": f"shapes {SMALL} --no-bias --peepholes --init pytorch",
    "shapes-computed.txt": "shapes --samples 1000000000000",
    "shapes.md": f"shapes {SMALL} --format markdown",
    "unit.txt": "unit --unit 3 --step 4 --dtype float64",
    "unit-160.txt": "unit --unit 3 --dtype float64 --width 160",
    "unit-stack.txt": f"unit --unit 2 --step 2 --layer 1 --direction backward {STACK} --sample 1",
    "unit-options.txt": f"unit --unit 1 --step 3 --no-bias --peepholes --lengths 4,3,1 --sample 1 {SMALL}",
    "unit-many.txt": "unit --unit 60 --step 2 --units 64 --features 40 --dtype float64",
    "unit.md": f"unit --step 1 {SMALL} --format markdown",
    "trace.txt": "trace --gates --dtype float64",
    "trace-160.txt": "trace --units 20 --timesteps 40 --dtype float64 --width 160",
    "trace-80-wide.txt": "trace --units 20 --timesteps 3 --dtype float64 --width 80",
    "trace-ascii.txt": f"trace --gates --ascii {SMALL}",
    "trace-color.txt": f"trace --gates --color always {SMALL}",
    "trace-backward.txt": f"trace --direction backward --lengths 4,2,3 --sample 1 --gates {STACK}",
    "trace-chosen.txt": "trace --sample 7 --units 0,3,7-9 --steps 2-4 --dtype float64",
    "trace.md": f"trace {SMALL} --format markdown",
    "trace.svg": f"trace {SMALL} --format svg",
    "help.txt": "--help",
    "help-shapes.txt": "shapes --help",
    "help-unit.txt": "unit --help",
    "help-trace.txt": "trace --help",
}

NUMBERS = {
    "shapes.json": f"shapes {STACK} --json",
    "unit.json": f"unit --step 2 {SMALL} --peepholes --json",
    "trace.json": f"trace --lengths 4,2,3 --sample 1 {SMALL} --json",
    "trace.jsonl": f"trace --all-samples {STACK}",
    "trace.csv": f"trace --all-samples {STACK} --format csv",
}


def output_of(command: str) -> str:
    environment = {
        "COLUMNS": "80",
        "COLORTERM": "truecolor",
        "TERM": "xterm-256color",
        "_TYPER_FORCE_DISABLE_TERMINAL": "1",
        "NO_COLOR": "",
        "FORCE_COLOR": "",
    }
    result = CliRunner().invoke(app, command.split(), prog_name="lstm-explain", env=environment)
    assert result.exit_code == 0, result.output
    return result.stdout


def golden(name: str) -> str:
    path = HERE / name
    assert path.exists(), f"there is no {path}: write it with `python tests/golden/test_golden.py`"
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TEXTS)
def test_what_people_see(name: str) -> None:
    assert output_of(TEXTS[name]) == golden(name)


@pytest.mark.parametrize("name", NUMBERS)
def test_what_programs_read(name: str) -> None:
    made, expected = output_of(NUMBERS[name]), golden(name)
    assert len(made.splitlines()) == len(expected.splitlines())
    for one, other in zip(made.splitlines(), expected.splitlines(), strict=True):
        assert_same(parsed(one), parsed(other), name)


@pytest.mark.parametrize("name", [name for name in TEXTS if name.endswith(".txt")])
def test_no_line_is_wider_than_the_page(name: str) -> None:
    words = TEXTS[name].split()
    width = int(words[words.index("--width") + 1]) if "--width" in words else 80
    if "--color" not in words:
        assert max(map(len, golden(name).splitlines())) <= width


def test_every_golden_belongs_to_a_case() -> None:
    assert {path.name for path in HERE.iterdir() if path.suffix not in (".py", "")} == {*TEXTS, *NUMBERS}


def parsed(line: str) -> Any:
    if line.startswith("{"):
        return json.loads(line)
    return [float(cell) if cell and cell[0] in "-0123456789" else cell for cell in line.split(",")]


def assert_same(made: Any, expected: Any, where: str) -> None:
    """Equal, numbers to within 1e-9 of each other; a new version of the package is no difference."""
    if isinstance(expected, dict):
        assert list(made) == list(expected), where
        for key in expected:
            if key != "tool_version":
                assert_same(made[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(made) == len(expected), where
        for place, (one, other) in enumerate(zip(made, expected, strict=True)):
            assert_same(one, other, f"{where}[{place}]")
    elif isinstance(expected, float) and where.split(".")[-1] != "difference":
        assert math.isclose(made, expected, rel_tol=1e-9, abs_tol=1e-12), where
    elif where.split(".")[-1] != "difference":
        assert made == expected, where


if __name__ == "__main__":
    for file, line in {**TEXTS, **NUMBERS}.items():
        (HERE / file).write_text(output_of(line), encoding="utf-8")
    sys.stdout.write(f"{len(TEXTS) + len(NUMBERS)} goldens written; read the difference before you commit it\n")
