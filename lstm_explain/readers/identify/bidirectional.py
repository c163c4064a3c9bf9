"""Two layers whose names say that one reads forward and the other backward: they are one layer that reads both ways.

Keras calls them `bidirectional/forward_lstm` and `bidirectional/backward_lstm`, Flax `forward_rnn` and `backward_rnn`,
TensorFlow 1 `fw` and `bw`. `convert` writes `forward` and `backward` for frameworks that have no such layer.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.core.gates import Direction
from lstm_explain.core.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lstm_explain.readers.identify.model_lstm import ModelLSTM

PART = re.compile(r"(?P<before>(?:.*[./])?)(?P<way>forward|backward|fw|bw)(?P<own>(?:_[^./]*)?)(?:[./].*)?", re.DOTALL)
WAYS = {"forward": Direction.FORWARD, "fw": Direction.FORWARD, "backward": Direction.BACKWARD, "bw": Direction.BACKWARD}
BOTH_TITLES = {
    "keras.layers.LSTM": "keras.layers.Bidirectional(LSTM)",
    "flax.linen.LSTMCell": "flax.linen.Bidirectional(RNN(LSTMCell))",
    "flax.nnx.LSTMCell": "flax.nnx.Bidirectional(RNN(LSTMCell))",
    "flax.nnx.OptimizedLSTMCell": "flax.nnx.Bidirectional(RNN(OptimizedLSTMCell))",
}
"""What two layers are called that are one."""


class Side(NamedTuple):
    """A layer that is called after a direction."""

    place: tuple[str, str]
    """What stands before the direction, and behind it in the same part of the name: the other direction's has the same."""
    way: Direction


def merge_direction_pairs(found: Iterable[ModelLSTM]) -> list[tuple[ModelLSTM, bool]]:
    """The layers of one scheme, in their order, each with whether it is two that are called forward and backward.

    Two stacks that are called so are not joined: above their first layers, either reads its own direction alone.
    """
    layers = list(found)
    sides = {place: side for place, one in enumerate(layers) if (side := _side(one))}
    alone: dict[Side, list[int]] = {}
    for place, side in sides.items():
        alone.setdefault(side, []).append(place)
    pairs: dict[int, int] = {}
    for side, places in alone.items():
        others = alone.get(side._replace(way=Direction.BACKWARD), [])
        if side.way is Direction.FORWARD and len(places) == len(others) == 1:
            pairs[places[0]] = others[0]
    names = Counter(sides[place].place[0] for place in pairs)
    made = {}
    for place, other in pairs.items():
        before, own = sides[place].place
        name = before if names[before] == 1 else f"{before}{own.strip('_')}"
        made[min(place, other)] = _both(layers[place], layers[other], name.rstrip("./") or "lstm")
    left = {*pairs, *pairs.values()} - set(made)
    return [(made.get(place, one), place in made) for place, one in enumerate(layers) if place not in left]


def _side(one: ModelLSTM) -> Side | None:
    """The direction that a layer is called after, where it is one that its framework gives to half of a layer."""
    if one.title == "torch.nn.LSTM" or len(one.weights.layers) > 1 or len(one.weights.layers[0]) > 1:
        return None
    match = PART.fullmatch(one.name)
    if match is None:
        return None
    way, own = match["way"], match["own"]
    if way in ("fw", "bw") and one.framework != "tensorflow1":
        return None
    of_keras = one.framework == "keras" and match["before"]
    if own and not (of_keras or (own == "_rnn" and one.framework.startswith("flax"))):
        return None
    return Side((match["before"], own), WAYS[way])


def _both(forward: ModelLSTM, backward: ModelLSTM, name: str) -> ModelLSTM:
    weights = {Direction.FORWARD: forward.weights.layers[0], Direction.BACKWARD: backward.weights.layers[0]}
    return forward._replace(
        name=name,
        title=BOTH_TITLES.get(forward.title, forward.title),
        weights=Weights(({way: layer[Direction.FORWARD] for way, layer in weights.items()},)),
        tensors={**forward.tensors, **backward.tensors},
    )
