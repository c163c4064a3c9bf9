"""A Keras model's config: which of its layers are LSTMs, with the names, options and inputs of each.

It is read as data. Nothing that it names is looked up, imported or called. The keys are those of `get_config` in Keras 2 and
3; the paths of a layer's weights follow from the order of the layers, as in keras/src/saving/saving_lib.py.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.core.gates import Direction
from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.containers.strict_json import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.readers.containers.bounded_file import MemoryBudget

MAX_DEPTH = 32
MAX_LAYERS = 10_000
MAX_NAME_LENGTH = 1024
ACTIVATIONS = {"activation": "tanh", "recurrent_activation": "sigmoid"}
PLAIN_TYPES = ("float32", "float64", "float16", "bfloat16")
LSTM_CLASSES = ("LSTM", "CuDNNLSTM", "Bidirectional", "RNN")
PASS_THROUGH_CLASSES = (
    "InputLayer", "Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise", "AlphaDropout", "ActivityRegularization",
    "Identity",
)  # fmt: skip
"""Layers that change nothing when a model is used; some of them do while it is trained."""
MAX_CALLS = 16
"""Of a layer that is called more often, the first calls are looked at."""


class ConfigCell(NamedTuple):
    """One LSTM cell in a config."""

    path: tuple[str, ...]
    """Its path in `.weights.h5`."""
    name: str
    """The name that is in its weights' names in a legacy file."""


class ConfigLSTM(NamedTuple):
    """One LSTM layer in a config."""

    names: tuple[str, ...]
    """The user's name for it, after the names of the models and layers that it is in."""
    title: str
    cells: dict[Direction, ConfigCell]
    problem: str | None
    """Why it is not supported."""
    notes: tuple[str, ...]
    reverse: bool = False
    """Whether it reads the sequence from its end (`go_backwards`), and is not a part of a Bidirectional."""
    fed_by: tuple[str, ...] | None = None
    """The layers that it reads, by their names joined with slashes; None where that is not known."""
    fed_states: bool = False
    """Whether the model gives it initial states."""

    @property
    def name(self) -> str:
        """Its names joined with slashes."""
        return "/".join(self.names) or "lstm"


class ConfigPath(NamedTuple):
    """What a layer is in: names, the path in the file, notes on what is around it."""

    names: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def enter(self, name: str, *path: str, note: str | None = None) -> ConfigPath:
        """Return the path of a layer inside."""
        return ConfigPath((*self.names, name), (*self.path, *path), (*self.notes, note) if note else self.notes)

    def enter_group(self, group: str) -> ConfigPath:
        """Return the path of a group inside, which is not a layer."""
        return self._replace(path=(*self.path, group))


def read_config(text: bytes | str, budget: MemoryBudget) -> tuple[ConfigLSTM, ...]:
    """Read the LSTM layers of a model, in the order of its layers.

    Raises:
        InputFileError: the text is not a JSON object, or a key appears twice in it.
        RefusedError: it is larger than the memory budget allows, or its models are nested too deeply.
    """
    config = parse_json(text, budget, "its config")
    if not isinstance(config, dict):
        raise InputFileError(budget.name, "its config is not a JSON object")
    layers = tuple(islice(_iter_layers(config, ConfigPath(), budget.name), MAX_LAYERS + 1))
    if len(layers) > MAX_LAYERS:
        raise RefusedError(budget.name, f"its config has more than {MAX_LAYERS} LSTM layers, and no model has")
    connections = _Connections()
    connections.trace(config, (), ())
    names = ["/".join(layer.names) for layer in layers]
    return tuple(
        layer._replace(fed_by=connections.inputs.get(name), fed_states=name in connections.with_states)
        for name, layer in zip(names, layers, strict=True)
    )


# --- models and wrappers ----------------------------------------------------------------------------------------------


def _iter_layers(layer: Any, path: ConfigPath, file: str) -> Iterator[ConfigLSTM]:
    """Yield the LSTM layers in a layer or model; `path` includes its name, unless it is the whole model."""
    if len(path.path) > 2 * MAX_DEPTH:
        raise RefusedError(file, f"its config has more than {MAX_DEPTH} models in each other")
    kind, config = _class_name(layer), _as_dict(layer).get("config")
    children, inner = _children(config), _as_dict(config).get("layer")
    if children is not None:
        for child, unique in _unique_class_names(children):
            yield from _iter_layers(child, path.enter(_layer_name(child, file), "layers", unique), file)
    elif kind in ("LSTM", "CuDNNLSTM", "RNN"):
        yield from _recurrent_layers(layer, path)
    elif kind == "Bidirectional":
        yield from _bidirectional_layers(_config(layer), path)
    elif isinstance(inner, dict):
        note = f"inside {printable(kind)}"
        yield from _iter_layers(inner, path.enter(_layer_name(inner, file), "layer", note=note), file)


