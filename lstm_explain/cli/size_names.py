"""Frameworks' names of sizes as options, from the glossary: `--hidden-size 4` is `--units 4`. `--help` lists only ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

MIN_SIMILARITY = 0.75


def use_own_names(arguments: list[str], options: Iterable[str]) -> list[str]:
    """Replace frameworks' names of sizes by the command's own options.

    Args:
        arguments: what was typed after the command.
        options: the command's options.

    Raises:
        UsageError: two names of one size are given, or an unknown option is one of other programs, or nearly a name of a size.
    """
    known, typed = set(options), dict[str, str]()
    end = arguments.index("--") if "--" in arguments else len(arguments)
    renamed = []
    for argument in arguments[:end]:
        if not argument.startswith("--"):
            renamed.append(argument)
            continue
        name, equals, value = argument.partition("=")
        option = name if name in known else _own_name(name, known)
        if typed.setdefault(option, name) != name:
            raise UsageError(f"{typed[option]} and {name}", f"both mean {option}", "Leave out one of the two")
        renamed.append(f"{option}{equals}{value}")
    return renamed + arguments[end:]


def _own_name(name: str, known: set[str]) -> str:
    """The option of the command that has another name; the name itself where there is none."""
    from difflib import get_close_matches

    from lstm_explain.cli import foreign_names
    from lstm_explain.topics.lookup import find_size, size_names

    if name in foreign_names.OPTIONS:
        raise UsageError(name, *foreign_names.OPTIONS[name])
    size = f"--{find_size(name)}"
    if size in known:
        return size
    sizes = {f"--{other.replace('_', '-').replace(' ', '-')}": f"--{size}" for other, size in size_names().items()}
    names = [other for other, size in sizes.items() if size in known]
    nearest = get_close_matches(name, [*known, *names], n=1, cutoff=MIN_SIMILARITY)
    if nearest and nearest[0] not in known:
        raise UsageError(printable(name), "unknown option", f"The nearest is {nearest[0]}, which is {sizes[nearest[0]]} here")
    return name
