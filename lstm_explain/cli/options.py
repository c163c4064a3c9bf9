"""The options that commands share, in groups: a command asks for a group by naming its class as a parameter's type.

A group is a named tuple whose annotations are objects, not strings (no `from __future__ import annotations`): both are made
at every start, and this is the cheapest way.
"""

import inspect
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints

import typer
from typer.models import OptionInfo

from lstm_explain.core.gates import Direction
from lstm_explain.core.spec import Dtype, Init
from lstm_explain.errors import RefusedError, UsageError
from lstm_explain.topics.integers import parse_integer, split_list

Color = Literal["auto", "always", "never"]
ThemeChoice = Literal["auto", "dark", "light"]


class Format(StrEnum):
    """The views."""

    table = "table"
    markdown = "markdown"
    json = "json"
    jsonl = "jsonl"
    csv = "csv"
    npz = "npz"
    svg = "svg"


Features = Annotated[int | None, typer.Option(help="How many numbers a timestep holds. [default: 5]")]
Units = Annotated[
    str | None, typer.Option(metavar="N[,N...]", help="How many units a layer has; 64,32 stacks two layers. [default: 10]")
]
Layers = Annotated[int | None, typer.Option(help="How many layers are stacked. [default: 1]")]
Bidirectional = Annotated[bool, typer.Option("--bidirectional", help="Every layer also reads backwards.")]
Projection = Annotated[int | None, typer.Option(help="Map the units' outputs to an h of this size.")]
NoBias = Annotated[bool, typer.Option("--no-bias", help="Neurons without bias.")]
Peepholes = Annotated[bool, typer.Option("--peepholes", help="i and f also read c_{t-1}, and o reads c_t.")]
Initialiser = Annotated[Init | None, typer.Option(help="How the weights are made. [default: keras]")]
NumberType = Annotated[Dtype | None, typer.Option(help="The type of every number. [default: float32, or the model's]")]
Convention = Annotated[
    str | None, typer.Option(metavar="NAME", help="Which framework wrote the model, where its names do not tell.")
]
Lengths = Annotated[
    str | None, typer.Option(metavar="10,7,3", help="How many timesteps of each sample are run; the rest is padding.")
]
Columns = Annotated[str | None, typer.Option(metavar="A,B", help="Which columns of a CSV, by name or place from 0.")]
SkipRows = Annotated[int, typer.Option(metavar="N", help="Pass over the first lines of a CSV.")]
Delimiter = Annotated[
    str | None, typer.Option(metavar="CHAR", help="What separates a CSV's cells: , ; | tab or space. [default: detected]")
]
Decimal = Annotated[Literal[".", ","], typer.Option(help="What separates decimals in a CSV; with a comma, 1.234,5 is read.")]
AllowNan = Annotated[bool, typer.Option("--allow-nan", help="Accept nan and infinity in the data.")]
Theme = Annotated[ThemeChoice, typer.Option(help="The background to choose colours for; auto asks the terminal.")]
MaxMemory = Annotated[str, typer.Option(metavar="SIZE", help="Refuse to use more memory than this.")]


class SourceOptions(NamedTuple):
    """Which LSTM, and what it reads."""

    samples: Annotated[int | None, typer.Option(help="How many sequences there are. [default: 1000]")] = None
    timesteps: Annotated[int | None, typer.Option(help="How many steps a sequence has. [default: 10]")] = None
    features: Features = None
    units: Units = None
    layers: Layers = None
    bidirectional: Bidirectional = False
    projection: Projection = None
    no_bias: NoBias = False
    peepholes: Peepholes = False
    init: Initialiser = None
    seed: Annotated[int, typer.Option(help="The seed of the weights and the inputs.")] = 0
    dtype: NumberType = None
    model: Annotated[
        str | None, typer.Option(metavar="FILE[#LAYER]", help="Take sizes, options and weights from a model file.")
    ] = None
    convention: Convention = None
    data: Annotated[
        str | None,
        typer.Option(metavar="FILE[#ARRAY]", help="Read the inputs from a .npy, .npz or .csv file, or - for CSV on stdin."),
    ] = None
    columns: Columns = None
    skip_rows: SkipRows = 0
    delimiter: Delimiter = None
    decimal: Decimal = "."
    allow_nan: AllowNan = False
    max_memory: MaxMemory = "1GiB"


