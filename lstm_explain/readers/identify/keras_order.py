"""What each LSTM of a Keras model reads, told from the model's config: the order of a Sequential, the calls of a Functional.

Layers that hand on what they read when a model is used, such as Dropout, are seen through. All others stand for themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

LSTMS = ("LSTM", "CuDNNLSTM", "Bidirectional", "RNN")
HANDS_ON = (
    "InputLayer", "Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise", "AlphaDropout", "ActivityRegularization",
    "Identity",
)  # fmt: skip
"""What changes nothing when a model is used; some of them do while it is trained."""
FEW = 16
"""Of a layer that is called more often, the first calls are looked at."""


class Order(NamedTuple):
    """What the LSTM layers of a model read, each by its names joined with slashes."""

    reads: dict[str, tuple[str, ...]]
    """The layers whose output sequence they read, several where they are called several times."""
    states: set[str]
    """Those that are given initial states."""


def order_of(config: dict[str, Any]) -> Order:
    """What reads what in a model. `config` is known to be nested no deeper than models are."""
    order = Order({}, set())
    _through(config, (), (), order)
    return order


def _through(layer: Any, names: tuple[str, ...], given: tuple[str, ...], order: Order) -> tuple[str, ...]:
    """What a layer or model hands on, where it is given the outputs of the layers `given`."""
    kind, config, own = _dict(layer).get("class_name"), _dict(layer).get("config"), ("/".join(names),)
    children = config if isinstance(config, list) else _dict(config).get("layers")
    if isinstance(_dict(layer).get("registered_name"), str) and kind not in ("Functional", "Sequential"):
        order.reads.update({own[0]: given} if kind in LSTMS else {})
        return own  # a class of the user's own
    if kind == "Sequential" and isinstance(children, list):
        for child in children:
            given = _through(child, (*names, _name(child)), given, order)
        return given
    if kind in ("Functional", "Model") and isinstance(children, list):
        return _Graph(children, names, given, order).handed_on(_dict(config).get("output_layers")) or own
    if kind == "RNN" and _dict(_dict(config).get("cell")).get("class_name") == "StackedRNNCells":
        return _cells(_dict(_dict(config)["cell"]), names, given, order)
    if kind in LSTMS:
        order.reads[own[0]] = given
        return own
    return given or own if kind in HANDS_ON else own


def _cells(stack: dict[str, Any], names: tuple[str, ...], given: tuple[str, ...], order: Order) -> tuple[str, ...]:
    """Cells on each other: each reads what the one below it emits."""
    cells = _dict(stack.get("config")).get("cells")
    for cell in cells if isinstance(cells, list) else []:
        own = "/".join((*names, _name(cell)))
        order.reads[own] = given
        given = (own,)
    return given


class _Graph:
    """The layers of a Functional model, which stand in its config after those that they read."""

    def __init__(self, children: list[Any], names: tuple[str, ...], given: tuple[str, ...], order: Order) -> None:
        self.names = names
        called = {_name(child) for child in children}
        inputs = sum(_dict(child).get("class_name") == "InputLayer" for child in children)
        self.made: dict[str, tuple[str, ...]] = {  # a layer that is called on its own output
            _name(child): (self.path(_name(child)),) for child in children if _dict(child).get("class_name") in LSTMS
        }
        for child in children if len(called) == len(children) else ():
            name = _name(child)
            calls = [list(_tensors(call)) for call in _list(_dict(child).get("inbound_nodes"))[:FEW]]
            read = [one for tensors in calls for one in self._read(tensors[:1])]
            if not calls and inputs == 1:  # the model's only input
                read = list(given)
            if any(len(tensors) > 1 for tensors in calls):
                order.states.add(self.path(name))
            self.made[name] = _through(child, (*names, name), tuple(dict.fromkeys(read))[:FEW], order)

    def path(self, name: str) -> str:
        """A layer's name behind those of the models that it is in."""
        return "/".join((*self.names, name))

    def handed_on(self, outputs: Any) -> tuple[str, ...]:
        """What the model's first output is; nothing where that cannot be told."""
        return () if isinstance(outputs, dict) else tuple(self._read(list(_tensors(outputs))[:1]))

    def _read(self, tensors: list[tuple[str, Any]]) -> Iterator[str]:
        for name, output in tensors:
            if output == 0:
                yield from self.made.get(name, (self.path(name),))
            else:
                yield f"another output of {self.path(name)}"


def _tensors(call: Any) -> Iterator[tuple[str, Any]]:
    """The layers whose outputs are given in a call, each with which of its outputs that is; a mask is none of them.

    Keras 3 writes a `keras_history` of name, call and output; Keras 2 lists that begin with these.
    """
    left = [call]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            history = _dict(one.get("config")).get("keras_history") if one.get("class_name") == "__keras_tensor__" else None
            left += [history] if history is not None else [value for key, value in reversed(one.items()) if key != "mask"]
        elif isinstance(one, list) and len(one) >= 3 and isinstance(one[0], str) and all(type(n) is int for n in one[1:3]):
            yield one[0], one[2]
            left += reversed(one[3:])
        elif isinstance(one, list):
            left += reversed(one)


def _name(layer: Any) -> str:
    """A layer's name, as `keras_config` tells it; what has none is no LSTM that could be stacked."""
    name = _dict(_dict(layer).get("config")).get("name") or _dict(layer).get("name")
    return name if isinstance(name, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
