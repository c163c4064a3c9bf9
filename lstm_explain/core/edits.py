"""Edits: one number of an LSTM or of its run set by hand, to see what moves.

An edit is written as an equation: what the number is called, and its new value.

    x_3[2]=0.5      feature 2 of the input at timestep 3
    h_3[4]=0.5      what unit 4 emitted at timestep 3, as all who read it see it
    c_3[4]=0.5      the memory of unit 4 after timestep 3, as timestep 4 reads it
    f_3[4]=0        the forget gate of unit 4 held shut at timestep 3; i, g and o likewise
    f[4]=1          the same at every timestep
    W_f[2,4]=0.1    the weight from feature 2 to unit 4's forget neuron
    R_f[3,4]=0.1    the weight from h[3] to it
    b_f[4]=0        its bias
    p_f[4]=0        its peephole
    1.backward:h_3[4]=0.5    the same of another layer, or of another direction; layer 0 forward by default

Timesteps count from 1, and h_0 and c_0 are the initial states; of a backward layer, they are those after its last timestep.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.core.gates import GATES, LETTERS, PEEPHOLE_GATES, Direction, Gate
from lstm_explain.errors import UsageError, argument, index_range_message, printable

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import LayerWeights, Weights

WEIGHTS = {"W": "kernel", "R": "recurrent_kernel", "b": "bias", "p": "peephole"}
"""The letters of the weights, and the tensors they belong to."""
BY_LETTER = {letter: gate for gate, letter in LETTERS.items()}


class Edit(NamedTuple):
    """One number set to a value."""

    name: str
    """What it is: x, h, c; a gate's letter; or W, R, b, p for a weight."""
    value: float
    position: int
    """Which feature of x; else which unit, or number of h."""
    step: int | None = None
    """Which timestep; None for a weight, and for a gate that is held at every timestep."""
    gate: Gate | None = None
    """Whose weight it is."""
    row: int | None = None
    """Which number that the neuron reads the weight belongs to; for W and R."""
    layer: int = 0
    direction: Direction = Direction.FORWARD

    @property
    def is_weight(self) -> bool:
        return self.name in WEIGHTS

    @property
    def is_gate(self) -> bool:
        return self.name in BY_LETTER

    @property
    def target(self) -> str:
        """What is set: the text of the edit up to the value."""
        if self.direction is Direction.FORWARD:
            where = f"{self.layer}:" if self.layer else ""
        else:
            where = f"{self.layer}.{self.direction.value}:"
        if self.is_weight:
            gate = LETTERS[self.gate] if self.gate else ""
            index = str(self.position) if self.row is None else f"{self.row},{self.position}"
            return f"{where}{self.name}_{gate}[{index}]"
        step = "" if self.step is None else f"_{self.step}"
        return f"{where}{self.name}{step}[{self.position}]"

    def __str__(self) -> str:
        return f"{self.target}={self.value:g}" if float(f"{self.value:g}") == self.value else f"{self.target}={self.value!r}"


_GATES = "".join(BY_LETTER)
_FORM = re.compile(
    r"(?:(?P<layer>\d{1,4})(?:\.(?P<direction>forward|backward))?:)?"
    rf"(?:(?P<name>[xhc{_GATES}])(?:_(?P<step>\d{{1,16}}))?|(?P<weight>[WRbp])_(?P<gate>[{_GATES}]))"
    r"\[(?:(?P<row>\d{1,16}),)?(?P<place>\d{1,16})\]"
    r"=(?P<value>.+)",
    re.ASCII,
)


def parse_edit(text: str) -> Edit:
    """Read an edit.

    Raises:
        UsageError: it is not an edit.
    """
    match = _FORM.fullmatch("".join(text.split()))
    asked = argument("edit", text)
    if match is None:
        forms = "x_3[2]=0.5, h_3[4]=0.5, f_3[4]=0, f[4]=1 or W_f[2,4]=0.1"
        raise UsageError(asked, "this is not an edit", f"Write it as one of {forms}")
    name = match["name"] or match["weight"]
    if (match["row"] is not None) is not (name in ("W", "R")):
        two = "W and R have two places, as in W_f[2,4]: which number is read, and by which unit; all others have one"
        raise UsageError(asked, two)
    if match["step"] is None and name in ("x", "h", "c"):
        raise UsageError(asked, f"{name} has a value at each timestep", f"Say which, as in {name}_3[{match['place']}]")
    return Edit(
        name,
        _parse_number(asked, match["value"]),
        int(match["place"]),
        None if match["step"] is None else int(match["step"]),
        None if match["gate"] is None else BY_LETTER[match["gate"]],
        None if match["row"] is None else int(match["row"]),
        int(match["layer"] or 0),
        Direction(match["direction"] or "forward"),
    )


