"""Files and functions stay small enough to read in one look; a larger one needs its reason here."""

import ast
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
REASONS: dict[str, str] = {}


def functions() -> dict[str, int]:
    found = {}
    for path in sorted((ROOT / "lstm_explain").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                found[f"{path.relative_to(ROOT)}:{node.name}"] = node.end_lineno - node.lineno + 1
    return found


def test_no_function_is_too_long() -> None:
    assert {name: size for name, size in functions().items() if size > LONGEST_FUNCTION and name not in REASONS} == {}


def test_most_functions_are_short() -> None:
    assert statistics.median(functions().values()) <= 10


def test_no_file_is_too_long() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in (ROOT / "lstm_explain").rglob("*.py")}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE and name not in REASONS} == {}


def test_the_top_level_is_what_it_should_be() -> None:
    expected = {"lstm_explain", "tests", "docs", "pyproject.toml", "README.md"}
    made = {"dist", "build", "__pycache__"}
    assert {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - made == expected
