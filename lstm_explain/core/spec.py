"""Spec: the sizes and options of an LSTM, frozen and validated once, in exact Python integers."""

from __future__ import annotations

import operator
from dataclasses import asdict, dataclass
from typing import Any, Literal, SupportsIndex, get_args

from lstm_explain.core.gates import Direction
from lstm_explain.errors import UsageError

Dtype = Literal["float32", "float64"]
Init = Literal["keras", "pytorch"]
INITS: tuple[Init, ...] = get_args(Init)
ITEM_BYTES: dict[Dtype, int] = {"float32": 4, "float64": 8}
MOST_LAYERS = 1000  # every layer is listed, with tensors and weights of its own
LARGEST_SIZE = 2**53 - 1  # beyond it a JSON reader that holds numbers as doubles would round the size

_LEAST_ONE = {
    "samples": "there must be at least one sequence",
    "timesteps": "a sequence needs at least one timestep",
    "features": "a timestep needs at least one number",
    "units": "a layer needs at least one unit",
    "layers": "there must be at least one layer",
}


@dataclass(frozen=True, slots=True)
class Spec:
    """The sizes and options of a stack of LSTM layers and of the batch that it reads.

    The defaults are the founding example: 1000 samples of 10 timesteps of 5 features, read by 10 units.

    Raises:
        UsageError: a size is below 1, beyond 2**53 - 1 or not an integer; or the projection is not smaller than the units.
    """

    samples: int = 1000
    """How many sequences there are; also called the batch."""
    timesteps: int = 10
    """How many steps a sequence has."""
    features: int = 5
    """How many numbers one timestep of the input holds."""
    units: int = 10
    """How many units a layer has in each direction: the width of c, and of h unless there is a projection."""
    layers: int = 1
    """How many layers are stacked; each reads the whole output sequence of the one below."""
    bidirectional: bool = False
    """Whether every layer also reads the sequence from its end, with weights of its own."""
    projection: int | None = None
    """The size of h where it is a linear map of the units' outputs (Sak et al., 2014); None where h is those outputs."""
    bias: bool = True
    """Whether every neuron has a bias."""
    peepholes: bool = False
    """Whether i and f also read the unit's own c_{t-1}, and o its own c_t (Gers & Schmidhuber, 2000)."""
    dtype: Dtype = "float32"
    """The floating-point type of every tensor."""

    def __post_init__(self) -> None:
        for name, rule in _LEAST_ONE.items():
            object.__setattr__(self, name, _size(name, getattr(self, name), rule))
        if self.layers > MOST_LAYERS:
            raise UsageError(f"--layers {self.layers}", f"more than {MOST_LAYERS} layers are not supported")
        for name in ("bidirectional", "bias", "peepholes"):
            if not isinstance(getattr(self, name), bool):
                raise UsageError(f"--{name} {getattr(self, name)!r}", "this option is True or False")
        if self.dtype not in tuple(ITEM_BYTES):
            raise UsageError(f"--dtype {self.dtype}", "the types are float32 and float64")
        if self.projection is not None:
            size = _size("projection", self.projection, "h needs at least one number")
            object.__setattr__(self, "projection", size)
            if size >= self.units:
                found = f"a projection must be smaller than the number of units, which is {self.units}"
                raise UsageError(f"--projection {size}", found, "Make it smaller, or leave it out")

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions of every layer, in the order in which their outputs are joined."""
        return tuple(Direction) if self.bidirectional else (Direction.FORWARD,)

    @property
    def hidden(self) -> int:
        """The size of h in one direction: the projection where there is one, else the units."""
        return self.units if self.projection is None else self.projection

    @property
    def output(self) -> int:
        """The size of a layer's output at one timestep: h of each direction, joined."""
        return self.hidden * len(self.directions)

    @property
    def hidden_axis(self) -> str:
        """What the axis of h is called: its numbers are the units' own unless a projection mixes them."""
        return "units" if self.projection is None else "hidden"

    @property
    def item_bytes(self) -> int:
        return ITEM_BYTES[self.dtype]

    def features_of(self, layer: int) -> int:
        """How many numbers a timestep of the given layer's input holds; layers count from 0."""
        return self.features if layer == 0 else self.output

    @property
    def unlike_layers(self) -> tuple[tuple[int, int], ...]:
        """The layers whose sizes differ, and how many there are of each: the first, and those that read another layer."""
        return ((0, 1), (1, self.layers - 1)) if self.layers > 1 else ((0, 1),)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, as they stand under `spec` in every JSON object."""
        return asdict(self)


def checked_seed(seed: SupportsIndex) -> int:
    """The seed as a Python integer.

    Raises:
        UsageError: it is no whole number from 0 to 2**53 - 1.
    """
    number = whole("--seed", seed)
    if not 0 <= number <= LARGEST_SIZE:
        raise UsageError(f"--seed {number}", "a seed is a whole number from 0 to 2**53 - 1")
    return number


def checked_init(init: str) -> Init:
    """The initialiser, once it is known to exist."""
    if init not in INITS:
        raise UsageError(f"--init {init}", f"the initialisers are {' and '.join(INITS)}")
    return init


def whole(asked: str, value: SupportsIndex, named: bool = False) -> int:
    """A whole number as a Python integer, whatever kind of integer it is.

    Args:
        asked: the option that gave it.
        value: the number.
        named: whether `asked` shows the value already.

    Raises:
        UsageError: it is something else, such as a float or a truth value.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise UsageError(asked if named else f"{asked} {value!r}", "this is no whole number") from None


def _size(name: str, value: SupportsIndex, rule: str) -> int:
    size = whole(f"--{name}", value)
    if size < 1:
        raise UsageError(f"--{name} {size}", rule, "Give 1 or more")
    if size > LARGEST_SIZE:
        raise UsageError(f"--{name} {size}", f"sizes above {LARGEST_SIZE} (2**53 - 1) are not supported")
    return size
