"""memory: when c was written; how fast units forget; what the forget bias, one timestep and resetting do."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from lstm_explain.core.cell_decomposition import decompose_cell_state, half_life, half_mass_step, mean_forget, mean_half_life
from lstm_explain.core.cost import run_bytes, weight_bytes
from lstm_explain.core.gates import GATES, Direction, Gate
from lstm_explain.core.lstm import PretrainedWeights
from lstm_explain.core.record import freeze
from lstm_explain.core.spec import INITS
from lstm_explain.core.zero_gradients import zero_gradient_parameters
from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.memory.stateful import check_carry, run_carried
from lstm_explain.topics.result import SampleResult, json_keys
from lstm_explain.topics.selection import check_layer, check_unedited, select_units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Annotated, Literal

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Block, LayerRecord, Record
    from lstm_explain.core.spec import Init
    from lstm_explain.topics.memory.stateful import StatefulComparison
    from lstm_explain.topics.result import Axes, Positive

DECOMPOSITION_BYTES = 20 * 8
"""What decomposing one unit's timestep takes: its gates, the factors and parts in float64, and temporary arrays."""

RECENT_SHARES = (0.5, 0.9)
"""How much of a state `Memory.recent` looks for."""


class MemoryStep(NamedTuple):
    """One timestep; its lists hold a number for each chosen unit, and are null at padding."""

    t: Positive
    padded: bool
    """Whether the timestep is past the sample's length."""
    f: list[float] | None
    """The forget gate."""
    half_life: list[float] | None
    """In how many timesteps half is left if f stays as it is: infinite for f = 1."""
    added: list[float] | None
    """i_t g_t, in float64."""
    kept: list[float] | None
    """The product of the forget gates of all timesteps read later."""
    part: list[float] | None
    """added x kept: what this timestep left in the last cell state."""


class RecentShare(NamedTuple):
    """How much of the last cell state was written in its last timesteps, by magnitude."""

    timesteps: Positive
    """How many timesteps, counted back from the last that is read."""
    share: float
    """The sum of their |part| over the chosen units, as a share of the sum of all |part|, that of the initial state too."""
    units: list[float]
    """The same for each chosen unit; nan where all its parts are zero."""


@json_keys(
    "init own samples numbers bias mean_bias f_of_bias=forget_of_bias f=forget half_life mean_f=mean_forget",
    "mean_half_life",
)
class InitialiserRun(NamedTuple):
    """The forget gates of the same LSTM under one of the initialisers, in a run made for it."""

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


class IdleParameters(NamedTuple):
    """How many parameters of a tensor get no gradient."""

    tensor: Literal["kernel", "recurrent_kernel", "bias", "peephole", "projection"]
    """The name of the tensor."""
    gate: Gate | None
    """Whose neurons they belong to; null for the projection, which comes after the gates."""
    idle: int
    """How many have a gradient of exactly 0."""
    total: Positive
    """How many there are."""


@json_keys("samples from_zero idle total tensors")
class SingleTimestep(NamedTuple):
    """What is left to learn for a sample of a single timestep."""

    samples: Positive
    """How many samples of one timestep the gradients were made of."""
    from_zero: bool
    """Whether h and c were zero before the timestep, in every layer."""
    tensors: tuple[IdleParameters, ...]
    """The parameters that get no gradient, by tensor and gate, over the whole stack."""

    @property
    def idle(self) -> int:
        """How many parameters of the stack have a gradient of exactly 0 in all these samples."""
        return sum(count.idle for count in self.tensors)

    @property
    def total(self) -> Positive:
        """How many parameters the stack has."""
        return sum(count.total for count in self.tensors)


