"""The equations of one layer, written in a notation: each result's sign, and the expression that makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.core.gates import ACTIVATIONS, GATES, PEEPHOLE_GATES, Direction, Gate
from lstm_explain.topics.equations.expression import Applied, Each, Joined, Name, Product, Total

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.notation import Notation, Sign
    from lstm_explain.topics.equations.expression import Expression

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
        """The moment of a timestep of a direction that reads it after the one before, or after."""
        sign = -1 if direction is Direction.FORWARD else 1
        if step is None or unit is None:
            return cls("t", f"t{sign:+d}")
        return cls(str(step), str(step + sign), str(unit))


class Equation(NamedTuple):
    """A result and what makes it."""

    role: str
    """A gate, `cell`, `emitted` or `hidden`."""
    left: Name
    right: Expression
    borrowed: tuple[str, ...]
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
        return tuple(equation for role in self.notation.order for equation in self._of(role))

    def named(self, key: str) -> Name:
        """A vector, and its sign."""
        gate = Gate(key) if key in tuple(GATES) else None
        sign = self.notation.states[key] if gate is None else self.notation.gates[gate]
        return Name(key, self._filled(sign, gate, earlier=key.endswith("_before")))

    def weights(self, kind: str, gate: Gate) -> Name:
        """Weights of a gate, and their sign."""
        return Name(f"{kind}.{gate}", self._filled(self._signs(kind)[gate], gate))

    def projection(self) -> Name:
        return Name("projection", self._filled(self.notation.projection, None))

    def joined(self, gate: Gate) -> Joined:
        """What the writer puts side by side; a peephole's state too where it has no weights of its own."""
        parts = tuple(map(self.named, self.notation.concatenated))
        if not self._joins_state(gate):
            return Joined("joined_vector", parts)
        seen = self._seen(gate)
        return Joined(f"joined_vector_{seen}", (self.named(seen), *parts))

    def _signs(self, kind: str) -> dict[Gate, Sign]:
        notation = self.notation
        biases = dict(zip(("bias", "recurrent_bias"), notation.biases, strict=False))
        kernels = {"kernel": notation.kernels, "joined": notation.kernels, "recurrent_kernel": notation.recurrent_kernels}
        return {**kernels, **biases, "peephole": notation.peepholes}[kind]

    def _of(self, role: str) -> list[Equation]:
        if role in tuple(GATES):
            gate = Gate(role)
            return [Equation(role, self.named(role), self._gate(gate), self._borrowed("peepholes", gate in PEEPHOLE_GATES))]
        if role == "cell":
            return [Equation(role, self.named(role), self._cell(), ())]
        if self.spec.projection is None:
            return [Equation(role, self.named(role), self._emitted(), ())]
        emitted = Equation("emitted", self.named("emitted"), self._emitted(), self._borrowed("projection"))
        return [emitted, Equation(role, self.named(role), self._projected(), self._borrowed("projection"))]

    def _borrowed(self, option: str, needed: bool = True) -> tuple[str, ...]:
        has = {"peepholes": self.spec.peepholes, "projection": self.spec.projection is not None}
        return (option,) if needed and has[option] and option in self.notation.borrowed else ()

    def _gate(self, gate: Gate) -> Expression:
        terms = tuple(term for kind in self.notation.terms for term in self._term(kind, gate))
        argument = terms[0] if len(terms) == 1 else Total(f"sum.{gate}", terms)
        candidate = gate is Gate.CANDIDATE
        function, sign = self.candidate if candidate else ACTIVATIONS[gate], self.notation.sigmoid
        return Applied(gate, function, self.notation.tanh if function == "tanh" else sign, argument)

    def _term(self, kind: str, gate: Gate) -> list[Expression]:
        key = f"{TERMS[kind]}.{gate}"
        if kind == "peephole":
            return [self._peephole(key, gate)] if self.spec.peepholes and gate in PEEPHOLE_GATES else []
        if kind in ("bias", "recurrent_bias"):
            return [self.weights(kind, gate)] if self.spec.bias else []
        vectors = {"kernel": "input", "recurrent_kernel": "hidden_before"}
        vector = self.joined(gate) if kind == "joined" else self.named(vectors[kind])
        return [self._product(key, self.weights(kind, gate), vector)]

    def _product(self, key: str, weights: Name, vector: Name | Joined) -> Product:
        notation = self.notation
        return Product(key, weights, vector, notation.row_vectors, notation.opening, notation.times)

    def _peephole(self, key: str, gate: Gate) -> Each:
        return Each(key, self.weights("peephole", gate), self.named(self._seen(gate)), self.notation.hadamard)

    def _seen(self, gate: Gate) -> str:
        """The state that a peephole of the gate looks at."""
        return "cell" if gate is Gate.OUTPUT else "cell_before"

    def _joins_state(self, gate: Gate) -> bool:
        return self.spec.peepholes and not self.notation.peepholes and gate in PEEPHOLE_GATES

    def _cell(self) -> Total:
        candidate = self.named(Gate.CANDIDATE) if Gate.CANDIDATE in self.notation.order else self._gate(Gate.CANDIDATE)
        kept = Each("kept", self.named(Gate.FORGET), self.named("cell_before"), self.notation.hadamard)
        added = Each("added", self.named(Gate.INPUT), candidate, self.notation.hadamard)
        return Total("cell", (kept, added) if self.notation.forget_first else (added, kept))

    def _emitted(self) -> Each:
        squashed = Applied("tanh_cell", "tanh", self.notation.tanh_cell, self.named("cell"))
        gate = self.named(Gate.OUTPUT)
        left, right = (gate, squashed) if self.notation.output_first else (squashed, gate)
        return Each("emitted", left, right, self.notation.hadamard)

    def _projected(self) -> Product:
        read = self._replace(moment=self.moment._replace(unit="j")).named("emitted")
        return self._product("hidden", self.projection(), read)

    def _filled(self, sign: Sign, gate: Gate | None, earlier: bool = False) -> Sign:
        convention, units = self.notation.convention, self.spec.units
        place = convention.gate_order.index(gate) if convention is not None and gate is not None else 0
        time = self.moment.before if earlier else self.moment.now
        return sign.substitute(time, self.moment.unit, slice(place * units, (place + 1) * units))
