"""What is written from the registry of topics: tables in README.md and docs/index.md, and names in lstm_explain/__init__.py.

python tests/docs/test_topic_tables.py     writes them
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lstm_explain.cli.commands import COMMANDS
from lstm_explain.topics.lookup import size_names
from lstm_explain.topics.registry import COMMAND_GROUPS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
SIZES = ("samples", "timesteps", "features", "units", "layers", "projection", "lengths")
WRITE = "python tests/docs/test_topic_tables.py"
PAGES = "docs/commands/"


def question_table(folder: str, *groups: str) -> str:
    """Questions with the command that answers each, in the order of `--help`."""
    rows = [row for group in groups for row in COMMANDS.values() if row.group == group]
    lines = [f"| {row.question} | [`{row.name}`]({folder}{row.name}.md) |" for row in rows]
    return "\n".join(["| question | command |", "|---|---|", *lines])


def index_table() -> str:
    """The same of all commands, with their groups."""
    parts = [f"### {group}\n\n{question_table('commands/', group)}" for group in COMMAND_GROUPS]
    return "\n\n".join(parts)


def function_table() -> str:
    """The functions of the library that explain."""
    lines = [f"| `{topic.public_name}` | {topic.library_summary} |" for topic in TOPICS]
    return "\n".join(["| name | what it does |", "|---|---|", *lines])


def size_name_table() -> str:
    """The other names of the options of sizes."""
    names: dict[str, list[str]] = {}
    for name, size in size_names().items():
        names.setdefault(size, []).append(f"`--{name.replace('_', '-').replace(' ', '-')}`")
    lines = [f"| `--{size}` | {', '.join(names[size])} |" for size in SIZES if size in names]
    return "\n".join(["| option | other names |", "|---|---|", *lines])


def public_imports() -> str:
    """The imports that type checkers read."""
    names = {topic.name: topic.public_name for topic in TOPICS}
    return "\n".join(f"    from lstm_explain.topics.{name} import explain_{name} as {names[name]}" for name in sorted(names))


def public_names() -> str:
    names = "".join(f'    "{name}",\n' for name in sorted(topic.public_name for topic in TOPICS))
    return f"__all__ += [\n{names}]"


PLACES: list[tuple[str, str, str, Callable[[], str]]] = [
    ("README.md", "<!-- commands: Learn -->", "<!-- end -->", lambda: question_table(PAGES, "Learn")),
    (
        "README.md",
        "<!-- commands: Look inside, Your data -->",
        "<!-- end -->",
        lambda: question_table(PAGES, "Look inside", "Your data"),
    ),
    ("README.md", "<!-- commands: Your model -->", "<!-- end -->", lambda: question_table(PAGES, "Your model")),
    ("docs/index.md", "<!-- commands -->", "<!-- end -->", index_table),
    ("docs/index.md", "<!-- names of sizes -->", "<!-- end -->", size_name_table),
    ("docs/index.md", "<!-- topics: functions -->", "<!-- end -->", function_table),
    ("lstm_explain/__init__.py", "# <topics>", "# </topics>", public_imports),
    ("lstm_explain/__init__.py", "# <topic names>", "# </topic names>", public_names),
]
"""Which file, between which lines, and what is written there."""


def update(text: str, start: str, end: str, content: str) -> str:
    """The text with the lines between two marks replaced; tables in Markdown need a blank line around them."""
    blank = "\n" if start.startswith("<!--") else ""
    pattern = f"(?<={re.escape(start)}\n).*?(?={re.escape(end)}\n)"
    assert re.search(pattern, text, re.DOTALL), f"there is no {start!r} before {end!r}"
    return re.sub(pattern, lambda _: f"{blank}{content}\n{blank}", text, count=1, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("file", "start", "end", "content"), PLACES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_written_from_the_registry_is_up_to_date(file: str, start: str, end: str, content: object) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert callable(content)
    assert update(text, start, end, content()) == text, f"{file} is out of date: run `{WRITE}`"


def write() -> None:
    for file, start, end, content in PLACES:
        path = ROOT / file
        path.write_text(update(path.read_text("utf-8"), start, end, content()), "utf-8")


if __name__ == "__main__":
    write()
