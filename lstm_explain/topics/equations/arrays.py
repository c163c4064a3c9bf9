"""The arrays that a notation's signs stand for: one layer's weights, cut and turned as the notation has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Gate

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.frameworks.convention import Convention
    from lstm_explain.frameworks.notation import Notation


class Bound(NamedTuple):
    """An array, and what its axes are called."""

    array: Array
    axes: tuple[str, ...]


def bound_weights(notation: Notation, weights: LayerWeights, hidden_axis: str) -> dict[str, Bound]:
    """The weights by key, such as `kernel.forget_gate`.

    A framework's are packed as it packs them and cut along its own order of gates, so that the order is used, not only said.

    Args:
        notation: whose signs they are for.
        weights: the layer's.
        hidden_axis: what the axis of h is called.
    """
    convention = notation.convention
    apart = _separate(weights) if convention is None else _unpacked(convention, weights)
    named: dict[str, Bound] = {}
    for gate in GATES:
        kernel, recurrent = apart[f"kernel.{gate}"], apart[f"recurrent_kernel.{gate}"]
        if notation.concatenated:
            named[f"joined.{gate}"] = _joined(notation, weights, gate, hidden_axis)
        else:
            named[f"kernel.{gate}"] = _turned(notation, kernel, "features")
            named[f"recurrent_kernel.{gate}"] = _turned(notation, recurrent, hidden_axis)
        for kind in ("bias", "recurrent_bias", "peephole"):
            if f"{kind}.{gate}" in apart:
                named[f"{kind}.{gate}"] = Bound(apart[f"{kind}.{gate}"], ("units",))
    if weights.projection is not None:
        projection = Bound(weights.projection, ("units", hidden_axis))
        named["projection"] = projection if notation.row_vectors else Bound(projection.array.T, projection.axes[::-1])
    return named


def _separate(weights: LayerWeights) -> dict[str, Array]:
    """Weights of each gate in arrays of their own: [units, features], [units, hidden], [units]."""
    apart = {}
    for gate in GATES:
        columns, peephole = weights.columns(gate), weights.peephole_of(gate)
        apart[f"kernel.{gate}"] = weights.kernel[:, columns].T
        apart[f"recurrent_kernel.{gate}"] = weights.recurrent_kernel[:, columns].T
        if weights.bias is not None:
            apart[f"bias.{gate}"] = weights.bias[columns]
        if peephole is not None:
            apart[f"peephole.{gate}"] = peephole
    return apart


def _unpacked(convention: Convention, weights: LayerWeights) -> dict[str, Array]:
    """The same, cut out of the framework's own arrays; turned as these are."""
    apart: dict[str, Array] = {}
    packed, axis = convention.pack(weights), 0 if convention.output_major else 1
    kinds = dict(zip(convention.biases, ("bias", "recurrent_bias"), strict=False))
    kinds |= {convention.kernel: "kernel", convention.recurrent_kernel: "recurrent_kernel"}
    for name, kind in kinds.items():
        if name in packed:
            cut = np.split(packed[name], len(GATES), axis=axis if packed[name].ndim == 2 else 0)
            apart |= {f"{kind}.{gate}": part for gate, part in zip(convention.gate_order, cut, strict=True)}
    if weights.peephole is not None:
        apart |= _unpacked_peepholes(convention, weights, packed)
    return apart


def _unpacked_peepholes(convention: Convention, weights: LayerWeights, packed: dict[str, Array]) -> dict[str, Array]:
    """Peephole weights by key: the framework's where it has any, else the layer's."""
    if convention.peephole is None:
        return {f"peephole.{gate}": row for gate in PEEPHOLE_GATES if (row := weights.peephole_of(gate)) is not None}
    cut = np.split(packed[convention.peephole], len(PEEPHOLE_GATES))
    return {f"peephole.{gate}": part for gate, part in zip(convention.peephole_order, cut, strict=True)}


def _turned(notation: Notation, stored: Array, reads: str) -> Bound:
    """Weights as they stand in the product: [units, n] before a column, [n, units] behind a row."""
    array = stored.T if notation.transposed else stored
    return Bound(array, (reads, "units") if notation.row_vectors else ("units", reads))


def _joined(notation: Notation, weights: LayerWeights, gate: Gate, hidden_axis: str) -> Bound:
    """One matrix for the joined vector: the blocks side by side, in the writer's order."""
    columns, peephole = weights.columns(gate), weights.peephole_of(gate)
    blocks = {"input": weights.kernel[:, columns].T, "hidden_before": weights.recurrent_kernel[:, columns].T}
    reads = {"input": "features", "hidden_before": hidden_axis}
    parts, names = [blocks[key] for key in notation.concatenated], [reads[key] for key in notation.concatenated]
    if peephole is not None and not notation.peepholes:
        parts, names = [np.diag(peephole), *parts], ["units", *names]
    return Bound(np.concatenate(parts, axis=1), ("units", " + ".join(names)))
