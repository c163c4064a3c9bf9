"""Keras files: `.keras` archives, `.weights.h5` of Keras 3, and the legacy `.h5` of Keras 2 and 3.

The arrays of a cell are recognised by their names and shapes, and matched with what the model's config says of them. Two
layouts are known. `.weights.h5` has `layers/lstm/cell/vars/0`, `1`, `2`: the layer's class in the path, and its name in an
attribute of `layers/lstm/vars`. The legacy layout has `model_weights/<layer>/.../kernel`, `recurrent_kernel` and `bias`;
Keras 2 wrote `:0` behind each.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES, Direction
from lstm_explain.core.weights import Weights
from lstm_explain.errors import InputFileError, UsageError, printable
from lstm_explain.frameworks.keras import KERAS_CONVENTION
from lstm_explain.readers.containers.hdf5 import Hdf5File
from lstm_explain.readers.containers.strict_json import check_json_size
from lstm_explain.readers.containers.zip_archive import ZipArchive
from lstm_explain.readers.identify.find_lstms import not_lstm_reason
from lstm_explain.readers.identify.keras_config import ConfigLSTM, read_config
from lstm_explain.readers.identify.model_lstm import FED_STATES, ModelLSTM, UnsupportedLayer, validate_lstm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.readers.containers.bounded_file import MemoryBudget
    from lstm_explain.readers.containers.hdf5 import Dataset

CONFIG_MEMBER, WEIGHTS_MEMBER = "config.json", "model.weights.h5"
KERNEL, RECURRENT_KERNEL, BIAS = KERAS_CONVENTION.kernel, KERAS_CONVENTION.recurrent_kernel, KERAS_CONVENTION.biases[0]
TENSORS = (KERNEL, RECURRENT_KERNEL, BIAS)
CELL_NAME = re.compile(r"lstm_cell(_\d+)?")
CHECKPOINT = "_layer_checkpoint_dependencies"
"""What Keras 2.12 to 2.15 wrote in `.keras` files in place of `layers`."""
OTHER_WEIGHTS = ("optimizer_weights/", "training/")
MAX_CANDIDATES = 16
COPIES = 4
"""A layer's numbers: as they are in the file, in their type here, sorted by gates, and once more while they are sorted."""


class StoredCell(NamedTuple):
    """The arrays of one recurrent cell, and their place in the file."""

    group: str
    path: tuple[str, ...]
    """`.weights.h5`: as in `ConfigCell.path`. Legacy: the layer's name, then its weights' name."""
    names: tuple[str, ...]
    """What the file itself calls the layer, and what that is in."""
    is_legacy: bool
    tensors: dict[str, Dataset]
    extra_arrays: str | None
    """Why its arrays are another cell's than an LSTM's."""
    unknown_class: str | None
    """Why it may be of another class, unless a config has its class."""

    @property
    def features(self) -> int:
        """How many numbers an LSTM cell reads."""
        return self.tensors[KERNEL].shape[0]

    @property
    def units(self) -> int:
        """How many units an LSTM cell has."""
        return self.tensors[RECURRENT_KERNEL].shape[0]

    @property
    def biases(self) -> int:
        """How many biases each neuron of an LSTM cell has: two where cuDNN's layout was stored."""
        return self.tensors[BIAS].shape[0] // (len(GATES) * self.units) if BIAS in self.tensors else 0

    @property
    def is_cudnn(self) -> bool:
        """Whether it is the cell of a `CuDNNLSTM`."""
        return self.lstm_problem() is None and self.biases == 2

    def lstm_problem(self) -> str | None:
        """Return why these are not an LSTM's arrays, or None."""
        shapes = {name: tensor.shape for name, tensor in self.tensors.items()}
        if (problem := not_lstm_reason(shapes, KERAS_CONVENTION)) is not None:
            return problem
        neurons = len(GATES) * self.units
        if not self.features or shapes[KERNEL][1] != neurons:
            return f"it is not an LSTM: it has a kernel of {list(shapes[KERNEL])} for {neurons} neurons"
        if BIAS in shapes and shapes[BIAS] not in ((neurons,), (2 * neurons,)):
            return f"it has a bias of {list(shapes[BIAS])} for {neurons} neurons"
        return self.extra_arrays

    def read_weights(self, file: Hdf5File) -> LayerWeights:
        """Read its arrays in our own arrangement; all float64 where any is, else float32."""
        arrays = {name: file.read_dataset(dataset) for name, dataset in self.tensors.items()}
        dtype = np.result_type(*arrays.values())
        arrays = {name: array.astype(dtype, copy=False) for name, array in arrays.items()}
        with np.errstate(all="ignore"):  # what is not finite in a file stays so
            return KERAS_CONVENTION.unpack(_from_cudnn(arrays) if self.biases == 2 else arrays)


