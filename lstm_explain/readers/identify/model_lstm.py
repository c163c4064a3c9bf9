"""One LSTM of a model file, whatever the format: its checks, how it is selected by name, and stacks of several."""

from __future__ import annotations

from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstm_explain.core.engine import StackState
from lstm_explain.core.spec import LayerSpec, Spec
from lstm_explain.core.weights import Weights, check_weights
from lstm_explain.errors import InputFileError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.core.gates import Direction
    from lstm_explain.core.spec import Dtype
    from lstm_explain.core.weights import LayerWeights


OUR_FORMAT = "lstm-explain"
"""The framework of our own files, in which the layers of a stack may have different sizes and options."""
MAX_NAME_LENGTH, MAX_LIST_LENGTH = 60, 240
"""In characters: how much of a name, and of all names, a message shows."""
FROM_THE_END = "from the end"
"""The value of `source.weights.reads` in JSON for a layer that reads a sequence in reverse."""
FED_STATES = "it starts from states that the model computes when it runs; here it starts from zeros"
ORDER_UNKNOWN = "the file does not say what is between its layers: their order is the one you gave"
NOT_FINITE = "some of its weights are nan or infinite"
AXIS_COUNTS = {"kernel": 2, "recurrent_kernel": 2, "bias": 1, "projection": 2, "peephole": 2}


class UnsupportedLayer(NamedTuple):
    """A recurrent layer in a file that is not supported."""

    name: str
    """Its name in the file; not yet safe to print."""
    reason: str
    """Why, as a clause without its full stop: it is a GRU."""
    fix: str = ""
    """What to do about it, if anything."""
    tensors: tuple[str, ...] = ()
    """The names of the tensors that are certainly its own."""

    def error(self, file: str) -> InputFileError:
        """Return the error for a request for this layer."""
        return InputFileError(layer_label(file, self.name), self.reason, self.fix)


class ModelLSTM(NamedTuple):
    """One LSTM in a file: a layer, or a stack of layers that belong together."""

    name: str
    """The name to choose it by; as the file has it, not yet safe to print."""
    framework: str
    """The convention it is written in: a key of `frameworks.registry.CONVENTIONS`, or `lstm-explain` for our own."""
    title: str
    """What it is, in its framework's words, such as `torch.nn.LSTM`."""
    weights: Weights
    """In our own arrangement."""
    tensors: dict[str, tuple[int, ...]]
    """The names of its tensors in the file, with their shapes."""
    biases: int
    """How many bias vectors each neuron has in the file: 0, 1 or 2."""
    initial: StackState | None = None
    """The states that it starts from, if the file has them: those of one sample."""
    reverse: bool = False
    """Whether it reads the sequence from its end only; its timestep 1 is then the sequence's last."""
    notes: tuple[str, ...] = ()
    """Remarks, such as what the model does besides its weights; sentences without their full stop."""
    caveats: tuple[str, ...] = ()
    """What the model does and a run here does not, for every answer about it; sentences without their full stop."""
    fed_by: tuple[str, ...] | None = None
    """The names of the LSTMs whose output it reads unchanged, and of all else that it reads; None if that is not known."""
    unsupported: tuple[UnsupportedLayer, ...] = ()
    """The recurrent layers of the file that are not supported; the same for all of its LSTMs."""

    @property
    def spec(self) -> Spec:
        """Its sizes and options, for one sample of one timestep.

        Raises:
            UsageError: a size breaks a rule, such as a projection that is not smaller than the units.
        """
        first = next(iter(self.weights.layers[0].values()))
        dtype: Dtype = "float64" if first.kernel.dtype.itemsize == 8 else "float32"
        stack = tuple(_layer_spec(layer) for layer in self.weights.layers)
        return Spec.from_options(samples=1, timesteps=1, features=len(first.kernel), dtype=dtype, stack=stack)

    def provenance(self, file: str) -> dict[str, Any]:
        """Return where the weights come from, as it is under `source.weights` in JSON."""
        source = {"kind": "model", "file": file, "layer": printable(self.name), "framework": self.framework}
        asides = {"asides": list(self.caveats)} if self.caveats else {}
        return {**source, "title": self.title, "biases": self.biases, "reads": self.reads, **asides}

    @property
    def reads(self) -> str:
        """The order in which it reads a sequence."""
        if self.reverse:
            return FROM_THE_END
        bidirectional = [len(layer) > 1 for layer in self.weights.layers]
        if all(bidirectional):
            return "both ways"
        return "some layers both ways" if any(bidirectional) else "from the start"


