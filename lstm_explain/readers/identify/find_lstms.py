"""From named arrays to LSTMs: which framework wrote them is told by their names, and never guessed where these do not tell."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from lstm_explain.core.gates import GATES, LETTERS, Direction
from lstm_explain.core.weights import WEIGHT_NAMES, LayerWeights, Weights, check_weights
from lstm_explain.errors import InputFileError, UsageError, printable
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.identify import bidirectional
from lstm_explain.readers.identify.layer_kind import not_lstm_reason
from lstm_explain.readers.identify.match_convention import modules_in, names_of
from lstm_explain.readers.identify.model_lstm import ModelLSTM, UnsupportedLayer
from lstm_explain.readers.identify.name_patterns import (
    FLAX_GRU_NAME,
    FLAX_NAME,
    FLAX_PACKED_NAME,
    LAST_PART,
    OWN_NAME,
    PYTORCH_NAME,
)
from lstm_explain.readers.identify.unsupported_tensors import normed, quantised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lstm_explain.core.axes import Array
    from lstm_explain.frameworks.convention import Convention

Tensors: TypeAlias = "Mapping[str, Array]"
Parts: TypeAlias = "dict[tuple[int, Direction], dict[str, str]]"
"""For each layer and direction: the name in the file of each of its tensors, by the name that the framework gives it."""

OWN = "lstm-explain"
"""Our own names, in which each layer of a stack may have sizes and options of its own; those of a module are one for all."""
AXES = {"kernel": 2, "recurrent_kernel": 2, "bias": 1, "projection": 2, "peephole": 2}
"""How many axes each of our tensors has."""


SAY_WHICH = "Say which: --convention equinox or --convention coreml"
UNBIASED = (
    "cells without bias of PyTorch and of Equinox have these names, and so have Core ML's, whose gates have another order: "
    "for those add --convention coreml"
)
NOT_FINITE = "some of its weights are nan or infinite"


class Refused(NamedTuple):
    """Something that looks like a recurrent layer, and is none that we explain."""

    name: str
    error: InputFileError
    """What to say where there is nothing else in the file."""
    tensors: tuple[str, ...] = ()
    """The arrays that are surely its own, so that no other scheme takes them for another's."""

    @classmethod
    def because(cls, name: str, file: str, reason: str) -> Refused:
        """One of which something is to be said, such as: is a GRU."""
        return cls(name, InputFileError(file, f"{_named(name)} {reason}"))

    @property
    def unfit(self) -> UnsupportedLayer:
        reason = self.error.found.removeprefix(f"{_named(self.name)} ")
        return UnsupportedLayer(self.name, f"it {reason}" if reason != self.error.found else reason, self.error.fix)


def find_lstms(
    tensors: Tensors, file: str, convention: str | None = None, left_out: Mapping[str, str] | None = None
) -> tuple[ModelLSTM, ...]:
    """Every LSTM among named arrays, in the order of the names.

    Args:
        tensors: the arrays by name.
        file: what to call the file in a message.
        convention: the framework that wrote them, where their names do not tell: a key of `CONVENTIONS`.
        left_out: the types of the arrays beside them that hold no floating-point numbers, by name.

    Raises:
        InputFileError: the arrays of an LSTM do not fit together; or there are only other recurrent layers, or such that could
            be of several frameworks.
    """
    schemes: list[Callable[[Tensors, str], Iterator[ModelLSTM | Refused]]] = [_own, _pytorch, _flax, _flax_packed, _keras]
    if convention is not None:
        schemes = [lambda named, where: _by_convention(named, where, CONVENTIONS[convention])]
    found: list[ModelLSTM] = []
    refused: list[Refused] = []
    left = dict(tensors)
    for name, error, own in [*quantised(left, left_out or {}, file), *normed(left, file)]:
        refused.append(Refused(name, error, own))
        left = {one: array for one, array in left.items() if one not in own}
    for scheme in schemes:
        for one in _both_ways(list(scheme(left, file)), file):
            refused.append(one) if isinstance(one, Refused) else found.append(one)
            left = {name: array for name, array in left.items() if name not in one.tensors}
    if not found and refused:
        raise refused[0].error
    if not found and convention is not None:
        raise _not_theirs(tensors, file, CONVENTIONS[convention])
    beside = tuple(one.unfit for one in refused)
    return tuple(one._replace(unsupported=beside) for one in found)


def _not_theirs(tensors: Tensors, file: str, convention: Convention) -> InputFileError:
    """What to say where a framework is named that did not write the file."""
    wanted = [*names_of(convention).values()]
    listed = ", ".join(wanted[:4]) + (f" and {len(wanted) - 4} more" if len(wanted) > 4 else "")
    try:
        told = {one.framework for one in find_lstms(tensors, file)}
    except InputFileError:
        told = set()
    found = f"there is no LSTM in it under the names of {convention.framework}, which are {listed}"
    fix = f"Leave out --convention: the names in it are those of {' and '.join(sorted(told))}" if told else ""
    return InputFileError(file, found, fix or f"Its arrays are {_listed(tensors)}")


