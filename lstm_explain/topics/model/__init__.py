"""model: which LSTMs a model file holds, how each is written there, and how to choose one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from lstm_explain.core.gates import GATES, LETTERS
from lstm_explain.core.weights import parameter_counts
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.topics.result import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lstm_explain.core.gates import Gate
    from lstm_explain.core.spec import Spec


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
    """As the file has it, not yet safe to print."""
    reason: str
    """Why, as a clause about `it`, without its stop."""
    fix: str
    """What to do about it; may be empty."""


class FileLSTM(NamedTuple):
    """One LSTM of a file."""

    name: str
    """What to choose it by; as the file has it, not yet safe to print."""
    framework: str
    title: str
    """What it is, in its framework's words."""
    spec: Spec
    gate_order: tuple[Gate, ...]
    """How the gates are packed in the file."""
    biases: int
    """How many bias vectors each neuron has in the file; they are added up."""
    parameters: int
    """How many numbers its tensors hold in the file."""
    tensors: dict[str, tuple[int, ...]]
    """Its tensors in the file: their names and shapes."""
    initial: bool
    """Whether the file says from which states it starts."""
    from_the_end: bool
    """Whether it reads the sequence from its end only: its timestep 1 is then the sequence's last."""
    notes: tuple[str, ...]
    """What else is to be said of it; sentences without their stop."""
    fed_by: tuple[str, ...] | None
    """What it reads: the names of LSTMs, or of other parts of the model; None where the file does not tell."""

    @property
    def own_parameters(self) -> int:
        """How many parameters are left where several biases are added up into one."""
        return sum(parameter_counts(self.spec).values())

    def to_dict(self) -> dict[str, Any]:
        sizes = {key: value for key, value in self.spec.to_dict().items() if key not in ("samples", "timesteps")}
        return {
            "name": self.name,
            "framework": self.framework,
            "title": self.title,
            **sizes,
            "gate_order": [gate.value for gate in self.gate_order],
            "letters": [LETTERS[gate] for gate in self.gate_order],
            "biases": self.biases,
            "parameters": self.parameters,
            "own_parameters": self.own_parameters,
            "tensors": [{"name": name, "shape": list(shape)} for name, shape in self.tensors.items()],
            "initial": self.initial,
            "from_the_end": self.from_the_end,
            "notes": list(self.notes),
            "fed_by": None if self.fed_by is None else list(self.fed_by),
        }


@dataclass(frozen=True, eq=False, repr=False)
class Model(Result):
    """The LSTMs of one file."""

    topic: ClassVar[str] = "model"

    file: str
    """The file's name, safe to print."""
    lstms: tuple[FileLSTM, ...]
    unsupported: tuple[UnsupportedRecurrentLayer, ...]
    """The recurrent layers beside them that are not explained."""

    def facts(self) -> dict[str, Any]:
        unsupported = [lstm._asdict() for lstm in self.unsupported]
        return {"file": self.file, "lstms": [lstm.to_dict() for lstm in self.lstms], "unsupported": unsupported}


def explain_model(found: Iterable[ReadLSTM], file: str) -> Model:
    """List the LSTMs that a reader found in a file.

    Args:
        found: as `lstm_explain.readers.model_file.read_model` returns them.
        file: the file's name, safe to print.
    """
    all_found = tuple(found)
    beside = dict.fromkeys(
        UnsupportedRecurrentLayer(other.name, other.reason, other.fix) for lstm in all_found[:1] for other in lstm.unsupported
    )
    return Model(file, tuple(map(_describe_lstm, all_found)), tuple(beside))


def _describe_lstm(lstm: ReadLSTM) -> FileLSTM:
    convention = CONVENTIONS.get(lstm.framework)
    return FileLSTM(
        name=lstm.name,
        framework=lstm.framework,
        title=lstm.title,
        spec=lstm.spec,
        gate_order=GATES if convention is None else convention.gate_order,
        biases=lstm.biases,
        parameters=_count_numbers(lstm.tensors),
        tensors=lstm.tensors,
        initial=lstm.initial is not None,
        from_the_end=lstm.reverse,
        notes=(*lstm.notes, *lstm.caveats),
        fed_by=lstm.fed_by,
    )


def _count_numbers(tensors: dict[str, tuple[int, ...]]) -> int:
    from math import prod

    return sum(map(prod, tensors.values()))
