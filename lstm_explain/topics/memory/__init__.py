"""memory: what a unit remembers, and from when; how fast it forgets; what the forget bias, one timestep, and resetting do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from lstm_explain.core.cell_decomposition import decompose_cell_state, half_life, half_mass_step, mean_forget, mean_half_life
from lstm_explain.core.gates import GATES, Direction, Gate
from lstm_explain.core.spec import INITS
from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.memory.forget_bias import initialised
from lstm_explain.topics.memory.single_timestep import one_step
from lstm_explain.topics.memory.stateful import carry, check_carry
from lstm_explain.topics.result import LayerResult, json_keys
from lstm_explain.topics.selection import check_layer, check_unedited, select_units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Annotated

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Block, LayerRecord
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.memory.forget_bias import Initialised
    from lstm_explain.topics.memory.single_timestep import OneStep
    from lstm_explain.topics.memory.stateful import Carried
    from lstm_explain.topics.result import Axes, Positive

SPLIT_BYTES = 20 * 8
"""What the split of one unit's timestep takes: its gates, the factors and parts in float64, and the scratch between them."""


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


@json_keys(
    "sample layer direction length units initial.c=initial_cell initial.kept=initial_kept initial.part=initial_part",
    "steps last.t=last last.sum=total last.recorded=recorded last.residual=residual",
    "last.half_since=half_since_steps mean_f=mean_forget mean_half_life initialisers one_step carried",
)
@dataclass(frozen=True, eq=False, repr=False)
class Memory(LayerResult):
    """The last cell state of one sample, split into what each timestep left in it."""

    topic: ClassVar[str] = "memory"

    spec: Spec
    source: dict[str, Any]
    sample: int
    layer: int
    direction: Direction
    length: Positive
    """How many timesteps of this sample were run; the rest is padding."""
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
    initialisers: tuple[Initialised, ...]
    """The same LSTM under each initialiser."""
    one_step: OneStep | None
    """The parameters that get no gradient; null if the sample has more than one timestep."""
    carried: Carried | None
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
        """The half-life that each f stands for; [timesteps, units]"""
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
        carry_state: take the samples as consecutive pieces of one long sequence, each from the state in which the one before
            it ended.
        watched: what to pass the blocks of samples through while states are carried, such as a progress bar.

    Raises:
        UsageError: there is no such sample, unit, layer or direction; or states cannot be carried.
        RefusedError: running even this sample, or keeping the states at all borders, would need more memory than the budget.
    """
    check_unedited(lstm, "memory")
    spec = lstm.spec
    if carry_state:
        check_carry(lstm)
    layer, way = check_layer(spec, layer, direction)
    sample, chosen = lstm.validate_sample(sample), select_units(spec.for_layer(layer), units)
    splitting = SPLIT_BYTES * spec.timesteps * len(chosen)
    lstm.check_memory(lstm.run_bytes(1) + splitting, f"splitting the state of {len(chosen)} units")
    carried = None
    if carry_state:
        carried, record = carry(lstm, sample, layer, chosen, watched)
        place = 0
    else:
        record, place = lstm.run_sample(sample)
    length = record.length(place)
    return Memory(
        spec=spec,
        source=lstm.provenance,
        sample=sample,
        layer=layer,
        direction=way,
        length=length,
        units=chosen,
        one_step=one_step(lstm, record) if length == 1 else None,
        carried=carried,
        **_split(record.of(layer, way), place, length, np.array(chosen)),
        initialisers=tuple(
            initialised(lstm, init, sample, layer, way) for init in ((None, *INITS) if lstm.pretrained else INITS)
        ),
    )


def _split(part: LayerRecord, sample: int, length: int, units: Array) -> dict[str, Any]:
    """The fields that come of splitting the last cell state, timesteps in their own order."""
    gates = {gate: _read_only(part.gate(gate)[sample][:, units]) for gate in GATES}
    i, f, g, _ = (gates[gate][:length] for gate in GATES)
    order = slice(None) if part.direction is Direction.FORWARD else slice(None, None, -1)
    initial = part.initial_cell[sample][units]
    found = decompose_cell_state(i[order], f[order], g[order], initial)
    since = half_mass_step(found)

    def over_time(values: Array) -> Array:
        padding = np.full((len(gates[Gate.FORGET]) - length, values.shape[1]), np.nan)
        return _read_only(np.concatenate([values[order], padding]))

    return {
        "gates": gates,
        "added": over_time(found.added),
        "kept": over_time(found.kept),
        "parts": over_time(found.parts),
        "initial_cell": _read_only(initial),
        "initial_kept": found.initial_kept,
        "total": found.total,
        "recorded": _read_only(part.last_cell[sample][units]),
        "half_since": since if part.direction is Direction.FORWARD else length + 1 - since,
    }


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array