def _listed(tensors: Tensors) -> str:
    """The first names of a file."""
    names = [printable(name)[:60] for name in tensors]
    return (", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")) or "none of numbers"


def _both_ways(layers: list[ModelLSTM | Refused], file: str) -> Iterator[ModelLSTM | Refused]:
    """The same, two layers that are one in both directions as one, once they are known to fit together."""
    for one, of_two in bidirectional.merge_direction_pairs(one for one in layers if isinstance(one, ModelLSTM)):
        try:
            yield validate_lstm(one._replace(notes=()), file) if of_two else one
        except InputFileError as error:
            yield Refused(one.name, error, tuple(one.tensors))
    yield from (one for one in layers if isinstance(one, Refused))


# --- one scheme for each way to name ----------------------------------------------------------------------------------


def _own(tensors: Tensors, file: str) -> Iterator[ModelLSTM | Refused]:
    """`layer0.forward.kernel`: what `trace -o run.npz` and `convert` write."""
    modules: dict[str, Parts] = {}
    for name in tensors:
        if match := OWN_NAME.fullmatch(name):
            place = int(match["layer"]), Direction(match["way"])
            modules.setdefault(match["module"] or "lstm", {}).setdefault(place, {})[match["tensor"]] = name
    for module, parts in modules.items():
        missing = [name for own in parts.values() for name in WEIGHT_NAMES[:2] if name not in own]
        if missing:
            yield Refused.because(module, file, f"has no {missing[0]}")
            continue
        layers = {place: LayerWeights(**{key: tensors[name] for key, name in own.items()}) for place, own in parts.items()}
        biases = int(any("bias" in own for own in parts.values()))
        used = tuple(name for own in parts.values() for name in own.values())
        for one in _found(module, OWN, OWN, layers, parts, tensors, file, biases):
            yield one._replace(tensors=used) if isinstance(one, Refused) else one


def _pytorch(tensors: Tensors, file: str) -> Iterator[ModelLSTM | Refused]:
    """`encoder.lstm.weight_ih_l0_reverse`; without `_l0` it is an LSTMCell."""
    modules: dict[tuple[str, bool], Parts] = {}
    for name in tensors:
        if match := PYTORCH_NAME.fullmatch(name):
            place = int(match["layer"] or 0), Direction.BACKWARD if match["reverse"] else Direction.FORWARD
            own = modules.setdefault((match["module"] or "", match["layer"] is None), {})
            own.setdefault(place, {})[match["tensor"]] = name
    firsts = {key: next(iter(parts.values())) for key, parts in modules.items()}
    problems = {key: _odd_biases(key[0], own, tensors, file) for key, own in firsts.items()}
    others = any(problem is not None and problem.fix == SAY_WHICH for problem in problems.values())
    for (module, cell), parts in modules.items():
        title, problem = "torch.nn.LSTMCell" if cell else "torch.nn.LSTM", problems[module, cell]
        unbiased = cell and set(firsts[module, cell]) == {"weight_ih", "weight_hh"}
        if problem is None and unbiased and others:
            problem = InputFileError(file, f"{_named(module)} stands beside layers that Equinox or Core ML wrote", SAY_WHICH)
        if problem is not None:
            yield Refused(module, problem)
            continue
        for one in _unpacked(module, title, CONVENTIONS["pytorch"], parts, tensors, file):
            yield one._replace(notes=(*one.notes, UNBIASED)) if isinstance(one, ModelLSTM) and unbiased else one


def _odd_biases(module: str, own: dict[str, str], tensors: Tensors, file: str) -> InputFileError | None:
    """What to say where there is one bias, which PyTorch never writes: others who do order the gates otherwise."""
    biases = [name for name in CONVENTIONS["pytorch"].biases if name in own]
    others = (f"{module}.bias", f"{module}/bias") if module else ("bias",)
    other = next((name for name in others if name in tensors), others[0])
    if not biases and other in tensors and {"weight_ih", "weight_hh"} <= set(own):
        found = "has weight_ih, weight_hh and bias: Equinox and Core ML write these, with the gates in different orders"
        return InputFileError(file, f"{_named(module)} {found}", SAY_WHICH)
    if len(biases) == 1:
        missing = next(name for name in CONVENTIONS["pytorch"].biases if name not in own)
        return InputFileError(file, f"{_named(module)} has no {missing}", "The file is not whole")
    return None


