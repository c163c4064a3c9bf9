"""What the forget bias does: the same LSTM, run under either of the initialisers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.cell_decomposition import mean_forget, mean_half_life
from lstm_explain.core.gates import Direction, Gate
from lstm_explain.core.lstm import PretrainedWeights
from lstm_explain.topics.result import json_keys

if TYPE_CHECKING:
    from typing import Annotated

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Init
    from lstm_explain.topics.result import Axes, Positive


@json_keys(
    "init own samples numbers bias mean_bias f_of_bias=forget_of_bias f=forget half_life mean_f=mean_forget",
    "mean_half_life",
)
class Initialised(NamedTuple):
    """The forget gates of the same LSTM under one of the initialisers, in a run of their own."""

    init: Init | None
    """Null for the weights of a model."""
    own: bool
    """Whether it is the initialiser of the LSTM that is explained."""
    samples: Positive
    """How many samples were run: the block of the chosen one."""
    numbers: Positive
    """How many values of f the means are taken over."""
    bias: Annotated[Array, Axes("units")] | None
    """The forget gates' biases; null without bias."""
    forget: Annotated[Array, Axes("units")]
    """The geometric mean of f over all timesteps of these samples, for each unit of the layer."""
    half_life: Annotated[Array, Axes("units")]
    """Its half-life."""
    mean_forget: float
    """The geometric mean of f over the units too."""
    mean_half_life: float
    """Its half-life."""

    @property
    def mean_bias(self) -> float:
        """The mean of `bias`; 0 without bias."""
        return 0.0 if self.bias is None else float(self.bias.astype(np.float64).mean())

    @property
    def forget_of_bias(self) -> float:
        """What f is if a neuron reads zeros only: the sigmoid of the mean bias."""
        return (1 + math.tanh(self.mean_bias / 2)) / 2


def initialised(lstm: LSTM, init: Init | None, sample: int, layer: int, way: Direction) -> Initialised:
    """Run the sample's block under an initialiser, the seed and the inputs being the same; None: with the model's weights."""
    own = None if lstm.pretrained else lstm.init
    one = lstm if init == own else _seeded(lstm, init or lstm.init)
    start, stop = one.block_of(sample)
    forget = _forget_gates(one, start, stop, layer, way)
    weights = one.weights.of(layer, way)
    return Initialised(
        init=init,
        own=init == own,
        samples=stop - start,
        numbers=forget.size,
        bias=None if weights.bias is None else weights.bias[weights.columns(Gate.FORGET)],
        forget=mean_forget(forget),
        half_life=mean_half_life(forget),
        mean_forget=float(mean_forget(forget.reshape(-1))),
        mean_half_life=float(mean_half_life(forget.reshape(-1))),
    )


def _seeded(lstm: LSTM, init: Init) -> LSTM:
    """The same with weights made by an initialiser; what is read from its end still is."""
    one = replace(lstm, init=init, pretrained=None)
    return (
        replace(one, pretrained=PretrainedWeights(one.weights, one.provenance["weights"], None, True)) if lstm.reverse else one
    )


def _forget_gates(lstm: LSTM, start: int, stop: int, layer: int, way: Direction) -> Array:
    """Every f of a block but at padding; [samples and timesteps, units]."""
    sizes = replace(lstm.spec.for_layer(layer), samples=stop - start)
    copies = 4 * 8 * sizes.samples * sizes.timesteps * sizes.units
    lstm.check_memory(lstm.run_bytes(sizes.samples) + copies, f"averaging the forget gates of {sizes.samples} samples")
    record = lstm.run(start, stop)
    forget = record.of(layer, way).forget_gate
    if record.lengths is None:
        return forget.reshape(-1, sizes.units)
    run: Array = forget[np.arange(sizes.timesteps) < record.lengths[:, None]]
    return run
