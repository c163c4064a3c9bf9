"""What the LSTM reads: a batch that is addressable by sample, so that one sample of a billion costs what one costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Spec


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
