"""The five networks that an LSTM is part of, from one-to-one to the encoder-decoder: planned, built from a seed, and run.

Each ends in a dense layer. They differ in what the LSTM reads, and in which of its h the dense layer reads:

    one-to-one       the first timestep alone                    h of that timestep
    one-to-many      the first timestep, again at every step     h of every step
    many-to-one      the whole sequence                          the last h
    many-to-many     the whole sequence                          h of every timestep
    encoder-decoder  the whole sequence; then a second LSTM,     h of every step of the decoder
                     the decoder, reads the last h at every step
                     and starts from the last states

The last h of a bidirectional LSTM is each direction's own last, side by side. A decoder reads forward only, because it
writes: its states are as wide as those of both directions of the encoder together (as in Bahdanau, Cho & Bengio, 2015, an
encoder may look ahead, and a decoder may not).
"""

from __future__ import annotations

import math
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.cost import input_bytes, run_bytes
from lstm_explain.core.engine import StackState, forward
from lstm_explain.core.philox import Stream
from lstm_explain.core.spec import LayerSpec
from lstm_explain.core.weights import seeded_weights

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.record import Record
    from lstm_explain.core.spec import Init, Spec
    from lstm_explain.core.weights import Weights

DECODER_SEED = 2**52
"""What is added to the seed, modulo 2**53, for the weights of the decoder."""
DENSE_STREAM = 2**32 + 1
"""The stream of the seed that the kernel is drawn from: an odd one, far above those of any stack's layers."""
BYTES_PER_DRAWN_WEIGHT = 64
"""An upper bound on the memory that drawing one number of a kernel takes."""


class Task(StrEnum):
    """How many steps are read, and how many outputs are made."""

    ONE_TO_ONE = "one-to-one"
    ONE_TO_MANY = "one-to-many"
    MANY_TO_ONE = "many-to-one"
    MANY_TO_MANY = "many-to-many"
    ENCODER_DECODER = "encoder-decoder"


FROM_ONE = (Task.ONE_TO_ONE, Task.ONE_TO_MANY)
"""Read the first timestep only."""
TO_ONE = (Task.ONE_TO_ONE, Task.MANY_TO_ONE)
"""Make outputs once."""
FREE_LENGTH = (Task.ONE_TO_MANY, Task.ENCODER_DECODER)
"""Make outputs at as many steps as are asked for."""


class NetworkPlan(NamedTuple):
    """The sizes of a network."""

    task: Task
    batch: Spec
    """The LSTM and batch at hand."""
    spec: Spec
    """The LSTM of this network, the encoder if it has two: that at hand, with as many timesteps as it reads here."""
    decoder: Spec | None
    outputs: int
    """How many neurons the dense layer has."""

    @property
    def dense_source(self) -> Spec:
        """The LSTM that the dense layer reads."""
        return self.spec if self.decoder is None else self.decoder

    @property
    def steps_out(self) -> int | None:
        """At how many steps outputs are made; None where they are made once."""
        return None if self.task in TO_ONE else self.dense_source.timesteps


def plan_network(task: Task, batch: Spec, outputs: int, steps_out: int) -> NetworkPlan:
    """Plan a network around an LSTM; `steps_out` counts where the task leaves it free."""
    decoder = None
    if task is Task.ENCODER_DECODER:
        layers = tuple(map(_decoder_layer, batch.layers))
        decoder = replace(batch, timesteps=steps_out, features=batch.output, layers=layers)
    steps = {Task.ONE_TO_ONE: 1, Task.ONE_TO_MANY: steps_out}.get(task, batch.timesteps)
    return NetworkPlan(task, batch, replace(batch, timesteps=steps), decoder, outputs)


def _decoder_layer(layer: LayerSpec) -> LayerSpec:
    """A decoder's layer that reads forward, as wide as both directions of the encoder's layer together."""
    projection = None if layer.projection is None else layer.output
    return LayerSpec(layer.units * len(layer.directions), False, projection, layer.bias, layer.peepholes)


def network_bytes(plan: NetworkPlan, samples: int) -> int:
    """An upper bound on the memory of building a network and running it over a number of samples."""
    specs = [replace(spec, samples=samples) for spec in (plan.spec, plan.decoder) if spec is not None]
    rows = samples * (plan.steps_out or 1)
    dense = dense_bytes(plan.dense_source.output, plan.outputs, rows, plan.batch.item_bytes)
    return input_bytes(replace(plan.batch, samples=samples)) + sum(map(run_bytes, specs)) + dense


