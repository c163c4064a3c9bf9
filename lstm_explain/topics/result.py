"""Results: what every topic computes, described once, and the JSON object made of it.

A result, and every part of it, is a frozen dataclass or a NamedTuple. Each key of its JSON object is an attribute: a field, a
property or a cached property, with a type and a docstring. `to_plain` makes plain data of them; `tests/helpers/schemas.py`
makes the JSON Schemas and the tables of `docs/json-format.md` of the same types and docstrings: run it after a change.

- `@json_keys("sample layer mean_f=mean_forget")` lists the keys in order, separated by spaces, unless they are the fields:
  `sample` is the attribute of that name, `mean_f` shows the attribute `mean_forget`. Dots nest keys, and follow attributes:
  `initial.c=initial_cell`, `shape=shape.sizes`. `*sizes` puts the keys of the attribute `sizes` among the others. `layer?`
  leaves the key out if the value is None. `spec` and `source` belong to the envelope and are never listed.
- An `int` is at least 0, a `Positive` at least 1; `Annotated[int, Minimum(2), Maximum(9)]` is for other ranges. A `float` may
  be nan or infinite, which is null in JSON; a `Finite` is not. An array names its axes:
  `Annotated[Array, Axes("timesteps", "units")]`. A closed list is a `Literal`, an Enum, or `Annotated[str, OneOf(NAMES)]` if
  the names are data. `X | None` may be null. `dict[str, X]` has any keys, `dict[Gate, X]` one for each Gate.
  `tuple[int, int]` has two items; `tuple[X, ...]`, `list[X]` and `Sequence[X]` have any number.
- A part that JSON arranges differently, such as one timestep of several arrays, is a NamedTuple that a property builds.
- A dict whose keys may be absent is a TypedDict with `NotRequired`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, NotRequired, TypedDict, TypeVar

from lstm_explain.core.axes import Size
from lstm_explain.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lstm_explain.core.gates import Direction
    from lstm_explain.core.spec import Dtype, Init, Spec

SCHEMA_VERSION = 1
T = TypeVar("T")


class Axes:
    """The axes of an array in a result, outermost first."""

    def __init__(self, *names: str) -> None:
        self.names = names


class Minimum(NamedTuple):
    """The least value of a number; of a list, the least number of items. An integer is at least 0 without it."""

    value: int


class Maximum(NamedTuple):
    """The greatest value of an integer; of a list, the greatest number of items."""

    value: int


class OneOf:
    """The values of a string that are listed as data, such as the keys of a registry."""

    def __init__(self, values: Iterable[str]) -> None:
        self.values = tuple(values)


Positive = Size
"""A size, or a timestep that counts from 1."""
Finite = Annotated[float, "finite"]
"""A number that is never nan or infinite."""


class LayerSpecJSON(TypedDict):
    """The sizes and options of one layer."""

    units: Positive
    """How many units the layer has in each direction."""
    bidirectional: bool
    """Whether the layer also reads backwards."""
    projection: Positive | None
    """The size of h if it is a projection."""
    bias: bool
    """Whether its neurons have biases."""
    peepholes: bool
    """Whether its gates also read the cell state."""


class BatchSizesJSON(TypedDict):
    """The sizes of the input that do not belong to the LSTM."""

    samples: Positive
    """How many sequences there are."""
    timesteps: Positive
    """How many steps a sequence has."""


class StackSpecJSON(TypedDict):
    """The sizes and options of a stack of layers."""

    features: Positive
    """How many numbers a timestep of the input has."""
    units: Positive | None
    """How many units a layer has in each direction; this and the options below are null where layers differ, see `stack`."""
    layers: Positive
    """How many layers are stacked."""
    bidirectional: bool | None
    """Whether every layer also reads backwards."""
    projection: Positive | None
    """The size of h if it is a projection."""
    bias: bool | None
    """Whether neurons have biases."""
    peepholes: bool | None
    """Whether gates also read the cell state."""
    dtype: Dtype
    """The type of every number."""
    stack: NotRequired[Annotated[list[LayerSpecJSON], Minimum(2)]]
    """Only where layers differ: the sizes and options of each layer, in order."""


class SpecJSON(BatchSizesJSON, StackSpecJSON):
    """The sizes and options of the LSTM."""


class WeightsJSON(TypedDict):
    """Where the weights come from: a seed or a model file."""

    kind: Literal["seeded", "model"]
    """What they are made of."""
    init: NotRequired[Init]
    """The initialiser."""
    seed: NotRequired[int]
    """The seed of the weights."""
    file: NotRequired[str]
    """The file's name without its folder."""
    layer: NotRequired[str]
    """The LSTM's name in the file."""
    framework: NotRequired[str]
    """The convention that the file is written in."""
    title: NotRequired[str]
    """What the LSTM is in its framework's words."""
    biases: NotRequired[Annotated[int, Maximum(2)]]
    """How many bias vectors each neuron has in the file; they are added up."""
    reads: NotRequired[Literal["from the start", "from the end", "both ways", "some layers both ways"]]
    """Which way it reads; from the end, timesteps are numbered as they are read, and timestep 1 is the last of the data."""
    asides: NotRequired[list[str]]
    """What the model does and a run here does not, such as starting from stored states; only if there is something."""