def _children(config: Any) -> list[Any] | None:
    """Return a model's layers; Keras before 2.2.3 wrote the list of a Sequential's layers alone."""
    children = config if isinstance(config, list) else _as_dict(config).get("layers")
    return children if isinstance(children, list) else None


def _unique_class_names(layers: list[Any]) -> Iterator[tuple[Any, str]]:
    """Yield layers, each with the name of its class and a number, as Keras writes them in paths."""
    counts: dict[str, int] = {}
    for layer in layers:
        snake = _snake_case(_class_name(layer))
        counts[snake] = counts.get(snake, -1) + 1
        yield layer, f"{snake}_{counts[snake]}" if counts[snake] else snake


def _bidirectional_layers(config: dict[str, Any], path: ConfigPath) -> Iterator[ConfigLSTM]:
    """Yield a wrapper of two layers; the second is the first one reversed, unless the config has another."""
    forward, own_backward = config.get("layer"), config.get("backward_layer")
    has_own_backward = isinstance(own_backward, dict)
    backward = own_backward if has_own_backward else forward
    first = list(_recurrent_layers(forward, path.enter_group("forward_layer"), standalone=False))
    second = list(_recurrent_layers(backward, path.enter_group("backward_layer"), standalone=False))
    if not first:
        return
    names = [_weight_name(forward, "forward_"), _weight_name(backward, "" if has_own_backward else "backward_")]
    cells = {
        direction: layers[0].cells[Direction.FORWARD]._replace(name=name)
        for direction, layers, name in zip(Direction, (first, second), names, strict=True)
        if layers
    }
    problem = _bidirectional_problem(config, forward, own_backward) or first[0].problem
    if not second:
        problem = problem or f"it has a backward layer of class {printable(_class_name(backward))}; only an LSTM is explained"
    elif len(first) > 1 or len(second) > 1:
        problem = "it has a stack of cells in it, which is explained only outside of Bidirectional"
    else:
        problem = problem or second[0].problem
    notes = first[0].notes
    if config.get("merge_mode", "concat") is None:
        notes = (*notes, "merge_mode None: Keras does not join the outputs of the two directions")
    yield ConfigLSTM(path.names, f"keras.layers.Bidirectional({_class_name(forward)})", cells, problem, notes)


def _weight_name(layer: Any, prefix: str) -> str:
    """Return the name of a direction's layer as it is in the names of its weights."""
    name = str(_config(layer).get("name", ""))[:MAX_NAME_LENGTH]
    return prefix + name.removeprefix(prefix)


def _bidirectional_problem(config: dict[str, Any], forward: Any, backward: Any) -> str | None:
    """Return why a Bidirectional computes something else than ours does."""
    mode = config.get("merge_mode", "concat")
    if mode not in ("concat", None):
        return f"it has merge_mode {_option_label(mode)}; only concat is explained"
    if _config(forward).get("go_backwards"):
        return "it has a forward layer that reads backwards, which is not explained"
    if isinstance(backward, dict) and not _config(backward).get("go_backwards"):
        return "it has a backward layer that reads forwards, which is not explained"
    return None


# --- LSTM layers ------------------------------------------------------------------------------------------------------


