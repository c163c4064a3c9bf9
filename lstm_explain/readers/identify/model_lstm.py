"""Found: an LSTM in a model file, whatever the format; its sizes and options follow from its weights."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.core.engine import StackState
from lstm_explain.core.spec import LayerSpec, Spec
from lstm_explain.core.weights import Weights
from lstm_explain.errors import InputFileError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.core.gates import Direction
    from lstm_explain.core.spec import Dtype
    from lstm_explain.core.weights import LayerWeights


LONGEST_NAMED, LONGEST_LIST = 60, 240
"""In characters: how much a message shows of a name, and of all of them."""
FROM_THE_END = "from the end"
"""As it stands under `source.weights.reads` in JSON."""
FED_STATES = "it starts from states that the model computes when it runs; here it starts from zeros"
ORDER_UNKNOWN = "what stands between its layers in the model is not known: their order is yours"


class UnsupportedLayer(NamedTuple):
    """A recurrent layer in a file that is not explained."""

    name: str
    """What the file calls it; not yet safe to print."""
    reason: str
    """Why, as a clause about `it`, without its stop: it is a GRU."""
    fix: str = ""
    """What to do about it, where there is something."""

    def error(self, file: str) -> InputFileError:
        """What to say to whom asks for it."""
        return InputFileError(f"{file}#{printable(self.name) or 'lstm'}", self.reason, self.fix)


class ModelLSTM(NamedTuple):
    """One LSTM in a file: a layer, or a stack of layers that belong together."""

    name: str
    """What to choose it by; as the file has it, not yet safe to print."""
    framework: str
    """The convention it is written in: a key of `frameworks.registry.CONVENTIONS`, or `lstm-explain` for our own."""
    title: str
    """What it is, in its framework's words, such as `torch.nn.LSTM`."""
    weights: Weights
    """In our own arrangement."""
    tensors: dict[str, tuple[int, ...]]
    """Where it stands in the file: the names of its tensors there, with their shapes."""
    biases: int
    """How many bias vectors each neuron has in the file: 0, 1 or 2."""
    initial: StackState | None = None
    """The states that it starts from, where the file says so: those of one sample."""
    reverse: bool = False
    """Whether it reads the sequence from its end only; its timestep 1 is then the sequence's last."""
    notes: tuple[str, ...] = ()
    """What else is to be said of it, such as what the model does beside its weights; sentences without their stop."""
    caveats: tuple[str, ...] = ()
    """What every answer over it has to say, because the model does it and a run here does not: sentences."""
    fed_by: tuple[str, ...] | None = None
    """The names of the LSTMs whose output it reads as it is, and of all else that it reads; None where that is not known."""
    unsupported: tuple[UnsupportedLayer, ...] = ()
    """The recurrent layers of the file that are not explained; the same for all of its LSTMs."""

    @property
    def spec(self) -> Spec:
        """Its sizes and options, for one sample of one timestep.

        Raises:
            UsageError: a size breaks a rule, such as a projection that is not smaller than the units.
        """
        first = next(iter(self.weights.layers[0].values()))
        stack = tuple(_layer_spec(layer) for layer in self.weights.layers)
        return Spec.from_options(samples=1, timesteps=1, features=len(first.kernel), dtype=_dtype(first), stack=stack)

    def origin(self, file: str) -> dict[str, Any]:
        """Where the weights come from, as it stands under `source.weights` in JSON."""
        about = {"kind": "model", "file": file, "layer": printable(self.name), "framework": self.framework}
        asides = {"asides": list(self.caveats)} if self.caveats else {}
        return {**about, "title": self.title, "biases": self.biases, "reads": self.reads, **asides}

    @property
    def reads(self) -> str:
        """Which way it reads a sequence."""
        if self.reverse:
            return FROM_THE_END
        both = [len(layer) > 1 for layer in self.weights.layers]
        return "both ways" if all(both) else "some layers both ways" if any(both) else "from the start"


def _layer_spec(layer: dict[Direction, LayerWeights]) -> LayerSpec:
    """The sizes and options of a layer, as its weights tell."""
    first = next(iter(layer.values()))
    return LayerSpec(
        units=first.units,
        bidirectional=len(layer) > 1,
        projection=None if first.projection is None else len(first.recurrent_kernel),
        bias=first.bias is not None,
        peepholes=first.peephole is not None,
    )


def _dtype(weights: LayerWeights) -> Dtype:
    return "float64" if weights.kernel.dtype.itemsize == 8 else "float32"


def select_lstm(found: tuple[ModelLSTM, ...], name: str | None, file: str) -> ModelLSTM:
    """The LSTM of a name; the only one there is where no name is given; several, joined by +, as one stack.

    A name may be shortened to its last parts.

    Raises:
        InputFileError: there is no LSTM in the file, none of that name, or several to choose from; that of the name is not
            explained; or those to be stacked do not fit onto each other.
    """
    if name is not None and "+" in name and all(one.name != name for one in found):
        return stack_lstms([_one(found, part, file) for part in name.split("+")], file)
    return _one(found, name, file)


