"""Layers that read from the end: what ONNX Runtime and Keras make of them, and every topic on them."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain.document.blocks import Note, Paragraph
from lstm_explain.errors import InputFileError, UsageError
from lstm_explain.readers.identify.model_lstm import stack_lstms
from lstm_explain.readers.model_file import read_model
from lstm_explain.render.export_weights import encode_weights
from lstm_explain.topics.convert import explain_convert
from lstm_explain.topics.frameworks import explain_frameworks
from lstm_explain.topics.registry import document_of
from lstm_explain.topics.verify import explain_verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy"),
]

TOLERANCE = 2e-6
SAMPLES, TIMESTEPS, FEATURES, UNITS = 3, 6, 2, 4
LENGTHS = [6, 2, 5]
TOPICS: dict[str, Callable[[LSTM], Any]] = {
    "shapes": lstm_explain.shapes,
    "unit": lambda lstm: lstm_explain.unit(lstm, unit=3, step=4),
    "trace": lstm_explain.trace,
    "influence": lambda lstm: lstm_explain.influence(lstm, through_time=True, poke=2),
    "memory": lstm_explain.memory,
    "equations": lstm_explain.equations,
    "tasks": lstm_explain.tasks,
    "terms": lstm_explain.terms,
    "frameworks": explain_frameworks,
}


def batch() -> Array:
    numbers: Array = np.random.default_rng(4).standard_normal((SAMPLES, TIMESTEPS, FEATURES)).astype(np.float32)
    return numbers


def distance(one: Any, other: Any) -> float:
    return float(np.abs(np.asarray(one) - np.asarray(other)).max())


def onnx_file(onnx: Any, path: Path, lengths: bool = False, bidirectional: bool = False) -> bytes:
    """A model of one node LSTM, direction reverse."""
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(5)
    sizes = {"W": (1, 4 * UNITS, FEATURES), "R": (1, 4 * UNITS, UNITS), "B": (1, 8 * UNITS)}
    held = [numpy_helper.from_array(random.standard_normal(size).astype(np.float32), name) for name, size in sizes.items()]
    inputs = ["X", "W", "R", "B", *(["lengths"] if lengths else [])]
    node = helper.make_node("LSTM", inputs, ["Y", "Y_h", "Y_c"], "back", hidden_size=UNITS, direction="reverse")
    fed = [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["T", "N", FEATURES])]
    if lengths:
        fed.append(helper.make_tensor_value_info("lengths", TensorProto.INT32, ["N"]))
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("Y", "Y_h", "Y_c")]
    graph = helper.make_graph([node], "g", fed, made, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content = bytes(model.SerializeToString())
    path.write_bytes(content)
    return content


def run_onnx(onnxruntime: Any, content: bytes, **more: Array) -> tuple[Array, Array, Array]:
    """h of every timestep of the data, the last h, and the last c; samples first."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    fed = session.get_inputs()[0].name
    output, hidden, cell = session.run(None, {fed: np.ascontiguousarray(batch().transpose(1, 0, 2)), **more})
    return output[:, 0].transpose(1, 0, 2), hidden[0], cell[0]


# --- values -----------------------------------------------------------------------------------------------------------


def test_onnx_runtime(onnx: Any, onnxruntime: Any, tmp_path: Path) -> None:
    content = onnx_file(onnx, tmp_path / "m.onnx")
    output, hidden, cell = run_onnx(onnxruntime, content)
    record = lstm_explain.from_model(str(tmp_path / "m.onnx"), array=batch()).run()
    assert distance(record.output, output[:, ::-1]) <= TOLERANCE
    assert distance(record.last_hidden[0], hidden) <= TOLERANCE
    assert distance(record.last_cell[0], cell) <= TOLERANCE
    assert distance(record.input, batch()[:, ::-1]) == 0


def test_onnx_runtime_with_lengths(onnx: Any, onnxruntime: Any, tmp_path: Path) -> None:
    content = onnx_file(onnx, tmp_path / "m.onnx", lengths=True)
    output, hidden, cell = run_onnx(onnxruntime, content, lengths=np.array(LENGTHS, np.int32))
    record = lstm_explain.from_model(str(tmp_path / "m.onnx"), array=batch(), lengths=LENGTHS).run()
    for sample, length in enumerate(LENGTHS):
        assert distance(record.output[sample, :length], output[sample, :length][::-1]) <= TOLERANCE
        assert not record.output[sample, length:].any()
    assert distance(record.last_hidden[0], hidden) <= TOLERANCE
    assert distance(record.last_cell[0], cell) <= TOLERANCE


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
@pytest.mark.parametrize("cell", [False, True])
def test_keras(keras: Any, tmp_path: Path, name: str, cell: bool) -> None:
    about = {"go_backwards": True, "return_sequences": True, "name": "back"}
    layer = keras.layers.RNN(keras.layers.LSTMCell(UNITS), **about) if cell else keras.layers.LSTM(UNITS, **about)
    model = keras.Sequential([keras.Input((TIMESTEPS, FEATURES)), layer])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(str(tmp_path / name))
    record = lstm_explain.from_model(str(tmp_path / name), array=batch()).run()
    assert distance(record.output, layer(batch())) <= TOLERANCE


