"""Find the LSTMs among named arrays. Their names identify the framework that wrote them; it is never guessed from shapes."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.core.gates import GATES, Direction
from lstm_explain.core.weights import WEIGHT_NAMES, LayerWeights, Weights
from lstm_explain.errors import InputFileError, printable
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.identify.model_lstm import (
    OUR_FORMAT,
    ModelLSTM,
    UnsupportedLayer,
    other_layer_reason,
    validate_lstm,
)
from lstm_explain.readers.identify.tensor_names import (
    FLAX_GATE_NAMES,
    FLAX_GRU_NAME,
    OUR_NAME,
    PYTORCH_NAME,
    Module,
    Tensors,
    array_names,
    find_modules,
    quantised_layers,
    split_name,
    weight_norm_layers,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lstm_explain.frameworks.convention import Convention

FIX_CONVENTION = "Say which: --convention equinox or --convention coreml"
FIX_INCOMPLETE = "The file is incomplete"
UNBIASED = (
    "cells without bias have these names in PyTorch, in Equinox and in Core ML, whose gates are in another order: "
    "for Core ML add --convention coreml"
)
MAX_LISTED = 4
FORWARD = (0, Direction.FORWARD)
DIRECTION_NAME = re.compile(
    r"(?P<before>(?:.*[./])?)(?P<direction>forward|backward|fw|bw)(?P<suffix>(?:_[^./]*)?)(?:[./].*)?", re.DOTALL
)
DIRECTIONS = {
    "forward": Direction.FORWARD,
    "fw": Direction.FORWARD,
    "backward": Direction.BACKWARD,
    "bw": Direction.BACKWARD,
}
BIDIRECTIONAL_TITLES = {
    "keras.layers.LSTM": "keras.layers.Bidirectional(LSTM)",
    "flax.linen.LSTMCell": "flax.linen.Bidirectional(RNN(LSTMCell))",
    "flax.nnx.LSTMCell": "flax.nnx.Bidirectional(RNN(LSTMCell))",
    "flax.nnx.OptimizedLSTMCell": "flax.nnx.Bidirectional(RNN(OptimizedLSTMCell))",
}


def find_lstms(
    tensors: Tensors, file: str, convention: str | None = None, skipped_dtypes: Mapping[str, str] | None = None
) -> tuple[ModelLSTM, ...]:
    """Find every LSTM among named arrays, in the order of the names.

    Args:
        tensors: the arrays by name.
        file: the file's name in messages.
        convention: the framework that wrote them, if their names do not identify it: a key of `CONVENTIONS`.
        skipped_dtypes: the types of the file's other arrays, which are not of floating-point numbers, by name.

    Raises:
        InputFileError: there are only recurrent layers that are not supported, or whose names fit several frameworks.
    """
    schemes: list[Callable[[Tensors, str], Iterator[ModelLSTM | UnsupportedLayer]]]
    schemes = [_find_ours, _find_pytorch, _find_flax, _find_flax_optimized, _find_keras]
    if convention == "pytorch":
        schemes = [_find_pytorch]
    elif convention is not None:
        schemes = [lambda arrays, where: _find_by_convention(arrays, where, CONVENTIONS[convention])]
    lstms: list[ModelLSTM] = []
    unsupported = [*quantised_layers(tensors, skipped_dtypes or {}), *weight_norm_layers(tensors)]
    remaining = _without_tensors_of(tensors, unsupported)
    for scheme in schemes:
        layers = _merge_directions(list(scheme(remaining, file)), file)
        lstms += [layer for layer in layers if isinstance(layer, ModelLSTM)]
        unsupported += [layer for layer in layers if isinstance(layer, UnsupportedLayer)]
        remaining = _without_tensors_of(remaining, layers)
    if not lstms and unsupported:
        raise unsupported[0].error(file)
    if not lstms and convention is not None:
        raise _convention_error(tensors, file, CONVENTIONS[convention])
    return tuple(lstm._replace(unsupported=tuple(unsupported)) for lstm in lstms)


def _without_tensors_of(tensors: Tensors, layers: list[ModelLSTM | UnsupportedLayer] | list[UnsupportedLayer]) -> Tensors:
    used = {name for layer in layers for name in layer.tensors}
    return {name: array for name, array in tensors.items() if name not in used}


def _convention_error(tensors: Tensors, file: str, convention: Convention) -> InputFileError:
    """Return the error for a file without an LSTM under the names of the framework that the user gave."""
    names = list(array_names(convention).values())
    problem = f"no LSTM was found under the names that {convention.framework} uses: {_list_names(names)}"
    try:
        frameworks = {lstm.framework for lstm in find_lstms(tensors, file)}
    except InputFileError:
        frameworks = set()
    if frameworks:
        fix = f"Leave out --convention: the names in it are those of {' and '.join(sorted(frameworks))}"
        return InputFileError(file, problem, fix)
    arrays = [printable(name)[:60] for name in tensors]
    return InputFileError(file, problem, f"Its arrays are {_list_names(arrays)}" if arrays else "It has no arrays of numbers")


def _list_names(names: list[str]) -> str:
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more


# --- one scheme for each way to name ----------------------------------------------------------------------------------


def _find_ours(tensors: Tensors, file: str) -> Iterator[ModelLSTM | UnsupportedLayer]:
    """Find layers such as `layer0.forward.kernel`: what `trace -o run.npz` and `convert` write."""
    modules: dict[str, dict[tuple[int, Direction], dict[str, str]]] = {}
    for name in tensors:
        if match := OUR_NAME.fullmatch(name):
            layer_direction = int(match["layer"]), Direction(match["direction"])
            modules.setdefault(match["module"] or "lstm", {}).setdefault(layer_direction, {})[match["tensor"]] = name
    for name, names in modules.items():
        module = _module(name, names, tensors)
        missing = [tensor for arrays in module.arrays.values() for tensor in WEIGHT_NAMES[:2] if tensor not in arrays]
        if missing:
            yield UnsupportedLayer(name, f"it has no {missing[0]}")
            continue
        layers = {layer_direction: LayerWeights(**arrays) for layer_direction, arrays in module.arrays.items()}
        biases = int(any("bias" in arrays for arrays in module.arrays.values()))
        layer = _make_lstm(module, OUR_FORMAT, OUR_FORMAT, layers, biases, file)
        yield layer._replace(tensors=tuple(module.tensors)) if isinstance(layer, UnsupportedLayer) else layer


def _find_pytorch(tensors: Tensors, file: str) -> Iterator[ModelLSTM | UnsupportedLayer]:
    """Find layers such as `encoder.lstm.weight_ih_l0_reverse`; without `_l0` it is an LSTMCell."""
    modules: dict[tuple[str, bool], dict[tuple[int, Direction], dict[str, str]]] = {}
    for name in tensors:
        if match := PYTORCH_NAME.fullmatch(name):
            layer_direction = int(match["layer"] or 0), Direction.BACKWARD if match["reverse"] else Direction.FORWARD
            names = modules.setdefault((match["module"] or "", match["layer"] is None), {})
            names.setdefault(layer_direction, {})[match["tensor"]] = name
    first_names = {key: set(next(iter(names.values()))) for key, names in modules.items()}
    problems = {key: _bias_problem(key[0], names, tensors) for key, names in first_names.items()}
    is_ambiguous = any(problem is not None and problem.fix == FIX_CONVENTION for problem in problems.values())
    for key, names in modules.items():
        (name, is_cell), problem = key, problems[key]
        is_unbiased_cell = is_cell and first_names[key] == {"weight_ih", "weight_hh"}
        if problem is None and is_unbiased_cell and is_ambiguous:
            problem = UnsupportedLayer(name, "it is next to layers that Equinox or Core ML wrote", FIX_CONVENTION)
        if problem is not None:
            yield problem
            continue
        title = "torch.nn.LSTMCell" if is_cell else "torch.nn.LSTM"
        layer = _unpack(_module(name, names, tensors), title, CONVENTIONS["pytorch"], file)
        if isinstance(layer, ModelLSTM) and is_unbiased_cell:
            layer = layer._replace(notes=(*layer.notes, UNBIASED))
        yield layer


def _bias_problem(module: str, names: set[str], tensors: Tensors) -> UnsupportedLayer | None:
    """Return a layer with one bias, which PyTorch never writes; frameworks that do have other gate orders."""
    missing = [name for name in CONVENTIONS["pytorch"].biases if name not in names]
    if len(missing) == 1:
        return UnsupportedLayer(module, f"it has no {missing[0]}", FIX_INCOMPLETE)
    has_bias = any(name in tensors for name in ((f"{module}.bias", f"{module}/bias") if module else ("bias",)))
    if missing and has_bias and {"weight_ih", "weight_hh"} <= names:
        reason = "it has weight_ih, weight_hh and bias: Equinox and Core ML write these, with the gates in different orders"
        return UnsupportedLayer(module, reason, FIX_CONVENTION)
    return None


def _find_keras(tensors: Tensors, file: str) -> Iterator[ModelLSTM | UnsupportedLayer]:
    """Find layers such as `lstm/lstm_cell/recurrent_kernel`."""
    convention = CONVENTIONS["keras"]
    for module in find_modules(tensors, convention):
        if convention.recurrent_kernel in module.arrays[FORWARD]:
            yield _unpack(module, "keras.layers.LSTM", convention, file)


def _find_flax(tensors: Tensors, file: str) -> Iterator[ModelLSTM | UnsupportedLayer]:
    """Find cells such as `params/LSTMCell_0/hi/kernel`: one dense layer for each gate; nnx writes `if_`."""
    modules: dict[str, dict[str, str]] = {}
    gru: dict[str, None] = {}
    for tensor in tensors:
        if (match := split_name(tensor, FLAX_GATE_NAMES)) is not None:
            modules.setdefault(match[0], {})[FLAX_GATE_NAMES[match[1]]] = tensor
        elif gru_match := FLAX_GRU_NAME.fullmatch(tensor):
            gru.setdefault(gru_match["module"] or "")
    for name in gru:
        yield UnsupportedLayer(name, "it is a GRU; only LSTMs are explained")
    for name, names in modules.items():
        kind = "nnx" if "if_.kernel" in names else "linen"
        module = _module(name, {FORWARD: names}, tensors)
        yield _unpack(module, f"flax.{kind}.LSTMCell", CONVENTIONS[f"flax-{kind}"], file)


def _find_flax_optimized(tensors: Tensors, file: str) -> Iterator[ModelLSTM | UnsupportedLayer]:
    """Find cells such as `cell/dense_h/kernel`: one dense layer for all gates of h, one for x."""
    convention = CONVENTIONS["flax-nnx-optimized"]
    for module in find_modules(tensors, convention):
        if {convention.kernel, convention.recurrent_kernel} <= set(module.arrays[FORWARD]):
            yield _unpack(module, "flax.nnx.OptimizedLSTMCell", convention, file)


def _find_by_convention(tensors: Tensors, file: str, convention: Convention) -> Iterator[ModelLSTM | UnsupportedLayer]:
    """Find layers under the names of the framework that the user gave."""
    for module in find_modules(tensors, convention):
        yield _unpack(module, f"{convention.title} LSTM", convention, file)


def _module(name: str, names: dict[tuple[int, Direction], dict[str, str]], tensors: Tensors) -> Module:
    """Return a module by the names of its tensors in the file."""
    order = sorted(names, key=lambda key: (key[0], list(Direction).index(key[1])))
    shapes = {tensor: tensors[tensor].shape for layer_direction in order for tensor in names[layer_direction].values()}
    arrays = {key: {tensor: tensors[full_name] for tensor, full_name in members.items()} for key, members in names.items()}
    return Module(name, shapes, arrays)


# --- from arrays to weights -------------------------------------------------------------------------------------------


def _unpack(module: Module, title: str, convention: Convention, file: str) -> ModelLSTM | UnsupportedLayer:
    """Return a framework's module as an LSTM, or why it is not one."""
    layers = {}
    for layer_direction, arrays in module.arrays.items():
        shapes = {name: array.shape for name, array in arrays.items()}
        if (reason := not_lstm_reason(shapes, convention)) is not None:
            return UnsupportedLayer(module.name, reason)
        try:
            with np.errstate(all="ignore"):  # infinite biases of either sign add up to nan
                layers[layer_direction] = convention.unpack(arrays)
        except (ValueError, IndexError):  # sizes that cannot be divided by four, added or transposed
            return UnsupportedLayer(module.name, "its tensors do not fit together")
    first = set(next(iter(module.arrays.values())))
    biases = sum(set(convention.gate_arrays(name, convention.gate_order)) <= first for name in convention.biases)
    return _make_lstm(module, convention.framework, title, layers, biases, file)