def _layer_spec(layer: dict[Direction, LayerWeights]) -> LayerSpec:
    first = next(iter(layer.values()))
    return LayerSpec(
        units=first.units,
        bidirectional=len(layer) > 1,
        projection=None if first.projection is None else len(first.recurrent_kernel),
        bias=first.bias is not None,
        peepholes=first.peephole is not None,
    )


def layer_label(file: str, name: str) -> str:
    """Return how a message names a layer of a file, safe to print."""
    return f"{file}#{printable(name) or 'lstm'}"


def other_layer_reason(neurons: int, units: int) -> str | None:
    """Return which other recurrent layer has this number of neurons, as a clause; None if there is none."""
    if units and neurons == 3 * units:
        return f"it is a GRU: it has {neurons} neurons for {units} units, three for each; only LSTMs are explained"
    if neurons == units:
        return f"it is a simple recurrent layer: it has one neuron for each of {units} units; only LSTMs are explained"
    return None


# --- checks -----------------------------------------------------------------------------------------------------------


def validate_lstm(lstm: ModelLSTM, file: str) -> ModelLSTM:
    """Return an LSTM with a note where its weights are not finite, after its tensors are known to fit together.

    Raises:
        InputFileError: they do not.
    """
    layers = [[weights.tensors() for weights in layer.values()] for layer in lstm.weights.layers]
    directions = list(chain.from_iterable(layers))
    problem = next(filter(None, map(_tensors_problem, layers if lstm.framework == OUR_FORMAT else [directions])), None)
    if problem is None:
        try:
            check_weights(lstm.spec, lstm.weights)
            if lstm.spec.layers_differ and lstm.framework != OUR_FORMAT:
                problem = "its layers have different sizes"
        except UsageError as error:
            problem = str(error).rstrip(".")
    if problem is not None:
        raise InputFileError(layer_label(file, lstm.name), f"its tensors do not fit together: {problem}")
    arrays = chain.from_iterable(tensors.values() for tensors in directions)
    is_finite = all(np.isfinite(array.min()) and np.isfinite(array.max()) for array in arrays)
    return lstm if is_finite else lstm._replace(notes=(*lstm.notes, NOT_FINITE))


def _tensors_problem(directions: list[dict[str, Array]]) -> str | None:
    """Return why some directions are not of one layer: all have the same tensors, each with its number of axes."""
    for tensors in directions:
        for name, array in tensors.items():
            if array.ndim != AXIS_COUNTS[name]:
                return f"its {name} has {array.ndim} axes"
        if differing := set(tensors) ^ set(directions[0]):
            return f"some of its layers or directions have no {min(differing)}"
    return None


# --- selecting --------------------------------------------------------------------------------------------------------


def select_lstm(lstms: tuple[ModelLSTM, ...], name: str | None, file: str) -> ModelLSTM:
    """Return the LSTM of a name; without a name the only one. Several names joined by + select one stack.

    A name may be shortened to its last parts.

    Raises:
        InputFileError: the file has no LSTM, none of that name, or several to choose from; the named layer is not supported;
            or those to be stacked do not fit onto each other.
    """
    if name is not None and "+" in name and all(lstm.name != name for lstm in lstms):
        return stack_lstms([_select_layer(lstms, part, file) for part in name.split("+")], file)
    return _select_layer(lstms, name, file)


def _select_layer(lstms: tuple[ModelLSTM, ...], name: str | None, file: str) -> ModelLSTM:
    if not lstms:
        raise no_lstm_error(file)
    matches = list(lstms) if name is None else _lstms_named(lstms, name, file)
    if len(matches) == 1:
        return matches[0]
    asked = file if name is None else f"{file}#{printable(name)}"
    if not matches:
        raise InputFileError(asked, "unknown LSTM name", f"The file has {_list_names(lstms)}")
    problem = f"there are {len(matches)} LSTMs to choose from: {_list_names(matches)}"
    raise InputFileError(asked, problem, f"Choose one: {file}#NAME")


def _lstms_named(lstms: tuple[ModelLSTM, ...], name: str, file: str) -> list[ModelLSTM]:
    """Return the LSTMs of a name, otherwise those whose last parts are the name.

    Raises:
        InputFileError: the layer of that name is not supported.
    """
    for matches in (str.__eq__, lambda full, end: full.endswith(f".{end}"), lambda full, end: full.endswith(f"/{end}")):
        if named := [lstm for lstm in lstms if matches(lstm.name, name)]:
            return named
        if unsupported := [layer for layer in lstms[0].unsupported if matches(layer.name, name)]:
            raise unsupported[0].error(file)
    return []


