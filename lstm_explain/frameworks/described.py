"""Described: a framework's layer: what it reads and returns, how its weights start, and how we know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from lstm_explain.frameworks.convention import Convention

Verification = Literal["run", "read"]
AxisName = Literal["samples", "timesteps", "features", "hidden", "units", "output", "all_units", "directions", "states"]
"""`hidden` is h in one direction; `output` h of all directions side by side, and `all_units` their c; `states` every layer and
direction."""

GIVEN_WEIGHTS = "given with the operator"
"""How the weights of an operator start: it makes none."""


class LayerOutput(NamedTuple):
    """One tensor that a layer returns."""

    name: str
    axes: tuple[AxisName, ...]
    meaning: str


class ForgetBias(NamedTuple):
    """What a new layer has in its forget gate, apart from what is learned."""

    value: float | None
    """None where it is a random number, or given."""
    how: Literal["stored", "added when called", "random", "given"]

    def __str__(self) -> str:
        return self.how if self.value is None else f"{self.value:g}, {self.how}"


class LayerInfo(NamedTuple):
    """A framework's layer."""

    convention: Convention
    class_name: str
    """What it is called in code."""
    is_cell: bool
    """Whether it is one timestep, which a loop calls; else it reads whole sequences."""
    input_axes: tuple[AxisName, ...]
    """The axes of the input, as they are unless said otherwise."""
    returns: tuple[LayerOutput, ...]
    state_order: tuple[str, str]
    """The order of the two states where they are given or returned."""
    forget_bias: ForgetBias
    initializers: tuple[tuple[str, str], ...]
    """How weights start, by what they are."""
    verification: Verification
    """`run`: the oracle tests build it and compare. `read`: it was read in its source."""
    stacking: str
    """How several layers and both directions are had."""
    aliases: tuple[str, ...] = ()
    """Other names that it is looked for by."""
    remarks: tuple[str, ...] = ()
    alternative_layouts: tuple[tuple[str, tuple[AxisName, ...]], ...] = ()
    """Other layouts of the input, and how they are asked for."""

    @property
    def name(self) -> str:
        return self.convention.framework

    @property
    def title(self) -> str:
        return self.convention.title
