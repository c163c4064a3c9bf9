"""The first lines of every document: which LSTM this is, and where its numbers come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lstm_explain.core.gates import ACTIVATIONS
from lstm_explain.document.blocks import Cell
from lstm_explain.document.numbers import plural, thousands

if TYPE_CHECKING:
    from collections.abc import Sized

    from lstm_explain.core.axes import Array
    from lstm_explain.core.gates import Gate
    from lstm_explain.core.spec import LayerSpec, Spec
    from lstm_explain.topics.result import Explanation

MAX_ROWS = 32
"""A table for people shows no more rows than this, unless they were asked for one by one."""
MAX_UNITS = 16
"""Nor more units than this."""
MAX_LAYERS = 8
"""Nor does a sentence tell of more layers than this."""
MAX_NAME_LENGTH = 16
"""Nor more characters of a column's name."""
REVERSE_READING = "It reads each sample from its end: timestep 1 is the last of the data."
SATURATION_MARGIN = 0.001
"""How close to 0 or 1 a gate counts as shut or wide open."""


def lstm_summary(explanation: Explanation) -> str:
    """Say in two sentences which LSTM this is."""
    spec = explanation.spec
    reads = f"{plural(spec.samples, 'sample')} of {plural(spec.timesteps, 'timestep')} of {plural(spec.features, 'feature')}"
    return f"An LSTM of {_layers(spec)}, in {spec.dtype}, reads {reads}. {_origin(explanation.source)}"


def _layers(spec: Spec) -> str:
    """How many layers there are, and of what: of each by itself where they differ."""
    layers = "one layer" if spec.layers == 1 else f"{thousands(spec.layers)} layers"
    if not spec.stack:
        each = "" if spec.layers == 1 else " each"
        return ", ".join([f"{layers} of {plural(spec.units, 'unit')}{each}", *_options(spec)])
    return f"{layers} ({'; '.join(elide_list([' '.join([plural(one.units, 'unit'), *_options(one)]) for one in spec.stack]))})"


def elide_list(told: list[str]) -> list[str]:
    """What is told of each layer, the middle left out where there are many."""
    front, back = visible_ends(told, MAX_LAYERS)
    left_out = ["..."] if front + back < len(told) else []
    return [*told[:front], *left_out, *told[len(told) - back :]]


def _options(layer: Spec | LayerSpec) -> list[str]:
    options = [
        "in both directions" if layer.bidirectional else "",
        f"projected to {layer.projection}" if layer.projection else "",
        "" if layer.bias else "without bias",
        "with peepholes" if layer.peepholes else "",
    ]
    return [option for option in options if option]


def _origin(source: dict[str, Any]) -> str:
    weights, inputs = source["weights"], source["inputs"]
    made = _weights_origin(weights)
    read = f"seeded normal numbers, seed {inputs['seed']}" if inputs["kind"] == "seeded" else inputs["name"]
    edits = source.get("edits", [])
    return f"{made} Inputs: {read}." + (f" Set by hand: {', '.join(edits)}." if edits else "")


def _weights_origin(weights: dict[str, Any]) -> str:
    if weights["kind"] == "model":
        read = f" {REVERSE_READING}" if weights.get("reads") == "from the end" else ""
        asides = "".join(f" {aside[:1].upper()}{aside[1:]}." for aside in weights.get("asides", []))
        return f"Weights: {weights['file']}, {weights['layer']} ({weights['title']}).{read}{asides}"
    return f"Weights: seeded, {weights['init']} initialiser, seed {weights['seed']}."


def feature_names(explanation: Explanation, t: str) -> list[str]:
    """What the network reads at timestep `t`, with the names that a file's columns have: x_t[0] price."""
    columns = explanation.source["inputs"].get("columns") or [""] * explanation.spec.features
    return [f"x_{t}[{place}] {name[:MAX_NAME_LENGTH]}".rstrip() for place, name in enumerate(columns)]


def saturation_warning(gates: dict[Gate, Array]) -> list[str]:
    """A remark where most sigmoids are shut or wide open, which is what inputs that were never scaled do."""
    sigmoids = [value for gate, values in gates.items() if ACTIVATIONS[gate] == "sigmoid" for value in values.ravel().tolist()]
    pinned = sum(value < SATURATION_MARGIN or value > 1 - SATURATION_MARGIN for value in sigmoids)
    if 2 * pinned <= len(sigmoids):
        return []
    share = f"{thousands(pinned)} of {thousands(len(sigmoids))} values of i, f and o lie within {SATURATION_MARGIN} of 0 or 1"
    return [f"{share}: the inputs are large for this LSTM. Scale them first, to about -1 to 1."]


def visible_ends(items: Sized, most: int) -> tuple[int, int]:
    """How many items to show from the front and from the back, where there are more than `most`."""
    if len(items) <= most:
        return len(items), 0
    return most - most // 4, most // 4


def ellipsis_row(columns: int) -> tuple[Cell, ...]:
    """A row that stands for rows left out."""
    return (Cell("⋮"),) * columns