def test_keras_with_a_mask(keras: Any, tmp_path: Path) -> None:
    """A mask at the end of the data comes first when it is read backwards: Keras then begins where the sample ends."""
    layer = keras.layers.LSTM(UNITS, go_backwards=True, name="back")
    keras.Sequential([keras.Input((TIMESTEPS, FEATURES)), layer]).save(str(tmp_path / "m.keras"))
    mask = np.arange(TIMESTEPS) < np.array(LENGTHS)[:, None]
    record = lstm_explain.from_model(str(tmp_path / "m.keras"), array=batch(), lengths=LENGTHS).run()
    assert distance(record.last_hidden[0], layer(batch(), mask=mask)) <= TOLERANCE


# --- what is said and done with one -----------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_says_so(onnx: Any, tmp_path: Path, topic: str) -> None:
    onnx_file(onnx, tmp_path / "m.onnx")
    made = TOPICS[topic](lstm_explain.from_model(str(tmp_path / "m.onnx"), array=batch()))
    assert made.to_dict()["source"]["weights"]["reads"] == "from the end"
    words = " ".join(block.text for block in document_of(made) if isinstance(block, Paragraph | Note))
    assert words.count("It reads each sample from its end: timestep 1 is the last of the data.") == 1


def test_a_state_is_not_carried_over(onnx: Any, tmp_path: Path) -> None:
    onnx_file(onnx, tmp_path / "m.onnx")
    lstm = lstm_explain.from_model(str(tmp_path / "m.onnx"), array=batch())
    with pytest.raises(UsageError, match=r"carry_state=True: read from the end, a piece would start"):
        lstm_explain.memory(lstm, carry_state=True)


def test_memory_under_an_initialiser_reads_from_the_end_too(onnx: Any, tmp_path: Path) -> None:
    onnx_file(onnx, tmp_path / "m.onnx")
    turned = lstm_explain.memory(lstm_explain.from_model(str(tmp_path / "m.onnx"), array=batch()))
    plain = lstm_explain.memory(lstm_explain.given(np.ascontiguousarray(batch()[:, ::-1]), units=UNITS, init="pytorch"))
    ours, theirs = ({one.init: one.mean_forget for one in memory.initialisers} for memory in (turned, plain))
    assert ours["pytorch"] == pytest.approx(theirs["pytorch"], abs=1e-6)


def test_it_is_in_no_stack(onnx: Any, tmp_path: Path) -> None:
    onnx_file(onnx, tmp_path / "m.onnx")
    (back,) = read_model(str(tmp_path / "m.onnx"), 10**8)
    with pytest.raises(InputFileError, match=r"back reads from the end, .* Choose it alone"):
        stack_lstms([back, back._replace(name="above")], "m.onnx")


def test_verify_takes_outputs_in_either_order(onnx: Any, onnxruntime: Any, tmp_path: Path) -> None:
    output, hidden, _ = run_onnx(onnxruntime, onnx_file(onnx, tmp_path / "m.onnx"))
    lstm = lstm_explain.from_model(str(tmp_path / "m.onnx"), array=batch())
    for expected, in_order in ((output, False), (output[:, ::-1], True), (output.transpose(1, 0, 2), False)):
        verify = explain_verify(lstm, expected)
        assert (verify.agrees, verify.in_reading_order) == (True, in_order)
    assert explain_verify(lstm, hidden).agrees
    changed = output.copy()
    changed[1, 0, 2] += 1  # the data's timestep 1 is the last that is read
    verify = explain_verify(lstm, changed)
    assert (verify.agrees, verify.where) == (False, {"sample": 1, "timestep": TIMESTEPS, "number": 2})


@pytest.mark.parametrize("turned", [False, True])
def test_verify_finds_another_order_of_the_gates(onnx: Any, tmp_path: Path, turned: bool) -> None:
    from dataclasses import replace

    from lstm_explain.core.gates import GATES
    from lstm_explain.core.weight_variants import reorder_gates

    onnx_file(onnx, tmp_path / "m.onnx")
    lstm = lstm_explain.from_model(str(tmp_path / "m.onnx"), array=batch())
    assert lstm.pretrained is not None
    order = (GATES[0], GATES[3], GATES[1], GATES[2])
    other = replace(lstm, pretrained=lstm.pretrained._replace(weights=reorder_gates(lstm.weights, order)))
    output = other.run().output
    verify = explain_verify(lstm, output[:, ::-1] if turned else output)
    assert not verify.agrees
    assert [one.reading.gates for one in verify.alternatives] == [order]
    assert verify.alternatives[0].reading.reversed
    forward = replace(lstm, pretrained=lstm.pretrained._replace(reverse=False)).run().output
    (one,) = explain_verify(lstm, forward).alternatives
    assert not one.reading.reversed


def test_convert_writes_an_onnx_model_that_reads_from_the_end(onnx: Any, onnxruntime: Any, tmp_path: Path) -> None:
    output, hidden, cell = run_onnx(onnxruntime, onnx_file(onnx, tmp_path / "m.onnx"))
    lstm = lstm_explain.from_model(str(tmp_path / "m.onnx"))
    content = encode_weights(explain_convert(lstm, "onnx"), ".onnx", "to")
    again = run_onnx(onnxruntime, content)
    assert [distance(one, other) <= TOLERANCE for one, other in zip(again, (output, hidden, cell), strict=True)] == [True] * 3
    from lstm_explain.readers.identify.onnx import read_onnx

    (found,) = read_onnx(BytesIO(content), "again.onnx", 2**30)
    assert found.reverse
    for suffix in (".npz", ".safetensors"):
        with pytest.raises(UsageError, match=r"arrays cannot say that a layer reads from the end"):
            encode_weights(explain_convert(lstm, "onnx"), suffix, "to")
