"""The command line that shows something: an LSTM's own sizes, options and files in the spelling of the shell."""

from __future__ import annotations

import os
import re
import shlex
from ast import literal_eval
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.core.gates import Direction
from lstm_explain.core.spec import DEFAULT_OPTIONS, Spec
from lstm_explain.errors import printable
from lstm_explain.topics.registry import TOPICS, TOPICS_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lstm_explain.topics.result import SampleResult

PROGRAM = "lstm-explain"
MAX_LINE_WIDTH = 80
COMMANDS_WITH_EDITS = ("explore", "report", *(topic.name for topic in TOPICS if topic.takes_edits))
BATCH_SIZES = ("samples", "timesteps", "features")
STANDARD_INPUT = "standard input"
"""The name that inputs from a pipe have."""
DEFAULT_INIT, DEFAULT_SEED, DEFAULT_MEMORY = "keras", 0, "1GiB"


OPTIONS = {"every": "--all", "written_by": "convert"}
"""Arguments that are not spelled like their options."""


class RepeatedOption(list[str]):
    """The values of an option that is given once for each."""


class CliSource(NamedTuple):
    """What the command line was given and an LSTM does not keep: where files lie, and how they are read."""

    model: str | None = None
    convention: str | None = None
    data: str | None = None
    columns: str | None = None
    skip_rows: int = 0
    delimiter: str | None = None
    decimal: str = "."
    allow_nan: bool = False
    dtype: str | None = None
    """The type that was asked for, where the model's own need not be the one."""
    seed: int | None = None
    max_memory: str = DEFAULT_MEMORY


TYPED_SOURCE: ContextVar[CliSource | None] = ContextVar("TYPED_SOURCE", default=None)
"""What the command line that runs was given. None in the library, where a result knows its files by name only.

It is a context variable, because every page may suggest a command, and none of them needs to know how files were typed.
"""


def format_command(topic: str, spec: Spec, source: dict[str, Any], arguments: Sequence[str] = (), **options: Any) -> str:
    """Spell the command that asks a topic of an LSTM, quoted for the shell. Options that equal their defaults are left out.

    Files are named as they were typed, if a command line runs, and otherwise by the names in `source`, without folders.

    Args:
        topic: the command's name.
        spec: the sizes.
        source: where weights and inputs come from: the `origin` of an LSTM, the `source` of an explanation.
        arguments: what follows the name, such as a task.
        options: the topic's own: `unit=3` becomes `--unit 3`, True a switch, a sequence a list with commas; None and False
            are left out.
    """
    about = _source_options(topic, spec, source, TYPED_SOURCE.get() or source_from_origin(spec, source))
    words = [PROGRAM, topic, *arguments, *_option_words(about), *_option_words(options)]
    return join_words(words)


def format_sample_command(topic: str, result: SampleResult, **options: Any) -> str:
    """Spell the command that asks a topic about the same sample, layer and direction of the same LSTM."""
    selection: dict[str, Any] = {
        "sample": result.sample or None,
        "layer": result.layer or None,
        "direction": result.direction.value if result.direction is Direction.BACKWARD else None,
    }
    return format_command(topic, result.spec, result.source, **options, **selection)


def format_window_command(given: CliSource, output: str, **options: Any) -> str:
    """Spell the command that cuts the table of a source into samples, and writes them; `options` as in `format_command`."""
    options = {name: value for name, value in _data_options(given).items() if name != "data"} | options
    options |= {"max_memory": given.max_memory if given.max_memory != DEFAULT_MEMORY else None}
    return join_words([PROGRAM, "window", str(given.data), *_option_words(options), "-o", output])


def takes_lengths(command: str) -> bool:
    """Whether a command has `--lengths`; the applications that build an LSTM have it too."""
    return command not in TOPICS_BY_NAME or TOPICS_BY_NAME[command].takes_lengths


def join_words(words: Iterable[str]) -> str:
    """Join the words of a command line, quoted so that a shell splits it into these words again."""
    return " ".join(map(quote_word, words))


def quote_word(word: str, windows: bool = os.name == "nt") -> str:
    """Quote a word of a command line, if it needs it.

    Double quotes mean the same in the shells of Unix and Windows, so they are used unless the word has a character that is
    special within them. Then single quotes are used, but never on Windows, because cmd.exe does not know them.
    """
    safe = r"\w@+=:,./" + (r"\\" if windows else "%")
    if re.fullmatch(f"[{safe}-][{safe}#-]*", word, re.ASCII):
        return word
    if windows or not re.search(r'["$`\\!]', word):
        return f'"{word}"'
    return shlex.quote(word)


def wrap_command(line: str, width: int = MAX_LINE_WIDTH, windows: bool = os.name == "nt") -> tuple[str, ...]:
    """Break a command line where it is too long, so that a shell still reads it as one: each line but the last ends in \\.

    On Windows it stays in one line, because its shells continue lines in different ways.
    """
    if windows:
        return (line,)
    parts: list[list[str]] = [[]]
    for word in shlex.split(line):
        if word.startswith("--"):
            parts.append([])
        parts[-1].append(word)
    lines = [""]
    for part in map(join_words, parts):
        if lines[-1].strip() and len(lines[-1]) + len(part) + len("  \\") > width:
            lines[-1] += " \\"
            lines.append(f"  {part}")
        else:
            lines[-1] += f" {part}" if lines[-1] else part
    return tuple(lines)


