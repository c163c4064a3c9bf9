"""The LSTMs of an ONNX model: nodes LSTM, also inside If, Loop, Scan and functions, and LSTMs in elementary operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from lstm_explain.errors import InputFileError, RefusedError, UsageError, printable
from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.onnx import parse_model
from lstm_explain.readers.containers.onnx.constants import Constants
from lstm_explain.readers.containers.onnx.graph import decode_text, operator_name, walk_nodes
from lstm_explain.readers.identify.model_lstm import UnsupportedLayer
from lstm_explain.readers.identify.onnx.dataflow import GraphValue
from lstm_explain.readers.identify.onnx.decomposed_cell import match_cell
from lstm_explain.readers.identify.onnx.decomposed_layer import find_decomposed_lstms
from lstm_explain.readers.identify.onnx.lstm_node import input_source, read_lstm_node

if TYPE_CHECKING:
    from lstm_explain.readers.identify.model_lstm import ModelLSTM
    from lstm_explain.readers.identify.onnx.decomposed_cell import CellMatch
    from lstm_explain.readers.identify.onnx.lstm_node import InputSource

OTHER_LAYERS = {
    "GRU": "a GRU",
    "RNN": "a simple recurrent layer (RNN)",
    "DynamicQuantizeLSTM": "an LSTM of quantised weights (DynamicQuantizeLSTM)",
}
MAX_LSTMS = 2_000
DECOMPOSED_OPERATORS = {"MatMul", "Sigmoid", "Tanh"}
"""What an LSTM consists of where it is not a node LSTM."""
MALFORMED_ERRORS = (
    ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, MemoryError, AttributeError,
)  # fmt: skip
"""What reading a parsed model may raise where it violates the format."""


def read_onnx(file: BinaryIO, name: str, budget: int, convention: str | None = None) -> tuple[ModelLSTM, ...]:
    """Return every LSTM in an ONNX model, each layer by itself. No code in the model is run.

    Args:
        file: the open file.
        name: the file's name.
        budget: how many bytes of memory reading may take.
        convention: None or `onnx`, as the operator defines how its weights are arranged.

    Raises:
        InputFileError: the file is malformed; or it holds no supported LSTM, and the message names what it holds.
        RefusedError: it does not fit the budget, or a weight is in another file.
        MissingExtraError: the library onnx is not installed.
        UsageError: another convention is asked for.
    """
    if convention not in (None, "onnx"):
        problem = "the operator LSTM of ONNX says itself how its weights are packed"
        raise UsageError(f"--convention {convention}", problem, "Leave it out")
    memory = MemoryBudget(name, budget)
    model = parse_model(file, memory)
    try:
        return _find_lstms(model, memory)
    except MALFORMED_ERRORS as error:
        if isinstance(error, UsageError):  # a size of the LSTM breaks a rule
            raise InputFileError(memory.name, str(error)) from None
        raise InputFileError(memory.name, f"this ONNX model makes no sense: {printable(str(error)).rstrip('.')}") from None


def _find_lstms(model: Any, budget: MemoryBudget) -> tuple[ModelLSTM, ...]:
    constants = Constants(model, budget)
    lstms: list[ModelLSTM] = []
    sources: list[tuple[GraphValue, InputSource]] = []  # of each of the LSTMs: the output sequence, and what it reads
    unsupported: list[UnsupportedLayer] = []
    cells: list[CellMatch] = []
    operators: set[str] = set()
    for graph_node in walk_nodes(model, budget.name):
        node = graph_node.node
        operator = decode_text(node.op_type)
        operators |= {operator} & DECOMPOSED_OPERATORS
        if operator_name(node) == "LSTM":
            try:
                lstm, source = read_lstm_node(graph_node, constants, budget.name), input_source(graph_node, constants)
                lstms.append(lstm)
                sources.append((GraphValue(graph_node.scope, next(iter(node.output), "")), source))
            except InputFileError as error:
                unsupported.append(UnsupportedLayer(graph_node.name, error.found, error.fix))
        elif operator in OTHER_LAYERS:
            reason = f"it is {OTHER_LAYERS[operator]}; only LSTMs are explained"
            unsupported.append(UnsupportedLayer(graph_node.name, reason))
        elif operator_name(node) == "Mul" and (cell := match_cell(graph_node)) is not None:
            cells.append(cell)
        if len(lstms) + len(unsupported) > MAX_LSTMS:
            problem = f"it has more than {MAX_LSTMS:,} recurrent nodes"
            raise RefusedError(budget.name, problem, "Give the part that matters")
    decomposed, unsupported_cells = find_decomposed_lstms(cells, constants, budget.name)
    unsupported += unsupported_cells
    if not lstms and not decomposed:
        raise _no_lstm_error(budget.name, unsupported, operators)
    named = _with_unique_names([*lstms, *decomposed])
    named[: len(lstms)] = _with_sources(named[: len(lstms)], sources)
    return tuple(lstm._replace(unsupported=tuple(unsupported)) for lstm in named)


def _no_lstm_error(file: str, unsupported: list[UnsupportedLayer], operators: set[str]) -> InputFileError:
    """Return the error for a model without LSTMs, which names its first other recurrent node."""
    if unsupported:
        count = len(unsupported) - 1
        more = f"; {count} more recurrent nodes are not explained either" if count else ""
        return unsupported[0]._replace(reason=f"{unsupported[0].reason}{more}").error(file)
    if operators == DECOMPOSED_OPERATORS:
        problem = "it has no LSTM node. Its nodes MatMul, Sigmoid and Tanh may be an LSTM in elementary operators"
        return InputFileError(file, problem, "Give the model that it was made from, such as a .keras file")
    return InputFileError(file, "no LSTM was found in this file")


def _with_unique_names(lstms: list[ModelLSTM]) -> list[ModelLSTM]:
    names: set[str] = set()
    renamed = []
    for lstm in lstms:
        name, number = lstm.name, 2
        while name in names:
            name, number = f"{lstm.name}_{number}", number + 1
        names.add(name)
        renamed.append(lstm._replace(name=name))
    return renamed


def _with_sources(lstms: list[ModelLSTM], sources: list[tuple[GraphValue, InputSource]]) -> list[ModelLSTM]:
    """Return the LSTMs with the names of what they read: another LSTM of the file, or something else."""
    names = {output: lstm.name for (output, _), lstm in zip(sources, lstms, strict=True)}

    def source_name(source: InputSource) -> str:
        if source.sequence in names:
            return names[source.sequence]
        return f"another {source.name}" if source.name in names.values() else source.name

    return [lstm._replace(fed_by=(source_name(source),)) for lstm, (_, source) in zip(lstms, sources, strict=True)]
