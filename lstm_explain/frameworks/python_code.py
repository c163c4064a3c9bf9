"""Python code as text: statements that fit a page, scripts that check our weights in a framework, and networks."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lstm_explain.core.network import NetworkPlan
    from lstm_explain.core.spec import Dtype, Spec

MAX_WIDTH = 76
INDENT = "    "
STATE_PREFIX = "start"
"""The start of the names of initial states that differ between layers; the layer's number follows."""


class Statement(NamedTuple):
    """One statement."""

    code: str
    makes: str = ""
    """The shapes of its results, printed as a comment."""

    def indent(self) -> Statement:
        return self._replace(code=INDENT + self.code)


BLANK_LINES = (Statement(""), Statement(""))


class ScriptTemplate(NamedTuple):
    """How a script in one framework is written: it builds the layer, loads our weights, runs the same input and compares.

    The oracle tests execute these scripts as they are printed.
    """

    imports: tuple[str, ...]
    body: Callable[[Spec, tuple[str, ...], bool], list[Statement]]
    """(spec, names of the weights in the file, whether to start from `h_0` and `c_0` in the file) -> statements that compute
    `output`, `h` and `c` from `saved`."""
    supports_layers: bool = False
    supports_directions: bool = False
    supports_peepholes: bool = False
    dtypes: tuple[Dtype, ...] = ("float32",)

    @property
    def packages(self) -> set[str]:
        """The packages it imports: a script of such a name would import itself."""
        return {line.split()[1].partition(".")[0] for line in ("from pathlib", "import numpy", *self.imports)}

    def format_script(self, spec: Spec, names: tuple[str, ...], tolerance: float, states: bool = False) -> tuple[str, ...]:
        """The lines of the script; with `states` it starts from the model's own."""
        imports = sorted(["import numpy as np", *self.imports], key=lambda line: (line.startswith("from"), line))
        saved = ['saved = np.load(Path(__file__).with_suffix(".npz"))', ""]
        body = format_statements(self.body(spec, names, states))
        return ("from pathlib import Path", "", *imports, "", *saved, *body, "", *_comparison_lines(tolerance))


class NetworkCode(NamedTuple):
    """How a framework writes the networks of `tasks`."""

    summary: Callable[[NetworkPlan], str]
    """What distinguishes the network, in one line."""
    lines: Callable[[NetworkPlan, bool], tuple[str, ...]]
    """(plan, whether samples have lengths) -> a program that builds the network."""


def _comparison_lines(tolerance: float) -> list[str]:
    return [
        'for name, made in {"output": output, "h": h, "c": c}.items():',
        f"{INDENT}made, ours = np.asarray(made), saved[name]",
        f"{INDENT}np.testing.assert_allclose(made, ours, rtol=0, atol={tolerance:g}, strict=True)",
        f"{INDENT}apart = np.abs(made - ours).max()",
        f'{INDENT}print(f"{{name}} {{made.shape}}: at most {{apart:.0e}} apart")',
    ]


# --- expressions ------------------------------------------------------------------------------------------------------


def shape_literal(*sizes: object) -> str:
    """A shape as Python writes it."""
    return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"


def string_tuple(words: Iterable[str]) -> str:
    """A tuple of strings as Python writes it."""
    return shape_literal(*(f'"{word}"' for word in words))


def call_expression(function: str, *arguments: str) -> str:
    """A call; empty arguments are left out."""
    return f"{function}({', '.join(argument for argument in arguments if argument)})"


def dtype_argument(spec: Spec, template: str) -> str:
    """The argument that sets the dtype; empty for float32, the default everywhere."""
    return "" if spec.dtype == "float32" else template.format(spec.dtype)


# --- layout -----------------------------------------------------------------------------------------------------------


def format_statements(statements: list[Statement]) -> tuple[str, ...]:
    """Lay statements out with their comments in one column; a comment that does not fit there is placed above."""
    widths = [len(statement.code) for statement in statements if _fits_beside(statement, len(statement.code))]
    column = max(widths, default=0)
    return tuple(line for statement in statements for line in _format_statement(statement, column))


def _fits_beside(statement: Statement, column: int) -> bool:
    """Whether the comment fits beside the code."""
    return bool(statement.makes) and len(statement.code) <= column <= MAX_WIDTH - len(f"  # {statement.makes}")


def _format_statement(statement: Statement, column: int) -> list[str]:
    if not statement.makes:
        return _break_line(statement.code)
    if _fits_beside(statement, column):
        return [f"{statement.code:{column}}  # {statement.makes}"]
    indent = statement.code[: len(statement.code) - len(statement.code.lstrip())]
    comment = textwrap.wrap(f"makes {statement.makes}", MAX_WIDTH - len(indent) - 2, break_long_words=False)
    return [*(f"{indent}# {line}" for line in comment), *_break_line(statement.code)]


def _break_line(code: str) -> list[str]:
    """Break a long statement within its first parentheses."""
    start = code.find("(") + 1
    if len(code) <= MAX_WIDTH or start == 0:
        return [code]
    end = _closing_index(code, start)
    indent = code[: len(code) - len(code.lstrip())]
    inner = textwrap.wrap(code[start:end], MAX_WIDTH - len(indent + INDENT), break_on_hyphens=False, break_long_words=False)
    return [code[:start], *(f"{indent}{INDENT}{line}" for line in inner), indent + code[end:]]


def _closing_index(code: str, start: int) -> int:
    """The index of the parenthesis that closes the one before `start`."""
    depth = 1
    for index in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[index], 0)
        if depth == 0:
            return index
    raise AssertionError(f"{code!r} never closes its parenthesis")