class InputsJSON(TypedDict):
    """Where the inputs come from: a seed or a data file."""

    kind: Literal["seeded", "data"]
    """What they are made of."""
    seed: NotRequired[int]
    """The seed of the inputs."""
    distribution: NotRequired[str]
    """How they are distributed."""
    name: NotRequired[str]
    """The file's name without its folder."""
    columns: NotRequired[list[str] | None]
    """The names of the columns."""
    lengths: list[Positive] | None
    """How many timesteps of each sample are run; null where all are."""


class SourceJSON(TypedDict):
    """Where weights and inputs come from."""

    weights: WeightsJSON
    """Where the weights come from, below."""
    inputs: InputsJSON
    """Where the inputs come from, below."""
    edits: NotRequired[Annotated[list[str], Minimum(1)]]
    """The numbers that `--edit` set by hand, such as `h_3[4]=0.5`; only if there are some."""


class NonfiniteJSON(TypedDict):
    """A number that was nan or infinite, and is null."""

    path: str
    """Where it is, such as `steps[3].c[0]`."""
    value: Literal["nan", "inf", "-inf"]
    """What it was."""


class OpeningJSON(TypedDict):
    """The keys that every JSON object begins with."""

    schema: str
    """`lstm-explain/` and the topic."""
    schema_version: int
    """The version of the format, see [versions](#versions)."""
    tool_version: str
    """The version of lstm-explain."""
    spec: SpecJSON
    """The sizes and options, below."""
    source: SourceJSON
    """Where the numbers come from, below."""


class EnvelopeJSON(OpeningJSON):
    """The keys that every JSON object begins and ends with."""

    nonfinite: list[NonfiniteJSON]
    """The numbers that were nan or infinite, and are null; empty where all are finite."""


class Result:
    """What a topic computes: frozen, typed, and without words for any one reader.

    `to_dict()` gives it to programs. Notebooks and rich consoles show it through `present`, which the package sets when it is
    imported, so that this module need not know the pages.
    """

    topic: ClassVar[str]
    """The word that names the command, the package, the page and the schema."""
    present: ClassVar[Callable[[Result, str], Any] | None] = None
    """(result, `text`, `rich` or `html`) -> what `print`, a rich console or a notebook shows."""

    def to_dict(self) -> dict[str, Any]:
        """The whole JSON object as plain Python data; see `docs/json-format.md`."""
        return {**envelope_of_topic(self.topic), **replace_nonfinite(keys_to_plain(self))}

    def __repr__(self) -> str:
        return f"<{self.topic}>"

    def __str__(self) -> str:
        return str(_presenter()(self, "text"))

    def __rich__(self) -> Any:
        return _presenter()(self, "rich")

    def _repr_html_(self) -> str:
        return str(_presenter()(self, "html"))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Return all that a notebook keeps of a result, so that no formatter which prints, such as rich's, shows it again."""
        return {"text/plain": str(self), "text/html": self._repr_html_()}


