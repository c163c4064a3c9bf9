"""Which numbers of what a framework returns are which: each last state, everywhere that it stands, compared with the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from lstm_explain.core.compare import max_abs_difference
from lstm_explain.core.gates import Direction
from lstm_explain.topics.shapes.returned_tensors import Placed, array_of, place_of, placed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record
    from lstm_explain.frameworks.call import Call, ReturnedTensor
    from lstm_explain.topics.result import Positive

    Results: TypeAlias = tuple[tuple[int | None, ReturnedTensor], ...]


class State(NamedTuple):
    """A last state, and everywhere in what is returned that it stands."""

    layer: int
    direction: Direction
    kind: Literal["hidden", "cell"]
    """Which state."""
    timestep: Positive | None
    """After which timestep; None where it is each sample's own last."""
    places: tuple[str, ...]
    """As Python would index what is returned."""
    difference: float | None
    """The largest between these places and what the run recorded after that timestep; None where none was run."""


Mistake = Literal["first", "padding"]


class Mistaken(NamedTuple):
    """A place that looks like the last h of a direction, and is not."""

    layer: int
    direction: Direction
    place: str
    """Where it is, as Python indexes what is returned."""
    why: Mistake
    """`first`: it is h after the first timestep that this direction reads; `padding`: it is zero where samples are shorter."""
    difference: float | None
    """The largest difference to the last h; None where none was run."""


def states_of(lstm: LSTM, call: Call, results: Results, record: Record | None) -> Iterator[State]:
    """Every last state, and where it stands in what the calls return.

    Args:
        lstm: the LSTM and its batch.
        call: the framework's.
        results: each tensor that is returned, and which layer's call returns it; None where one call runs all.
        record: a run over some of the samples or all, to compare with; None where none can be made.
    """
    found: dict[tuple[int, int, Any], list[Placed]] = {}
    for layer, result in results:
        for one in placed(lstm, call, result, layer, record):
            found.setdefault((one.layer, list(Direction).index(one.direction), one.kind), []).append(one)
    for (layer, way, kind), places in sorted(found.items(), key=lambda item: (item[0][:2], item[0][2] == "cell")):
        direction = list(Direction)[way]
        last = lstm.spec.timesteps if lstm.lengths is None else None
        yield State(
            layer=layer,
            direction=direction,
            kind=kind,
            timestep=1 if direction is Direction.BACKWARD else last,
            places=tuple(one.text for one in places),
            difference=None if record is None else max(one.difference for one in places),
        )


def mistaken_places(lstm: LSTM, call: Call, results: Results, record: Record | None) -> Iterator[Mistaken]:
    """The last timestep of the last layer's output, where it is not the last that a direction or a sample reads."""
    spec = lstm.spec
    for number, result in results:
        layer = len(spec.layers) - 1 if number is None else number
        if result.role != "sequence" or spec.timesteps == 1 or layer < len(spec.layers) - 1:
            continue
        shorter = lstm.lengths is not None and min(lstm.lengths) < spec.timesteps
        if shorter and call.padding_behaviour(spec.for_layer(layer)) == "zeros":
            yield _one_mistaken(lstm, call, result, layer, Direction.FORWARD, "padding", record)
        if spec.for_layer(layer).bidirectional:
            yield _one_mistaken(lstm, call, result, layer, Direction.BACKWARD, "first", record)


def _one_mistaken(
    lstm: LSTM,
    call: Call,
    result: ReturnedTensor,
    layer: int,
    way: Direction,
    why: Mistake,
    record: Record | None,
) -> Mistaken:
    place = place_of(lstm, call, result, layer, way, Direction.FORWARD if why == "first" else None)
    if record is None:
        return Mistaken(layer, way, place.text, why, None)
    found = array_of(record, call, result, layer)[place.where(record)]
    return Mistaken(layer, way, place.text, why, max_abs_difference(found, record.of(layer, way).last_hidden))
