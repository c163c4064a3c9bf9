"""Errors name arguments with `errors.argument`; options are spelled at the command line alone."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "lstm_explain"
OPTION = re.compile(r"(?<![\w-])--[a-z]")
LIBRARY_MODULES = [path for folder in ("core", "frameworks", "topics") for path in sorted((PACKAGE / folder).rglob("*.py"))]


def _texts(tree: ast.AST) -> Iterator[str]:
    """The texts in some code, without docstrings and other texts that are statements."""
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
            yield node.value


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").rglob("*.py")), ids=lambda path: path.stem)
def test_core_does_not_spell_options(path: Path) -> None:
    assert not OPTION.search(path.read_text())


@pytest.mark.parametrize("path", [*LIBRARY_MODULES, PACKAGE / "library.py"], ids=lambda path: path.stem)
def test_errors_do_not_spell_options(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        called = getattr(getattr(node, "func", None), "id", "")
        if called.endswith("Error"):
            assert not [text for text in _texts(node) if OPTION.search(text)], f"line {getattr(node, 'lineno', '')}"