def source_from_origin(spec: Spec, source: dict[str, Any]) -> CliSource:
    """Files by the names that they bear in an answer."""
    weights, inputs = source["weights"], source["inputs"]
    data = inputs["name"] if inputs["kind"] == "data" else None
    data = "-" if data == STANDARD_INPUT else data
    if weights["kind"] != "model":
        return CliSource(data=data)
    framework = weights.get("framework")
    convention = framework if framework is not None and _has_ambiguous_names(framework) else None
    return CliSource(f"{weights['file']}#{weights['layer']}", convention, data, dtype=spec.dtype)


def _has_ambiguous_names(framework: str) -> bool:
    """Whether another framework gives its arrays the same names but packs the gates in another order."""
    from lstm_explain.frameworks.registry import CONVENTIONS

    convention = CONVENTIONS.get(framework)
    if convention is None:
        return False
    names = convention.kernel, convention.recurrent_kernel, convention.biases
    return any(
        (other.kernel, other.recurrent_kernel, other.biases) == names and other.gate_order != convention.gate_order
        for other in CONVENTIONS.values()
    )


def _source_options(topic: str, spec: Spec, source: dict[str, Any], given: CliSource) -> dict[str, Any]:
    weights, inputs = source["weights"], source["inputs"]
    lengths = inputs.get("lengths") if takes_lengths(topic) else None
    loaded, read = weights["kind"] == "model", inputs["kind"] == "data"
    seed = given.seed if given.seed is not None else (inputs if loaded else weights).get("seed", DEFAULT_SEED)
    init = None if loaded or weights["init"] == DEFAULT_INIT else weights["init"]
    files: dict[str, Any] = {"model": given.model, "convention": given.convention} if loaded else {}
    files |= _data_options(given) if read else {}
    return {
        **files,
        **_size_options(spec, loaded, read, lengths),
        "dtype": given.dtype if loaded else _non_default("dtype", spec),
        "init": init,
        "seed": seed if seed != DEFAULT_SEED else None,
        "lengths": lengths,
        "max_memory": given.max_memory if given.max_memory != DEFAULT_MEMORY else None,
        **({"edit": RepeatedOption(source["edits"])} if "edits" in source and topic in COMMANDS_WITH_EDITS else {}),
    }


def _data_options(given: CliSource) -> dict[str, Any]:
    """How the file of inputs is read."""
    return {
        "data": given.data,
        "columns": given.columns,
        "skip_rows": given.skip_rows or None,
        "delimiter": given.delimiter,
        "decimal": given.decimal if given.decimal != "." else None,
        "allow_nan": given.allow_nan,
    }


def _size_options(spec: Spec, loaded: bool, read: bool, lengths: list[int] | None) -> dict[str, Any]:
    """Those sizes and options that no file tells; lengths tell the samples, and the timesteps of the longest."""
    usual = DEFAULT_OPTIONS if lengths is None else {**DEFAULT_OPTIONS, "samples": len(lengths), "timesteps": max(lengths)}
    batch = () if read else BATCH_SIZES[:2] if loaded else BATCH_SIZES
    layer: tuple[str, ...] = () if loaded else ("units", "layers", "bidirectional", "projection", "peepholes")
    options = {**spec.to_dict(), "units": spec.layer_units}
    if isinstance(options["units"], tuple):  # it has a size for each layer
        layer = tuple(name for name in layer if name != "layers")
    sizes = {name: options[name] for name in (*batch, *layer) if options[name] != usual[name]}
    return {**sizes, "no_bias": True} if not loaded and options["bias"] is False else sizes


def _non_default(name: str, spec: Spec) -> Any:
    value = spec.to_dict()[name]
    return None if value == DEFAULT_OPTIONS[name] else value


def option_name(name: str) -> str:
    """The option of an argument: `--steps-out` of `steps_out`."""
    return OPTIONS.get(name, f"--{name.replace('_', '-')}")


def spell_option(name: str, literal: str) -> str:
    """Spell an argument in an error as the command line does: `--units 0`, `--no-bias`."""
    try:
        value = literal_eval(literal) if literal else True
    except (ValueError, SyntaxError):
        value = literal
    if isinstance(value, bool):
        return option_name(name if value else f"no_{name}")
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"{option_name(name)} {printable(text) or repr('')}"


def _option_words(options: dict[str, Any]) -> list[str]:
    words = []
    for name, value in options.items():
        if value is None or value is False:
            continue
        option = option_name(name)
        if isinstance(value, RepeatedOption):
            words += [word for item in value for word in (option, item)]
            continue
        words.append(option)
        if value is not True:
            words.append(",".join(map(str, value)) if isinstance(value, list | tuple | range) else str(value))
    return words
