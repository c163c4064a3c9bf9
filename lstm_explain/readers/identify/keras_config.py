"""What a Keras model says of itself in JSON: which of its layers are LSTMs, what they are called, and what they compute.

It is read as data. Nothing that it names is looked up, imported or called. The keys are those of `get_config` in Keras 2 and
3; where a layer's weights stand follows from the order of the layers, as in keras/src/saving/saving_lib.py.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.core.gates import Direction
from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.identify.keras_order import order_of

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 32
MOST_LAYERS = 10_000
LONGEST_NAME = 1024
GROWTH = 32
"""How many times the bytes of JSON its objects take in memory, at the most: an empty list, of three bytes."""
STANDARD = {"activation": "tanh", "recurrent_activation": "sigmoid"}
PLAIN_TYPES = ("float32", "float64", "float16", "bfloat16")


class Cell(NamedTuple):
    """One LSTM cell that a config tells of."""

    place: tuple[str, ...]
    """Where `.weights.h5` keeps it."""
    name: str
    """The name that is in its weights' names in a legacy file."""


class Declared(NamedTuple):
    """One LSTM layer that a config tells of."""

    names: tuple[str, ...]
    """The user's name for it, behind the names of the models and layers that it is in."""
    title: str
    cells: dict[Direction, Cell]
    problem: str | None
    """Why it cannot be explained."""
    notes: tuple[str, ...]
    reverse: bool = False
    """Whether it reads the sequence from its end (`go_backwards`), and is no part of a Bidirectional."""
    fed_by: tuple[str, ...] | None = None
    """The layers that it reads, by their names joined with slashes; None where the config does not tell."""
    fed_states: bool = False
    """Whether the model gives it initial states."""


class Within(NamedTuple):
    """What a layer is in: names, place in the file, what is to be said of it."""

    names: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def inner(self, name: str, *place: str, note: str | None = None) -> Within:
        """One level deeper."""
        return Within((*self.names, name), (*self.place, *place), (*self.notes, note) if note else self.notes)

    def at(self, place: str) -> Within:
        """One level deeper in the file alone."""
        return self._replace(place=(*self.place, place))

    def noted(self, note: str) -> Within:
        """The same, with more to be said."""
        return self._replace(notes=(*self.notes, note))


def read_config(text: bytes | str, file: str, budget: int) -> tuple[Declared, ...]:
    """The LSTM layers of a model, in the order of its layers.

    Raises:
        InputFileError: the text is no JSON object, or says something twice.
        RefusedError: it is larger than the memory budget allows, or its models are nested too deeply.
    """
    afford_config(len(text), file, budget)
    try:
        config = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise RefusedError(file, "its config is nested too deeply") from None
    except ValueError as error:  # no JSON, no UTF-8, a number of more than 4300 digits, or one of our own below
        raise InputFileError(file, f"its config cannot be read as JSON: {printable(str(error)).rstrip('.')}") from None
    if not isinstance(config, dict):
        raise InputFileError(file, "its config is no JSON object")
    found = tuple(islice(_layers(config, Within(), file), MOST_LAYERS + 1))
    if len(found) > MOST_LAYERS:
        raise RefusedError(file, f"its config has more than {MOST_LAYERS} LSTM layers, and no model has")
    order = order_of(config)
    names = ["/".join(one.names) for one in found]
    return tuple(
        one._replace(fed_by=order.reads.get(name), fed_states=name in order.states)
        for name, one in zip(names, found, strict=True)
    )


def afford_config(size: int, file: str, budget: int) -> None:
    """Raise `RefusedError` where a config of so many bytes may take more memory than the budget."""
    if GROWTH * size > budget:
        found = f"its config has {size:,} bytes, which may take {GROWTH} times as much in memory; the budget is {budget:,}"
        raise RefusedError(file, found, "Raise --max-memory")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


# --- models and wrappers ----------------------------------------------------------------------------------------------


