"""The names that frameworks give to an LSTM's tensors, and the modules whose tensors have such names.

Whatever is before a framework's name, with a point or a slash between, is the name of the module. Some tensors are certainly
an LSTM's and not read: quantised ones, and those from which torch computes the weights. Their layers are reported.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from lstm_explain.core.gates import Direction
from lstm_explain.core.weights import WEIGHT_NAMES
from lstm_explain.errors import printable
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.identify.model_lstm import UnsupportedLayer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lstm_explain.core.axes import Array
    from lstm_explain.frameworks.convention import Convention

Tensors: TypeAlias = "Mapping[str, Array]"

MODULE = r"(?:(?P<module>.*)[./])?"
NUMBER = "0|[1-9][0-9]{0,2}"
PYTORCH_NAME = re.compile(
    rf"{MODULE}(?P<tensor>weight_(?:ih|hh|hr)|bias_(?:ih|hh))(?:_l(?P<layer>{NUMBER})(?P<reverse>_reverse)?)?"
)
OUR_NAME = re.compile(
    rf"{MODULE}layer(?P<layer>{NUMBER})\.(?P<direction>forward|backward)\.(?P<tensor>{'|'.join(WEIGHT_NAMES)})"
)
FLAX_GRU_NAME = re.compile(rf"{MODULE}[ih][rzn][./]kernel(?:[./]value)?")
WEIGHT_NORM_NAME = re.compile(
    r"(?:(?P<module>.+?)[./])??(?:parametrizations[./])?(?P<tensor>weight_(?:ih|hh|hr)(?:_l[0-9]{1,3}(?:_reverse)?)?)"
    r"(?:[./]original[01]|_[gv])"
)
FLAX_CONVENTIONS = ("flax-linen", "flax-nnx", "flax-nnx-optimized")
STACKED_KERNEL_AXES = 3
"""A kernel of all directions has one more axis than that of a single direction."""


class Module(NamedTuple):
    """A module that may be an LSTM."""

    name: str
    tensors: dict[str, tuple[int, ...]]
    """The shapes of its tensors by their names in the file."""
    arrays: dict[tuple[int, Direction], dict[str, Array]]
    """For each layer and direction its arrays, by the names that the framework gives them."""


def array_names(convention: Convention) -> dict[str, str]:
    """Return the names that a framework may give to a layer's arrays, by their spelling with points between the parts."""
    patterns = [convention.kernel, convention.recurrent_kernel, *convention.biases, convention.projection]
    patterns.append(convention.concatenated_bias)
    names = [name for pattern in patterns if pattern for name in convention.gate_arrays(pattern, convention.gate_order)]
    if convention.peephole:
        names += convention.gate_arrays(convention.peephole, convention.peephole_order)
    return {name.replace("/", "."): name for name in names}


def split_name(tensor: str, names: Iterable[str]) -> tuple[str, str] | None:
    """Return the module of a tensor and which of some names it has there, the longest that fits; None if it has none."""
    spelling = tensor.replace("/", ".").removesuffix(":0")
    matches = [name for name in names if spelling == name or spelling.endswith(f".{name}")]
    if not matches:
        return None
    name = max(matches, key=len)
    return tensor[: max(0, len(spelling) - len(name) - 1)], name


def find_modules(tensors: Tensors, convention: Convention) -> Iterator[Module]:
    """Yield the modules whose arrays have a framework's names, in the order of the file."""
    names = _names_with_direction(convention)
    modules: dict[str, dict[tuple[Direction, str], str]] = {}
    for tensor in tensors:
        if (match := split_name(tensor, names)) is not None:
            modules.setdefault(match[0], {})[names[match[1]]] = tensor
    for module, members in modules.items():
        by_direction: dict[Direction, dict[str, Array]] = {}
        for (direction, name), tensor in sorted(members.items(), key=lambda item: list(Direction).index(item[0][0])):
            by_direction.setdefault(direction, {})[name] = tensors[tensor]
        if list(by_direction) == [Direction.FORWARD]:
            by_direction = split_directions(by_direction[Direction.FORWARD], convention)
        shapes = {tensor: tensors[tensor].shape for tensor in members.values()}
        yield Module(module, shapes, {(0, direction): arrays for direction, arrays in by_direction.items()})


def _names_with_direction(convention: Convention) -> dict[str, tuple[Direction, str]]:
    """Return the direction and name of an array, by every spelling: weight_ih_back is that of weight_ih in Core ML."""
    directions = Direction if len(set(convention.direction_names.values())) > 1 else (Direction.FORWARD,)
    names = {
        convention.direction_names[direction].format(name=spelling): (direction, name)
        for direction in directions
        for spelling, name in array_names(convention).items()
    }
    if convention.framework in FLAX_CONVENTIONS:  # nnx may write the state of a variable
        names |= {f"{spelling}.value": name for spelling, name in names.items()}
    return names


