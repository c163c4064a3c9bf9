"""The layout of `--help`: commands in groups, and options by what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_WIDTH = 100
"""The longest line of help; wider ones are hard to read."""
SUBJECTS = {
    "Selection": "unit step steps sample layer direction all_samples edit",
    "Sizes": "samples timesteps features units layers lengths",
    "Network": "bidirectional projection no_bias peepholes init seed dtype",
    "Model and data": "model convention data columns skip_rows delimiter decimal allow_nan",
    "Output": "format json output answer color theme width ascii plain",
    "Program": "max_memory version debug install_completion show_completion help",
}
"""What options are about. Those that are not here are about the command alone, and come first."""
_SUBJECT_OF = {name: subject for subject, names in SUBJECTS.items() for name in names.split()}


def write_options(formatter: Any, ctx: Any, params: Iterable[Any]) -> None:
    """Write the arguments and options of a command, by what they are about."""
    sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], **{subject: [] for subject in SUBJECTS}}
    for param in params:
        row = param.get_help_record(ctx)
        if row is not None:
            subject = "Arguments" if param.param_type_name == "argument" else _SUBJECT_OF.get(param.name, "Options")
            sections[subject].append(row)
    write_sections(formatter, sections)


def write_sections(formatter: Any, sections: Mapping[Any, list[tuple[str, str]]]) -> None:
    """Write lists of names with explanations, each list below its heading and all in the same columns."""
    widths = [len(name) for rows in sections.values() for name, _ in rows]
    column = max((width for width in widths if width <= formatter.width // 3), default=0)
    for heading, rows in sections.items():
        if rows:
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(column), text) for name, text in rows], col_max=column)
