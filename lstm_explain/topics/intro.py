"""What the pages of topics share: their first and last lines, the names of features, and notes on what else can be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lstm_explain.document.blocks import BlankLine, NextSteps, Note
from lstm_explain.document.numbers import format_bytes, plural, thousands
from lstm_explain.document.tables import MAX_NAME_LENGTH, elide_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lstm_explain.core.spec import LayerSpec, Spec
    from lstm_explain.document.blocks import Block, NextStep
    from lstm_explain.topics.result import LSTMResult, SampleResult

REVERSE_READING = "It reads each sample from its end: timestep 1 is the last of the data."


def sample_title(result: SampleResult) -> str:
    """The title of a page about one sample: the topic, sample, layer and direction."""
    return f"{result.topic}: sample {thousands(result.sample)}, layer {result.layer}, {result.direction.value}"


def lstm_summary(explanation: LSTMResult) -> str:
    """Say in two sentences which LSTM this is."""
    spec = explanation.spec
    reads = f"{plural(spec.samples, 'sample')} of {plural(spec.timesteps, 'timestep')} of {plural(spec.features, 'feature')}"
    return f"An LSTM of {_layers(spec)}, in {spec.dtype}, reads {reads}. {describe_origin(explanation.source)}"


def _layers(spec: Spec) -> str:
    """How many layers there are, and of what: of each by itself where they differ."""
    layers = "one layer" if len(spec.layers) == 1 else f"{thousands(len(spec.layers))} layers"
    if not spec.layers_differ:
        each = "" if len(spec.layers) == 1 else " each"
        return ", ".join([f"{layers} of {plural(spec.units, 'unit')}{each}", *_options(spec)])
    texts = [" ".join([plural(layer.units, "unit"), *_options(layer)]) for layer in spec.layers]
    return f"{layers} ({'; '.join(elide_list(texts))})"


def _options(layer: Spec | LayerSpec) -> list[str]:
    options = [
        "in both directions" if layer.bidirectional else "",
        f"projected to {layer.projection}" if layer.projection else "",
        "" if layer.bias else "without bias",
        "with peepholes" if layer.peepholes else "",
    ]
    return [option for option in options if option]


def describe_origin(source: dict[str, Any]) -> str:
    """Say where the weights and the inputs come from, and what was set by hand."""
    weights, inputs = source["weights"], source["inputs"]
    made = _weights_origin(weights)
    read = f"seeded normal numbers, seed {inputs['seed']}" if inputs["kind"] == "seeded" else inputs["name"]
    edits = source.get("edits", [])
    return f"{made} Inputs: {read}." + (f" Set by hand: {', '.join(edits)}." if edits else "")


def summarize_origin(source: dict[str, Any]) -> str:
    """Say in a few words where the weights and the inputs come from, below a title that names the file of the weights."""
    weights, inputs = source["weights"], source["inputs"]
    read = f"seeded (seed {inputs['seed']})" if inputs["kind"] == "seeded" else inputs["name"]
    if weights["kind"] == "model":
        return f"weights {weights['title']}, inputs {read}"
    return f"weights seeded ({weights['init']}, seed {weights['seed']}), inputs {read}"


def model_remarks(weights: dict[str, Any]) -> list[str]:
    """What to know about the weights of a file: that they read backward, and what was left out."""
    asides = [f"{aside[:1].upper()}{aside[1:]}." for aside in weights.get("asides", [])]
    return [REVERSE_READING, *asides] if weights.get("reads") == "from the end" else asides


def _weights_origin(weights: dict[str, Any]) -> str:
    if weights["kind"] == "model":
        return " ".join([f"Weights: {weights['file']}, {weights['layer']} ({weights['title']}).", *model_remarks(weights)])
    return f"Weights: seeded, {weights['init']} initialiser, seed {weights['seed']}."


def closing_blocks(explanation: LSTMResult, measurement: str, steps: Iterable[NextStep]) -> tuple[Block, ...]:
    """The end of a page: how its numbers were measured, what to try next, and which LSTM this is."""
    return BlankLine(), Note(measurement), NextSteps(tuple(steps)), Note(lstm_summary(explanation))


def computed_note(subject: str, max_memory: int) -> str:
    """Say that numbers were computed because measuring them would exceed the memory budget."""
    return (
        f"{subject} are computed, not measured: a run over all samples does not fit the memory budget of "
        f"{format_bytes(max_memory)} (--max-memory)."
    )


def feature_names(explanation: LSTMResult, t: str) -> list[str]:
    """What the network reads at timestep `t`, with the names that a file's columns have: x_t[0] price."""
    columns = explanation.source["inputs"].get("columns") or [""] * explanation.spec.features
    return [f"x_{t}[{column}] {name[:MAX_NAME_LENGTH]}".rstrip() for column, name in enumerate(columns)]


def units_note(shown: int, units: int) -> list[str]:
    """How to choose units, where not all are shown."""
    if shown == units:
        return []
    return [f"{shown} of {thousands(units)} units are shown: choose with --unit 0,3,7-9; --json has all."]


def stack_note(spec: Spec) -> list[str]:
    """How to choose a layer and direction, where there are several."""
    options = ["--layer"] * (len(spec.layers) > 1) + ["--direction"] * spec.has_backward
    return [f"Choose another part of the stack with {' and '.join(options)}."] if options else []