def _layers(layer: Any, within: Within, file: str) -> Iterator[Declared]:
    """The LSTM layers in a layer or model; `within` has its own name already, unless it is the whole model."""
    if len(within.place) > 2 * DEEPEST:
        raise RefusedError(file, f"its config has more than {DEEPEST} models in each other")
    kind, config = _class(layer), _of(layer, "config")
    children = config if isinstance(config, list) else _dict(config).get("layers")
    if isinstance(children, list):  # Keras before 2.2.3 wrote the list of a Sequential's layers alone
        yield from _children(children, within, file)
    elif kind in ("LSTM", "CuDNNLSTM", "RNN"):
        yield from _recurrent(layer, within)
    elif kind == "Bidirectional":
        yield from _bidirectional(_dict(config), within)
    elif isinstance(_dict(config).get("layer"), dict):
        child = _dict(config)["layer"]
        yield from _layers(child, within.inner(_name(child, file), "layer", note=f"inside {printable(kind)}"), file)


def _children(children: list[Any], within: Within, file: str) -> Iterator[Declared]:
    counts: dict[str, int] = {}
    for child in children:
        snake = _snake(_class(child))
        counts[snake] = counts.get(snake, -1) + 1
        unique = f"{snake}_{counts[snake]}" if counts[snake] else snake
        yield from _layers(child, within.inner(_name(child, file), "layers", unique), file)


def _bidirectional(config: dict[str, Any], within: Within) -> Iterator[Declared]:
    """A wrapper of two layers; the second is the first one with its direction turned, unless the config tells of another."""
    forward, told = config.get("layer"), config.get("backward_layer")
    backward = told if isinstance(told, dict) else forward
    first = list(_recurrent(forward, within.at("forward_layer"), alone=False))
    second = list(_recurrent(backward, within.at("backward_layer"), alone=False))
    if not first:
        return
    names = [_plain_name(forward, "forward_", told=False), _plain_name(backward, "backward_", told=backward is told)]
    cells = {
        way: parts[0].cells[Direction.FORWARD]._replace(name=name)
        for way, parts, name in zip(Direction, (first, second), names, strict=True)
        if parts
    }
    problem = _other_ways(config, forward, told) or first[0].problem
    if not second:
        problem = problem or f"has a backward layer of class {printable(_class(backward))}, and only an LSTM is explained"
    elif len(first) > 1 or len(second) > 1:
        problem = "has a stack of cells in it, which is explained only outside of Bidirectional"
    else:
        problem = problem or second[0].problem
    unjoined = "merge_mode None: Keras does not join the outputs of the two directions"
    notes = (*first[0].notes, unjoined) if config.get("merge_mode", "concat") is None else first[0].notes
    yield Declared(within.names, f"keras.layers.Bidirectional({_class(forward)})", cells, problem, notes)


def _plain_name(layer: Any, start: str, told: bool) -> str:
    """A part's name as it is in the names of its weights."""
    name = str(_dict(_of(layer, "config")).get("name", ""))[:LONGEST_NAME]
    return name if told else start + name.removeprefix(start)


def _other_ways(config: dict[str, Any], forward: Any, backward: Any) -> str | None:
    """Why a Bidirectional computes something else than ours does."""
    mode = config.get("merge_mode", "concat")
    if mode not in ("concat", None):
        return f"has merge_mode {_said(mode)}, and only concat is explained"
    if _dict(_of(forward, "config")).get("go_backwards"):
        return "has a forward layer that reads backwards, which is not explained"
    if isinstance(backward, dict) and not _dict(_of(backward, "config")).get("go_backwards"):
        return "has a backward layer that reads forwards, which is not explained"
    return None


# --- LSTM layers ------------------------------------------------------------------------------------------------------