@json_keys(
    "sample layer direction length units initial.c=initial_cell initial.kept=initial_kept initial.part=initial_part",
    "steps last.t=last last.sum=total last.recorded=recorded last.residual=residual",
    "last.half_since=half_since_steps mean_f=mean_forget mean_half_life initialisers one_step carried recent",
)
@dataclass(frozen=True, eq=False, repr=False)
class Memory(SampleResult):
    """The last cell state of one sample, split into what each timestep left in it."""

    topic: ClassVar[str] = "memory"

    units: Sequence[int]
    """The chosen units, ascending."""
    gates: dict[Gate, Array]
    """[timesteps, units] each; nan at padding"""
    added: Array
    """i_t g_t in float64; [timesteps, units]; nan at padding, and so below"""
    kept: Array
    """The product of the forget gates of all timesteps read later; [timesteps, units]"""
    parts: Array
    """added x kept: what each timestep left in the last cell state; [timesteps, units]"""
    initial_cell: Annotated[Array, Axes("units")]
    """c before the first timestep that this direction reads, which backwards is the last."""
    initial_kept: Annotated[Array, Axes("units")]
    """The product of all forget gates."""
    total: Annotated[Array, Axes("units")]
    """The sum of all parts, that of the initial state among them."""
    recorded: Annotated[Array, Axes("units")]
    """The last cell state of the run, in its own type."""
    half_since: Annotated[Array, Axes("units")]
    """As `half_since_steps`, with nan where all parts are zero."""
    initialisers: tuple[InitialiserRun, ...]
    """The same LSTM under each initialiser."""
    one_step: SingleTimestep | None
    """The parameters that get no gradient; null if the sample has more than one timestep."""
    carried: StatefulComparison | None
    """The states at the borders between samples; null without `--carry-state`."""

    @property
    def last(self) -> Positive:
        """The timestep after which the cell has its last state: backwards 1."""
        return self.length if self.direction is Direction.FORWARD else 1

    @property
    def before(self) -> int:
        """The timestep of the initial state: one before the first that is read."""
        return 0 if self.direction is Direction.FORWARD else self.length + 1

    @property
    def initial_part(self) -> Annotated[Array, Axes("units")]:
        """kept x c: what is left of the initial state."""
        part: Array = self.initial_kept * self.initial_cell.astype(np.float64)
        return part

    @property
    def residual(self) -> Annotated[Array, Axes("units")]:
        """sum - recorded."""
        with np.errstate(invalid="ignore"):
            residual: Array = self.total - self.recorded
        return residual

    @property
    def largest_residual(self) -> float:
        return float(np.abs(self.residual).max())

    @cached_property
    def half_life(self) -> Array:
        """The half-life of each f; [timesteps, units]"""
        return half_life(self.gates[Gate.FORGET])

    @cached_property
    def mean_forget(self) -> Annotated[Array, Axes("units")]:
        """The geometric mean of f over the timesteps that were run."""
        return mean_forget(self.gates[Gate.FORGET][: self.length])

    @cached_property
    def mean_half_life(self) -> Annotated[Array, Axes("units")]:
        """Its half-life."""
        return mean_half_life(self.gates[Gate.FORGET][: self.length])

    @property
    def half_since_steps(self) -> list[int | None]:
        """Reading back from the end, the timestep at which half of the sum of all |part| is reached; that of the initial
        state if no timestep reaches it, null where all parts are zero."""
        return [None if math.isnan(t) else int(t) for t in self.half_since.tolist()]

    @cached_property
    def recent_shares(self) -> Array:
        """The share of each unit that was written in the last k timesteps, by magnitude; [k from 1 to length, units + 1],
        where the last column is of all units together."""
        order = slice(None, None, -1) if self.direction is Direction.FORWARD else slice(None)
        sizes = np.abs(np.concatenate([self.parts[: self.length][order], self.initial_part[None]]))
        sizes = np.concatenate([sizes, sizes.sum(axis=1, keepdims=True)], axis=1)
        with np.errstate(all="ignore"):
            return freeze(sizes.cumsum(axis=0)[:-1] / sizes.sum(axis=0))

    @property
    def recent(self) -> list[RecentShare]:
        """The last timestep, the fewest of the last timesteps that wrote half of the state, and those that wrote 90 % of it;
        all of them where they wrote less. Empty where all parts are zero, or some are not finite."""
        whole = self.recent_shares[:, -1]
        if not np.isfinite(whole).all():
            return []
        counts = {1, *(min(int((whole < share).sum()) + 1, self.length) for share in RECENT_SHARES)}
        return [
            RecentShare(count, float(whole[count - 1]), self.recent_shares[count - 1, :-1].tolist())
            for count in sorted(counts)
        ]

    @property
    def steps(self) -> list[MemoryStep]:
        """One for each timestep."""
        columns = (self.gates[Gate.FORGET], self.half_life, self.added, self.kept, self.parts)
        rows = zip(*map(plain_numbers, columns), strict=True)
        padding = (None,) * len(columns)
        return [MemoryStep(t, t > self.length, *(padding if t > self.length else row)) for t, row in enumerate(rows, start=1)]


def explain_memory(
    lstm: LSTM,
    sample: int = 0,
    units: Iterable[int] | None = None,
    layer: int = 0,
    direction: str = "forward",
    carry_state: bool = False,
    watched: Callable[[Iterable[Block]], Iterable[Block]] = iter,
) -> Memory:
    """Split the last cell state of one sample into what each timestep left in it.

    Args:
        lstm: the LSTM and its batch.
        sample: which sample; counts from 0.
        units: which units, from 0; all if left out.
        layer: which layer; counts from 0.
        direction: `forward` or `backward`.
        carry_state: take the samples as consecutive pieces of one long sequence, each from the state in which the previous
            one ended.
        watched: what to pass the blocks of samples through while states are carried, such as a progress bar.

    Raises:
        UsageError: the sample, a unit, the layer or the direction does not exist; or states cannot be carried.
        RefusedError: running even this sample, or keeping the states at all borders, would need more memory than the budget.
    """
    check_unedited(lstm, "memory")
    spec = lstm.spec
    if carry_state:
        check_carry(lstm)
    layer, layer_direction = check_layer(spec, layer, direction)
    sample, chosen = lstm.validate_sample(sample), select_units(spec.for_layer(layer), units)
    needed = lstm.run_bytes(1) + DECOMPOSITION_BYTES * spec.timesteps * len(chosen)
    lstm.check_memory(needed, f"splitting the state of {len(chosen)} units")
    carried = None
    if carry_state:
        carried, record = run_carried(lstm, sample, layer, chosen, watched)
        position = 0
    else:
        record, position = lstm.run_sample(sample)
    length = record.length(position)
    inits = (None, *INITS) if lstm.pretrained else INITS
    return Memory(
        spec=spec,
        source=lstm.provenance,
        sample=sample,
        layer=layer,
        direction=layer_direction,
        length=length,
        units=chosen,
        one_step=_count_idle_parameters(lstm, record) if length == 1 else None,
        carried=carried,
        **_decomposition_fields(record.of(layer, layer_direction), position, length, np.array(chosen)),
        initialisers=tuple(_run_initialiser(lstm, init, sample, layer, layer_direction) for init in inits),
    )


