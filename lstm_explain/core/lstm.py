"""LSTM: sizes, weights and inputs together, run within a memory budget. What every topic is asked of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lstm_explain.core.cost import run_bytes, weight_creation_bytes
from lstm_explain.core.spec import as_int, validate_init, validate_seed
from lstm_explain.errors import RefusedError, UsageError, argument, index_range_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.edits import Edit
    from lstm_explain.core.engine import StackState
    from lstm_explain.core.record import Block, Record
    from lstm_explain.core.spec import Init, Spec
    from lstm_explain.core.weights import Weights

DEFAULT_MEMORY = 2**30
BLOCK_SAMPLES = 128
BLOCK_BYTES = 2**25
EDITED_RUN_MEMORY_FACTOR = 3  # a run with edits holds the sums, and each step's arrays beside the record


class Inputs(Protocol):
    """A source of samples."""

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the numbers come from, as it stands under `source` in every JSON object."""

    def block(self, start: int, stop: int) -> Array:
        """The samples start to stop - 1; [samples, timesteps, features]."""


class SeededInputs(NamedTuple):
    """Standard-normal numbers from a seed; see `core/philox.py`."""

    spec: Spec
    seed: int

    @property
    def provenance(self) -> dict[str, Any]:
        return {"kind": "seeded", "seed": self.seed, "distribution": "standard normal"}

    def block(self, start: int, stop: int) -> Array:
        from lstm_explain.core.philox import normal_inputs

        spec = self.spec
        return normal_inputs(self.seed, range(start, stop), spec.timesteps, spec.features, spec.dtype)


class ArrayInputs(NamedTuple):
    """The caller's own array, which may be a file mapped into memory."""

    array: Array
    """[samples, timesteps, features]"""
    name: str
    """What to call it: a file's name, or `array`."""
    columns: tuple[str, ...] | None = None
    """The names of the features, where they have any."""

    @property
    def provenance(self) -> dict[str, Any]:
        return {"kind": "data", "name": self.name, "columns": list(self.columns) if self.columns else None}

    def block(self, start: int, stop: int) -> Array:
        return self.array[start:stop]


class PretrainedWeights(NamedTuple):
    """Weights that come from elsewhere, such as a model file, in place of seeded ones."""

    weights: Weights
    provenance: dict[str, Any]
    """Where they come from, as it stands under `source.weights` in every JSON object."""
    initial: StackState | None = None
    """The states that every sample starts from, if the model has initial states: those of one sample."""
    reverse: bool = False
    """Whether every sample is read from its end; timesteps are numbered as they are read, so timestep 1 is the data's last."""