def _recurrent(layer: Any, within: Within, alone: bool = True) -> Iterator[Declared]:
    """An LSTM layer, or the LSTM cells of an RNN layer; `alone` where it is no part of a Bidirectional."""
    kind, config = _class(layer), _dict(_of(layer, "config"))
    turned = alone and bool(config.get("go_backwards"))
    if isinstance(_of(layer, "registered_name"), str):
        within = within.noted(f"a class {printable(kind)} of the user's own, read as that of Keras")
    if kind in ("LSTM", "CuDNNLSTM"):
        cell = Cell((*within.place, "cell"), within.names[-1] if within.names else "")
        yield _turned(_cell(config, within, cell, f"keras.layers.{kind}"), turned)
    if kind != "RNN":
        return
    inner = config.get("cell")
    if _class(inner) == "LSTMCell":
        own = _dict(_of(inner, "config"))
        cell = Cell((*within.place, "cell"), str(own.get("name", ""))[:LONGEST_NAME])
        yield _turned(_cell(own, within, cell, "keras.layers.RNN(LSTMCell)"), turned)
    elif _class(inner) == "StackedRNNCells":
        problem = "is one of a stack of cells that reads backwards (go_backwards=True), which is not explained"
        yield from _stacked(_dict(_of(inner, "config")), within, problem if turned else None)


def _turned(declared: Declared, turned: bool) -> Declared:
    """A layer that reads from the end, or as it is."""
    return declared._replace(title=f"{declared.title}, go_backwards", reverse=True) if turned else declared


def _stacked(config: dict[str, Any], within: Within, problem: str | None) -> Iterator[Declared]:
    cells = config.get("cells")
    counts: dict[str, int] = {}
    for cell in cells if isinstance(cells, list) else []:
        own, snake = _dict(_of(cell, "config")), _snake(_class(cell))
        counts[snake] = counts.get(snake, -1) + 1
        unique = f"{snake}_{counts[snake]}" if counts[snake] else snake
        if _class(cell) == "LSTMCell":
            name = str(own.get("name", unique))[:LONGEST_NAME]
            inner, place = within.inner(name), (*within.place, "cell", "cells", unique)
            yield _cell(own, inner, Cell(place, name), "keras.layers.RNN(StackedRNNCells), one LSTMCell", problem)


def _cell(config: dict[str, Any], within: Within, cell: Cell, title: str, problem: str | None = None) -> Declared:
    notes = list(within.notes)
    if not title.endswith("CuDNNLSTM"):  # cuDNN knows no other activations, and the layer no such options
        for option, standard in STANDARD.items():
            if option not in config:
                notes.append(f"the file does not say its {option}: read as {standard}")
            elif config[option] != standard:
                problem = problem or f"has {option} {_said(config[option])}, and only {standard} is explained"
    policy = _policy(config.get("dtype", "float32"))
    plain = policy.removeprefix("mixed_")
    if plain not in PLAIN_TYPES:
        problem = problem or f"has dtype {printable(policy)}; quantised layers and types of their own are not explained"
    if plain in ("float16", "bfloat16"):
        notes.append(f"Keras computes it in {plain}")
    return Declared(within.names, title, {Direction.FORWARD: cell}, problem, tuple(notes))


# --- reading whatever stands there ------------------------------------------------------------------------------------


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _of(layer: Any, key: str) -> Any:
    return _dict(layer).get(key)


def _class(layer: Any) -> str:
    return str(_dict(layer).get("class_name", ""))[:LONGEST_NAME]


def _name(layer: Any, file: str) -> str:
    name = _dict(_of(layer, "config")).get("name") or _of(layer, "name") or _snake(_class(layer)) or "layer"
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        raise InputFileError(file, f"its config has a layer whose name is no text of at most {LONGEST_NAME} letters")
    return name


def _policy(dtype: Any) -> str:
    """The name of a dtype or of a dtype policy."""
    if isinstance(dtype, str):
        return dtype
    config = _dict(_of(dtype, "config"))
    name = config.get("name") or "_from_".join(str(config[key]) for key in ("mode", "source_name") if key in config)
    return str(name) or _class(dtype) or "of an unknown kind"


def _said(value: Any) -> str:
    """An option's value in a few letters: its name, or the name of a function."""
    for key in ("config", "class_name"):
        value = value[key] if isinstance(value, dict) and isinstance(value.get(key), str) else value
    return printable(value) if isinstance(value, str) else "a function or object of its own"


def _snake(name: str) -> str:
    """The name of a class as Keras writes it in paths: `TimeDistributed` is `time_distributed`, `LSTM` is `lstm`."""
    return re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", re.sub(r"\W+", "", name)).lower()