def stack_lstms(parts: list[ModelLSTM], file: str) -> ModelLSTM:
    """Consecutive layers as one stack.

    Raises:
        InputFileError: a layer stands twice in it, does not read what the one below it emits, or is of another type or rule.
    """
    first = parts[0]
    for place, one in enumerate(parts):
        if any(one.name == other.name for other in parts[:place]):
            found = "it stands twice in this stack, and no layer reads its own outputs"
            raise InputFileError(f"{file}#{printable(one.name)}", found, "Name each layer once")
    for below, above in pairwise(parts):
        _check_pair(below, above, file)
    known = all(above.fed_by is not None for above in parts[1:])
    asides = [note for one in parts for note in one.caveats] + ([] if known else [ORDER_UNKNOWN])
    return first._replace(
        name="+".join(one.name for one in parts),
        title=", ".join(dict.fromkeys(one.title for one in parts)),
        weights=Weights(tuple(layer for one in parts for layer in one.weights.layers)),
        tensors={name: sizes for one in parts for name, sizes in one.tensors.items()},
        biases=max(one.biases for one in parts),
        initial=_joined([one.initial for one in parts], parts),
        notes=tuple(dict.fromkeys(note for one in parts for note in one.notes)),
        caveats=tuple(dict.fromkeys(asides)) if len(parts) > 1 else first.caveats,
    )


def _check_pair(below: ModelLSTM, above: ModelLSTM, file: str) -> None:
    """Raise `InputFileError` unless one layer can stand on the other."""
    one, other = below.spec, above.spec
    lower, upper = printable(below.name), printable(above.name)
    reads = f"{file}#{upper}"
    turned = next((part for part in (below, above) if part.reverse), None)
    if turned is not None:
        found = f"{printable(turned.name)} reads from the end, and the layers of a stack read in one order"
        raise InputFileError(f"{file}#{printable(turned.name)}", found, "Choose it alone")
    if above.fed_by is not None and below.name not in above.fed_by:
        read = " and ".join(map(printable, above.fed_by[:3])) or "what the model is given"
        fix = f"Explain each alone, {upper} with --data of what it reads"
        raise InputFileError(reads, f"{upper} reads {read}, not {lower}", fix)
    if other.features != one.output:
        found = f"it reads {other.features} features, and {lower} below it emits {one.output} numbers"
        raise InputFileError(reads, found, "Choose consecutive layers")
    for name, ours, theirs in (("dtype", one.dtype, other.dtype), ("convention", below.framework, above.framework)):
        if ours != theirs:
            found = f"its {name} is {theirs}, and that of {lower} below it {ours}"
            raise InputFileError(reads, found, f"Explain each alone, {upper} with --data of what {lower} emits")


def _joined(initials: list[StackState | None], parts: list[ModelLSTM]) -> StackState | None:
    """The initial states of all layers; zeros for those that have none, nothing where none has."""
    if all(one is None for one in initials):
        return None
    import numpy as np

    def zeros(part: ModelLSTM) -> StackState:
        layers = [part.spec.for_layer(layer) for layer, _ in part.spec.layer_directions]
        return StackState(
            tuple(np.zeros((1, one.hidden), one.dtype) for one in layers),
            tuple(np.zeros((1, one.units), one.dtype) for one in layers),
        )

    states = [one or zeros(part) for one, part in zip(initials, parts, strict=True)]
    return StackState(*(tuple(chain.from_iterable(arrays)) for arrays in zip(*states, strict=True)))


def no_lstm_error(file: str) -> InputFileError:
    """What to say of a file that has none, or none under a name that tells."""
    fix = "If the names of its arrays do not tell, say who wrote them with --convention"
    return InputFileError(file, "there is no LSTM in it", fix)


def _one(found: tuple[ModelLSTM, ...], name: str | None, file: str) -> ModelLSTM:
    if not found:
        raise no_lstm_error(file)
    fitting = list(found) if name is None else _called(found, name, file)
    if len(fitting) == 1:
        return fitting[0]
    asked = file if name is None else f"{file}#{printable(name)}"
    if not fitting:
        raise InputFileError(asked, f"there is no such LSTM in it. There are {_listed(found)}")
    several = f"there are {len(fitting)} LSTMs to choose from: {_listed(fitting)}"
    raise InputFileError(asked, several, f"Choose one: {file}#NAME")


def _called(found: tuple[ModelLSTM, ...], name: str, file: str) -> list[ModelLSTM]:
    """Those of a name, else those whose last parts are the name.

    Raises:
        InputFileError: what is called so is not explained.
    """
    for fits in (str.__eq__, lambda one, end: one.endswith(f".{end}"), lambda one, end: one.endswith(f"/{end}")):
        if fitting := [one for one in found if fits(one.name, name)]:
            return fitting
        if unfit := [one for one in found[0].unsupported if fits(one.name, name)]:
            raise unfit[0].error(file)
    return []


def _listed(found: Sequence[ModelLSTM]) -> str:
    """Their names, as many of them as fit into a message."""
    names = [printable(one.name) for one in found]
    short = [name if len(name) <= LONGEST_NAMED else f"{name[: LONGEST_NAMED - 3]}..." for name in names]
    fit = [name for place, name in enumerate(short) if sum(map(len, short[: place + 1])) <= LONGEST_LIST]
    return ", ".join(fit) + (f" and {len(names) - len(fit)} more" if len(names) > len(fit) else "")
