"""The equations of one layer in a notation: the tree of each equation, and the arrays of its symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from lstm_explain.core.equations import Concatenation, ElementwiseProduct, FunctionCall, Product, Sum, Symbol
from lstm_explain.core.gates import ACTIVATIONS, GATES, PEEPHOLE_GATES, Direction, Gate

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.equations import Expression, ResultRole, Sign
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.frameworks.convention import Convention
    from lstm_explain.frameworks.notation import Notation

Option: TypeAlias = Literal["peepholes", "projection"]
"""What an LSTM may have and a notation may have no signs for."""

TERMS = {
    "kernel": "kernel_part",
    "recurrent_kernel": "recurrent_part",
    "joined": "joined_part",
    "bias": "bias",
    "recurrent_bias": "recurrent_bias",
    "peephole": "peephole_part",
}
"""What a neuron may add up, and the key that each summand has."""


class Moment(NamedTuple):
    """When, and in which unit: letters, or numbers."""

    now: str = "t"
    before: str = "t-1"
    unit: str = "i"

    @classmethod
    def of(cls, direction: Direction, step: int | None = None, unit: int | None = None) -> Moment:
        """The moment of one timestep; a backward direction reads the timestep after it first."""
        sign = -1 if direction is Direction.FORWARD else 1
        if step is None or unit is None:
            return cls("t", f"t{sign:+d}")
        return cls(str(step), str(step + sign), str(unit))


class Equation(NamedTuple):
    """A result and what makes it."""

    role: ResultRole
    left: Symbol
    right: Expression
    borrowed: tuple[Option, ...]
    """The options whose signs this equation borrows from another notation."""


class Writer(NamedTuple):
    """Writes a layer's equations in a notation."""

    notation: Notation
    spec: Spec
    moment: Moment
    candidate: str = ACTIVATIONS[Gate.CANDIDATE]
    """The function around the candidate."""

    def equations(self) -> tuple[Equation, ...]:
        """All equations, in the writer's order."""
        return tuple(equation for role in self.notation.order for equation in self._equations_of(role))

    def symbol(self, key: str) -> Symbol:
        """A vector, and its sign."""
        gate = Gate(key) if key in tuple(GATES) else None
        sign = self.notation.states[key] if gate is None else self.notation.gates[gate]
        return Symbol(key, self._substitute(sign, gate, earlier=key.endswith("_before")))

    def weights(self, kind: str, gate: Gate) -> Symbol:
        """Weights of a gate, and their sign."""
        return Symbol(f"{kind}.{gate}", self._substitute(self._signs(kind)[gate], gate))

    def projection(self) -> Symbol:
        return Symbol("projection", self._substitute(self.notation.projection, None))

    def concatenation(self, gate: Gate) -> Concatenation:
        """What the writer puts side by side: also the cell state, if the notation has no peephole weights."""
        parts = tuple(map(self.symbol, self.notation.concatenated))
        if not self._joins_state(gate):
            return Concatenation("joined_vector", parts)
        state = self._peephole_state(gate)
        return Concatenation(f"joined_vector_{state}", (self.symbol(state), *parts))

    def _signs(self, kind: str) -> dict[Gate, Sign]:
        notation = self.notation
        biases = dict(zip(("bias", "recurrent_bias"), notation.biases, strict=False))
        kernels = {"kernel": notation.kernels, "joined": notation.kernels, "recurrent_kernel": notation.recurrent_kernels}
        return {**kernels, **biases, "peephole": notation.peepholes}[kind]

    def _equations_of(self, role: ResultRole) -> list[Equation]:
        if isinstance(role, Gate):
            return [Equation(role, self.symbol(role), self._gate(role), self._borrowed("peepholes", role in PEEPHOLE_GATES))]
        if role == "cell":
            return [Equation(role, self.symbol(role), self._cell(), ())]
        if self.spec.projection is None:
            return [Equation(role, self.symbol(role), self._emitted(), ())]
        emitted = Equation("emitted", self.symbol("emitted"), self._emitted(), self._borrowed("projection"))
        return [emitted, Equation(role, self.symbol(role), self._projected(), self._borrowed("projection"))]

    def _borrowed(self, option: Option, needed: bool = True) -> tuple[Option, ...]:
        has = {"peepholes": self.spec.peepholes, "projection": self.spec.projection is not None}
        return (option,) if needed and has[option] and option in self.notation.borrowed else ()

    def _gate(self, gate: Gate) -> Expression:
        terms = tuple(term for kind in self.notation.terms for term in self._term(kind, gate))
        argument = terms[0] if len(terms) == 1 else Sum(f"sum.{gate}", terms)
        candidate = gate is Gate.CANDIDATE
        function, sign = self.candidate if candidate else ACTIVATIONS[gate], self.notation.sigmoid
        return FunctionCall(gate, function, self.notation.tanh if function == "tanh" else sign, argument)

    def _term(self, kind: str, gate: Gate) -> list[Expression]:
        key = f"{TERMS[kind]}.{gate}"
        if kind == "peephole":
            return [self._peephole(key, gate)] if self.spec.peepholes and gate in PEEPHOLE_GATES else []
        if kind in ("bias", "recurrent_bias"):
            return [self.weights(kind, gate)] if self.spec.bias else []
        vectors = {"kernel": "input", "recurrent_kernel": "hidden_before"}
        vector = self.concatenation(gate) if kind == "joined" else self.symbol(vectors[kind])
        return [self._product(key, self.weights(kind, gate), vector)]

    def _product(self, key: str, weights: Symbol, vector: Symbol | Concatenation) -> Product:
        notation = self.notation
        return Product(key, weights, vector, notation.row_vectors, notation.opening, notation.times)

    def _peephole(self, key: str, gate: Gate) -> ElementwiseProduct:
        state = self.symbol(self._peephole_state(gate))
        return ElementwiseProduct(key, self.weights("peephole", gate), state, self.notation.hadamard)

    def _peephole_state(self, gate: Gate) -> str:
        """The cell state that a peephole of the gate reads."""
        return "cell" if gate is Gate.OUTPUT else "cell_before"

    def _joins_state(self, gate: Gate) -> bool:
        return self.spec.peepholes and not self.notation.peepholes and gate in PEEPHOLE_GATES

    def _cell(self) -> Sum:
        candidate = self.symbol(Gate.CANDIDATE) if Gate.CANDIDATE in self.notation.order else self._gate(Gate.CANDIDATE)
        kept = ElementwiseProduct("kept", self.symbol(Gate.FORGET), self.symbol("cell_before"), self.notation.hadamard)
        added = ElementwiseProduct("added", self.symbol(Gate.INPUT), candidate, self.notation.hadamard)
        return Sum("cell", (kept, added) if self.notation.forget_first else (added, kept))

    def _emitted(self) -> ElementwiseProduct:
        squashed = FunctionCall("tanh_cell", "tanh", self.notation.tanh_cell, self.symbol("cell"))
        gate = self.symbol(Gate.OUTPUT)
        left, right = (gate, squashed) if self.notation.output_first else (squashed, gate)
        return ElementwiseProduct("emitted", left, right, self.notation.hadamard)

    def _projected(self) -> Product:
        read = self._replace(moment=self.moment._replace(unit="j")).symbol("emitted")
        return self._product("hidden", self.projection(), read)

    def _substitute(self, sign: Sign, gate: Gate | None, earlier: bool = False) -> Sign:
        convention, units = self.notation.convention, self.spec.units
        position = convention.gate_order.index(gate) if convention is not None and gate is not None else 0
        time = self.moment.before if earlier else self.moment.now
        return sign.substitute(time, self.moment.unit, slice(position * units, (position + 1) * units))