class StoredLayer(NamedTuple):
    """One LSTM layer before its numbers are read: what the config says of it, and its cells."""

    config: ConfigLSTM
    cells: dict[Direction, StoredCell]

    @property
    def problem(self) -> str | None:
        """Why it is not supported."""
        problems = (cell.lstm_problem() for cell in self.cells.values())
        return next((problem for problem in problems if problem), None) or self.config.problem or self._size_difference()

    def _size_difference(self) -> str | None:
        """Return why two directions are not one layer, whose directions have the same sizes."""
        for size in ("units", "features", "biases"):
            sizes = [getattr(cell, size) for cell in self.cells.values()]
            if len(set(sizes)) > 1:
                return f"it has {sizes[0]} {size} forward and {sizes[1]} backward; only layers alike in both are explained"
        return None


def read_keras(
    file: BinaryIO, model_format: Literal["keras", "hdf5"], budget: MemoryBudget, convention: str | None = None
) -> tuple[ModelLSTM, ...]:
    """Read every LSTM in a file that Keras wrote. The model is not built, and nothing that its config names is run.

    Raises:
        InputFileError: the file, its config or its weights are malformed, or it has only layers that are not supported.
        RefusedError: it takes more than the budget, or leads to other files.
        MissingExtraError: pyfive is not installed.
        UsageError: a convention other than Keras' is given.
    """
    if convention not in (None, "keras"):
        problem = "HDF5 and .keras files are only read in Keras' own convention"
        raise UsageError(f"--convention {printable(convention)}", problem, "Leave it out")
    if model_format == "hdf5":
        return _read_layers(Hdf5File(file, budget), (), budget)
    archive = ZipArchive(file, budget)
    for member in (CONFIG_MEMBER, WEIGHTS_MEMBER):
        if member not in archive.member_names:
            raise InputFileError(archive.name, f"it has no {member}", "Save the model as one .keras file with Keras 3")
    size = archive.member_size(WEIGHTS_MEMBER)
    budget.check(2 * size, f"reading {WEIGHTS_MEMBER}")
    check_json_size(archive.member_size(CONFIG_MEMBER), budget, "its config", held=size)
    config = read_config(archive.read_member(CONFIG_MEMBER), budget)
    weights = io.BytesIO(archive.read_member(WEIGHTS_MEMBER))
    budget.take(size, f"reading {WEIGHTS_MEMBER}")
    return _read_layers(Hdf5File(weights, budget), config, budget)


def _read_layers(file: Hdf5File, config: Sequence[ConfigLSTM], budget: MemoryBudget) -> tuple[ModelLSTM, ...]:
    """Read the LSTMs of a file: those of the config in its order, then the others. The file may embed a config."""
    embedded = file.attributes.get("", {}).get("model_config")
    if isinstance(embedded, list):
        raise InputFileError(file.name, "its model_config is a list of texts, not one text")
    if embedded is not None and not config:
        config = read_config(embedded, budget)
    cells = _CellIndex(_find_cells(file))
    layers, missing = _layers_from_config(cells, config)
    layers += _layers_without_config(list(cells.unmatched.values()), _keras_version(file))
    supported = [layer for layer in layers if layer.problem is None]
    tensors = [tensor for layer in supported for cell in layer.cells.values() for tensor in cell.tensors.values()]
    for tensor in tensors:
        if tensor.problem is not None:
            raise tensor.problem
    budget.check(COPIES * sum(tensor.loaded_bytes for tensor in tensors), "reading its LSTMs")
    counts = Counter(layer.config.name for layer in layers)
    names = [  # the path where another layer has the same name
        layer.config.name if counts[layer.config.name] == 1 else layer.cells[min(layer.cells)].group for layer in layers
    ]
    named = list(zip(names, layers, strict=True))
    name_of = {layer.config.name: name for name, layer in reversed(named)}
    unsupported = (*(UnsupportedLayer(name, layer.problem) for name, layer in named if layer.problem is not None), *missing)
    if not supported and unsupported:
        raise unsupported[0].error(file.name)
    return tuple(_read_layer(layer, file, name, name_of, unsupported) for name, layer in named if layer.problem is None)