def _list_names(lstms: Sequence[ModelLSTM]) -> str:
    """Return the names of some LSTMs, as many of them as fit into a message."""
    names = [printable(lstm.name) for lstm in lstms]
    names = [name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 3]}..." for name in names]
    shown = sum(length <= MAX_LIST_LENGTH for length in accumulate(map(len, names)))
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")


def no_lstm_error(file: str) -> InputFileError:
    """Return the error for a file without an LSTM, or without one that its names identify."""
    fix = "If the names of its arrays do not identify the framework that wrote them, give it with --convention"
    return InputFileError(file, "no LSTM was found in this file", fix)


# --- stacking ---------------------------------------------------------------------------------------------------------


def stack_lstms(lstms: list[ModelLSTM], file: str) -> ModelLSTM:
    """Return consecutive layers as one stack.

    Raises:
        InputFileError: a layer appears twice, does not read the output of the one below it, or is of another type or
            convention.
    """
    first = lstms[0]
    for index, lstm in enumerate(lstms):
        if any(lstm.name == other.name for other in lstms[:index]):
            problem = "it appears twice in this stack, and no layer reads its own outputs"
            raise InputFileError(f"{file}#{printable(lstm.name)}", problem, "Name each layer once")
    for below, above in pairwise(lstms):
        _check_pair(below, above, file)
    order_known = all(above.fed_by is not None for above in lstms[1:])
    caveats = [caveat for lstm in lstms for caveat in lstm.caveats] + ([] if order_known else [ORDER_UNKNOWN])
    return first._replace(
        name="+".join(lstm.name for lstm in lstms),
        title=", ".join(dict.fromkeys(lstm.title for lstm in lstms)),
        weights=Weights(tuple(layer for lstm in lstms for layer in lstm.weights.layers)),
        tensors={name: shape for lstm in lstms for name, shape in lstm.tensors.items()},
        biases=max(lstm.biases for lstm in lstms),
        initial=_stack_states(lstms),
        notes=tuple(dict.fromkeys(note for lstm in lstms for note in lstm.notes)),
        caveats=tuple(dict.fromkeys(caveats)) if len(lstms) > 1 else first.caveats,
    )


def _check_pair(below: ModelLSTM, above: ModelLSTM, file: str) -> None:
    """Raise `InputFileError` unless one layer can read the output of the other."""
    lower_spec, upper_spec = below.spec, above.spec
    lower, upper = printable(below.name), printable(above.name)
    asked, fix = f"{file}#{upper}", f"Explain each alone, {upper} with --data of what"
    for lstm in (below, above):
        if lstm.reverse:
            problem = f"{printable(lstm.name)} reads from the end, and the layers of a stack read in one order"
            raise InputFileError(f"{file}#{printable(lstm.name)}", problem, "Choose it alone")
    if above.fed_by is not None and below.name not in above.fed_by:
        sources = " and ".join(map(printable, above.fed_by[:3])) or "what the model is given"
        raise InputFileError(asked, f"{upper} reads {sources}, not {lower}", f"{fix} it reads")
    if upper_spec.features != lower_spec.output:
        problem = f"it reads {upper_spec.features} features, and {lower} below it outputs {lower_spec.output} numbers"
        raise InputFileError(asked, problem, "Choose consecutive layers")
    values = {"dtype": (lower_spec.dtype, upper_spec.dtype), "convention": (below.framework, above.framework)}
    for name, (lower_value, upper_value) in values.items():
        if lower_value != upper_value:
            problem = f"its {name} is {upper_value}, and that of {lower} below it {lower_value}"
            raise InputFileError(asked, problem, f"{fix} {lower} outputs")


def _stack_states(lstms: list[ModelLSTM]) -> StackState | None:
    """Return the initial states of all layers, zeros for those that have none; None if all start from zeros."""
    if all(lstm.initial is None for lstm in lstms):
        return None

    def zeros(spec: Spec) -> StackState:
        layers = [spec.for_layer(layer) for layer, _ in spec.layer_directions]
        return StackState(
            tuple(np.zeros((1, layer.hidden), layer.dtype) for layer in layers),
            tuple(np.zeros((1, layer.units), layer.dtype) for layer in layers),
        )

    states = [lstm.initial or zeros(lstm.spec) for lstm in lstms]
    return StackState(*(tuple(chain.from_iterable(arrays)) for arrays in zip(*states, strict=True)))