# --- arrays ------------------------------------------------------------------------------------------------------------


class SymbolArray(NamedTuple):
    """An array, and what its axes are called."""

    array: Array
    axes: tuple[str, ...]


def weight_arrays(notation: Notation, weights: LayerWeights, hidden_axis: str) -> dict[str, SymbolArray]:
    """The weights by key, such as `kernel.forget_gate`.

    Those of a framework are packed in its own order of gates and cut along it, so that the order is tested too.

    Args:
        notation: whose signs they are for.
        weights: the layer's.
        hidden_axis: what the axis of h is called.
    """
    convention = notation.convention
    by_gate = _split_by_gate(weights) if convention is None else _unpack(convention, weights)
    arrays: dict[str, SymbolArray] = {}
    for gate in GATES:
        kernel, recurrent = by_gate[f"kernel.{gate}"], by_gate[f"recurrent_kernel.{gate}"]
        if notation.concatenated:
            arrays[f"joined.{gate}"] = _concatenate_weights(notation, weights, gate, hidden_axis)
        else:
            arrays[f"kernel.{gate}"] = _orient(notation, kernel, "features")
            arrays[f"recurrent_kernel.{gate}"] = _orient(notation, recurrent, hidden_axis)
        for kind in ("bias", "recurrent_bias", "peephole"):
            if f"{kind}.{gate}" in by_gate:
                arrays[f"{kind}.{gate}"] = SymbolArray(by_gate[f"{kind}.{gate}"], ("units",))
    if weights.projection is not None:
        projection = SymbolArray(weights.projection, ("units", hidden_axis))
        arrays["projection"] = projection if notation.row_vectors else SymbolArray(projection.array.T, projection.axes[::-1])
    return arrays


