"""The sizes and options of an LSTM and its batch: frozen, validated once, exact Python integers."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, SupportsIndex, cast, get_args

from lstm_explain.core.gates import Direction
from lstm_explain.errors import MAX_LISTED, UsageError, argument

Dtype = Literal["float32", "float64"]
Init = Literal["keras", "pytorch"]
INITS: tuple[Init, ...] = get_args(Init)
ITEM_BYTES: dict[Dtype, int] = {"float32": 4, "float64": 8}
MAX_LAYERS = 1000  # every layer is listed, with its tensors and weights
MAX_SIZE = 2**53 - 1  # a JSON reader that holds numbers as doubles would round larger sizes

LAYER_OPTIONS = ("units", "bidirectional", "projection", "bias", "peepholes")
"""The fields of `LayerSpec`."""

_SIZE_RULES = {
    "samples": "there must be at least one sequence",
    "timesteps": "a sequence needs at least one timestep",
    "features": "a timestep needs at least one number",
    "units": "a layer needs at least one unit",
    "layers": "there must be at least one layer",
    "projection": "h needs at least one number",
}


def as_int(name: str, value: SupportsIndex) -> int:
    """Convert a whole number of any type to a Python integer.

    Args:
        name: the argument that gave it.
        value: the number.

    Raises:
        UsageError: it is something else, such as a float or a truth value.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise UsageError(argument(name, value), "this must be a whole number") from None


def _validate_size(name: str, value: SupportsIndex) -> int:
    size = as_int(name, value)
    if size < 1:
        raise UsageError(argument(name, size), _SIZE_RULES[name], "Give 1 or more")
    if size > MAX_SIZE:
        raise UsageError(argument(name, size), f"sizes above {MAX_SIZE} (2**53 - 1) are not supported")
    return size


def _validate_layer_count(value: SupportsIndex) -> int:
    count = _validate_size("layers", value)
    if count > MAX_LAYERS:
        raise UsageError(argument("layers", count), f"more than {MAX_LAYERS} layers are not supported")
    return count


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """The sizes and options of one layer.

    Raises:
        UsageError: a size is below 1, above 2**53 - 1 or not an integer; or the projection is not smaller than the units.
    """

    units: int
    """The number of units in each direction: the width of c, and of h unless there is a projection."""
    bidirectional: bool = False
    """Whether a second direction with separate weights reads the sequence from its end."""
    projection: int | None = None
    """The size of h where it is a linear map of the units' outputs (Sak et al., 2014); None where h is those outputs."""
    bias: bool = True
    """Whether every neuron has a bias."""
    peepholes: bool = False
    """Whether i and f also read the unit's own c_{t-1}, and o its own c_t (Gers & Schmidhuber, 2000)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", _validate_size("units", self.units))
        for name in ("bidirectional", "bias", "peepholes"):
            if not isinstance(getattr(self, name), bool):
                raise UsageError(argument(name, getattr(self, name)), "this option is True or False")
        if self.projection is not None:
            object.__setattr__(self, "projection", _validate_size("projection", self.projection))
            if self.projection >= self.units:
                problem = f"a projection must be smaller than the number of units, which is {self.units}"
                raise UsageError(argument("projection", self.projection), problem, "Make it smaller, or leave it out")

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions, in the order in which their outputs are concatenated."""
        return tuple(Direction) if self.bidirectional else (Direction.FORWARD,)

    @property
    def hidden(self) -> int:
        """The size of h in one direction: the projection where there is one, else the units."""
        return self.units if self.projection is None else self.projection

    @property
    def output(self) -> int:
        """The size of the output at one timestep: h of each direction."""
        return self.hidden * len(self.directions)

    @property
    def hidden_axis(self) -> str:
        """The name of the axis of h, whose numbers are those of the units unless a projection mixes them."""
        return "units" if self.projection is None else "hidden"