def _read_layer(
    layer: StoredLayer, file: Hdf5File, name: str, name_of: dict[str, str], unsupported: tuple[UnsupportedLayer, ...]
) -> ModelLSTM:
    """Read an LSTM's numbers; `name_of` are the unique names of the config's layers."""
    config = layer.config
    lstm = ModelLSTM(
        name=name,
        framework="keras",
        title="; ".join([config.title, *config.notes]),
        weights=Weights(({direction: cell.read_weights(file) for direction, cell in layer.cells.items()},)),
        tensors={tensor.path: tensor.shape for cell in layer.cells.values() for tensor in cell.tensors.values()},
        biases=layer.cells[Direction.FORWARD].biases,
        reverse=config.reverse,
        caveats=(FED_STATES,) if config.fed_states else (),
        fed_by=None if config.fed_by is None else tuple(name_of.get(source, source) for source in config.fed_by),
        unsupported=unsupported,
    )
    return validate_lstm(lstm, file.name)


def _from_cudnn(arrays: dict[str, Array]) -> dict[str, Array]:
    """Convert the arrays of a `CuDNNLSTM` of Keras 2 to an LSTM's.

    Its gates have the same order, but each of their blocks holds the numbers of the transposed matrix, and all the biases
    for x come before those for h. As in keras/engine/saving.py of Keras 2.2, `_convert_rnn_weights`.
    """

    def transpose_blocks(array: Array) -> Array:
        rows = len(array)
        blocks = [np.ascontiguousarray(block).reshape(-1, rows).T for block in np.split(array, len(GATES), axis=1)]
        return np.concatenate(blocks, axis=1)

    input_bias, recurrent_bias = np.split(arrays[BIAS], 2)
    kernels = {name: transpose_blocks(arrays[name]) for name in (KERNEL, RECURRENT_KERNEL)}
    return {**kernels, BIAS: input_bias + recurrent_bias}


# --- the cells of a file ----------------------------------------------------------------------------------------------


def _find_cells(file: Hdf5File) -> tuple[StoredCell, ...]:
    """Return every recurrent cell of a file, in either layout, in the order in which Keras wrote them."""
    groups: dict[str, dict[str, Dataset]] = {}
    for path, dataset in file.datasets.items():
        group, _, name = path.rpartition("/")
        groups.setdefault(group, {})[name] = dataset
    order = _layer_order(file)
    index_of = {name: index for index, name in enumerate(order)}

    def address(cell: StoredCell) -> tuple[int, str]:  # the names of groups come back sorted
        return min((tensor.address for tensor in cell.tensors.values()), default=0), cell.group

    def legacy_order(cell: StoredCell) -> tuple[int, int, str]:
        return index_of.get(cell.path[0], len(index_of)), *address(cell)

    cells = [_cell_from_vars(group, arrays, file) for group, arrays in groups.items()]
    legacy = [_legacy_cell(group, arrays, order) for group, arrays in groups.items()]
    return (
        *sorted((cell for cell in cells if cell is not None), key=address),
        *sorted((cell for cell in legacy if cell is not None), key=legacy_order),
    )


def _cell_from_vars(group: str, arrays: dict[str, Dataset], file: Hdf5File) -> StoredCell | None:
    """Return the cell in a group called `vars` of numbered arrays, if the group above has the name of a cell."""
    *parts, last = group.split("/")
    if last != "vars" or not parts:
        return None
    path = tuple("layers" if part == CHECKPOINT else part for part in parts)
    name = file.attributes.get(group, {}).get("name")
    is_lstm_cell = CELL_NAME.fullmatch(path[-1]) or (isinstance(name, str) and CELL_NAME.fullmatch(name))
    if not is_lstm_cell and path[-1] != "cell":
        return None
    tensors = {tensor: arrays[str(number)] for number, tensor in enumerate(TENSORS) if str(number) in arrays}
    extra = f"it has {len(arrays)} arrays in its cell, and an LSTM has 2 or 3" if len(arrays) > len(tensors) else None
    unknown = f"it has a cell called {printable(str(name))}, whose class is not in the file"
    unknown_class = None if is_lstm_cell or name is None else unknown
    return StoredCell(group, path, _names_along(parts, file), False, tensors, extra, unknown_class)