def _recurrent_layers(layer: Any, path: ConfigPath, standalone: bool = True) -> Iterator[ConfigLSTM]:
    """Yield an LSTM layer, or the LSTM cells of an RNN layer; `standalone` where it is not a part of a Bidirectional."""
    kind, config = _class_name(layer), _config(layer)
    backwards = standalone and bool(config.get("go_backwards"))
    if isinstance(_as_dict(layer).get("registered_name"), str):
        path = path._replace(notes=(*path.notes, f"a class {printable(kind)} of the user's own, read as that of Keras"))
    if kind in ("LSTM", "CuDNNLSTM"):
        cell = ConfigCell((*path.path, "cell"), path.names[-1] if path.names else "")
        yield _lstm_layer(config, path, cell, f"keras.layers.{kind}", backwards)
    if kind != "RNN":
        return
    inner = config.get("cell")
    inner_config = _config(inner)
    if _class_name(inner) == "LSTMCell":
        cell = ConfigCell((*path.path, "cell"), str(inner_config.get("name", ""))[:MAX_NAME_LENGTH])
        yield _lstm_layer(inner_config, path, cell, "keras.layers.RNN(LSTMCell)", backwards)
    elif _class_name(inner) == "StackedRNNCells":
        problem = "it is one of a stack of cells that reads backwards (go_backwards=True), which is not explained"
        cells = inner_config.get("cells")
        for stacked, unique in _unique_class_names(cells if isinstance(cells, list) else []):
            if _class_name(stacked) == "LSTMCell":
                options = _config(stacked)
                name = str(options.get("name", unique))[:MAX_NAME_LENGTH]
                cell = ConfigCell((*path.path, "cell", "cells", unique), name)
                lstm = _lstm_layer(options, path.enter(name), cell, "keras.layers.RNN(StackedRNNCells), one LSTMCell")
                yield lstm._replace(problem=problem) if backwards else lstm


def _lstm_layer(config: dict[str, Any], path: ConfigPath, cell: ConfigCell, title: str, backwards: bool = False) -> ConfigLSTM:
    notes, problem = list(path.notes), None
    if not title.endswith("CuDNNLSTM"):  # a layer of cuDNN has neither other activations nor these options
        for option, standard in ACTIVATIONS.items():
            if option not in config:
                notes.append(f"the file does not say its {option}: read as {standard}")
            elif config[option] != standard:
                problem = problem or f"it has {option} {_option_label(config[option])}; only {standard} is explained"
    policy = _dtype_name(config.get("dtype", "float32"))
    plain = policy.removeprefix("mixed_")
    if plain not in PLAIN_TYPES:
        problem = problem or f"it has dtype {printable(policy)}; quantised layers and other types are not explained"
    if plain in ("float16", "bfloat16"):
        notes.append(f"Keras computes it in {plain}")
    title = f"{title}, go_backwards" if backwards else title
    return ConfigLSTM(path.names, title, {Direction.FORWARD: cell}, problem, tuple(notes), backwards)


# --- what each layer reads --------------------------------------------------------------------------------------------