def not_lstm_reason(shapes: Mapping[str, tuple[int, ...]], convention: Convention) -> str | None:
    """Return why tensors of these shapes are not an LSTM's, as a clause; None if they may be."""
    if reason := _missing_or_differing(shapes, convention):
        return reason
    kernels = [list(convention.gate_arrays(name, GATES)) for name in (convention.kernel, convention.recurrent_kernel)]
    kernel, recurrent = (shapes[names[0]] for names in kernels)
    if len(kernel) != 2 or len(recurrent) != 2:
        recurrent_kernel = convention.recurrent_kernel
        return f"it has a {convention.kernel} of {len(kernel)} axes and a {recurrent_kernel} of {len(recurrent)}, not 2"
    if convention.fused_kernel or len(kernels[0]) > 1:
        return None
    neurons, hidden = recurrent if convention.output_major else recurrent[::-1]
    projection = shapes.get(convention.projection or "", ())
    units = max(projection) if len(projection) == 2 else hidden
    if (reason := other_layer_reason(neurons, units)) is not None:
        return reason
    if neurons != len(GATES) * units or not units:
        return f"it is not an LSTM: {neurons} neurons for {units} units are not four for each"
    return None


def _missing_or_differing(shapes: Mapping[str, tuple[int, ...]], convention: Convention) -> str | None:
    """Return which kernel is missing, or which arrays of a tensor's gates have different shapes."""
    for tensor in (convention.kernel, convention.recurrent_kernel, *convention.biases):
        names = list(convention.gate_arrays(tensor, convention.gate_order))
        missing = [name for name in names if name not in shapes]
        if missing and tensor not in convention.biases:
            is_flax = convention.framework in ("flax-linen", "flax-nnx")
            return f"it has no {missing[0]}" + (", so it is not a Flax LSTM cell" if is_flax else "")
        if len({shapes[name] for name in names if name in shapes}) > 1:
            return f"its tensors do not fit together: the shapes of {', '.join(names)} differ"
    return None