def _names_along(path: list[str], file: Hdf5File) -> tuple[str, ...]:
    """Return the user's names for what a cell is in, outermost first, but not the cell's; the path's where there are none."""
    depths = [depth for depth, part in enumerate(path, start=1) if part != "cell" or depth == 1]
    names = {depth: file.attributes.get("/".join([*path[:depth], "vars"]), {}).get("name") for depth in depths}
    if not any(isinstance(name, str) for name in names.values()):
        return tuple(path[depth - 1] for depth in depths if path[depth - 1] not in ("layers", "cells", CHECKPOINT))
    directions = {depth: path[depth - 1] for depth in depths if path[depth - 1] in ("forward_layer", "backward_layer")}
    return tuple(name for depth in depths if isinstance(name := names[depth] or directions.get(depth), str))


def _legacy_cell(group: str, arrays: dict[str, Dataset], order: list[str]) -> StoredCell | None:
    """Return the cell of a group in which there is a `recurrent_kernel`."""
    named = {name.removesuffix(":0"): dataset for name, dataset in arrays.items()}
    if RECURRENT_KERNEL not in named or group.startswith(OTHER_WEIGHTS):
        return None
    path = group.removeprefix("model_weights/")
    layer = max((name for name in order if path.startswith(f"{name}/")), key=len, default=path.split("/")[0])
    below = path.removeprefix(layer).strip("/")
    if below == layer or below.startswith(f"{layer}/"):
        below = below.removeprefix(layer).strip("/")
    parts = (layer, *below.split("/")) if below else (layer,)
    names = parts[:-1] if len(parts) > 1 and CELL_NAME.fullmatch(parts[-1]) else parts
    tensors = {name: named[name] for name in TENSORS if name in named}
    others = [name for name in named if name not in TENSORS]
    extra = f"it has {printable(others[0])} beside the arrays of an LSTM" if others else None
    return StoredCell(group, parts, names, True, tensors, extra, None)


def _layer_order(file: Hdf5File) -> list[str]:
    """Return the names of a legacy file's layers, in the model's order; long lists are cut into numbered attributes."""
    lists = {**file.attributes.get("", {}), **file.attributes.get("model_weights", {})}
    parts = sorted((name for name in lists if name.startswith("layer_names")), key=lambda name: (len(name), name))
    return [name for part in parts for name in lists[part] if isinstance(lists[part], list) and name]


# --- layers of the config ---------------------------------------------------------------------------------------------


class _CellIndex:
    """The cells that are not matched yet, by their path; a forged file has many, and a config that asks for each."""

    def __init__(self, cells: Sequence[StoredCell]) -> None:
        self.unmatched = {cell.group: cell for cell in cells}
        self._by_path = {cell.path: cell for cell in cells if not cell.is_legacy}
        self._legacy: dict[tuple[str, str | None], list[StoredCell]] = {}
        for cell in cells:
            for part in {None, *cell.path[1:]} if cell.is_legacy else ():
                self._legacy.setdefault((cell.path[0], part), []).append(cell)

    def at_path(self, path: tuple[str, ...]) -> StoredCell | None:
        """Return the cell at a path in `.weights.h5`."""
        cell = self._by_path.get(path)
        return cell if cell is not None and cell.group in self.unmatched else None

    def in_legacy_layer(self, layer: str, part: str | None) -> list[StoredCell]:
        """Return the first cells of a legacy layer whose path has a part, or of all paths."""
        cells = (cell for cell in self._legacy.get((layer, part), ()) if cell.group in self.unmatched)
        return list(islice(cells, MAX_CANDIDATES))

    def take(self, cell: StoredCell) -> None:
        """Remove a cell that has been matched."""
        self.unmatched.pop(cell.group, None)


