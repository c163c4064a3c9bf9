"""The parameters of a network, part by part: counted off the arrays, with the formula that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lstm_explain.core.network import Network
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import Weights


class Part(NamedTuple):
    """One layer or stack of a network, and its parameters."""

    name: str
    """`lstm`, or `encoder` and `decoder`; and `dense`."""
    total: int
    """Counted off its arrays."""
    formula: str
    """In the axis words of the command line."""


def parts_of(network: Network) -> tuple[Part, ...]:
    """The LSTM, or encoder and decoder; and the dense layer."""
    plan = network.plan
    name = "lstm" if plan.decoder is None else "encoder"
    parts = [Part(name, _count(network.weights), _formula(plan.batch, "features", ""))]
    if network.decoder is not None and plan.decoder is not None:
        reads = _words(plan.batch)[1]
        wide = "2*" if plan.batch.bidirectional else ""
        parts.append(Part("decoder", _count(network.decoder), _formula(plan.decoder, reads, wide)))
    return (*parts, Part("dense", network.dense.parameters, f"({_words(plan.batch)[1]} + 1)*outputs"))


def _count(weights: Weights) -> int:
    return sum(int(array.size) for parts in weights.layers for part in parts.values() for array in part.tensors().values())


def _words(spec: Spec) -> tuple[str, str]:
    """The size of h in one direction, and of a layer's output."""
    hidden = "units" if spec.projection is None else "projection"
    return hidden, f"2*{hidden}" if spec.bidirectional else hidden


def _formula(spec: Spec, reads: str, wide: str) -> str:
    """The parameters of a stack; `wide` stands before units and projection where there are twice as many."""
    units, hidden, output = f"{wide}units", f"{wide}{_words(spec)[0]}", f"{wide}{_words(spec)[1]}"
    first = _layer_formula(spec, reads, units, hidden)
    if spec.layers == 1:
        return first
    return f"{first} + (layers - 1)*{_grouped(_layer_formula(spec, output, units, hidden))}"


def _layer_formula(spec: Spec, reads: str, units: str, hidden: str) -> str:
    neurons = f"4*{units}*({reads} + {hidden}{' + 1' if spec.bias else ''})"
    extra = (f" + 3*{units}" if spec.peepholes else "") + (f" + {units}*{hidden}" if spec.projection else "")
    one = neurons + extra
    return f"2*{_grouped(one)}" if spec.bidirectional else one


def _grouped(formula: str) -> str:
    """A sum in parentheses; a product as it is."""
    return f"({formula})" if ") + " in formula else formula