def _split_by_gate(weights: LayerWeights) -> dict[str, Array]:
    """The weights of each gate: [units, features], [units, hidden], [units]."""
    by_gate = {}
    for gate in GATES:
        columns, peephole = weights.columns(gate), weights.peephole_of(gate)
        by_gate[f"kernel.{gate}"] = weights.kernel[:, columns].T
        by_gate[f"recurrent_kernel.{gate}"] = weights.recurrent_kernel[:, columns].T
        if weights.bias is not None:
            by_gate[f"bias.{gate}"] = weights.bias[columns]
        if peephole is not None:
            by_gate[f"peephole.{gate}"] = peephole
    return by_gate


def _unpack(convention: Convention, weights: LayerWeights) -> dict[str, Array]:
    """The same, cut from the framework's own arrays and with their orientation."""
    by_gate: dict[str, Array] = {}
    packed, axis = convention.pack(weights), 0 if convention.output_major else 1
    kinds = dict(zip(convention.biases, ("bias", "recurrent_bias"), strict=False))
    kinds |= {convention.kernel: "kernel", convention.recurrent_kernel: "recurrent_kernel"}
    for name, kind in kinds.items():
        if name in packed:
            cut = np.split(packed[name], len(GATES), axis=axis if packed[name].ndim == 2 else 0)
            by_gate |= {f"{kind}.{gate}": part for gate, part in zip(convention.gate_order, cut, strict=True)}
    if weights.peephole is not None:
        by_gate |= _unpack_peepholes(convention, weights, packed)
    return by_gate


def _unpack_peepholes(convention: Convention, weights: LayerWeights, packed: dict[str, Array]) -> dict[str, Array]:
    """Peephole weights by key: the framework's where it has any, else the layer's."""
    if convention.peephole is None:
        return {f"peephole.{gate}": row for gate in PEEPHOLE_GATES if (row := weights.peephole_of(gate)) is not None}
    cut = np.split(packed[convention.peephole], len(PEEPHOLE_GATES))
    return {f"peephole.{gate}": part for gate, part in zip(convention.peephole_order, cut, strict=True)}


def _orient(notation: Notation, stored: Array, reads: str) -> SymbolArray:
    """Weights as the product needs them: [units, n] before a column vector, [n, units] after a row vector."""
    array = stored.T if notation.transposed else stored
    return SymbolArray(array, (reads, "units") if notation.row_vectors else ("units", reads))


def _concatenate_weights(notation: Notation, weights: LayerWeights, gate: Gate, hidden_axis: str) -> SymbolArray:
    """One matrix for the joined vector: the blocks side by side, in the writer's order."""
    columns, peephole = weights.columns(gate), weights.peephole_of(gate)
    blocks = {"input": weights.kernel[:, columns].T, "hidden_before": weights.recurrent_kernel[:, columns].T}
    reads = {"input": "features", "hidden_before": hidden_axis}
    parts, names = [blocks[key] for key in notation.concatenated], [reads[key] for key in notation.concatenated]
    if peephole is not None and not notation.peepholes:
        parts, names = [np.diag(peephole), *parts], ["units", *names]
    return SymbolArray(np.concatenate(parts, axis=1), ("units", " + ".join(names)))