def _layers_from_config(cells: _CellIndex, config: Sequence[ConfigLSTM]) -> tuple[list[StoredLayer], list[UnsupportedLayer]]:
    """Return the layers of the config that have weights, whose cells are taken, and those that have none."""
    layers: list[StoredLayer] = []
    missing: list[UnsupportedLayer] = []
    for lstm in config:
        matches = {direction: _match_cell(cells, lstm, direction) for direction in lstm.cells}
        stored = {direction: cell for direction, cell in matches.items() if cell is not None}
        if not stored:
            problem = "it is in the config, and the file has no weights of it"
            missing.append(UnsupportedLayer(lstm.name, problem, "Save the whole model"))
            continue
        for cell in stored.values():
            cells.take(cell)
        absent = [direction.value for direction in lstm.cells if direction not in stored]
        if absent and lstm.problem is None:
            lstm = lstm._replace(problem=f"it has no weights of its {absent[0]} direction")
        layers.append(StoredLayer(lstm, stored))
    return layers, missing


def _match_cell(cells: _CellIndex, lstm: ConfigLSTM, direction: Direction) -> StoredCell | None:
    """Return the cell of a config's layer: by its path, or in the legacy layout by its names."""
    config_cell = lstm.cells[direction]
    cell = cells.at_path(config_cell.path)
    if cell is not None or not lstm.names:
        return cell
    candidates = cells.in_legacy_layer(lstm.names[0], config_cell.name)
    if not candidates and len(lstm.cells) == 1:
        all_cells = cells.in_legacy_layer(lstm.names[0], None)
        candidates = all_cells if len(lstm.names) == 1 or len(all_cells) == 1 else []
    return max(candidates, key=lambda cell: len(set(lstm.names) & set(cell.path)), default=None)


# --- layers without a config ------------------------------------------------------------------------------------------


def _layers_without_config(cells: Sequence[StoredCell], version: str) -> Iterator[StoredLayer]:
    """Yield the cells that no config describes; two that are called forward and backward are one layer."""
    backwards = {key: cell for cell in cells if (key := _bidirectional_key(cell, "backward"))}
    forwards = ((cell, _bidirectional_key(cell, "forward")) for cell in cells)
    pairs = {cell.group: backwards[key] for cell, key in forwards if key and key in backwards}
    paired = {cell.group for cell in pairs.values()}
    for cell in cells:
        notes = (_assumptions(cell, version),)
        if cell.group in pairs:
            stored = {Direction.FORWARD: cell, Direction.BACKWARD: pairs[cell.group]}
            yield StoredLayer(ConfigLSTM(cell.names[:-1], "keras.layers.Bidirectional(LSTM)", {}, None, notes), stored)
        elif cell.group not in paired:
            config = ConfigLSTM(cell.names, _class_title(cell), {}, cell.unknown_class, notes)
            yield StoredLayer(config, {Direction.FORWARD: cell})


def _bidirectional_key(cell: StoredCell, direction: str) -> tuple[str, ...] | None:
    """Return what the two cells of a Bidirectional have in common; None for a cell without such a name."""
    if not cell.is_legacy:
        return cell.path[:-2] if cell.path[-2:] == (f"{direction}_layer", "cell") else None
    name, prefix = cell.names[-1], f"{direction}_"
    return (*cell.names[:-1], name.removeprefix(prefix)) if len(cell.names) > 1 and name.startswith(prefix) else None


def _class_title(cell: StoredCell) -> str:
    if cell.is_cudnn:
        return "keras.layers.CuDNNLSTM"
    if cell.path[-2:-1] and cell.path[-2].startswith("rnn") and cell.path[-1] == "cell":
        return "keras.layers.RNN(LSTMCell)"
    return "keras.layers.LSTM" if cell.is_legacy or cell.path[-1] == "cell" else "keras.layers.LSTMCell"


def _assumptions(cell: StoredCell, version: str) -> str:
    """Return a note on what is assumed, because only a config could say it."""
    if cell.is_cudnn:
        return "the file does not say its direction: read as forward"
    note = "the file does not say its activations or direction: read as tanh and sigmoid, forward"
    is_old = version.startswith(("1.", "2.0.", "2.1.", "2.2."))
    return f"{note} (Keras {printable(version)} wrote it, whose own default was hard_sigmoid)" if is_old else note


def _keras_version(file: Hdf5File) -> str:
    for group in ("", "model_weights"):
        version = file.attributes.get(group, {}).get("keras_version")
        if isinstance(version, str):
            return version
    return ""