class _Connections:
    """What the LSTM layers of a model read, each by its names joined with slashes.

    Layers that pass on what they read when a model is used, such as Dropout, are seen through.
    """

    def __init__(self) -> None:
        self.inputs: dict[str, tuple[str, ...]] = {}
        """The layers whose output sequence each reads, several where it is called several times."""
        self.with_states: set[str] = set()
        """Those that are given initial states."""

    def trace(self, layer: Any, names: tuple[str, ...], sources: tuple[str, ...]) -> tuple[str, ...]:
        """Return the layers whose outputs a layer or model passes on, given the outputs of the layers `sources`."""
        kind, config, itself = _as_dict(layer).get("class_name"), _as_dict(layer).get("config"), ("/".join(names),)
        children = _children(config)
        if isinstance(_as_dict(layer).get("registered_name"), str) and kind not in ("Functional", "Sequential"):
            self.inputs.update({itself[0]: sources} if kind in LSTM_CLASSES else {})
            return itself  # a class of the user's own
        if kind == "Sequential" and children is not None:
            for child in children:
                sources = self.trace(child, (*names, _graph_name(child)), sources)
            return sources
        if kind in ("Functional", "Model") and children is not None:
            outputs = _as_dict(config).get("output_layers")
            return self._trace_graph(children, outputs, names, sources) or itself
        cell = _as_dict(_as_dict(config).get("cell"))
        if kind == "RNN" and cell.get("class_name") == "StackedRNNCells":
            cells = _config(cell).get("cells")
            for stacked in cells if isinstance(cells, list) else []:  # each reads the outputs of the one below it
                name = "/".join((*names, _graph_name(stacked)))
                self.inputs[name] = sources
                sources = (name,)
            return sources
        if kind in LSTM_CLASSES:
            self.inputs[itself[0]] = sources
            return itself
        return sources or itself if kind in PASS_THROUGH_CLASSES else itself

    def _trace_graph(
        self, children: list[Any], model_outputs: Any, names: tuple[str, ...], sources: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Trace a Functional model, whose layers come in its config after those that they read."""

        def join_path(name: str) -> str:
            return "/".join((*names, name))

        def layers_behind(tensors: list[tuple[str, Any]]) -> Iterator[str]:
            for name, output in tensors:
                if output == 0:
                    yield from outputs.get(name, (join_path(name),))
                else:
                    yield f"another output of {join_path(name)}"

        child_names = [_graph_name(child) for child in children]
        single_input = sum(_as_dict(child).get("class_name") == "InputLayer" for child in children) == 1
        outputs: dict[str, tuple[str, ...]] = {  # a layer that is called on its own output
            name: (join_path(name),)
            for name, child in zip(child_names, children, strict=True)
            if _as_dict(child).get("class_name") in LSTM_CLASSES
        }
        is_unique = len(set(child_names)) == len(children)
        for name, child in zip(child_names, children, strict=True) if is_unique else ():
            nodes = _as_dict(child).get("inbound_nodes")
            calls = [list(_iter_call_tensors(call)) for call in (nodes if isinstance(nodes, list) else [])[:MAX_CALLS]]
            inputs = [layer for tensors in calls for layer in layers_behind(tensors[:1])]
            if not calls and single_input:
                inputs = list(sources)
            if any(len(tensors) > 1 for tensors in calls):
                self.with_states.add(join_path(name))
            outputs[name] = self.trace(child, (*names, name), tuple(dict.fromkeys(inputs))[:MAX_CALLS])
        first_output = [] if isinstance(model_outputs, dict) else list(_iter_call_tensors(model_outputs))[:1]
        return tuple(layers_behind(first_output))


def _iter_call_tensors(call: Any) -> Iterator[tuple[str, Any]]:
    """Yield the layers whose outputs are given in a call, each with the index of the output; a mask is not one of them.

    Keras 3 writes a `keras_history` of name, call and output; Keras 2 lists that begin with these.
    """
    pending = [call]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            is_tensor = item.get("class_name") == "__keras_tensor__"
            history = _config(item).get("keras_history") if is_tensor else None
            others = [value for key, value in reversed(item.items()) if key != "mask"]
            pending += others if history is None else [history]
        elif isinstance(item, list) and len(item) >= 3 and isinstance(item[0], str) and all(type(n) is int for n in item[1:3]):
            yield item[0], item[2]
            pending += reversed(item[3:])
        elif isinstance(item, list):
            pending += reversed(item)


# --- values of any type -----------------------------------------------------------------------------------------------


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _config(layer: Any) -> dict[str, Any]:
    return _as_dict(_as_dict(layer).get("config"))


def _class_name(layer: Any) -> str:
    return str(_as_dict(layer).get("class_name", ""))[:MAX_NAME_LENGTH]


def _layer_name(layer: Any, file: str) -> str:
    name = _configured_name(layer) or _snake_case(_class_name(layer)) or "layer"
    if not isinstance(name, str) or len(name) > MAX_NAME_LENGTH:
        problem = f"its config has a layer whose name is not a text of at most {MAX_NAME_LENGTH} characters"
        raise InputFileError(file, problem)
    return name


def _graph_name(layer: Any) -> str:
    """Return a layer's name; what has none is not an LSTM that could be stacked."""
    name = _configured_name(layer)
    return name if isinstance(name, str) else ""


def _configured_name(layer: Any) -> Any:
    return _config(layer).get("name") or _as_dict(layer).get("name")


def _dtype_name(dtype: Any) -> str:
    """Return the name of a dtype or of a dtype policy."""
    if isinstance(dtype, str):
        return dtype
    config = _config(dtype)
    name = config.get("name") or "_from_".join(str(config[key]) for key in ("mode", "source_name") if key in config)
    return str(name) or _class_name(dtype) or "of an unknown kind"


def _option_label(value: Any) -> str:
    """Return an option's value in a few characters: its name, or the name of a function."""
    for key in ("config", "class_name"):
        value = value[key] if isinstance(value, dict) and isinstance(value.get(key), str) else value
    return printable(value) if isinstance(value, str) else "a custom function or object"


def _snake_case(name: str) -> str:
    """Return the name of a class as Keras writes it in paths: `TimeDistributed` is `time_distributed`, `LSTM` is `lstm`."""
    return re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", re.sub(r"\W+", "", name)).lower()