@dataclass(frozen=True, slots=True)
class Spec:
    """The sizes and options of a stack of LSTM layers and of the batch that it reads.

    The defaults are the founding example: 1000 samples of 10 timesteps of 5 features, read by 10 units. `units`, `hidden` and
    the other options of a layer are available here too where they are the same in all layers; where they differ, they raise
    `ValueError`: take them from `layers` or `for_layer`.

    Raises:
        UsageError: a size is below 1, above 2**53 - 1 or not an integer; or the number of layers is 0, or too large.
    """

    samples: int = 1000
    """The number of sequences; also called the batch."""
    timesteps: int = 10
    """The number of steps of a sequence."""
    features: int = 5
    """How many numbers one timestep of the input holds."""
    layers: tuple[LayerSpec, ...] = (LayerSpec(10),)
    """The layers, of which each reads the whole output sequence of the one below."""
    dtype: Dtype = "float32"
    """The floating-point type of every tensor."""

    def __post_init__(self) -> None:
        for name in ("samples", "timesteps", "features"):
            object.__setattr__(self, name, _validate_size(name, getattr(self, name)))
        if self.dtype not in tuple(ITEM_BYTES):
            raise UsageError(argument("dtype", self.dtype), "the types are float32 and float64")
        _validate_layer_count(len(self.layers))

    @classmethod
    def from_options(
        cls,
        samples: int = 1000,
        timesteps: int = 10,
        features: int = 5,
        units: int | Sequence[int] = 10,
        layers: int | None = None,
        bidirectional: bool = False,
        projection: int | None = None,
        bias: bool = True,
        peepholes: bool = False,
        dtype: Dtype = "float32",
        stack: Sequence[Any] = (),
    ) -> Spec:
        """Build a spec from sizes and options that all layers share; only the number of units may differ between them.

        Args:
            samples, timesteps, features, dtype: the fields of `Spec`.
            units: how many units every layer has; or those of each layer of a stack, from the bottom: `(64, 32)`.
            layers: how many layers there are; as many as sizes in `units`, or 1.
            bidirectional, projection, bias, peepholes: the options of every layer; see `LayerSpec`.
            stack: layers that differ in more than units, in place of these options: a `LayerSpec` for each, or its options
                in order or by name.
        """
        if stack:
            if not isinstance(stack, Sequence):
                raise UsageError(
                    argument("stack", stack), "this is not a list of layers", "Give the options of each, one after the other"
                )
            different = tuple(layer if isinstance(layer, LayerSpec) else _layer_spec(layer) for layer in stack)
            return cls(samples, timesteps, features, different, dtype)
        sizes = _units_of_layers(units, layers)
        equal = {size: LayerSpec(size, bidirectional, projection, bias, peepholes) for size in dict.fromkeys(sizes)}
        return cls(samples, timesteps, features, tuple(equal[size] for size in sizes), dtype)

    def with_options(self, **options: Any) -> Spec:
        """Return the spec with other sizes and options; those of a layer are set in every layer.

        The units of each layer say how many layers there are. Where layers differ in more than units, all keep their options.
        """
        current = self.to_dict()
        if self.layers_differ and not self.options_differ:
            current = {**current, "units": self.layer_units, "stack": ()}
        if not (isinstance(current["units"], int) and isinstance(options.get("units", 0), int)):
            current["layers"] = None
        return Spec.from_options(**current | options)

    @property
    def layer_units(self) -> int | tuple[int, ...]:
        """The number of units as `from_options` takes it: that of every layer, or where they differ those of each."""
        sizes = tuple(layer.units for layer in self.layers)
        return sizes if len(set(sizes)) > 1 else sizes[0]

    def for_layer(self, layer: int) -> Spec:
        """The spec of one layer alone, and of the batch that it reads; layers count from 0."""
        if len(self.layers) == 1:
            return self
        return replace(self, features=self.features_of(layer), layers=(self.layers[layer],))

    @property
    def layers_differ(self) -> bool:
        """Whether the layers have different sizes or options."""
        return any(layer != self.layers[0] for layer in self.layers[1:])

    @property
    def options_differ(self) -> bool:
        """Whether the layers differ in more than their number of units."""
        return len({tuple(getattr(layer, name) for name in LAYER_OPTIONS[1:]) for layer in self.layers}) > 1

    @property
    def layer_groups(self) -> tuple[tuple[int, int], ...]:
        """Layers with weights of the same shape: the first layer of each group, and how many there are."""
        count = len(self.layers)
        if self.layers_differ:
            return tuple((layer, 1) for layer in range(count))
        return ((0, 1), (1, count - 1)) if count > 1 else ((0, 1),)

    @property
    def layer_directions(self) -> tuple[tuple[int, Direction], ...]:
        """Every layer and direction, in the order of the states h_n and c_n."""
        return tuple((index, direction) for index, layer in enumerate(self.layers) for direction in layer.directions)

    @property
    def has_backward(self) -> bool:
        """Whether any layer also reads the sequence from its end."""
        return any(layer.bidirectional for layer in self.layers)

    @property
    def output(self) -> int:
        """The size of the last layer's output at one timestep."""
        return self.layers[-1].output

    @property
    def item_bytes(self) -> int:
        return ITEM_BYTES[self.dtype]

    def features_of(self, layer: int) -> int:
        """How many numbers a timestep of the given layer's input holds; layers count from 0."""
        return self.features if layer == 0 else self.layers[layer - 1].output

    @property
    def units(self) -> int:
        return int(self._common("units"))

    @property
    def bidirectional(self) -> bool:
        return bool(self._common("bidirectional"))

    @property
    def projection(self) -> int | None:
        size: int | None = self._common("projection")
        return size

    @property
    def bias(self) -> bool:
        return bool(self._common("bias"))

    @property
    def peepholes(self) -> bool:
        return bool(self._common("peepholes"))

    @property
    def directions(self) -> tuple[Direction, ...]:
        return tuple(self._common("directions"))

    @property
    def hidden(self) -> int:
        return int(self._common("hidden"))

    @property
    def hidden_axis(self) -> str:
        return str(self._common("hidden_axis"))

    def _common(self, name: str) -> Any:
        """An option's value, which is the same in all layers."""
        value = getattr(self.layers[0], name)
        if any(getattr(layer, name) != value for layer in self.layers[1:]):
            raise ValueError(f"the layers of this stack differ in {name}; use `layers` or `for_layer`")
        return value

    def describe(self) -> str:
        """Write the sizes, and the options that are not the defaults, in one line: `samples=2, timesteps=3, ...`."""
        options = {**self.to_dict(), "units": self.layer_units}
        if isinstance(options["units"], tuple):  # it says how many layers there are
            options["layers"] = DEFAULT_OPTIONS["layers"]
        sizes = ("samples", "timesteps", "features", "units")
        texts = {
            name: _elide(options[name]) for name in DEFAULT_OPTIONS if name in sizes or options[name] != DEFAULT_OPTIONS[name]
        }
        texts |= {name: "mixed" for name in LAYER_OPTIONS[1:] if len({getattr(layer, name) for layer in self.layers}) > 1}
        return ", ".join(f"{name}={text}" for name, text in texts.items())

    def to_dict(self) -> dict[str, Any]:
        """The sizes and options by name, as in `spec` of every JSON object; the arguments of `from_options`.

        An option in which the layers differ is None, and `stack` then has the options of every layer.
        """
        layers = [asdict(layer) for layer in self.layers]
        common = {name: layers[0][name] if len({layer[name] for layer in layers}) == 1 else None for name in LAYER_OPTIONS}
        return {
            "samples": self.samples,
            "timesteps": self.timesteps,
            "features": self.features,
            "units": common.pop("units"),
            "layers": len(layers),
            **common,
            "dtype": self.dtype,
            **({"stack": layers} if self.layers_differ else {}),
        }


