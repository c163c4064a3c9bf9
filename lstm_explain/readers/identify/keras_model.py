"""From the cells in a Keras file to LSTMs: each cell is matched with what the model's config says of it, if there is one."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.core.gates import Direction
from lstm_explain.core.weights import Weights
from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.identify.find_lstms import validate_lstm
from lstm_explain.readers.identify.keras_cells import Cell, cells_in
from lstm_explain.readers.identify.model_lstm import FED_STATES, ModelLSTM, UnsupportedLayer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lstm_explain.readers.containers.hdf5 import Hdf5File
    from lstm_explain.readers.identify.keras_config import Declared

FEW = 16
COPIES = 4
"""A layer's numbers: as they are in the file, in their type here, sorted by gates, and once more while they are sorted."""


class Layer(NamedTuple):
    """One LSTM layer, before its numbers are read."""

    name: str
    title: str
    cells: dict[Direction, Cell]
    reason: str | None
    """Why it cannot be explained."""
    reverse: bool = False
    """Whether it reads the sequence from its end."""
    fed_by: tuple[str, ...] | None = None
    """The names of the layers that it reads, where the config tells."""
    caveats: tuple[str, ...] = ()


def found_in(file: Hdf5File, declared: Sequence[Declared], budget: int) -> tuple[ModelLSTM, ...]:
    """The LSTMs of a file: those that the config tells of in its order, then the others.

    Raises:
        InputFileError: there are only recurrent layers that are not explained, or an LSTM's arrays cannot be read.
        RefusedError: the LSTMs' arrays take more than the memory budget.
    """
    cells = Places(cells_in(file))
    lacking: list[UnsupportedLayer] = []
    layers = [*_told(cells, declared, lacking)]
    layers += _untold(list(cells.left.values()), _version(file))
    wanted = [layer for layer in layers if layer.reason is None]
    tensors = [one for layer in wanted for cell in layer.cells.values() for one in cell.tensors.values()]
    for problem in (one.problem for one in tensors if one.problem is not None):
        raise problem
    needed = COPIES * sum(one.loaded_bytes for one in tensors)
    if needed > budget:
        found = f"reading its LSTMs takes {needed:,} bytes of memory, and the budget is {budget:,}"
        raise RefusedError(file.name, found, "Raise --max-memory")
    if not wanted and layers:
        raise InputFileError(file.name, f"{printable(layers[0].name)} {layers[0].reason}")
    if not layers and declared:
        told = printable("/".join(declared[0].names))
        raise InputFileError(file.name, f"its config tells of {told}, and it has no weights of that", "Save the whole model")
    names = Counter(layer.name for layer in layers)
    unfit = [UnsupportedLayer(_name(layer, names), f"it {layer.reason}") for layer in layers if layer.reason is not None]
    called = {layer.name: _name(layer, names) for layer in reversed(layers)}
    return tuple(_read(layer, file, called, _name(layer, names), (*unfit, *lacking)) for layer in wanted)


def _name(layer: Layer, names: Counter[str]) -> str:
    """What to choose it by: its path where another has its name."""
    return layer.name if names[layer.name] == 1 else layer.cells[min(layer.cells)].group


def _read(layer: Layer, file: Hdf5File, called: dict[str, str], name: str, beside: tuple[UnsupportedLayer, ...]) -> ModelLSTM:
    """An LSTM and its numbers; `called` are the names to choose by, of the layers' own."""
    weights = Weights(({way: cell.weights(file) for way, cell in layer.cells.items()},))
    first = layer.cells[Direction.FORWARD]
    tensors = {one.path: one.shape for cell in layer.cells.values() for one in cell.tensors.values()}
    turned = layer.reverse
    found = ModelLSTM(name, "keras", layer.title, weights, tensors, first.biases, reverse=turned, unsupported=beside)
    fed_by = None if layer.fed_by is None else tuple(called.get(one, one) for one in layer.fed_by)
    return validate_lstm(found._replace(fed_by=fed_by, caveats=layer.caveats), file.name)


def _joined(name: str, title: str, notes: Sequence[str], cells: dict[Direction, Cell], problem: str | None) -> Layer:
    reason = next((reason for cell in cells.values() if (reason := cell.no_lstm())), None) or problem
    reason = reason or _unlike(list(cells.values()))
    return Layer(name, "; ".join([title, *notes]), cells, reason)


def _unlike(cells: list[Cell]) -> str | None:
    """Why two directions make no layer of ours, which has the same sizes in both."""
    for size in ("units", "features", "biases"):
        sizes = [getattr(cell, size) for cell in cells]
        if len(set(sizes)) > 1:
            return f"has {sizes[0]} {size} forward and {sizes[1]} backward; only layers alike in both are explained"
    return None


# --- layers that the config tells of ----------------------------------------------------------------------------------