def _keras(tensors: Tensors, file: str) -> Iterator[ModelLSTM | Refused]:
    """`lstm/lstm_cell/recurrent_kernel`."""
    convention = CONVENTIONS["keras"]
    names = {convention.kernel, convention.recurrent_kernel, *convention.biases}
    for module, own in _by_last_part(tensors, names).items():
        if convention.recurrent_kernel in own:
            yield from _unpacked(module, "keras.layers.LSTM", convention, {(0, Direction.FORWARD): own}, tensors, file)


def _by_convention(tensors: Tensors, file: str, convention: Convention) -> Iterator[ModelLSTM | Refused]:
    """The names that a framework uses, whatever stands before them; PyTorch's carry layer and direction."""
    if convention.framework == "pytorch":
        yield from _pytorch(tensors, file)
        return
    for name, used, arrays in modules_in(tensors, convention):
        forward, *others = ((0, way) for way in arrays)
        parts: Parts = {forward: {one: one for one in used}, **{place: {} for place in others}}
        placed = {(0, way): own for way, own in arrays.items()}
        yield from _unpacked(name, f"{convention.title} LSTM", convention, parts, tensors, file, placed)


def _by_last_part(tensors: Tensors, names: set[str]) -> dict[str, dict[str, str]]:
    modules: dict[str, dict[str, str]] = {}
    for name in tensors:
        match = LAST_PART.fullmatch(name)
        if match and match["tensor"] in names:
            modules.setdefault(match["module"] or "", {})[match["tensor"]] = name
    return modules


def _flax(tensors: Tensors, file: str) -> Iterator[ModelLSTM | Refused]:
    """`params/LSTMCell_0/hi/kernel`: one dense layer for each gate, the input's without bias; nnx writes `if_`."""
    modules: dict[str, dict[str, str]] = {}
    nnx: set[str] = set()
    gru: dict[str, None] = {}
    for name in tensors:
        if match := FLAX_NAME.fullmatch(name):
            modules.setdefault(match["module"] or "", {})[f"{match['dense']}.{match['tensor']}"] = name
            nnx |= {match["module"] or ""} if match["nnx"] else set()
        elif match := FLAX_GRU_NAME.fullmatch(name):
            gru.setdefault(match["module"] or "")
    for module in gru:
        yield Refused.because(module, file, "is a GRU; only LSTMs are explained")
    for module, own in modules.items():
        wanted = [f"{source}{LETTERS[gate]}.kernel" for source in "ih" for gate in GATES]
        if any(name not in own for name in wanted):
            missing = ", ".join(name for name in wanted if name not in own)
            yield Refused.because(module, file, f"has no {missing}: this is no LSTM cell of Flax")
            continue
        try:
            yield from _flax_cell(module, "nnx" if module in nnx else "linen", own, tensors, file)
        except InputFileError as error:
            yield Refused(module, error)


def _flax_cell(module: str, kind: str, own: dict[str, str], tensors: Tensors, file: str) -> Iterator[ModelLSTM | Refused]:
    weights, place = _flax_weights(own, tensors, file), (0, Direction.FORWARD)
    title, biases = f"flax.{kind}.LSTMCell", int(weights.bias is not None)
    yield from _found(module or "lstm", f"flax-{kind}", title, {place: weights}, {place: own}, tensors, file, biases)


def _flax_packed(tensors: Tensors, file: str) -> Iterator[ModelLSTM | Refused]:
    """`cell/dense_h/kernel`: one dense layer for all gates of h, one for x; nnx's OptimizedLSTMCell."""
    modules: dict[str, dict[str, str]] = {}
    for name in tensors:
        if match := FLAX_PACKED_NAME.fullmatch(name):
            modules.setdefault(match["module"] or "", {})[f"{match['dense']}.{match['tensor']}"] = name
    convention = CONVENTIONS["flax-nnx-optimized"]
    for module, own in modules.items():
        if {convention.kernel, convention.recurrent_kernel} <= set(own):
            parts: Parts = {(0, Direction.FORWARD): own}
            yield from _unpacked(module, "flax.nnx.OptimizedLSTMCell", convention, parts, tensors, file)


def _flax_weights(own: dict[str, str], tensors: Tensors, file: str) -> LayerWeights:
    def joined(source: str, tensor: str) -> Array:
        parts = [tensors[own[f"{source}{LETTERS[gate]}.{tensor}"]] for gate in GATES]
        if len({part.shape for part in parts}) > 1:
            raise InputFileError(file, f"the gates' {tensor}s of {printable(next(iter(own.values())))} have different shapes")
        return np.concatenate(parts, axis=-1)

    biased = all(f"h{LETTERS[gate]}.bias" in own for gate in GATES)
    return LayerWeights(joined("i", "kernel"), joined("h", "kernel"), joined("h", "bias") if biased else None)


# --- from arrays to weights -------------------------------------------------------------------------------------------