def _decomposition_fields(record: LayerRecord, position: int, length: int, units: Array) -> dict[str, Any]:
    """The fields that come from splitting the last cell state, timesteps in their own order."""
    gates = {gate: freeze(record.gate(gate)[position][:, units]) for gate in GATES}
    i, f, g, _ = (gates[gate][:length] for gate in GATES)
    order = slice(None) if record.direction is Direction.FORWARD else slice(None, None, -1)
    initial = record.initial_cell[position][units]
    decomposition = decompose_cell_state(i[order], f[order], g[order], initial)
    since = half_mass_step(decomposition)

    def over_time(values: Array) -> Array:
        padding = np.full((len(gates[Gate.FORGET]) - length, values.shape[1]), np.nan)
        return freeze(np.concatenate([values[order], padding]))

    return {
        "gates": gates,
        "added": over_time(decomposition.added),
        "kept": over_time(decomposition.kept),
        "parts": over_time(decomposition.parts),
        "initial_cell": freeze(initial),
        "initial_kept": decomposition.initial_kept,
        "total": decomposition.total,
        "recorded": freeze(record.last_cell[position][units]),
        "half_since": since if record.direction is Direction.FORWARD else length + 1 - since,
    }


# --- the forget bias --------------------------------------------------------------------------------------------------


def _run_initialiser(lstm: LSTM, init: Init | None, sample: int, layer: int, direction: Direction) -> InitialiserRun:
    """Run the sample's block under an initialiser, with the same seed and inputs; None: with the model's weights."""
    lstm_init = None if lstm.pretrained else lstm.init
    variant = lstm if init == lstm_init else _with_initialiser(lstm, init or lstm.init)
    start, stop = variant.block_of(sample)
    forget = _forget_gates(variant, start, stop, layer, direction)
    weights = variant.weights.of(layer, direction)
    return InitialiserRun(
        init=init,
        own=init == lstm_init,
        samples=stop - start,
        numbers=forget.size,
        bias=None if weights.bias is None else weights.bias[weights.columns(Gate.FORGET)],
        forget=mean_forget(forget),
        half_life=mean_half_life(forget),
        mean_forget=float(mean_forget(forget.reshape(-1))),
        mean_half_life=float(mean_half_life(forget.reshape(-1))),
    )


def _with_initialiser(lstm: LSTM, init: Init) -> LSTM:
    """The same LSTM with weights from an initialiser; a reversed one stays reversed."""
    variant = replace(lstm, init=init, pretrained=None)
    if not lstm.reverse:
        return variant
    return replace(variant, pretrained=PretrainedWeights(variant.weights, variant.provenance["weights"], None, True))


def _forget_gates(lstm: LSTM, start: int, stop: int, layer: int, direction: Direction) -> Array:
    """Every f of a block but at padding; [samples and timesteps, units]."""
    sizes = replace(lstm.spec.for_layer(layer), samples=stop - start)
    copies = 4 * 8 * sizes.samples * sizes.timesteps * sizes.units
    lstm.check_memory(lstm.run_bytes(sizes.samples) + copies, f"averaging the forget gates of {sizes.samples} samples")
    record = lstm.run(start, stop)
    forget = record.of(layer, direction).forget_gate
    if record.lengths is None:
        return forget.reshape(-1, sizes.units)
    run: Array = forget[np.arange(sizes.timesteps) < record.lengths[:, None]]
    return run


# --- a single timestep ------------------------------------------------------------------------------------------------


def _count_idle_parameters(lstm: LSTM, record: Record) -> SingleTimestep:
    """Go back through the timestep of all samples in the record that have only one."""
    samples = np.array([sample for sample in range(record.spec.samples) if record.length(sample) == 1])
    # for one layer at a time the gradients' sizes, the sizes of both their factors, and the weights, in float64
    numbers = weight_bytes(lstm.spec) // lstm.spec.item_bytes
    lstm.check_memory(run_bytes(record.spec) + 3 * 8 * numbers, "making the gradients of one timestep")
    layer_records = [layer_record for directions in record.layers for layer_record in directions.values()]
    carried = any(layer.initial_hidden[samples].any() or layer.initial_cell[samples].any() for layer in layer_records)
    counts = zero_gradient_parameters(lstm.weights, record, samples)
    return SingleTimestep(len(samples), not carried, tuple(IdleParameters(*count) for count in counts))  # type: ignore[arg-type]