@dataclass(frozen=True, eq=False, repr=False)
class LSTM:
    """A real LSTM and the batch that it reads.

    Nothing is made until it is needed: the weights at their first use, inputs and runs block by block. So an LSTM of any
    size can be described, and any one sample of it run.
    """

    spec: Spec
    inputs: Inputs
    init: Init = "keras"
    """The seeded initialiser that makes the weights."""
    seed: int = 0
    """The seed of the weights."""
    lengths: tuple[int, ...] | None = None
    """How many timesteps of each sample are run; all where None."""
    max_memory: int = DEFAULT_MEMORY
    """The memory budget of one run, in bytes."""
    pretrained: PretrainedWeights | None = None
    """The weights, where they are not made from the seed."""
    edits: tuple[Edit, ...] = ()
    """Numbers that are set by hand, in the weights, the inputs and the run; see `core/edits.py`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", validate_seed(self.seed))
        validate_init(self.init)
        if self.lengths is not None:
            object.__setattr__(self, "lengths", self._validate_lengths(self.lengths))

    def __repr__(self) -> str:
        return f"<LSTM: {self.spec.describe()}>"

    @cached_property
    def weights(self) -> Weights:
        """The weights, made at the first use unless they were loaded."""
        from lstm_explain.core.weights import seeded_weights

        if self.pretrained is None:
            self.check_memory(weight_creation_bytes(self.spec), "making the weights")
            made = seeded_weights(self.spec, self.init, self.seed)
        else:
            made = self.pretrained.weights
        if not self.edits:
            return made
        from lstm_explain.core.edits import edit_weights

        return edit_weights(made, self.edits)

    def with_edits(self, edits: Iterable[Edit]) -> LSTM:
        """The same LSTM with these numbers set by hand, in place of any that were.

        Raises:
            UsageError: a number does not exist.
        """
        from lstm_explain.core.edits import check_edit

        return replace(self, edits=tuple(check_edit(self.spec, edit) for edit in edits))

    @property
    def provenance(self) -> dict[str, Any]:
        """Where weights and inputs come from, as it stands under `source` in every JSON object."""
        seeded = {"kind": "seeded", "init": self.init, "seed": self.seed}
        weights = seeded if self.pretrained is None else self.pretrained.provenance
        lengths = None if self.lengths is None else list(self.lengths)
        edits = {"edits": [str(edit) for edit in self.edits]} if self.edits else {}
        return {"weights": weights, "inputs": {**self.inputs.provenance, "lengths": lengths}, **edits}

    @property
    def fits_memory(self) -> bool:
        """Whether a run over all samples stays within the memory budget."""
        return self.run_bytes(self.spec.samples) <= self.max_memory

    def run_bytes(self, samples: int) -> int:
        """An upper bound on the memory of running a number of samples at a time."""
        needed = run_bytes(replace(self.spec, samples=samples), padded=self.lengths is not None)
        if self.reverse and self.lengths is not None:
            needed += 8 * samples * self.spec.timesteps * self.spec.features  # the batch once more, in the order of reading
        return EDITED_RUN_MEMORY_FACTOR * needed if self.edits else needed

    def run(self, start: int = 0, stop: int | None = None) -> Record:
        """Run the samples start to stop - 1, all if left out, and record every tensor.

        Raises:
            RefusedError: the run would need more memory than the budget.
        """
        import numpy as np

        stop = self.spec.samples if stop is None else stop
        several = "1 sample" if stop - start == 1 else f"{stop - start} samples"
        self.check_memory(self.run_bytes(stop - start), f"running {several} at a time")
        lengths = None if self.lengths is None else np.array(self.lengths[start:stop])
        return self._run(self.inputs_for(start, stop), self.initial_states(stop - start), lengths)

    def _run(self, inputs: Array, initial: StackState | None, lengths: Array | None) -> Record:
        """Run a batch: by the engine, or step by step where edits are to be made on the way."""
        if not self.edits:
            from lstm_explain.core.engine import forward

            return forward(self.spec, self.weights, inputs, initial, lengths)
        from lstm_explain.core.stepwise import run_stepwise

        return run_stepwise(self.spec, self.weights, inputs, self.edits, initial, lengths)

    @property
    def reverse(self) -> bool:
        """Whether every sample is read from its end."""
        return self.pretrained is not None and self.pretrained.reverse

    def inputs_for(self, start: int, stop: int) -> Array:
        """The samples start to stop - 1 with their timesteps in the order in which they are read.

        This is the one place where inputs are taken for a run: a layer that reads from the end reads each sample from its
        last timestep, and the timesteps past a sample's length keep their places.

        Returns:
            [samples, timesteps, features]; timestep 1 is the first that is read.
        """
        block = self.inputs.block(start, stop)
        if not self.reverse:
            return block
        import numpy as np

        from lstm_explain.core.record import reverse_sequences

        return reverse_sequences(block, None if self.lengths is None else np.array(self.lengths[start:stop]))

    def run_stepwise(self, sample: int, edits: tuple[Edit, ...] = ()) -> Record:
        """Run one sample alone with edits, or in the very same way without: what no edit reaches is equal to the last bit."""
        import numpy as np

        from lstm_explain.core.stepwise import run_stepwise

        sample = self.validate_sample(sample)
        self.check_memory(EDITED_RUN_MEMORY_FACTOR * self.run_bytes(1), "running 1 sample step by step")
        lengths = None if self.lengths is None else np.array(self.lengths[sample : sample + 1])
        return run_stepwise(
            self.spec, self.weights, self.inputs_for(sample, sample + 1), edits, self.initial_states(1), lengths
        )

    def initial_states(self, samples: int) -> StackState | None:
        """The states that a number of samples start from; None for zeros."""
        if self.pretrained is None or self.pretrained.initial is None:
            return None
        return self.pretrained.initial.repeat(samples)

    def block_of(self, sample: int) -> tuple[int, int]:
        """The block of samples [start, stop) that a sample is always run in.

        A matrix product's last bits depend on how many columns it has. So one sample is run together with its block, the
        same block in which a run over all samples meets it, and its numbers are the same to the last bit in both.
        """
        size = self.block_samples
        start = sample // size * size
        return start, min(start + size, self.spec.samples)

    @property
    def block_samples(self) -> int:
        """How many samples a block has: a power of two, smaller where the samples are large."""
        size = BLOCK_SAMPLES
        while size > 1 and not self._block_fits(size):
            size //= 2
        return size

    def _block_fits(self, size: int) -> bool:
        needed = self.run_bytes(size)
        return needed <= self.max_memory and needed - weight_creation_bytes(self.spec) <= BLOCK_BYTES

    def validate_sample(self, sample: int) -> int:
        """Return the number of a sample if it exists.

        Raises:
            UsageError: the sample does not exist.
        """
        sample = as_int("sample", sample)
        if not 0 <= sample < self.spec.samples:
            raise UsageError(argument("sample", sample), index_range_message(self.spec.samples, "sample"))
        return sample

    def run_sample(self, sample: int) -> tuple[Record, int]:
        """Run the block that a sample belongs to; the record, and the sample's place in it."""
        sample = self.validate_sample(sample)
        start, stop = self.block_of(sample)
        return self.run(start, stop), sample - start

    def blocks(self, samples: range | None = None) -> Iterator[Block]:
        """Run consecutive samples, all if left out, block after block; each block's record is let go before the next."""
        from lstm_explain.core.record import Block

        start, end = (0, self.spec.samples) if samples is None else (samples.start, samples.stop)
        while start < end:
            first, last = self.block_of(start)
            stop = min(last, end)
            yield Block(start, slice(start - first, stop - first), self.run(first, last))
            start = stop

    def _validate_lengths(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        asked = argument("lengths", lengths)
        if len(lengths) != self.spec.samples:
            problem = f"there are {len(lengths)} lengths for {self.spec.samples} samples"
            raise UsageError(asked, problem, "Give one length for each sample")
        numbers = tuple(as_int("lengths", length) for length in lengths)
        if min(numbers) < 1 or max(numbers) > self.spec.timesteps:
            wrong = next(number for number in numbers if not 1 <= number <= self.spec.timesteps)
            problem = f"each length is a whole number from 1 to {self.spec.timesteps}, the number of timesteps; {wrong} is not"
            raise UsageError(asked, problem)
        return numbers

    def check_memory(self, needed: int, what: str) -> None:
        """Raise `RefusedError` where `what` needs more bytes of memory than the budget."""
        if needed > self.max_memory:
            spec = self.spec
            units = " + ".join(str(layer.units) for layer in (spec.layers if spec.layers_differ else spec.layers[:1]))
            sizes = f"{spec.samples} samples, {spec.timesteps} timesteps, {spec.features} features and {units} units"
            problem = f"{what} takes {needed:,} bytes of memory, and the budget is {self.max_memory:,}"
            raise RefusedError(f"an LSTM of {sizes}", problem, f"Ask for less, or raise {argument('max_memory')}")