def _make_lstm(
    module: Module,
    framework: str,
    title: str,
    layers: dict[tuple[int, Direction], LayerWeights],
    biases: int,
    file: str,
) -> ModelLSTM | UnsupportedLayer:
    """Order layers and directions, and check that they fit together."""
    layer_count = 1 + max(layer for layer, _ in layers)
    bidirectional = {layer for layer, direction in layers if direction is Direction.BACKWARD}
    if bidirectional and framework != OUR_FORMAT:  # only our own files may have layers that differ
        bidirectional = set(range(layer_count))
    stack: tuple[dict[Direction, LayerWeights], ...] = tuple({} for _ in range(layer_count))
    for layer in range(layer_count):
        for direction in Direction if layer in bidirectional else (Direction.FORWARD,):
            if (layer, direction) not in layers:
                reason = f"it has no weights of layer {layer} {direction.value}"
                return UnsupportedLayer(module.name, reason, FIX_INCOMPLETE)
            stack[layer][direction] = _convert_dtype(layers[layer, direction])
    lstm = ModelLSTM(module.name or "lstm", framework, title, Weights(stack), module.tensors, biases)
    return _validate(lstm, file)


def _validate(lstm: ModelLSTM, file: str) -> ModelLSTM | UnsupportedLayer:
    try:
        return validate_lstm(lstm, file)
    except InputFileError as error:
        return UnsupportedLayer(lstm.name, error.found, error.fix)


