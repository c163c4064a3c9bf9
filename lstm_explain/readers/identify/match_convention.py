"""Arrays under the names of a framework that somebody has named: whatever stands before the names is the module's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lstm_explain.core.axes import Array
    from lstm_explain.frameworks.convention import Convention

STACKED_AXES = 3
"""A kernel of all directions has one axis more than one of a single direction."""


class Module(NamedTuple):
    """What may be a layer."""

    name: str
    used: list[str]
    """The names in the file of its arrays."""
    arrays: dict[Direction, dict[str, Array]]
    """For each direction its arrays, by the names that the framework gives them."""


def names_of(convention: Convention) -> dict[str, str]:
    """The names that a framework may give to a layer's arrays; each by its spelling with points between the parts."""
    own = [
        convention.kernel,
        convention.recurrent_kernel,
        *convention.biases,
        convention.projection,
        convention.concatenated_bias,
    ]
    found = [one for name in own if name for one in convention.gate_arrays(name, convention.gate_order)]
    if convention.peephole:
        found += convention.gate_arrays(convention.peephole, convention.peephole_order)
    return {name.replace("/", "."): name for name in found}


def modules_in(tensors: Mapping[str, Array], convention: Convention) -> Iterator[Module]:
    """The modules that have arrays of such names, in the order of the file."""
    names = _with_directions(convention)
    modules: dict[str, dict[tuple[Direction, str], str]] = {}
    for full in tensors:
        spelled = full.replace("/", ".").removesuffix(":0")
        fitting = [name for name in names if spelled == name or spelled.endswith(f".{name}")]
        if fitting:
            last = max(fitting, key=len)
            modules.setdefault(full[: max(0, len(spelled) - len(last) - 1)], {})[names[last]] = full
    for module, own in modules.items():
        ways = [way for way in Direction if any(way is one for one, _ in own)]
        apart = {way: {name: tensors[full] for (one, name), full in own.items() if one is way} for way in ways}
        arrays = _directions(apart[ways[0]], convention) if ways == [Direction.FORWARD] else apart
        yield Module(module, list(own.values()), arrays)


def _with_directions(convention: Convention) -> dict[str, tuple[Direction, str]]:
    """The direction and the name of an array, by every spelling: weight_ih_back is that of weight_ih in Core ML."""
    ways = Direction if len(set(convention.direction_names.values())) > 1 else (Direction.FORWARD,)
    return {
        convention.direction_names[way].format(name=spelled): (way, name)
        for way in ways
        for spelled, name in names_of(convention).items()
    }


def _directions(arrays: dict[str, Array], convention: Convention) -> dict[Direction, dict[str, Array]]:
    kernel = arrays.get(convention.kernel)
    if not convention.directions_stacked or kernel is None or kernel.ndim != STACKED_AXES:
        return {Direction.FORWARD: _biases_apart(arrays, convention)}
    return {
        way: _biases_apart({name: array[place] for name, array in arrays.items() if _has(array, place)}, convention)
        for place, way in enumerate(Direction)
        if place < len(kernel)
    }


def _has(array: Array, place: int) -> bool:
    return array.ndim > 0 and len(array) > place


def _biases_apart(arrays: dict[str, Array], convention: Convention) -> dict[str, Array]:
    """The one vector that holds all biases end to end, cut."""
    joined = arrays.get(convention.concatenated_bias or "")
    if joined is None or joined.ndim != 1 or len(joined) % len(convention.biases):
        return arrays
    rest = {name: array for name, array in arrays.items() if array is not joined}
    return rest | dict(zip(convention.biases, np.split(joined, len(convention.biases)), strict=True))
