"""The programs of the networks: valid Python, no line wider than a page, whatever the sizes."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.network import Task, plan_network
from lstm_explain.core.spec import Spec
from lstm_explain.frameworks.python_code import MAX_WIDTH, Statement, format_statements, shape_literal
from lstm_explain.frameworks.registry import FRAMEWORKS

NETWORK_CODES = [framework.network_code for framework in FRAMEWORKS.values() if framework.network_code is not None]
SIZES = st.integers(1, 10) | st.integers(10**5, 10**12)


@given(
    task=st.sampled_from(Task),
    samples=SIZES,
    timesteps=SIZES,
    features=SIZES,
    units=SIZES,
    layers=st.integers(1, 5),
    bidirectional=st.booleans(),
    bias=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
    outputs=SIZES,
    steps_out=SIZES,
    lengths=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_the_programs_are_python_and_fit_a_page(
    task: Task, outputs: int, steps_out: int, lengths: bool, **options: Any
) -> None:
    plan = plan_network(task, Spec.from_options(**options), outputs, steps_out)
    for code in NETWORK_CODES:
        lines = code.lines(plan, lengths)
        ast.parse("\n".join(lines))
        assert max(map(len, lines)) <= MAX_WIDTH
        assert not [line for line in lines if line != line.rstrip()]
    assert ("pack_padded_sequence" in "\n".join(lines)) == (lengths and task not in (Task.ONE_TO_ONE, Task.ONE_TO_MANY))
    for code in NETWORK_CODES:
        short = code.summary(plan)
        ast.parse(short.replace(", then ", ", "))


@pytest.mark.parametrize(("sizes", "text"), [((), "()"), ((1,), "(1,)"), ((1, 2), "(1, 2)"), (("None", 2), "(None, 2)")])
def test_shapes_as_python_writes_them(sizes: tuple[object, ...], text: str) -> None:
    assert shape_literal(*sizes) == text
    if sizes:
        assert isinstance(ast.literal_eval(text), tuple)


def test_comments_stand_in_one_column_and_above_where_they_do_not_fit() -> None:
    long = Statement("y = f(x)", "a" * 63)
    assert format_statements([Statement("x = 1", "one"), Statement("longer = 2", "two"), long]) == (
        "x = 1       # one",
        "longer = 2  # two",
        f"# makes {'a' * 63}",
        "y = f(x)",
    )


def test_a_long_statement_is_broken_within_its_parentheses() -> None:
    (first, *middle, last) = format_statements([Statement(f"    y = f({', '.join(['g(a, b)'] * 12)})(z)")])
    assert (first, last) == ("    y = f(", "    )(z)")
    assert all(line.startswith("        ") for line in middle)
    code = "\n".join(line[4:] for line in (first, *middle, last))
    assert ast.unparse(ast.parse(code)) == f"y = f({', '.join(['g(a, b)'] * 12)})(z)"