def _convert_dtype(weights: LayerWeights) -> LayerWeights:
    """Convert all tensors to one type: float64 if any is, otherwise float32."""
    is_double = any(tensor.dtype.itemsize == 8 for tensor in weights.tensors().values())
    dtype = np.float64 if is_double else np.float32
    return weights._replace(**{name: tensor.astype(dtype, copy=False) for name, tensor in weights.tensors().items()})


# --- two layers that are one bidirectional layer ----------------------------------------------------------------------


def _merge_directions(layers: list[ModelLSTM | UnsupportedLayer], file: str) -> list[ModelLSTM | UnsupportedLayer]:
    """Merge pairs of layers whose names say that one reads forward and the other backward, and list supported layers first.

    Keras calls them `bidirectional/forward_lstm` and `bidirectional/backward_lstm`, Flax `forward_rnn` and `backward_rnn`,
    TensorFlow 1 `fw` and `bw`. `convert` writes `forward` and `backward` for frameworks without a bidirectional layer.
    Two stacks with such names are not merged: above their first layers, each reads its own direction alone.
    """
    lstms = [layer for layer in layers if isinstance(layer, ModelLSTM)]
    groups: dict[tuple[str, str], dict[Direction, list[int]]] = {}
    for index, lstm in enumerate(lstms):
        if (match := _match_direction(lstm)) is not None:
            directions = groups.setdefault((match["before"], match["suffix"]), {})
            directions.setdefault(DIRECTIONS[match["direction"]], []).append(index)
    pairs = {
        key: [directions[direction][0] for direction in Direction]
        for key, directions in groups.items()
        if [len(directions.get(direction, ())) for direction in Direction] == [1, 1]
    }
    pairs_in = Counter(before for before, _ in pairs)
    merged: dict[int, ModelLSTM | UnsupportedLayer | None] = dict(enumerate(lstms))
    for (before, suffix), (forward, backward) in pairs.items():
        name = before if pairs_in[before] == 1 else f"{before}{suffix.strip('_')}"
        pair = _merge_pair(lstms[forward], lstms[backward], name.rstrip("./") or "lstm")
        layer = _validate(pair, file)
        if isinstance(layer, UnsupportedLayer):
            layer = layer._replace(tensors=tuple(pair.tensors))
        merged |= {max(forward, backward): None, min(forward, backward): layer}
    unsupported = [layer for layer in layers if isinstance(layer, UnsupportedLayer)]
    return [layer for layer in merged.values() if layer is not None] + unsupported


def _match_direction(lstm: ModelLSTM) -> re.Match[str] | None:
    """Match a name with a direction in it, if the layer's framework gives such names to the halves of a layer."""
    if lstm.title == "torch.nn.LSTM" or len(lstm.weights.layers) > 1 or len(lstm.weights.layers[0]) > 1:
        return None
    match = DIRECTION_NAME.fullmatch(lstm.name)
    if match is None or (match["direction"] in ("fw", "bw") and lstm.framework != "tensorflow1"):
        return None
    is_keras = lstm.framework == "keras" and match["before"]
    is_flax = lstm.framework.startswith("flax") and match["suffix"] == "_rnn"
    return match if not match["suffix"] or is_keras or is_flax else None


def _merge_pair(forward: ModelLSTM, backward: ModelLSTM, name: str) -> ModelLSTM:
    weights = {Direction.FORWARD: forward.weights, Direction.BACKWARD: backward.weights}
    return forward._replace(
        name=name,
        title=BIDIRECTIONAL_TITLES.get(forward.title, forward.title),
        weights=Weights(({direction: stack.layers[0][Direction.FORWARD] for direction, stack in weights.items()},)),
        tensors={**forward.tensors, **backward.tensors},
        notes=(),
    )
