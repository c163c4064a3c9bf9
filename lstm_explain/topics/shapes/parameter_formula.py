"""How many parameters a layer has, as a formula in the axis words of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec


class SizeWords(NamedTuple):
    """What the sizes of a layer are called; with the layer's number, as in `units_0`, where the layers of a stack differ."""

    units: str
    hidden: str
    """Of h in one direction."""
    output: str


def size_words(spec: Spec, layer: int, wide: str = "") -> SizeWords:
    """The words for a layer of a stack; `wide` stands before units and projection where there are twice as many."""
    own, which = spec.for_layer(layer), f"_{layer}" if spec.layers_differ else ""
    units, hidden = (f"{wide}{word}{which}" for word in ("units", "units" if own.projection is None else "projection"))
    return SizeWords(units, hidden, f"2*{hidden}" if own.bidirectional and not wide else hidden)


def layer_formula(layer: Spec, reads: str, words: SizeWords, biases: int | None = None) -> str:
    """The parameters of one layer over its directions.

    Args:
        layer: its sizes and options.
        reads: what the number of its features is called.
        words: what its own sizes are called.
        biases: how many biases a neuron has; if left out, one where there are any.
    """
    units, hidden, _ = words
    biases = int(layer.bias) if biases is None else biases
    neurons = f"4*{units}*({reads} + {hidden}{f' + {biases}' if biases else ''})"
    extra = (f" + 3*{units}" if layer.peepholes else "") + (f" + {units}*{hidden}" if layer.projection else "")
    one = neurons + extra
    return f"2*{grouped(one)}" if layer.bidirectional else one


def grouped(formula: str) -> str:
    """A sum in parentheses; a product as it is."""
    return f"({formula})" if ") + " in formula else formula