class Places:
    """The cells that are not taken yet, found by where they stand; a forged file has many, and a config that asks for each."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.left = {cell.group: cell for cell in cells}
        self._stored = {cell.place: cell for cell in cells if not cell.legacy}
        self._legacy: dict[tuple[str, str | None], list[Cell]] = {}
        for cell in cells:
            for part in {None, *cell.place[1:]} if cell.legacy else ():
                self._legacy.setdefault((cell.place[0], part), []).append(cell)

    def at(self, place: tuple[str, ...]) -> Cell | None:
        """The cell at a place in `.weights.h5`."""
        cell = self._stored.get(place)
        return cell if cell is not None and cell.group in self.left else None

    def below(self, layer: str, part: str | None) -> list[Cell]:
        """The first cells of a legacy file in a layer's group whose path has a part, or of all paths."""
        return list(islice((cell for cell in self._legacy.get((layer, part), ()) if cell.group in self.left), FEW))

    def take(self, cell: Cell) -> None:
        """Leave a cell out from now on."""
        self.left.pop(cell.group, None)


def _told(cells: Places, declared: Sequence[Declared], lacking: list[UnsupportedLayer]) -> Iterator[Layer]:
    """The layers of the config that have weights; their cells are taken. `lacking` gets those that have none."""
    for one in declared:
        matched = {way: _matching(cells, one, way) for way in one.cells}
        own = {way: cell for way, cell in matched.items() if cell is not None}
        name = "/".join(one.names) or "lstm"
        if not own:
            lacking.append(
                UnsupportedLayer(name, "it is in the config, and the file has no weights of it", "Save the whole model")
            )
            continue
        for cell in own.values():
            cells.take(cell)
        missing = [way.value for way in one.cells if way not in own]
        problem = one.problem or (f"has no weights of its {missing[0]} direction" if missing else None)
        layer = _joined(name, one.title, one.notes, own, problem)
        asides = (FED_STATES,) if one.fed_states else ()
        yield layer._replace(reverse=one.reverse, fed_by=one.fed_by, caveats=asides)


def _matching(cells: Places, one: Declared, way: Direction) -> Cell | None:
    """The cell that a config's layer has in the file: by its place, or in the legacy layout by its names."""
    told = one.cells[way]
    here = cells.at(told.place)
    if here is not None or not one.names:
        return here
    named = cells.below(one.names[0], told.name)
    if not named and len(one.cells) == 1:
        group = cells.below(one.names[0], None)
        named = group if len(one.names) == 1 or len(group) == 1 else []
    return max(named, key=lambda cell: len(set(one.names) & set(cell.place)), default=None)


# --- layers of which there is no more than their weights --------------------------------------------------------------


def _untold(cells: Sequence[Cell], version: str) -> Iterator[Layer]:
    """The cells that no config tells of: two that are called forward and backward are one layer."""
    backwards = {key: cell for cell in cells if (key := _turned(cell, "backward"))}
    pairs = {cell.group: backwards[key] for cell in cells if (key := _turned(cell, "forward")) and key in backwards}
    taken = {cell.group for cell in pairs.values()}
    for cell in cells:
        notes = [_not_said(cell, version)]
        if cell.group in pairs:
            own = {Direction.FORWARD: cell, Direction.BACKWARD: pairs[cell.group]}
            yield _joined("/".join(cell.names[:-1]) or "lstm", "keras.layers.Bidirectional(LSTM)", notes, own, None)
        elif cell.group not in taken:
            yield _joined("/".join(cell.names) or "lstm", _title(cell), notes, {Direction.FORWARD: cell}, cell.unnamed)


def _turned(cell: Cell, way: str) -> tuple[str, ...] | None:
    """What the two cells of a Bidirectional have in common; None for a cell of no such name."""
    if not cell.legacy:
        return cell.place[:-2] if cell.place[-2:] == (f"{way}_layer", "cell") else None
    name = cell.names[-1]
    return (*cell.names[:-1], name.removeprefix(f"{way}_")) if len(cell.names) > 1 and name.startswith(f"{way}_") else None


def _is_cudnn(cell: Cell) -> bool:
    return cell.no_lstm() is None and cell.biases == 2


def _title(cell: Cell) -> str:
    if _is_cudnn(cell):
        return "keras.layers.CuDNNLSTM"
    if cell.place[-2:-1] and cell.place[-2].startswith("rnn") and cell.place[-1] == "cell":
        return "keras.layers.RNN(LSTMCell)"
    return "keras.layers.LSTM" if cell.legacy or cell.place[-1] == "cell" else "keras.layers.LSTMCell"


def _not_said(cell: Cell, version: str) -> str:
    if _is_cudnn(cell):
        return "the file does not say its direction: read as forward"
    text = "the file does not say its activations or direction: read as tanh and sigmoid, forward"
    old = version.startswith(("1.", "2.0.", "2.1.", "2.2."))
    return f"{text} (Keras {printable(version)} wrote it, whose own default was hard_sigmoid)" if old else text


def _version(file: Hdf5File) -> str:
    for group in ("", "model_weights"):
        version = file.attributes.get(group, {}).get("keras_version")
        if isinstance(version, str):
            return version
    return ""
