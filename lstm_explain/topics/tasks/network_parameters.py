"""The parameters of a network, part by part: counted off the arrays, with the formula that says so."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.topics.shapes.parameter_formula import grouped, layer_formula, size_words

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
    batch, last = plan.batch, plan.batch.layers - 1
    name = "lstm" if plan.decoder is None else "encoder"
    parts = [Part(name, _count(network.weights), _formula(batch, batch, "features"))]
    if network.decoder is not None and plan.decoder is not None:
        parts.append(Part("decoder", _count(network.decoder), _formula(plan.decoder, batch, size_words(batch, last).output)))
    return (*parts, Part("dense", network.dense.parameters, f"({size_words(batch, last).output} + 1)*outputs"))


def _count(weights: Weights) -> int:
    return sum(int(array.size) for parts in weights.layers for part in parts.values() for array in part.tensors().values())


def _formula(spec: Spec, batch: Spec, reads: str) -> str:
    """The parameters of a stack, of which the first layer reads `reads` numbers, in words of the LSTM at hand.

    A decoder's layer reads forward only, and is as wide as both directions of the encoder's.
    """
    wide = ["2*" if batch.at(layer).bidirectional and not spec.at(layer).bidirectional else "" for layer in range(spec.layers)]
    words = [size_words(batch, layer, wide[layer]) for layer, _ in batch.unlike_layers]
    layers = [layer_formula(spec.at(0), reads, words[0])]
    for layer, (below, own) in enumerate(pairwise(words), start=1):
        layers.append(layer_formula(spec.at(layer), below.output, own))
    if batch.stack or len(layers) == 1:
        return " + ".join(layers)
    return f"{layers[0]} + (layers - 1)*{grouped(layers[1])}"
