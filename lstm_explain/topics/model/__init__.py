"""model: which LSTMs a model file holds, how each is written there, and how to choose one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol, cast

from lstm_explain.core.gates import GATES, gate_letters
from lstm_explain.core.weights import parameter_counts
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.topics.result import Result, json_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Annotated

    from lstm_explain.core.gates import Gate, Letter
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.result import Maximum, Minimum, Positive, StackSpecJSON


class UnsupportedInFile(Protocol):
    """A recurrent layer that a reader finds, and that is not explained."""

    @property
    def name(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def fix(self) -> str: ...


class ReadLSTM(Protocol):
    """An LSTM as a reader finds it."""

    @property
    def name(self) -> str: ...
    @property
    def framework(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def spec(self) -> Spec: ...
    @property
    def biases(self) -> int: ...
    @property
    def tensors(self) -> dict[str, tuple[int, ...]]: ...
    @property
    def initial(self) -> object | None: ...
    @property
    def reverse(self) -> bool: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def caveats(self) -> tuple[str, ...]: ...
    @property
    def fed_by(self) -> tuple[str, ...] | None: ...
    @property
    def unsupported(self) -> Sequence[UnsupportedInFile]: ...


class UnsupportedRecurrentLayer(NamedTuple):
    """A recurrent layer of a file that is not explained."""

    name: str
    """Its name in the file.

    It may hold characters that a terminal obeys.
    """
    reason: str
    """Why, as a clause about `it`, without its stop."""
    fix: str
    """What to do about it; may be empty."""


class FileTensor(NamedTuple):
    """One tensor of a file."""

    name: str
    """Its name in the file.

    It may hold characters that a terminal obeys.
    """
    shape: tuple[int, ...]


@json_keys(
    "name framework title *sizes gate_order letters biases parameters own_parameters tensors initial from_the_end=reverse",
    "notes fed_by",
)
class FileLSTM(NamedTuple):
    """One LSTM of a file."""

    name: str
    """What to choose it by, `--model FILE#NAME`.

    It may hold characters that a terminal obeys.
    """
    framework: str
    """The convention that it is written in."""
    title: str
    """What it is, in its framework's words."""
    spec: Spec
    gate_order: Annotated[tuple[Gate, ...], Minimum(4), Maximum(4)]
    """How the gates are packed in the file."""
    biases: Annotated[int, Maximum(2)]
    """How many bias vectors each neuron has in the file; they are added up."""
    tensors: tuple[FileTensor, ...]
    """Its tensors in the file."""
    initial: bool
    """Whether the file holds the states that it starts from."""
    reverse: bool
    """Whether it reads each sample from its end only; its timestep 1 is then the last of the data."""
    notes: tuple[str, ...]
    """Remarks; sentences without their stop."""
    fed_by: tuple[str, ...] | None
    """What it reads: the names of LSTMs whose output it reads as it is, or of other parts of the model; None if unknown."""

    @property
    def sizes(self) -> StackSpecJSON:
        """Its sizes and options, as in `spec`."""
        sizes = self.spec.to_dict()
        return cast("StackSpecJSON", {key: sizes[key] for key in sizes if key not in ("samples", "timesteps")})

    @property
    def letters(self) -> Annotated[tuple[Letter, ...], Minimum(4), Maximum(4)]:
        """The same in letters."""
        return gate_letters(self.gate_order)

    @property
    def parameters(self) -> Positive:
        """How many numbers its tensors hold in the file."""
        return sum(math.prod(tensor.shape) for tensor in self.tensors)

    @property
    def own_parameters(self) -> Positive:
        """How many parameters are left where several biases are added up into one."""
        return sum(parameter_counts(self.spec).values())


@dataclass(frozen=True, eq=False, repr=False)
class Model(Result):
    """The LSTMs of one file."""

    topic: ClassVar[str] = "model"

    file: str
    """The file's name."""
    lstms: Annotated[tuple[FileLSTM, ...], Minimum(1)]
    """The LSTMs."""
    unsupported: tuple[UnsupportedRecurrentLayer, ...]
    """The recurrent layers of the file that are not explained."""


def explain_model(lstms: Iterable[ReadLSTM], file: str) -> Model:
    """List the LSTMs that a reader found in a file.

    Args:
        lstms: as `lstm_explain.readers.model_file.read_model` returns them.
        file: the file's name, safe to print.
    """
    lstms = tuple(lstms)
    unsupported = dict.fromkeys(
        UnsupportedRecurrentLayer(layer.name, layer.reason, layer.fix) for lstm in lstms[:1] for layer in lstm.unsupported
    )
    return Model(file, tuple(map(_describe_lstm, lstms)), tuple(unsupported))


def _describe_lstm(lstm: ReadLSTM) -> FileLSTM:
    convention = CONVENTIONS.get(lstm.framework)
    return FileLSTM(
        name=lstm.name,
        framework=lstm.framework,
        title=lstm.title,
        spec=lstm.spec,
        gate_order=GATES if convention is None else convention.gate_order,
        biases=lstm.biases,
        tensors=tuple(FileTensor(name, shape) for name, shape in lstm.tensors.items()),
        initial=lstm.initial is not None,
        reverse=lstm.reverse,
        notes=(*lstm.notes, *lstm.caveats),
        fed_by=lstm.fed_by,
    )