class Dense(NamedTuple):
    """A layer without memory: y = h W + b."""

    kernel: Array
    """[output features of the LSTM, outputs]"""
    bias: Array
    """[outputs]"""

    @property
    def parameters(self) -> int:
        return int(self.kernel.size + self.bias.size)

    def __call__(self, hidden: Array) -> Array:
        """Read h along the last axis, whatever axes stand before it; they are kept."""
        with np.errstate(all="ignore"):  # nan of the input stays nan, and is shown as such
            made: Array = hidden @ self.kernel + self.bias
        return made


def seeded_dense(reads: int, outputs: int, dtype: str, seed: int) -> Dense:
    """Make a dense layer from a seed, as Keras makes one by default: kernel glorot uniform, bias zero."""
    limit = math.sqrt(6 / (reads + outputs))
    kernel = (2 * Stream(seed, DENSE_STREAM).uniform(reads, outputs) - 1) * limit
    return Dense(kernel.astype(dtype), np.zeros(outputs, dtype))


def dense_bytes(reads: int, outputs: int, rows: int, item_bytes: int) -> int:
    """An upper bound on the memory of making a dense layer and applying it to `rows` vectors of h."""
    return BYTES_PER_DRAWN_WEIGHT * (reads + 1) * outputs + rows * (reads + 2 * outputs) * item_bytes


class Network(NamedTuple):
    """A network with its weights."""

    plan: NetworkPlan
    weights: Weights
    decoder: Weights | None
    dense: Dense


def build_network(plan: NetworkPlan, weights: Weights, init: Init, seed: int) -> Network:
    """Build a network around the LSTM whose weights are given; a decoder and the dense layer come from the seed."""
    decoder = None if plan.decoder is None else seeded_weights(plan.decoder, init, (seed + DECODER_SEED) % 2**53)
    return Network(plan, weights, decoder, seeded_dense(plan.dense_source.output, plan.outputs, plan.batch.dtype, seed))


class NetworkRun(NamedTuple):
    """Everything that a batch makes on its way through a network."""

    input: Array
    """The batch at hand; [samples, timesteps, features]."""
    read: Array
    """What the LSTM read of it; [samples, timesteps of this network, features]."""
    record: Record
    """The LSTM's run; the encoder's if there are two."""
    initial: StackState | None
    """What the decoder started from: for each layer [samples, hidden or units of both directions]."""
    decoder: Record | None
    """The decoder's run."""
    dense_input: Array
    """The h that the dense layer read; [samples, output], or [samples, steps, output]."""
    outputs: Array
    """[samples, outputs], or [samples, steps, outputs]"""


def run_network(network: Network, inputs: Array, lengths: Array | None = None) -> NetworkRun:
    """Run a network over a batch.

    Args:
        network: the network.
        inputs: the batch; [samples, timesteps, features].
        lengths: how many timesteps of each sample to run; [samples]; all if left out.
    """
    plan, spec = network.plan, network.plan.spec
    read = inputs
    if plan.task in FROM_ONE:
        read = np.broadcast_to(inputs[:, :1], (len(inputs), spec.timesteps, spec.features))
        lengths = None  # every sample has a first timestep
    record = forward(spec, network.weights, read, lengths=lengths)
    initial, decoder = None, None
    hidden = last_hidden(record) if plan.task in TO_ONE else record.output
    if plan.decoder is not None and network.decoder is not None:
        initial = _last_states(record)
        repeated = np.broadcast_to(last_hidden(record)[:, None], (len(inputs), plan.decoder.timesteps, spec.output))
        decoder = forward(plan.decoder, network.decoder, repeated, initial)
        hidden = decoder.output
    return NetworkRun(inputs, read, record, initial, decoder, hidden, network.dense(hidden))


def last_hidden(record: Record) -> Array:
    """The last layer's h after the last timestep that each direction reads, side by side; [samples, output]."""
    return _concat_states([part.last_hidden for part in record.layers[-1].values()])


def _last_states(record: Record) -> StackState:
    """The last states of every layer, those of its directions side by side; [samples, directions*size]."""
    layers = [layer.values() for layer in record.layers]
    return StackState(
        tuple(_concat_states([part.last_hidden for part in parts]) for parts in layers),
        tuple(_concat_states([part.last_cell for part in parts]) for parts in layers),
    )


def _concat_states(states: list[Array]) -> Array:
    return states[0] if len(states) == 1 else np.concatenate(states, axis=1)