def _unpacked(
    module: str,
    title: str,
    convention: Convention,
    parts: Parts,
    tensors: Tensors,
    file: str,
    placed: Mapping[tuple[int, Direction], dict[str, Array]] | None = None,
) -> Iterator[ModelLSTM | Refused]:
    """A module of a framework. `placed` are the arrays of each layer and direction, where these are parts of the file's."""
    if placed is None:
        placed = {place: {key: tensors[name] for key, name in own.items()} for place, own in parts.items()}
    layers = {}
    for place, arrays in placed.items():
        reason = not_lstm_reason(arrays, convention)
        if reason:
            yield Refused.because(module, file, reason)
            return
        try:
            with np.errstate(all="ignore"):  # infinite biases of either sign add up to nan
                layers[place] = convention.unpack(arrays)
        except (ValueError, IndexError):  # sizes that cannot be cut into four, added up or turned
            yield Refused(module, InputFileError(f"{file}#{_named(module)}", "its tensors do not fit together"))
            return
    first = set(next(iter(placed.values())))
    biases = sum(set(convention.gate_arrays(name, convention.gate_order)) <= first for name in convention.biases)
    yield from _found(module or "lstm", convention.framework, title, layers, parts, tensors, file, biases)


def _found(
    module: str,
    framework: str,
    title: str,
    layers: dict[tuple[int, Direction], LayerWeights],
    parts: Parts,
    tensors: Tensors,
    file: str,
    biases: int,
) -> Iterator[ModelLSTM | Refused]:
    """Put layers and directions in order, once they are known to fit together."""
    depth = 1 + max(layer for layer, _ in layers)
    places = _places(depth, set(layers), framework == OWN)
    missing = [f"layer {layer} {way.value}" for layer, way in places if (layer, way) not in layers]
    if missing:
        found = f"{_named(module)} has no weights of {missing[0]}"
        yield Refused(module, InputFileError(file, found, "The file is not whole"))
        return
    stack: tuple[dict[Direction, LayerWeights], ...] = tuple({} for _ in range(depth))
    for layer, way in places:
        stack[layer][way] = _of_one_type(layers[layer, way])
    weights = Weights(stack)
    used = [name for place in places for name in parts[place].values()]
    own = {name: tensors[name].shape for name in used}
    try:
        yield validate_lstm(ModelLSTM(module, framework, title, weights, own, biases), file)
    except InputFileError as error:
        yield Refused(module, error)


def _places(depth: int, there: set[tuple[int, Direction]], apart: bool) -> list[tuple[int, Direction]]:
    """The layers and directions of a module; `apart`: each layer may have directions of its own."""
    both = {layer for layer, way in there if way is Direction.BACKWARD}
    if both and not apart:
        both = set(range(depth))
    return [(layer, way) for layer in range(depth) for way in Direction if way is Direction.FORWARD or layer in both]


def _of_one_type(weights: LayerWeights) -> LayerWeights:
    """All tensors in one type: float64 where any is, else float32."""
    wide = any(tensor.dtype.itemsize == 8 for tensor in weights.tensors().values())
    dtype = np.float64 if wide else np.float32
    return weights._replace(**{name: tensor.astype(dtype, copy=False) for name, tensor in weights.tensors().items()})


def validate_lstm(found: ModelLSTM, file: str) -> ModelLSTM:
    """The LSTM, once its tensors are known to fit each other.

    Raises:
        InputFileError: they do not.
    """
    where = f"{file}#{_named(found.name)}"
    layers = [[part.tensors() for part in layer.values()] for layer in found.weights.layers]
    kinds = list(chain.from_iterable(layers))
    for alike in layers if found.framework == OWN else [kinds]:
        _check_kinds(alike, where)
    try:
        check_weights(found.spec, found.weights)
    except UsageError as error:
        raise InputFileError(where, f"its tensors do not fit together: {str(error).rstrip('.')}") from None
    if found.spec.layers_differ and found.framework != OWN:
        raise InputFileError(where, "its tensors do not fit together: its layers have different sizes")
    finite = all(np.isfinite(array.min()) and np.isfinite(array.max()) for tensors in kinds for array in tensors.values())
    return found if finite else found._replace(notes=(*found.notes, NOT_FINITE))


def _check_kinds(alike: list[dict[str, Array]], where: str) -> None:
    """Raise `InputFileError` unless all have the same tensors, each with as many axes as it should have."""
    for tensors in alike:
        odd = [name for name, array in tensors.items() if array.ndim != AXES[name]]
        if odd:
            raise InputFileError(where, f"its tensors do not fit together: its {odd[0]} has {tensors[odd[0]].ndim} axes")
        if set(tensors) != set(alike[0]):
            name = min(set(tensors) ^ set(alike[0]))
            raise InputFileError(where, f"its tensors do not fit together: some of its layers or directions have no {name}")


def _named(module: str) -> str:
    """What to call a module in a message."""
    return printable(module) or "lstm"