def _parse_number(asked: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UsageError(asked, f"{printable(text)} is not a number") from None
    if not isfinite(value):
        raise UsageError(asked, f"{printable(text)} is not a finite number")
    return value


def check_edit(spec: Spec, edit: Edit) -> Edit:
    """Return the edit if the number that it sets exists.

    Raises:
        UsageError: it does not exist, or the value is too large for the type.
    """
    asked = argument("edit", str(edit))
    if edit.layer >= len(spec.layers):
        raise UsageError(asked, index_range_message(len(spec.layers), "layer"))
    _check_in_layer(spec.for_layer(edit.layer), edit, asked, f"layer {edit.layer} of this LSTM" if spec.layers_differ else "")
    return edit


def _check_in_layer(spec: Spec, edit: Edit, asked: str, alone: str) -> None:
    """Raise `UsageError` unless there is such a number in the layer; `alone` names it where others may have it."""
    if edit.direction not in spec.directions:
        problem = f"{alone} reads forward only" if alone else "this LSTM's layers read forward only"
        raise UsageError(asked, problem, "" if alone else f"Add {argument('bidirectional', True)} to have both")
    if edit.name == "x" and (edit.layer > 0 or edit.direction is Direction.BACKWARD):
        raise UsageError(asked, "x is what the whole network reads", "Change h of the layer below instead")
    if (edit.name == "b" and not spec.bias) or (edit.name == "p" and not spec.peepholes):
        raise UsageError(asked, f"{alone or 'this LSTM'} has no {'bias' if edit.name == 'b' else 'peepholes'}")
    if edit.name == "p" and edit.gate not in PEEPHOLE_GATES:
        raise UsageError(asked, "the candidate has no peephole")
    _check_indices(spec, edit, asked)
    _check_step(spec, edit, asked)
    least = -1 if edit.name == LETTERS[Gate.CANDIDATE] else 0
    if edit.is_gate and not least <= edit.value <= 1:
        raise UsageError(asked, f"{edit.name} lies between {least} and 1")
    if abs(edit.value) > MAX_VALUE[spec.dtype]:
        raise UsageError(asked, f"{edit.value:g} is too large for {spec.dtype}")


MAX_VALUE = {"float32": 3.4028234663852886e38, "float64": 1.7976931348623157e308}


def _check_indices(spec: Spec, edit: Edit, asked: str) -> None:
    counted = {"x": (spec.features, "feature"), "h": (spec.hidden, "number of h")}
    there, noun = counted.get(edit.name, (spec.units, "unit"))
    if edit.position >= there:
        raise UsageError(asked, _range_message(there, noun))
    rows = {"W": (spec.features, "feature"), "R": (spec.hidden, "number of h")}
    if edit.row is not None and edit.row >= rows[edit.name][0]:
        raise UsageError(asked, _range_message(*rows[edit.name]))


def _range_message(number: int, noun: str) -> str:
    return index_range_message(number, noun) if noun != "number of h" else f"h has {number} numbers, which count from 0"


def _check_step(spec: Spec, edit: Edit, asked: str) -> None:
    if edit.step is None:
        return
    first, last = (0, spec.timesteps) if edit.name in ("h", "c") else (1, spec.timesteps)
    if edit.direction is Direction.BACKWARD and first == 0:
        first, last = 1, spec.timesteps + 1  # before it reads its first, the last of the sequence
    if not first <= edit.step <= last:
        raise UsageError(asked, f"timesteps of {edit.name} count from {first} to {last} here")


# --- edits of weights and inputs: the LSTM itself is another ------------------------------------------------------


def edit_weights(weights: Weights, edits: tuple[Edit, ...]) -> Weights:
    """The same weights with some numbers set."""
    layers = tuple(dict(layer) for layer in weights.layers)
    for edit in edits:
        if edit.is_weight:
            layers[edit.layer][edit.direction] = _edit_tensor(layers[edit.layer][edit.direction], edit)
    return weights._replace(layers=layers)


def _edit_tensor(weights: LayerWeights, edit: Edit) -> LayerWeights:
    tensor = getattr(weights, WEIGHTS[edit.name]).copy(order="K")
    gate = edit.gate or Gate.INPUT
    if edit.name == "p":
        tensor[PEEPHOLE_GATES.index(gate), edit.position] = edit.value
    else:
        column = GATES.index(gate) * weights.units + edit.position
        tensor[(column,) if edit.row is None else (edit.row, column)] = edit.value
    return weights._replace(**{WEIGHTS[edit.name]: tensor})


def edit_inputs(inputs: Array, edits: tuple[Edit, ...]) -> Array:
    """The same batch with some numbers set, in every sample; [samples, timesteps, features]."""
    wanted = [edit for edit in edits if edit.name == "x"]
    if not wanted:
        return inputs
    batch = inputs.copy()
    for edit in wanted:
        batch[:, (edit.step or 1) - 1, edit.position] = edit.value
    return batch