def _elide(value: Any) -> str:
    """Write a value; of a long tuple the first items."""
    if not isinstance(value, tuple) or len(value) <= MAX_LISTED:
        return repr(value)
    return f"({', '.join(map(repr, value[:MAX_LISTED]))}, ...)"


DEFAULT_OPTIONS = Spec().to_dict()
"""The arguments of `Spec.from_options` but `stack`, with their defaults."""


def _units_of_layers(units: int | Sequence[int], layers: int | None) -> tuple[int, ...]:
    """The number of units of each layer."""
    is_stack = isinstance(units, Iterable) and not isinstance(units, str | bytes) and getattr(units, "ndim", 1) > 0
    if not is_stack:
        return (_validate_size("units", cast("int", units)),) * _validate_layer_count(1 if layers is None else layers)
    sizes = tuple(_validate_size("units", size) for size in cast("Iterable[int]", units))
    if not sizes:
        raise UsageError(argument("units", sizes), "a stack needs at least one layer", "Give the units of each layer")
    if layers is not None and _validate_layer_count(layers) != len(sizes):
        asked = f"{argument('units', sizes)} {argument('layers', layers)}"
        problem = f"these are the units of {len(sizes)} layer{'' if len(sizes) == 1 else 's'}"
        raise UsageError(asked, problem, f"Leave out {argument('layers')}, or give the units of each layer")
    _validate_layer_count(len(sizes))
    return sizes


def _layer_spec(options: object) -> LayerSpec:
    """Build a layer from its options, in order or by name."""
    try:
        return LayerSpec(**options) if isinstance(options, Mapping) else LayerSpec(*options)  # type: ignore[misc]
    except TypeError:
        fix = f"A layer has {', '.join(LAYER_OPTIONS)}"
        raise UsageError(f"stack with {options!r}", "these are not the options of a layer", fix) from None


def validate_seed(seed: SupportsIndex) -> int:
    """The seed as a Python integer.

    Raises:
        UsageError: it is not a whole number from 0 to 2**53 - 1.
    """
    number = as_int("seed", seed)
    if not 0 <= number <= MAX_SIZE:
        raise UsageError(argument("seed", number), "a seed is a whole number from 0 to 2**53 - 1")
    return number


def validate_init(init: str) -> Init:
    """Return the initialiser if it exists."""
    if init not in INITS:
        raise UsageError(argument("init", init), f"the initialisers are {' and '.join(INITS)}")
    return init