class SelectionOptions(NamedTuple):
    """Which part of the run."""

    sample: Annotated[int, typer.Option(help="Which sample; counts from 0.")] = 0
    layer: Annotated[int | None, typer.Option(help="Which layer; counts from 0. [default: 0]")] = None
    direction: Annotated[Direction | None, typer.Option(help="Which direction. [default: forward]")] = None
    lengths: Lengths = None

    @property
    def layer_direction(self) -> tuple[int, str]:
        """The layer and the direction, with their defaults."""
        return self.layer or 0, self.direction or Direction.FORWARD


class EditOptions(NamedTuple):
    """What is changed by hand."""

    edit: Annotated[
        list[str] | None,
        typer.Option(metavar="h_3[4]=0.5", help="Set a number of the weights, the inputs or the run by hand; repeatable."),
    ] = None


class OutputOptions(NamedTuple):
    """Which view, and where it goes."""

    format: Annotated[
        Format | None,
        typer.Option(help="The view; jsonl, csv and npz are rows, of trace only. [default: table, or what -o ends in]"),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="Write to a file, whole or not at all.")
    ] = None
    color: Annotated[Color, typer.Option(help="When to colour; NO_COLOR and FORCE_COLOR are honoured.")] = "auto"
    theme: Theme = "auto"
    width: Annotated[int | None, typer.Option(help="Lay out for this many columns. [default: the terminal's, or 80]")] = None
    ascii: Annotated[bool, typer.Option("--ascii", help="Use no characters beyond ASCII.")] = False


def with_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Let typer see each option of the groups that a command asks for, and hand the command the groups filled in."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if hasattr(hint, "_field_defaults")}
    own_parameters = [parameter for name, parameter in inspect.signature(command).parameters.items() if name not in groups]
    parameters = [parameter.replace(annotation=hints[parameter.name]) for parameter in own_parameters]
    for group in groups.values():
        parameters += _group_parameters(group)

    for parameter in parameters:
        _accept_size_spellings(parameter)

    def run(**values: Any) -> None:
        filled = {name: group(*map(values.pop, group._fields)) for name, group in groups.items()}
        command(**values, **filled)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _accept_size_spellings(parameter: inspect.Parameter) -> None:
    """Let an option whose value is a whole number be written as `1,000`, `1k` or `1e3` too."""
    for info in getattr(parameter.annotation, "__metadata__", ()):
        if isinstance(info, OptionInfo) and parameter.annotation.__origin__ in (int, int | None):
            info.parser, info.metavar = _parse_integer_option, info.metavar or "<int>"


def _group_parameters(group: Any) -> list[inspect.Parameter]:
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(name, kind, default=group._field_defaults[name], annotation=annotation)
        for name, annotation in group.__annotations__.items()
    ]


# --- values that are written in a small language of their own ---------------------------------------------------------


def quote_option(option: str, text: str) -> str:
    """An option as it was given, safe to print."""
    from lstm_explain.errors import printable

    return f"{option} {printable(text)}" if text else f"{option} ''"


def _parse_integer_option(text: str | int) -> int:
    """Read the value of an option that takes a whole number."""
    if isinstance(text, int):
        return text
    try:
        return parse_integer(text)
    except ValueError:
        from lstm_explain.errors import printable

        problem = f"{printable(text) or repr('')} must be a whole number, such as 1000, 1,000, 1k or 1e3"
        raise typer.BadParameter(problem) from None


