"""The programs are valid Python that fits a page, whatever the sizes. That they are right is for the oracle tests to say."""

from __future__ import annotations

import ast
import builtins
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.spec import Spec
from lstm_explain.frameworks.layout import tensor_layouts
from lstm_explain.frameworks.python_code import MAX_WIDTH
from lstm_explain.frameworks.registry import FRAMEWORKS, SCRIPTS

SIZES = st.integers(1, 10) | st.integers(10**5, 10**12)


@pytest.mark.parametrize("name", SCRIPTS)
@given(
    features=SIZES,
    units=SIZES,
    timesteps=SIZES,
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    bias=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
)
@settings(max_examples=60, deadline=None)
def test_the_programs_are_python_and_fit_a_page(name: str, **options: Any) -> None:
    writer = SCRIPTS[name]
    options["layers"] = options["layers"] if writer.supports_layers else 1
    options["bidirectional"] = options["bidirectional"] and writer.supports_directions
    spec = Spec.from_options(**options)
    names = tuple(one.name for one in tensor_layouts(FRAMEWORKS[name].convention, spec, 0))
    lines = SCRIPTS[name].format_script(spec, names, 2e-6)
    tree = ast.parse("\n".join(lines))
    assert max(map(len, lines)) <= MAX_WIDTH
    assert not [line for line in lines if line != line.rstrip()]
    assigned = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    assert {"output", "h", "c"} <= assigned
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    made = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    given = {one.arg for node in ast.walk(tree) if isinstance(node, ast.arguments) for one in node.args}
    imported = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert used <= assigned | made | given | imported | {"__file__", *dir(builtins)}
    assert imported <= used


def test_what_is_run_has_a_program_and_nothing_else() -> None:
    assert {name for name, layer in FRAMEWORKS.items() if layer.info.verification == "run"} == set(SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_packages_that_a_program_imports_are_known(name: str) -> None:
    tree = ast.parse("\n".join(SCRIPTS[name].format_script(Spec(), ("a.b",), 1)))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    found = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    found |= {str(node.module) for node in imports if isinstance(node, ast.ImportFrom)}
    assert SCRIPTS[name].packages == {module.partition(".")[0] for module in found}