class LSTMResult(Result):
    """A result about one LSTM."""

    spec: Spec
    source: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return {**envelope_of_lstm(self.topic, self.spec, self.source), **replace_nonfinite(keys_to_plain(self))}

    def __repr__(self) -> str:
        return f"<{self.topic} of LSTM: {self.spec.describe()}>"


class LayerResult(LSTMResult):
    """A result about one layer of an LSTM."""

    layer: int

    @property
    def layer_spec(self) -> Spec:
        """The sizes and options of that layer; those of `spec` may differ from layer to layer."""
        return self.spec.for_layer(self.layer)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class SampleResult(LayerResult):
    """A result about one sample in one layer and direction."""

    spec: Spec
    source: dict[str, Any]
    sample: int
    layer: int
    direction: Direction
    length: Positive
    """How many timesteps of this sample were run; the rest is padding."""


def envelope_of_topic(topic: str) -> dict[str, Any]:
    """The keys that every JSON object begins with."""
    return {"schema": f"lstm-explain/{topic}", "schema_version": SCHEMA_VERSION, "tool_version": __version__}


def envelope_of_lstm(topic: str, spec: Spec, source: dict[str, Any]) -> dict[str, Any]:
    """The same for a result about one LSTM."""
    return {**envelope_of_topic(topic), "spec": spec.to_dict(), "source": source}


def json_keys(*keys: str) -> Callable[[type[T]], type[T]]:
    """Decorate a dataclass or NamedTuple with the keys of its JSON object; see this module's docstring."""

    def decorate(kind: type[T]) -> type[T]:
        setattr(kind, "json_keys", " ".join(keys).split())  # noqa: B010
        return kind

    return decorate


def to_plain(value: Any) -> Any:
    """Make plain Python data of a result or a part of one. Numbers that are nan or infinite stay so."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {to_plain(key): to_plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        from lstm_explain.topics.json_numbers import plain_numbers

        return plain_numbers(value)
    if type(value) is list and all(type(item) is float for item in value):
        return value
    if hasattr(value, "to_dict") and not isinstance(value, Result):
        return value.to_dict()
    return keys_to_plain(value) if key_attributes(value.__class__) else [to_plain(item) for item in value]


def keys_to_plain(value: Any) -> dict[str, Any]:
    """The JSON keys of a result or a part of one, with plain Python data."""
    plain: dict[str, Any] = {}
    for key, attribute in key_attributes(value.__class__).items():
        item = attrgetter(attribute)(value)
        if key.startswith("*"):
            plain |= to_plain(item)
            continue
        if key.endswith("?") and item is None:
            continue
        *groups, name = key.removesuffix("?").split(".")
        group = plain
        for outer in groups:
            group = group.setdefault(outer, {})
        group[name] = to_plain(item)
    return plain


@cache
def key_attributes(kind: Any) -> dict[str, str]:
    """For each JSON key of a type, the attribute that holds its value; empty unless it is a dataclass or NamedTuple."""
    names = getattr(kind, "json_keys", None) or getattr(kind, "_fields", None)
    if names is None:
        fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
        names = [field.name for field in fields]
    pairs = (name.partition("=") for name in names)
    return {key: attribute or key.removeprefix("*").removesuffix("?") for key, _, attribute in pairs}


def replace_nonfinite(facts: dict[str, Any]) -> dict[str, Any]:
    """Replace each nan and infinity, which JSON cannot express, by None; `nonfinite` lists where they were."""
    replaced: list[NonfiniteJSON] = []
    return {**_replace_nonfinite(facts, "", replaced), "nonfinite": replaced}


def _replace_nonfinite(value: Any, path: str, replaced: list[NonfiniteJSON]) -> Any:
    if isinstance(value, dict):
        return {key: _replace_nonfinite(item, f"{path}.{key}" if path else str(key), replaced) for key, item in value.items()}
    if isinstance(value, list):
        if all(type(item) is float and math.isfinite(item) for item in value):
            return value
        return [_replace_nonfinite(item, f"{path}[{index}]", replaced) for index, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        replaced.append({"path": path, "value": str(value)})  # type: ignore[typeddict-item]
        return None
    return value


def _presenter() -> Callable[[Result, str], Any]:
    if Result.present is None:
        raise RuntimeError("no presenter is set: import lstm_explain")
    return Result.present
