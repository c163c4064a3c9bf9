"""The recurrent cells in a Keras file: which of its arrays are one cell's, told by their names and shapes.

Two layouts are known. `.weights.h5` has `layers/lstm/cell/vars/0`, `1`, `2`: the layer's class in the path, and its name in an
attribute of `layers/lstm/vars`. The legacy layout has `model_weights/<layer>/.../kernel`, `recurrent_kernel` and `bias`;
Keras 2 wrote `:0` behind each.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES
from lstm_explain.errors import printable
from lstm_explain.frameworks.keras import KERAS_CONVENTION

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.readers.containers.hdf5 import Hdf5File
    from lstm_explain.readers.containers.hdf5_messages import Dataset

KERNEL, RECURRENT_KERNEL, BIAS = KERAS_CONVENTION.kernel, KERAS_CONVENTION.recurrent_kernel, KERAS_CONVENTION.biases[0]
TENSORS = (KERNEL, RECURRENT_KERNEL, BIAS)
CELL_NAME = re.compile(r"lstm_cell(_\d+)?")
CHECKPOINT = "_layer_checkpoint_dependencies"
"""What Keras 2.12 to 2.15 wrote in `.keras` files in place of `layers`."""
BESIDE_LAYERS = ("optimizer_weights/", "training/")


class Cell(NamedTuple):
    """The arrays of one recurrent cell, and where they stand."""

    group: str
    place: tuple[str, ...]
    """`.weights.h5`: its path, as a config's `Cell.place` says it. Legacy: the layer's name, then its weights' name."""
    names: tuple[str, ...]
    """What the file itself calls the layer, and what that is in."""
    legacy: bool
    tensors: dict[str, Dataset]
    oddity: str | None
    """Why its arrays are another cell's than an LSTM's."""
    unnamed: str | None
    """Why it may be of another class, unless a config tells its class."""

    @property
    def features(self) -> int:
        """How many numbers it reads, once it is known to be an LSTM's; the same for those below."""
        return self.tensors[KERNEL].shape[0]

    @property
    def units(self) -> int:
        """How many units it has."""
        return self.tensors[RECURRENT_KERNEL].shape[0]

    @property
    def biases(self) -> int:
        """How many biases each neuron has: two where cuDNN's layout was stored."""
        return self.tensors[BIAS].shape[0] // (len(GATES) * self.units) if BIAS in self.tensors else 0

    def no_lstm(self) -> str | None:
        """Why these are no LSTM's arrays, or None."""
        if RECURRENT_KERNEL not in self.tensors or KERNEL not in self.tensors:
            return f"has no {RECURRENT_KERNEL if KERNEL in self.tensors else KERNEL}"
        kernel, recurrent = self.tensors[KERNEL].shape, self.tensors[RECURRENT_KERNEL].shape
        if len(kernel) != 2 or len(recurrent) != 2:
            return f"has a kernel of {len(kernel)} axes and a recurrent_kernel of {len(recurrent)}, not 2"
        units, neurons = recurrent
        if units and neurons == 3 * units:
            return f"is a GRU: it has {neurons} neurons for {units} units, three for each; only LSTMs are explained"
        if neurons == units:
            return f"is a simple recurrent layer: it has one neuron for each of {units} units; only LSTMs are explained"
        if not units or neurons != len(GATES) * units or kernel[1] != neurons or not kernel[0]:
            return f"is no LSTM: no LSTM has a kernel of {list(kernel)} and a recurrent_kernel of {list(recurrent)}"
        if BIAS in self.tensors and self.tensors[BIAS].shape not in ((neurons,), (2 * neurons,)):
            return f"has a bias of {list(self.tensors[BIAS].shape)} for {neurons} neurons"
        return self.oddity

    def weights(self, file: Hdf5File) -> LayerWeights:
        """Its arrays, read from the file and in our own arrangement; all float64 where any is, else float32."""
        arrays = {name: file.read(dataset) for name, dataset in self.tensors.items()}
        dtype = np.result_type(*arrays.values())
        arrays = {name: array.astype(dtype, copy=False) for name, array in arrays.items()}
        with np.errstate(all="ignore"):  # what is not finite in a file stays so
            return KERAS_CONVENTION.unpack(_from_cudnn(arrays) if self.biases == 2 else arrays)


def _from_cudnn(arrays: dict[str, Array]) -> dict[str, Array]:
    """The arrays of a `CuDNNLSTM` of Keras 2 as an LSTM's.

    Its gates stand in the same order, but each of their blocks holds the numbers of the transposed matrix, and all the biases
    for x stand before those for h. As in keras/engine/saving.py of Keras 2.2, `_convert_rnn_weights`.
    """

    def turned(array: Array) -> Array:
        rows = len(array)
        blocks = [np.ascontiguousarray(block).reshape(-1, rows).T for block in np.split(array, len(GATES), axis=1)]
        return np.concatenate(blocks, axis=1)

    first, second = np.split(arrays[BIAS], 2)
    return {KERNEL: turned(arrays[KERNEL]), RECURRENT_KERNEL: turned(arrays[RECURRENT_KERNEL]), BIAS: first + second}


