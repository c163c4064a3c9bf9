"""Spec: the sizes and options of an LSTM, frozen and validated once, in exact Python integers."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, NoReturn, SupportsIndex, get_args

from lstm_explain.core.gates import Direction
from lstm_explain.errors import UsageError

Dtype = Literal["float32", "float64"]
Init = Literal["keras", "pytorch"]
INITS: tuple[Init, ...] = get_args(Init)
ITEM_BYTES: dict[Dtype, int] = {"float32": 4, "float64": 8}
MAX_LAYERS = 1000  # every layer is listed, with tensors and weights of its own
MAX_SIZE = 2**53 - 1  # beyond it a JSON reader that holds numbers as doubles would round the size

_LEAST_ONE = {
    "samples": "there must be at least one sequence",
    "timesteps": "a sequence needs at least one timestep",
    "features": "a timestep needs at least one number",
    "units": "a layer needs at least one unit",
    "layers": "there must be at least one layer",
}


class _Differs:
    """What stands for an option in which the layers of a stack differ. It has no value: whoever takes one is told so."""

    def _ask(self) -> NoReturn:
        raise TypeError("the layers of this stack differ in this; ask `Spec.at(layer)`")

    def __bool__(self) -> bool:
        self._ask()

    def __str__(self) -> str:
        self._ask()

    def __repr__(self) -> str:
        return "DIFFERS"

    def __reduce__(self) -> str:
        """A copy is the one there is, which others are compared with by `is`."""
        return "DIFFERS"


DIFFERS: Any = _Differs()


class LayerSpec(NamedTuple):
    """The sizes and options of one layer of a stack; fields as in `Spec`."""

    units: int
    bidirectional: bool = False
    projection: int | None = None
    bias: bool = True
    peepholes: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """The sizes and options of a stack of LSTM layers and of the batch that it reads.

    The defaults are the founding example: 1000 samples of 10 timesteps of 5 features, read by 10 units.

    Where the layers of the stack are not alike, `stack` has the options of each, and those in which they differ are `DIFFERS`
    here: `at` gives one layer's own.

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
    stack: tuple[LayerSpec, ...] = ()
    """The options of each layer, which then decide `layers` too; empty where all are alike."""

    def __post_init__(self) -> None:
        for name in ("samples", "timesteps", "features"):
            self._check_size(name)
        if self.dtype not in tuple(ITEM_BYTES):
            raise UsageError(f"--dtype {self.dtype}", "the types are float32 and float64")
        if self.stack:
            self._settle()
        else:
            object.__setattr__(self, "stack", ())
            self._check_layer()
        self._check_size("layers")
        if self.layers > MAX_LAYERS:
            raise UsageError(f"--layers {self.layers}", f"more than {MAX_LAYERS} layers are not supported")

    def _check_size(self, name: str) -> None:
        object.__setattr__(self, name, _size(name, getattr(self, name), _LEAST_ONE[name]))

    def _check_layer(self) -> None:
        self._check_size("units")
        for name in ("bidirectional", "bias", "peepholes"):
            if not isinstance(getattr(self, name), bool):
                raise UsageError(f"--{name} {getattr(self, name)!r}", "this option is True or False")
        if self.projection is not None:
            size = _size("projection", self.projection, "h needs at least one number")
            object.__setattr__(self, "projection", size)
            if size >= self.units:
                found = f"a projection must be smaller than the number of units, which is {self.units}"
                raise UsageError(f"--projection {size}", found, "Make it smaller, or leave it out")

    def _settle(self) -> None:
        """Check every layer of the stack, and take from it what all layers have in common."""
        if not isinstance(self.stack, Sequence):
            raise UsageError(f"stack {self.stack!r}", "these are no layers", "Give the options of each, one after the other")
        checked = [Spec(**_layer_options(layer)) for layer in self.stack]
        layers = tuple(LayerSpec(*(getattr(one, name) for name in LayerSpec._fields)) for one in checked)
        for name, values in zip(LayerSpec._fields, zip(*layers, strict=True), strict=True):
            object.__setattr__(self, name, values[0] if len(set(values)) == 1 else DIFFERS)
        object.__setattr__(self, "layers", len(layers))
        object.__setattr__(self, "stack", layers if len(set(layers)) > 1 else ())

    def at(self, layer: int) -> Spec:
        """The sizes and options of one layer alone, and of the batch that it reads; layers count from 0."""
        if self.layers == 1:
            return self
        options = self.stack[layer]._asdict() if self.stack else {}
        return replace(self, features=self.features_of(layer), layers=1, stack=(), **options)

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions of every layer, in the order in which their outputs are joined."""
        return _directions(self.bidirectional)

    @property
    def hidden(self) -> int:
        """The size of h in one direction: the projection where there is one, else the units."""
        return self.units if self.projection is None else self.projection

    @property
    def output(self) -> int:
        """The size of the last layer's output at one timestep: h of each direction, joined."""
        return self.output_of(self.layers - 1)

    def output_of(self, layer: int) -> int:
        """The size of a layer's output at one timestep; layers count from 0."""
        one = self.stack[layer] if self.stack else self
        hidden = one.units if one.projection is None else one.projection
        return hidden * (2 if one.bidirectional else 1)

    @property
    def hidden_axis(self) -> str:
        """What the axis of h is called: its numbers are the units' own unless a projection mixes them."""
        if isinstance(self.projection, _Differs):
            differs: str = DIFFERS
            return differs
        return "units" if self.projection is None else "hidden"

    @property
    def item_bytes(self) -> int:
        return ITEM_BYTES[self.dtype]

    def features_of(self, layer: int) -> int:
        """How many numbers a timestep of the given layer's input holds; layers count from 0."""
        return self.features if layer == 0 else self.output_of(layer - 1)

    @property
    def places(self) -> tuple[tuple[int, Direction], ...]:
        """Every layer and direction, in the order of the states h_n and c_n."""
        both = [(self.stack[layer] if self.stack else self).bidirectional for layer in range(self.layers)]
        return tuple((layer, way) for layer, two in enumerate(both) for way in _directions(two))

    @property
    def reads_backward(self) -> bool:
        """Whether any layer also reads the sequence from its end."""
        return any(layer.bidirectional for layer in self.stack) if self.stack else self.bidirectional

    @property
    def unlike_layers(self) -> tuple[tuple[int, int], ...]:
        """The layers whose sizes differ, and how many there are of each: the first, and those that read another layer."""
        if self.stack:
            return tuple((layer, 1) for layer in range(self.layers))
        return ((0, 1), (1, self.layers - 1)) if self.layers > 1 else ((0, 1),)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, as they stand under `spec` in every JSON object.

        `stack` is there where the layers differ; what they differ in is then None, and stands under `stack` for each layer.
        """
        own = {name: getattr(self, name) for name in self.__slots__ if name != "stack"}
        stack = {"stack": [one._asdict() for one in self.stack]} if self.stack else {}
        return {name: None if value is DIFFERS else value for name, value in own.items()} | stack


def _layer_options(layer: object) -> dict[str, Any]:
    """The options of a layer of a stack, given in their order, or by name as `Spec.to_dict` has them.

    Raises:
        UsageError: there are others among them, or no units.
    """
    try:
        named = LayerSpec(**layer) if isinstance(layer, Mapping) else LayerSpec(*layer)  # type: ignore[misc]
    except TypeError:
        fix = f"A layer has {', '.join(LayerSpec._fields)}"
        raise UsageError(f"stack with {layer!r}", "these are not the options of a layer", fix) from None
    return named._asdict()


def _directions(bidirectional: bool) -> tuple[Direction, ...]:
    return tuple(Direction) if bidirectional else (Direction.FORWARD,)


def validate_seed(seed: SupportsIndex) -> int:
    """The seed as a Python integer.

    Raises:
        UsageError: it is no whole number from 0 to 2**53 - 1.
    """
    number = as_int("--seed", seed)
    if not 0 <= number <= MAX_SIZE:
        raise UsageError(f"--seed {number}", "a seed is a whole number from 0 to 2**53 - 1")
    return number


def validate_init(init: str) -> Init:
    """The initialiser, once it is known to exist."""
    if init not in INITS:
        raise UsageError(f"--init {init}", f"the initialisers are {' and '.join(INITS)}")
    return init


def as_int(asked: str, value: SupportsIndex, named: bool = False) -> int:
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
    size = as_int(f"--{name}", value)
    if size < 1:
        raise UsageError(f"--{name} {size}", rule, "Give 1 or more")
    if size > MAX_SIZE:
        raise UsageError(f"--{name} {size}", f"sizes above {MAX_SIZE} (2**53 - 1) are not supported")
    return size
