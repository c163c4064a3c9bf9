"""Arguments without an option: `unit 3` is `unit --unit 3`, and `shapes model.pt` is `shapes --model model.pt`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lstm_explain.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

MODEL_SUFFIXES = (".pt", ".pth", ".ckpt", ".keras", ".h5", ".hdf5", ".onnx", ".safetensors", ".msgpack", ".flax")
DATA_SUFFIXES = (".csv", ".tsv", ".txt", ".dat", ".npy")
EITHER_SUFFIXES = (".npz",)
"""Suffixes of files that hold a model or data."""
SELECTING_OPTIONS = ("chapter", "notation", "framework", "topic", "unit")
"""A command's first argument is the value of the first of these options that it has."""


def file_role(text: str) -> Literal["model", "data", "either"] | None:
    """Say what an argument names by its looks: a file of a model, of data, of either; None if it does not look like a file."""
    if text == "-":
        return "data"
    path, _, member = text.partition("#")
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122 - this runs at every start, and pathlib would add to it
    if suffix == ".keras" and path.lower() == "tf.keras" and not os.path.exists(path):  # noqa: PTH110
        return None
    if suffix in MODEL_SUFFIXES:
        return "model"
    if suffix in DATA_SUFFIXES:
        return "data"
    if suffix in EITHER_SUFFIXES:
        return "either"
    if suffix and _is_foreign(suffix):
        return "data"
    looks_like_path = "/" in path or os.sep in path or (suffix and not member)
    return "model" if looks_like_path and Path(path).is_file() else None


def _is_foreign(suffix: str) -> bool:
    """Whether files of data end so that are in a format which is not read; its reader says how to convert it."""
    from lstm_explain.readers.foreign_formats import FORMATS

    return any(suffix in foreign.suffixes for foreign in FORMATS)


def selecting_option(params: Iterable[Any]) -> Any | None:
    """The option whose value a command takes without its name; None if there is none."""
    options = _options(params)
    if any(param.param_type_name == "argument" for param in params):
        return None
    return next((options[name] for name in SELECTING_OPTIONS if name in options), None)


def takes_files(params: Iterable[Any]) -> bool:
    """Whether a command has --model and --data, whose values it takes without their names too."""
    return {"model", "data"} <= _options(params).keys()


def usage_of(params: Iterable[Any]) -> list[str]:
    """List the arguments in a command's usage line whose values go to options."""
    option = selecting_option(params)
    named = [] if option is None else [f"[{option.name.upper()}]" + ("..." if option.multiple else "")]
    return [*named, *(["[FILE]..."] if takes_files(params) else [])]


def place_arguments(params: list[Any], ctx: Any, extra: list[str]) -> list[str]:
    """Give arguments to the options that they are values of, and return those that nothing takes.

    Args:
        params: the command's parameters.
        ctx: the context, with the values of its options and arguments.
        extra: the arguments beyond the command's own.

    Raises:
        UsageError: an option is given twice, a file could be a model or data, or a size has no option.
    """
    arguments = [param for param in params if param.param_type_name == "argument"]
    if not takes_files(params):
        words = list(extra)
    else:
        words, files = _split_files([*_typed_values(arguments, ctx), *extra])
        if not files:
            words = list(extra)
        else:
            for name, text in files:
                _give(_options(params)[name], text, ctx)
            words = _fill(arguments, words, ctx)
    option = selecting_option(params)
    if option is None or not words:
        return words
    if option.name in ("framework", "notation"):
        check_not_size(words[0])
    if option.multiple or (option.name == "unit" and option.type.name == "str"):
        _give(option, words if option.multiple else ",".join(words), ctx)
        return []
    _give(option, words[0], ctx)
    return words[1:]


def check_not_size(word: str) -> None:
    """Raise `UsageError` if a word is a number where none is expected: it is probably a size."""
    if word.isascii() and word.replace(",", "").isdigit():
        raise UsageError(printable(word), "a size needs the name of its option", f"For units, write --units {printable(word)}")


def _options(params: Iterable[Any]) -> dict[str, Any]:
    return {param.name: param for param in params if param.param_type_name == "option"}


def _is_typed(name: str, ctx: Any) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _typed_values(arguments: list[Any], ctx: Any) -> list[str]:
    """The values of a command's own arguments, in the order in which they were typed."""
    values: list[str] = []
    for argument in arguments:
        value = ctx.params.get(argument.name)
        if value is not None and _is_typed(argument.name, ctx):
            values += [value] if isinstance(value, str) else value
    return values


def _split_files(values: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Split arguments into words, and files with the options that they are values of."""
    words: list[str] = []
    files: list[tuple[str, str]] = []
    for value in values:
        role = file_role(value)
        if role == "either":
            shown = printable(value)
            fix = f"Write --model {shown} or --data {shown}"
            raise UsageError(shown, "an .npz archive can hold the weights of a model or the inputs", fix)
        if role is None:
            words.append(value)
        else:
            files.append((role, value))
    return words, files


def _fill(arguments: list[Any], words: list[str], ctx: Any) -> list[str]:
    """Give words to a command's own arguments, and return those that are left."""
    for argument in arguments:
        count = len(words) if argument.nargs == -1 else argument.nargs
        taken, words = words[:count], words[count:]
        ctx.params[argument.name] = tuple(taken) if argument.nargs == -1 else next(iter(taken), None)
    return words


def _give(option: Any, value: str | list[str], ctx: Any) -> None:
    """Set an option's value as if it had been typed with its name."""
    name = option.opts[0]
    if _is_typed(option.name, ctx):
        texts = [value] if isinstance(value, str) else value
        raise UsageError(f"{printable(' '.join(texts))} and {name}", f"both mean {name}", "Leave out one of the two")
    option.handle_parse_result(ctx, {option.name: value}, [])