def split_directions(arrays: dict[str, Array], convention: Convention) -> dict[Direction, dict[str, Array]]:
    """Return the arrays of each direction, where a framework may stack directions and concatenate biases."""
    kernel = arrays.get(convention.kernel)
    if not convention.directions_stacked or kernel is None or kernel.ndim != STACKED_KERNEL_AXES:
        return {Direction.FORWARD: _split_bias(arrays, convention)}
    by_direction = {}
    for index, direction in list(enumerate(Direction))[: len(kernel)]:
        of_direction = {name: array[index] for name, array in arrays.items() if array.ndim and len(array) > index}
        by_direction[direction] = _split_bias(of_direction, convention)
    return by_direction


def _split_bias(arrays: dict[str, Array], convention: Convention) -> dict[str, Array]:
    """Split the one vector that holds all biases end to end."""
    bias = arrays.get(convention.concatenated_bias or "")
    if bias is None or bias.ndim != 1 or len(bias) % len(convention.biases):
        return arrays
    others = {name: array for name, array in arrays.items() if array is not bias}
    return others | dict(zip(convention.biases, np.split(bias, len(convention.biases)), strict=True))


FLAX_GATE_NAMES, FLAX_OPTIMIZED_NAMES = (
    {spelling: name for flax in names for spelling, (_, name) in _names_with_direction(CONVENTIONS[flax]).items()}
    for names in (FLAX_CONVENTIONS[:2], FLAX_CONVENTIONS[2:])
)
"""Flax's names of arrays for one gate, and for all gates, by their spelling."""
RECURRENT_NAMES = (*FLAX_GATE_NAMES, *FLAX_OPTIMIZED_NAMES, "recurrent_kernel")
"""Names that only a recurrent layer's arrays have, besides those of PyTorch and ours."""


# --- tensors that are not read ----------------------------------------------------------------------------------------


def quantised_layers(tensors: Tensors, skipped_dtypes: Mapping[str, str]) -> Iterator[UnsupportedLayer]:
    """Yield the modules with an array that is not of floating-point numbers, under a name that only an LSTM's has."""
    names: dict[str, str] = {}
    for name in skipped_dtypes:
        if (module := _recurrent_module(name)) is not None:
            names.setdefault(module, name)
    for module, others in _tensors_of(names, tensors).items():
        dtype = skipped_dtypes[names[module]]
        is_quantised = dtype.endswith("8") or dtype.startswith(("float", "int4", "uint4"))
        problem = "quantised weights are not supported" if is_quantised else "weights are floating-point numbers"
        fix = "Give the weights as float32, as they were before quantisation" if is_quantised else "Save them as float32"
        yield UnsupportedLayer(module, f"{printable(names[module])} is {printable(dtype)}: {problem}", fix, others)


def weight_norm_layers(tensors: Tensors) -> Iterator[UnsupportedLayer]:
    """Yield the modules whose weights torch computes from a length and a direction when they run (`weight_norm`)."""
    weights: dict[str, str] = {}
    for name in tensors:
        if match := WEIGHT_NORM_NAME.fullmatch(name):
            weights.setdefault(match["module"] or "", match["tensor"])
    for module, others in _tensors_of(weights, tensors).items():
        reason = f"it stores {weights[module]} as weight_g and weight_v (weight_norm), from which torch computes it"
        fix = "Remove it before saving, with torch.nn.utils.parametrize.remove_parametrizations"
        yield UnsupportedLayer(module, reason, fix, others)


def _recurrent_module(tensor: str) -> str | None:
    """Return the module of a tensor whose name only a recurrent layer's has; None for other names."""
    if match := PYTORCH_NAME.fullmatch(tensor) or OUR_NAME.fullmatch(tensor):
        return match["module"] or ""
    split = split_name(tensor, RECURRENT_NAMES)
    return None if split is None else split[0]


def _tensors_of(modules: Iterable[str], tensors: Tensors) -> dict[str, tuple[str, ...]]:
    """Return the names of the tensors of each module."""
    members: dict[str, list[str]] = {module: [] for module in modules}
    for name in tensors if members else ():
        module = _recurrent_module(name)
        if module is None:
            match = WEIGHT_NORM_NAME.fullmatch(name)
            module = (match["module"] or "") if match else re.sub("(?:^|[./])[^./]*$", "", name)
        if module in members:
            members[module].append(name)
    return {module: tuple(names) for module, names in members.items()}
