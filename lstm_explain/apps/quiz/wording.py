"""The words that questions share: which LSTM it is, and the command line that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lstm_explain.core.gates import GATES, LETTERS
from lstm_explain.document.numbers import plural
from lstm_explain.topics.command_line import format_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.core.gates import Gate
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec

GATE_NAMES = {gate: f"the {gate.value.replace('_', ' ')} {LETTERS[gate]}" for gate in GATES}
"""the input gate i, the forget gate f, the candidate g, the output gate o"""
GATE_COUNT = len(GATES)
PRECISE_DTYPE = "float64"
"""The type where numbers of a run are told: in float32, another processor may round them otherwise."""
MAX_TRACEABLE_STEPS = 32
"""After more timesteps than this, a change may have faded below the last bit of h, so it is not asked how far one reaches."""


def describe_input(spec: Spec) -> str:
    """Which LSTM it is and what it reads, in one sentence."""
    batch = f"{plural(spec.samples, 'sample')} of {plural(spec.timesteps, 'timestep')} of {plural(spec.features, 'feature')}"
    return f"{describe_layers(spec)} reads {batch}."


def describe_layers(spec: Spec) -> str:
    """Which LSTM it is, as the beginning of a sentence."""
    ways = "bidirectional " if spec.bidirectional else ""
    options = [
        "" if spec.bias else "without biases",
        "with peepholes" if spec.peepholes else "",
        f"whose h is projected to {plural(spec.projection, 'number')}" if spec.projection else "",
    ]
    extra = "".join(f", {option}" for option in options if option)
    if len(spec.layers) > 1:
        each = f"with {plural(spec.units, 'unit')} in each layer" + (" and direction" if spec.bidirectional else "")
        return f"A stack of {len(spec.layers)} {ways}LSTM layers {each}{extra}{',' if extra else ''}"
    each = f"of {plural(spec.units, 'unit')}" + (" in each direction" if spec.bidirectional else "")
    return f"{'A bidirectional' if spec.bidirectional else 'An'} LSTM layer {each}{extra}{',' if extra else ''}"


def gate_letters(gates: Sequence[Gate]) -> str:
    """i, f, g, o"""
    return ", ".join(LETTERS[gate] for gate in gates)


def command_for(lstm: LSTM, topic: str, *arguments: str, **options: Any) -> str:
    """The command line that shows a topic of this LSTM."""
    return format_command(topic, lstm.spec, lstm.provenance, arguments=arguments, **options)
