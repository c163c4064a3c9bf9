"""What a node LSTM of an ONNX model reads: the output of another one as it is, or something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.readers.onnx_source import Source, attribute, numbers, source
from lstm_explain.readers.onnx_tensor import text

if TYPE_CHECKING:
    from lstm_explain.readers.onnx_constants import Constants
    from lstm_explain.readers.onnx_graph import Place

MOST_NODES = 64
"""No more nodes in a row only move axes about."""
HAND_ON = ("Identity", "Cast", "Dropout", "Squeeze", "Unsqueeze", "Reshape", "Transpose")
OUTPUT = {0: "TDNH", 1: "NTDH"}
"""The axes of what a node LSTM emits, for each layout: timesteps, directions, samples (N) and hidden."""
INPUT = {0: "TNH", 1: "NTH"}


class Feed(NamedTuple):
    """What a node LSTM reads."""

    key: tuple[int, str] | None
    """The graph and the name of the output sequence of another node LSTM, where it reads that as it is."""
    name: str
    """What to call it; not yet safe to print."""


def feed_of(place: Place, constants: Constants) -> Feed:
    """What a node LSTM reads as its X, seen through nodes that only give it other axes.

    Raises:
        RefusedError: a constant on the way stands in another file.
    """
    node = place.node
    if not len(node.input) or not node.input[0]:
        return Feed(None, "nothing")
    one = source(place.scope, node.input[0])
    way: list[Source] = []
    while one.maker is not None and one.kind in HAND_ON and one.maker[1] == 0 and one.inputs and len(way) < MOST_NODES:
        way.append(one)
        one = one.of(0)
    if one.maker is None:
        return Feed(None, text(one.name))
    below, output = one.maker
    name = text(below.name) or text(one.name)
    if one.kind != "LSTM":
        return Feed(None, name)
    if output != 0:
        return Feed(None, f"a state of {name}")
    layout = place.scope.attribute(node, "layout")
    if _axes(one, way, constants) != INPUT.get(0 if layout is None else int(layout.i)):
        return Feed(None, f"the output of {name} with other axes")
    return Feed(one.key, name)


def _axes(emitted: Source, way: list[Source], constants: Constants) -> str | None:
    """The axes that the output of a node LSTM has behind the nodes on the way; None where that cannot be told."""
    axes = OUTPUT.get(attribute(emitted, "layout", 0))
    direction = emitted.scope.attribute(emitted.maker[0], "direction") if emitted.maker else None
    both = direction is not None and text(direction.s) == "bidirectional"
    for one in reversed(way):
        axes = None if axes is None else _moved(axes, one, both, constants)
    return axes


def _moved(axes: str, one: Source, both: bool, constants: Constants) -> str | None:
    """The axes behind one node; `both` where there are two directions, which can only be joined with hidden."""
    if one.kind == "Transpose":
        order = numbers(one, 1, "perm", constants) or list(range(len(axes)))[::-1]
        return "".join(axes[place] for place in order) if sorted(order) == list(range(len(axes))) else None
    if one.kind == "Squeeze":
        places = numbers(one, 1, "axes", constants)
        without = axes.replace("D", "").replace("1", "")
        if places is None:
            return without if not both else None
        gone = {place % len(axes) for place in places}
        fits = gone <= {place for place, axis in enumerate(axes) if axis in ("1" if both else "1D")}
        return "".join(axis for place, axis in enumerate(axes) if place not in gone) if fits else None
    if one.kind == "Unsqueeze":
        places = numbers(one, 1, "axes", constants)
        return None if places is None or len(places) != 1 else _with_one(axes, places[0] % (len(axes) + 1))
    if one.kind == "Reshape":
        without = axes.replace("D", "")
        return without if "DH" in axes or (not both and "D" in axes) else None
    return axes


def _with_one(axes: str, place: int) -> str:
    return axes[:place] + "1" + axes[place:]
