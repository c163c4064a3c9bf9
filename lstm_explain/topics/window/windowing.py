"""How many windows fit on the rows of a table, and which rows each of them reads."""

from __future__ import annotations

from typing import Any, NamedTuple


class Windowing(NamedTuple):
    """Windows of equal size on equally many rows each further on; rows and samples count from 0."""

    rows: int
    timesteps: int
    stride: int
    horizon: int
    """How many rows after a window are its targets; 0 where there are none."""

    @property
    def reach(self) -> int:
        """How many rows one sample takes: its timesteps and its targets."""
        return self.timesteps + self.horizon

    @property
    def samples(self) -> int:
        """How many windows fit, their targets too."""
        return max(0, (self.rows - self.reach) // self.stride + 1)

    @property
    def left(self) -> int:
        """How many rows at the end are in no sample, neither as a timestep nor as a target."""
        return self.rows - self.first(self.samples - 1) - self.reach

    @property
    def between(self) -> int:
        """How many rows lie between the timesteps of one sample and of the next."""
        return max(0, self.stride - self.timesteps)

    @property
    def shared(self) -> int:
        """How many rows are timesteps both of one sample and of the next."""
        return max(0, self.timesteps - self.stride)

    @property
    def formula(self) -> str:
        """The count, as it is computed."""
        minus = f" - {self.horizon}" if self.horizon else ""
        if self.stride == 1:
            return f"{self.rows} - {self.timesteps}{minus} + 1 = {self.samples}"
        return f"floor(({self.rows} - {self.timesteps}{minus}) / {self.stride}) + 1 = {self.samples}"

    @property
    def letters(self) -> str:
        """The same in letters: N rows, T timesteps, H rows of targets, stride S."""
        minus = " - H" if self.horizon else ""
        return f"N - T{minus} + 1" if self.stride == 1 else f"floor((N - T{minus}) / S) + 1"

    def first(self, sample: int) -> int:
        """The row that a sample's first timestep is."""
        return sample * self.stride

    def to_dict(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "timesteps": self.timesteps,
            "stride": self.stride,
            "horizon": self.horizon,
            "samples": self.samples,
            "formula": self.formula,
            "letters": self.letters,
            "left": self.left,
            "between": self.between,
            "shared": self.shared,
        }