def parse_integers(option: str, text: str) -> tuple[int, ...]:
    """Read `10,7,3`. A comma before three digits that begin with 0 separates thousands: `1,000,500` is 1000 and 500."""
    try:
        return tuple(map(_parse_natural, split_list(text)))
    except ValueError:
        raise UsageError(quote_option(option, text), "this is not a list of whole numbers such as 10,7,3") from None


def _parse_natural(text: str) -> int:
    """Read a whole number without a sign, of a bounded size."""
    number = parse_integer(text)
    if not text.strip()[:1].isdigit() or number >= 10**18:
        raise ValueError(text)
    return number


FIX_SELECT = "To select units, use --unit"


def parse_units(text: str) -> int | tuple[int, ...]:
    """Read the sizes of the layers: one for all of them, or those of a stack, such as `64,32`.

    Raises:
        UsageError: the text is neither, such as a selection of units.
    """
    try:
        sizes = tuple(map(parse_integer, split_list(text)))
    except ValueError:
        sizes = ()
    if len(sizes) == 1:
        return sizes[0]
    if sizes and min(sizes) > 0:
        return sizes
    asked = quote_option("--units", text)
    if sizes:
        problem = "a layer needs at least one unit, and these are the units of stacked layers"
        raise UsageError(asked, problem, FIX_SELECT)
    problem = "a size is a whole number such as 10, 1,000 or 1k, and a stack of layers is a list of sizes such as 64,32"
    raise UsageError(asked, problem, FIX_SELECT if re.fullmatch(r"[\d, -]*\d-\d[\d, -]*", text) else "")


MAX_SELECTED = 10**7


def parse_selection(option: str, text: str, first: int, last: int) -> tuple[int, ...]:
    """Read `0,3,7-9` or `all`: numbers from first to last, and ranges that include both their ends.

    Raises:
        UsageError: the text is not a selection, or a number is out of range.
        RefusedError: the selection is longer than any run that fits into memory.
    """
    chosen: set[int] = set()
    for part in (f"{first}-{last}" if text.strip() == "all" else text).split(","):
        low, dash, high = (piece.strip() for piece in part.partition("-"))
        if not _is_integer(low) or (dash and not _is_integer(high)):
            raise UsageError(quote_option(option, text), "this is not a selection such as 3 or 0,3,7-9 or all")
        start, stop = int(low), int(high) if dash else int(low)
        if start > stop:
            raise UsageError(quote_option(option, text), f"the range {part.strip()} runs backwards")
        if start < first or stop > last:
            raise UsageError(quote_option(option, text), f"{option.strip('-').rstrip('s')}s count from {first} to {last}")
        if stop - start >= MAX_SELECTED:
            raise RefusedError(quote_option(option, text), f"these are {stop - start + 1}", f"Choose {MAX_SELECTED} at most")
        chosen.update(range(start, stop + 1))
    return tuple(sorted(chosen))


DELIMITERS = {",": ",", ";": ";", "|": "|", "tab": "\t", r"\t": "\t", "\t": "\t", "space": " ", " ": " "}


def parse_delimiter(option: str, text: str) -> str:
    """Read `,`, `;`, `|`, `tab` or `space`."""
    if text not in DELIMITERS:
        raise UsageError(
            quote_option(option, text), "this is not a delimiter", "Give , or ; or | or tab or space, in quotes for the shell"
        )
    return DELIMITERS[text]


MEMORY_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
MEMORY_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def parse_memory_size(option: str, text: str) -> int:
    """Read `1GiB`, `500MB` or a number of bytes."""
    digits = text.strip().rstrip("BbIiKkMmGgTt ")
    unit = text.strip()[len(digits) :].strip().upper()
    if not _is_integer(digits) or unit not in MEMORY_UNITS:
        raise UsageError(quote_option(option, text), "this is not a size such as 500MB, 1GiB or a number of bytes")
    return int(digits) * MEMORY_UNITS[unit]


def _is_integer(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