# --- where they are ---------------------------------------------------------------------------------------------------


def cells_in(file: Hdf5File) -> tuple[Cell, ...]:
    """Every recurrent cell of a file, in either layout."""
    groups: dict[str, dict[str, Dataset]] = {}
    for path, dataset in file.datasets.items():
        group, _, name = path.rpartition("/")
        groups.setdefault(group, {})[name] = dataset
    order = _layer_order(file)
    stored = [_stored(group, arrays, file) for group, arrays in groups.items()]
    legacy = [_legacy(group, arrays, order) for group, arrays in groups.items()]
    places = {name: place for place, name in enumerate(order)}
    return (
        *sorted((cell for cell in stored if cell is not None), key=_written),
        *sorted(
            (cell for cell in legacy if cell is not None),
            key=lambda cell: (places.get(cell.place[0], len(places)), *_written(cell)),
        ),
    )


def _written(cell: Cell) -> tuple[int, str]:
    """Where its numbers begin: Keras writes layer after layer, and the names of groups come back sorted."""
    return min((one.place for one in cell.tensors.values()), default=0), cell.group


def _stored(group: str, arrays: dict[str, Dataset], file: Hdf5File) -> Cell | None:
    """A group called `vars` of numbered arrays, behind the name of a cell."""
    *path, last = group.split("/")
    if last != "vars" or not path:
        return None
    place = tuple("layers" if one == CHECKPOINT else one for one in path)
    name = file.attributes.get(group, {}).get("name")
    known = CELL_NAME.fullmatch(place[-1]) or (isinstance(name, str) and CELL_NAME.fullmatch(name))
    if not known and place[-1] != "cell":
        return None
    tensors = {tensor: arrays[str(number)] for number, tensor in enumerate(TENSORS) if str(number) in arrays}
    oddity = f"has {len(arrays)} arrays in its cell, and an LSTM has 2 or 3" if len(arrays) > len(tensors) else None
    unnamed = (
        None if known or name is None else f"has a cell called {printable(str(name))}, whose class the file does not tell"
    )
    return Cell(group, place, _names_on(path, file), False, tensors, oddity, unnamed)


def _names_on(path: list[str], file: Hdf5File) -> tuple[str, ...]:
    """The user's names for what a cell is in, from the outside, but not the cell's; the path's where the file has no names."""
    depths = [depth for depth, part in enumerate(path, start=1) if part != "cell" or depth == 1]
    names = {depth: file.attributes.get("/".join([*path[:depth], "vars"]), {}).get("name") for depth in depths}
    if not any(isinstance(name, str) for name in names.values()):
        return tuple(path[depth - 1] for depth in depths if path[depth - 1] not in ("layers", "cells", CHECKPOINT))
    both = {depth: path[depth - 1] for depth in depths if path[depth - 1] in ("forward_layer", "backward_layer")}
    return tuple(name for depth in depths if isinstance(name := names[depth] or both.get(depth), str))


def _legacy(group: str, arrays: dict[str, Dataset], order: list[str]) -> Cell | None:
    """A group in which there is a `recurrent_kernel`."""
    named = {name.removesuffix(":0"): dataset for name, dataset in arrays.items()}
    if RECURRENT_KERNEL not in named or group.startswith(BESIDE_LAYERS):
        return None
    path = group.removeprefix("model_weights/")
    layer = max((name for name in order if path.startswith(f"{name}/")), key=len, default=path.split("/")[0])
    below = path.removeprefix(layer).strip("/")
    if below == layer or below.startswith(f"{layer}/"):
        below = below.removeprefix(layer).strip("/")
    place = (layer, *below.split("/")) if below else (layer,)
    names = place[:-1] if len(place) > 1 and CELL_NAME.fullmatch(place[-1]) else place
    tensors = {name: named[name] for name in TENSORS if name in named}
    others = [name for name in named if name not in TENSORS]
    oddity = f"has {printable(others[0])} beside the arrays of an LSTM" if others else None
    return Cell(group, place, names, True, tensors, oddity, None)


def _layer_order(file: Hdf5File) -> list[str]:
    """The names of a legacy file's layers, in the model's order; long lists of them are cut into numbered attributes."""
    lists = {**file.attributes.get("", {}), **file.attributes.get("model_weights", {})}
    parts = sorted((name for name in lists if name.startswith("layer_names")), key=lambda name: (len(name), name))
    return [name for part in parts for name in lists[part] if isinstance(lists[part], list) and name]
