"""Framework: everything this package knows of one framework, in one object; and what describes its layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from lstm_explain.frameworks.call import Call
    from lstm_explain.frameworks.convention import Convention
    from lstm_explain.frameworks.notation import Notation
    from lstm_explain.frameworks.python_code import NetworkCode, ScriptTemplate

Verification = Literal["run", "read"]
StateLetter = Literal["h", "c"]
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
    """The bias of a new layer's forget gate."""

    value: float | None
    """Its initial value; None if it is random or given."""
    how: Literal["stored", "added when called", "random", "given"]
    """Where it comes from."""

    def __str__(self) -> str:
        return self.how if self.value is None else f"{self.value:g}, {self.how}"


class LayerInfo(NamedTuple):
    """A framework's layer: what it reads and returns, how its weights start, and how we know."""

    class_name: str
    """The layer's name in code."""
    input_axes: tuple[AxisName, ...]
    """The axes of the input in the default layout."""
    returns: tuple[LayerOutput, ...]
    forget_bias: ForgetBias
    """The forget gate's bias in a new layer."""
    initializers: tuple[tuple[str, str], ...]
    """How weights start: what they are, and how."""
    stacking: str
    """How to build several layers and both directions."""
    verification: Verification = "read"
    """`run`: our tests build the layer and compare. `read`: its source was read."""
    is_cell: bool = False
    """Whether it is one timestep, called in a loop; otherwise it reads whole sequences."""
    state_order: tuple[StateLetter, StateLetter] = ("h", "c")
    """The order of the two states in arguments and results."""
    aliases: tuple[str, ...] = ()
    """Other names to look it up by."""
    remarks: tuple[str, ...] = ()
    """Further remarks."""
    alternative_layouts: tuple[tuple[str, tuple[AxisName, ...]], ...] = ()
    """Other layouts of the input: the option that selects each, and its axes."""
    state_names: tuple[str, str] = ("h_0", "c_0")
    """The names of the initial states."""


class Framework(NamedTuple):
    """One framework. The convention and the layer are required; every other part is None where it is not written."""

    convention: Convention
    info: LayerInfo
    call: Call | None = None
    """How the layer is called, for `shapes --framework`."""
    script: ScriptTemplate | None = None
    """How a program that checks our weights is written, for `frameworks NAME --code`."""
    network_code: NetworkCode | None = None
    """How the networks of `tasks` are written."""
    notation: Notation | None = None
    """How its documentation writes the equations."""

    @property
    def name(self) -> str:
        """The framework's name on the command line and in JSON."""
        return self.convention.framework

    @property
    def title(self) -> str:
        """The name as its makers write it."""
        return self.convention.title
