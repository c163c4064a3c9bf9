"""ONNX models: every node LSTM, also inside the bodies of If, Loop and Scan and inside functions. No code in it is run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO

from lstm_explain.errors import InputFileError, MissingExtraError, RefusedError, UsageError, printable
from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.onnx.constants import OWN_DOMAINS, Constants
from lstm_explain.readers.containers.onnx.graph import Walk, graph_scope
from lstm_explain.readers.containers.onnx.size_bound import parsed_bytes
from lstm_explain.readers.containers.onnx.tensors import text
from lstm_explain.readers.identify.model_lstm import UnsupportedLayer
from lstm_explain.readers.identify.onnx.cell_pattern import cell_of
from lstm_explain.readers.identify.onnx.decomposed import read_written_out
from lstm_explain.readers.identify.onnx.lstm_node import Feed, feed_of, read_lstm

if TYPE_CHECKING:
    from lstm_explain.readers.identify.model_lstm import ModelLSTM
    from lstm_explain.readers.identify.onnx.cell_pattern import Cell

OTHERS = {
    "GRU": "a GRU",
    "RNN": "a simple recurrent layer (RNN)",
    "DynamicQuantizeLSTM": "an LSTM of quantised weights (DynamicQuantizeLSTM)",
}
MOST_LSTMS = 2_000
WRITTEN_OUT = {"MatMul", "Sigmoid", "Tanh"}
"""What an LSTM consists of where it is no node of its own."""
MALFORMED = (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, MemoryError, AttributeError)
"""Whatever reading a parsed model may raise where it is not as the format says."""


def read_onnx(file: BinaryIO, name: str, budget: int, convention: str | None = None) -> tuple[ModelLSTM, ...]:
    """Every LSTM in an ONNX model; consecutive ones stay separate.

    Args:
        file: the open file.
        name: the file's name.
        budget: how many bytes of memory reading may take.
        convention: the operator says itself how its weights are packed; None or `onnx`.

    Raises:
        InputFileError: the file is malformed; or nothing in it is an LSTM that is explained, and what is there is named.
        RefusedError: it is larger than the budget, or a weight stands in another file.
        MissingExtraError: the library is not installed.
        UsageError: another convention is asked for.
    """
    if convention not in (None, "onnx"):
        found = "the operator LSTM of ONNX says itself how its weights are packed"
        raise UsageError(f"--convention {convention}", found, "Leave it out")
    ledger = MemoryBudget(printable(name), budget)
    model = _parsed(file, ledger)
    try:
        return _found(model, ledger)
    except MALFORMED as error:
        if isinstance(error, UsageError):  # a size of the LSTM breaks a rule
            raise InputFileError(ledger.name, str(error)) from None
        raise InputFileError(ledger.name, f"this ONNX model makes no sense: {printable(str(error)).rstrip('.')}") from None


def _parsed(file: BinaryIO, ledger: MemoryBudget) -> Any:
    """The model as the library parses it, once it is known how much memory that takes."""
    try:
        from google.protobuf.message import DecodeError
        from onnx import ModelProto
    except ImportError:
        raise MissingExtraError(ledger.name, "onnx") from None
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    ledger.take(size, "reading the file")
    data = file.read(size)
    ledger.take(parsed_bytes(data, ModelProto.DESCRIPTOR, ledger.name), "parsing this ONNX model")
    try:
        model = ModelProto.FromString(data)
    except (DecodeError, ValueError, RecursionError, MemoryError) as error:
        reason = printable(str(error).partition("\n")[0]).rstrip(".")
        raise InputFileError(ledger.name, f"this is no ONNX model: {reason}", "Export it anew") from None
    if not model.HasField("graph"):
        raise InputFileError(ledger.name, "this is no ONNX model: there is no graph in it", "Export it anew")
    return model


def _found(model: Any, ledger: MemoryBudget) -> tuple[ModelLSTM, ...]:
    constants = Constants(model, ledger)
    functions = {(one.domain, one.name): one for one in model.functions}
    found: list[ModelLSTM] = []
    fed: list[tuple[tuple[int, str], Feed]] = []  # of each that is found: the sequence that it emits, and what it reads
    unfit: list[UnsupportedLayer] = []
    kinds: set[str] = set()
    cells: list[Cell] = []
    for place in Walk(ledger.name, functions).through(model.graph.node, graph_scope(model.graph)):
        kind = text(place.node.op_type)
        if kind == "LSTM" and place.node.domain in OWN_DOMAINS:
            try:
                found.append(read_lstm(place, constants, ledger.name))
                fed.append(((id(place.scope), next(iter(place.node.output), "")), feed_of(place, constants)))
            except InputFileError as error:
                unfit.append(UnsupportedLayer(place.name, error.found, error.fix))
        elif kind in OTHERS:
            unfit.append(UnsupportedLayer(place.name, f"it is {OTHERS[kind]}; only LSTMs are explained"))
        elif kind == "Mul" and (cell := cell_of(place)) is not None:
            cells.append(cell)
        kinds.add(kind) if kind in WRITTEN_OUT else None
        if len(found) + len(unfit) > MOST_LSTMS:
            raise RefusedError(ledger.name, f"it has more than {MOST_LSTMS:,} recurrent nodes", "Give the part that matters")
    written = read_written_out(cells, constants, ledger.name)
    found, unfit = [*found, *written.found], [*unfit, *written.unfit]
    if found:
        return _fed(_named_once(found, unfit), fed)
    raise _nothing(ledger.name, unfit, kinds)


def _nothing(file: str, unfit: list[UnsupportedLayer], kinds: set[str]) -> InputFileError:
    """What to say where there is no LSTM: what the first recurrent node is, if there is one."""
    if unfit:
        more = f"; {len(unfit) - 1} more recurrent nodes are not explained either" if len(unfit) > 1 else ""
        return unfit[0]._replace(reason=f"{unfit[0].reason}{more}").error(file)
    if kinds == WRITTEN_OUT:
        found = "there is no node LSTM in it. Its nodes MatMul, Sigmoid and Tanh may be one written out, as Keras exports it"
        return InputFileError(file, found, "Give the model that it was made from, such as a .keras file")
    return InputFileError(file, "there is no LSTM in it")


def _named_once(found: list[ModelLSTM], unfit: list[UnsupportedLayer]) -> tuple[ModelLSTM, ...]:
    """Every LSTM under a name of its own, and beside each what is not explained."""
    taken: set[str] = set()
    named_once = []
    for one in found:
        name, number = one.name, 2
        while name in taken:
            name, number = f"{one.name}_{number}", number + 1
        taken.add(name)
        named_once.append(one._replace(name=name, unsupported=tuple(unfit)))
    return tuple(named_once)


def _fed(found: tuple[ModelLSTM, ...], fed: list[tuple[tuple[int, str], Feed]]) -> tuple[ModelLSTM, ...]:
    """The same, each with what it reads; those that are no node of their own stand last, and have no feed."""
    names: dict[tuple[int, str] | None, str] = {key: one.name for (key, _), one in zip(fed, found, strict=False)}
    taken = set(names.values())

    def name(feed: Feed) -> str:
        if feed.key in names:
            return names[feed.key]
        return f"another {feed.name}" if feed.name in taken else feed.name

    nodes = [one._replace(fed_by=(name(feed),)) for one, feed in zip(found, (feed for _, feed in fed), strict=False)]
    return (*nodes, *found[len(nodes) :])
