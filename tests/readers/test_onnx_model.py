"""ONNX models: what is read out of every place a node LSTM can stand in, and what hostile ones are told."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper

from lstm_explain.core.gates import Direction, Gate
from lstm_explain.errors import InputFileError, LstmExplainError, MissingExtraError, RefusedError, UsageError
from lstm_explain.frameworks.onnx import ONNX_CONVENTION
from lstm_explain.readers.containers import onnx as onnx_file
from lstm_explain.readers.identify.model_lstm import select_lstm, stack_lstms
from lstm_explain.readers.identify.onnx import read_onnx
from lstm_explain.readers.model_file import read_model
from tests.fuzz.fuzz_onnx_model import read_onnx_model
from tests.fuzz.mutations import fuzz
from tests.helpers.audit_events import reading_events
from tests.helpers.model_files import onnx as files
from tests.helpers.model_files import onnx_decomposed as written_out_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.readers.identify.model_lstm import ModelLSTM

BUDGET = 2**26


def read_lstms(model: ModelProto | bytes, budget: int = BUDGET) -> tuple[ModelLSTM, ...]:
    return read_onnx(BytesIO(model if isinstance(model, bytes) else model.SerializeToString()), "m.onnx", budget)


def assert_refused(model: ModelProto | bytes, code: int, *parts: str, budget: int = BUDGET) -> None:
    """The model is refused with an exit code, in one line that says all parts."""
    with pytest.raises(LstmExplainError) as caught:
        read_lstms(model, budget)
    message = str(caught.value)
    assert caught.value.exit_code == code, message
    assert message.isprintable()
    assert all(part in message for part in ("m.onnx", *parts)), message


def expected_layer(arrays: dict[str, Array], way: int = 0) -> LayerWeights:
    dtype = np.float64 if arrays["W"].dtype.itemsize == 8 else np.float32
    parts = {name: array[way].astype(dtype) for name, array in arrays.items()}
    if "B" in parts:
        parts |= dict(zip(ONNX_CONVENTION.biases, np.split(parts.pop("B"), 2), strict=True))
    return ONNX_CONVENTION.unpack(parts)


def equal_weights(found: LayerWeights, expected: LayerWeights) -> bool:
    ours, theirs = found.tensors(), expected.tensors()
    return set(ours) == set(theirs) and all(np.array_equal(ours[name], theirs[name]) for name in ours)


# --- what is read -----------------------------------------------------------------------------------------------------


@given(
    features=st.integers(1, 5),
    units=st.integers(1, 5),
    direction=st.sampled_from(["forward", "reverse", "bidirectional"]),
    peepholes=st.booleans(),
    biased=st.booleans(),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
    layout=st.sampled_from([0, 1, None]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_one_node(
    features: int, units: int, direction: str, peepholes: bool, biased: bool, dtype: Any, layout: int | None, seed: int
) -> None:
    ways = 2 if direction == "bidirectional" else 1
    arrays = files.weights(features, units, ways, seed, peepholes, dtype)
    if not biased:
        del arrays["B"]
    options = {"layout": layout} if layout is not None else {}
    (lstm,) = read_lstms(files.simple(arrays, direction=direction, **options))
    assert (lstm.name, lstm.framework, lstm.biases) == ("lstm", "onnx", 2 if biased else 0)
    assert lstm.title.startswith("ONNX LSTM")
    assert lstm.reverse == (direction == "reverse")
    assert lstm.tensors == {name: array.shape for name, array in arrays.items()}
    for way, place in zip(lstm.weights.layers[0], range(ways), strict=True):
        assert equal_weights(lstm.weights.of(0, way), expected_layer(arrays, place))
    spec = lstm.spec
    assert (spec.features, spec.units, spec.bidirectional, spec.bias, spec.peepholes) == (
        features,
        units,
        ways == 2,
        biased,
        peepholes,
    )
    assert spec.dtype == ("float64" if dtype is np.float64 else "float32")


def test_the_gates_are_in_the_order_of_onnx() -> None:
    arrays = files.weights(units=2)
    (lstm,) = read_lstms(files.simple(arrays))
    ours = lstm.weights.of(0, Direction.FORWARD)
    for place, gate in enumerate((Gate.INPUT, Gate.OUTPUT, Gate.FORGET, Gate.CANDIDATE)):
        assert np.array_equal(ours.kernel[:, ours.columns(gate)], arrays["W"][0, 2 * place : 2 * place + 2].T)


@pytest.mark.parametrize("spelling", [["Sigmoid", "Tanh", "Tanh"], ["sigmoid", "TANH", "tanh"], []])
def test_default_activations_in_any_spelling(spelling: list[str]) -> None:
    assert read_lstms(files.simple(activations=spelling) if spelling else files.simple())


def test_bfloat16_is_read_exactly() -> None:
    arrays = files.weights()
    model = files.simple(arrays)
    for tensor in model.graph.initializer:
        bits = arrays[tensor.name].view(np.uint32) >> 16
        tensor.raw_data, tensor.data_type = bits.astype("<u2").tobytes(), TensorProto.BFLOAT16
    cut = {name: (array.view(np.uint32) >> 16 << 16).view(np.float32) for name, array in arrays.items()}
    assert equal_weights(read_lstms(model)[0].weights.of(0, Direction.FORWARD), expected_layer(cut))


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16])
def test_numbers_may_stand_in_lists(kind: int) -> None:
    arrays = files.weights()
    model = files.simple(arrays)
    for tensor in model.graph.initializer:
        values = arrays[tensor.name].astype(helper.tensor_dtype_to_np_dtype(kind))
        tensor.CopyFrom(helper.make_tensor(tensor.name, kind, tensor.dims, values.ravel()))
    assert not any(tensor.raw_data for tensor in model.graph.initializer)
    expected = {name: array.astype(helper.tensor_dtype_to_np_dtype(kind)) for name, array in arrays.items()}
    assert equal_weights(read_lstms(model)[0].weights.of(0, Direction.FORWARD), expected_layer(expected))


def test_every_graph_is_looked_into() -> None:
    arrays, other = files.weights(), files.weights(seed=1)
    for model, names in (
        (files.in_loop(arrays), ["while/body/cell"]),
        (files.in_scan(arrays), ["h_n/body/Y1"]),
        (files.in_branches(other, arrays), ["choice/else_branch/else", "choice/then_branch/then"]),
        (files.in_function(arrays), ["call/inner"]),
    ):
        lstms = read_lstms(model)
        assert sorted(one.name for one in lstms) == names
        assert equal_weights(select_lstm(lstms, names[0], "m.onnx").weights.of(0, Direction.FORWARD), expected_layer(arrays))


def test_a_weight_that_a_loop_changes_is_not_constant() -> None:
    arrays = files.weights()
    assert read_lstms(files.in_loop(arrays, "state_W"))
    assert_refused(
        files.in_loop(arrays, "spare"), 3, "while/body/cell", "its W depends on state_W", "only known when the model runs"
    )


FOLDED: dict[str, tuple[list[Any], dict[str, Array]]] = {
    "Constant": ([files.constant("W", files.weights()["W"])], {}),
    "Identity": ([helper.make_node("Identity", ["w"], ["W"])], {"w": files.weights()["W"]}),
    "Transpose": (
        [helper.make_node("Transpose", ["w"], ["W"], perm=[0, 2, 1])],
        {"w": files.weights()["W"].transpose(0, 2, 1)},
    ),
    "Cast": ([helper.make_node("Cast", ["w"], ["W"], to=1)], {"w": files.weights()["W"].astype(np.float64)}),
    "Concat": (
        [helper.make_node("Concat", ["top", "rest"], ["W"], axis=1)],
        {"top": files.weights()["W"][:, :3], "rest": files.weights()["W"][:, 3:]},
    ),
    "Slice": (
        [files.whole("start", 1), files.whole("end", 2), helper.make_node("Slice", ["w", "start", "end"], ["W"])],
        {"w": np.concatenate([files.weights(seed=9)["W"], files.weights()["W"]])},
    ),
    "Split": (
        [files.whole("parts", 2, 1), helper.make_node("Split", ["w", "parts"], ["other", "W"])],
        {"w": np.concatenate([files.weights(ways=2)["W"], files.weights()["W"]])},
    ),
    "Unsqueeze, Squeeze": (
        [
            files.whole("first", 0),
            helper.make_node("Squeeze", ["w", "first"], ["flat"]),
            helper.make_node("Unsqueeze", ["flat", "first"], ["W"]),
        ],
        {"w": files.weights()["W"]},
    ),
    "Reshape": (
        [files.whole("sizes", 1, 8, 3), helper.make_node("Reshape", ["w", "sizes"], ["W"])],
        {"w": files.weights()["W"].ravel()},
    ),
    "Gather": (
        [files.whole("order", *range(7, -1, -1)), helper.make_node("Gather", ["w", "order"], ["W"], axis=1)],
        {"w": files.weights()["W"][:, ::-1]},
    ),
    "Add": ([helper.make_node("Add", ["w", "zero"], ["W"])], {"w": files.weights()["W"], "zero": np.zeros(1, np.float32)}),
    "ConstantOfShape": (
        [
            files.whole("sizes", 1, 8, 3),
            helper.make_node("ConstantOfShape", ["sizes"], ["zeros"]),
            helper.make_node("Add", ["w", "zeros"], ["W"]),
        ],
        {"w": files.weights()["W"]},
    ),
}


@pytest.mark.parametrize("operator", FOLDED)
def test_weights_computed_from_constants_are_folded(operator: str) -> None:
    nodes, held = FOLDED[operator]
    (lstm,) = read_lstms(files.computed(nodes, held=held))
    assert equal_weights(lstm.weights.of(0, Direction.FORWARD), expected_layer(files.weights()))
    assert lstm.tensors["W"] == (1, 8, 3)


def test_names() -> None:
    """A node without a name is called by its output; names are unique, and safe to print."""
    arrays = files.weights()
    nodes = [files.lstm(list(arrays), name, hidden_size=2) for name in ("", "twice", "twice", "\x1b[31m</script>\n")]
    for place, node in enumerate(nodes):
        del node.output[:]
        node.output.append(f"y{place}")
    lstms = read_lstms(files.model(files.graph(nodes, files.tensors(arrays))))
    assert [one.name for one in lstms] == ["y0", "twice", "twice_2", "\x1b[31m</script>\n"]
    with pytest.raises(InputFileError) as caught:
        select_lstm(lstms, None, "m.onnx")
    assert str(caught.value).isprintable()


def test_consecutive_nodes_stay_apart_and_can_be_stacked() -> None:
    first, second = files.weights(), files.weights(features=2)
    nodes = [files.lstm(list(first), "a", hidden_size=2), files.lstm(list(second), "b", "second_", "Z", hidden_size=2)]
    nodes.insert(1, helper.make_node("Squeeze", ["Y"], ["Z"]))
    held = files.tensors({**first, **{f"second_{name}": array for name, array in second.items()}})
    lstms = read_lstms(files.model(files.graph(nodes, held)))
    assert [(one.name, one.fed_by) for one in lstms] == [("a", ("X",)), ("b", ("a",))]
    assert len(select_lstm(lstms, "a+b", "m.onnx").spec.layers) == 2


def test_layers_that_read_in_different_directions_are_no_stack() -> None:
    (forward,) = read_lstms(files.simple(files.weights(2, 2)))
    (reverse,) = read_lstms(files.simple(files.weights(2, 2), direction="reverse"))
    assert "direction reverse" in reverse.title
    assert (reverse.notes, reverse.reads, forward.reads) == ((), "from the end", "from the start")
    reverse = reverse._replace(name="b")
    for pair in ([forward, reverse], [reverse, forward]):
        with pytest.raises(InputFileError, match=r"m.onnx#b: b reads from the end, .* Choose it alone"):
            stack_lstms(pair, "m.onnx")


# --- initial states ---------------------------------------------------------------------------------------------------


def with_states(**states: Array) -> ModelProto:
    return files.simple({**files.weights(), **states})


def test_initial_states() -> None:
    hidden, cell = np.full((1, 1, 2), 0.5, np.float32), np.full((1, 3, 2), -0.25, np.float32)
    (lstm,) = read_lstms(with_states(initial_h=hidden, initial_c=cell))
    assert lstm.initial is not None
    assert np.array_equal(lstm.initial.hidden, hidden)
    assert np.array_equal(lstm.initial.cell, cell[:, :1])
    (lstm,) = read_lstms(with_states(initial_c=cell))
    assert lstm.initial is not None
    assert not lstm.initial.hidden[0].any()


def test_zero_states_are_none() -> None:
    zeros = np.zeros((1, 4, 2), np.float32)
    assert read_lstms(with_states(initial_h=zeros, initial_c=zeros))[0].initial is None


def test_the_layout_of_states_is_heeded() -> None:
    states = np.arange(4, dtype=np.float32).reshape(1, 2, 2)  # [samples, directions, units] with layout 1
    arrays = {**files.weights(ways=2), "initial_h": states, "initial_c": states}
    (lstm,) = read_lstms(files.simple(arrays, direction="bidirectional", layout=1))
    assert lstm.initial is not None
    assert np.array_equal(lstm.initial.hidden, states.transpose(1, 0, 2))


@pytest.mark.parametrize(("fill", "expected"), [(0.0, None), (0.5, 0.5)])
@pytest.mark.parametrize("operator", ["Expand", "ConstantOfShape"])
def test_states_repeated_for_each_sample_are_seen_through(operator: str, fill: float, expected: float | None) -> None:
    arrays = files.weights()
    value = np.full((1, 1, 2) if operator == "Expand" else (1,), fill, np.float32)
    if operator == "Expand":
        maker = helper.make_node("Expand", ["start", "sizes"], ["initial_h"])
    else:
        maker = helper.make_node("ConstantOfShape", ["sizes"], ["initial_h"], value=numpy_helper.from_array(value))
    nodes = [
        helper.make_node("Shape", ["X"], ["sizes"]),
        maker,
        files.lstm([*arrays, "initial_h"], hidden_size=2),
    ]
    (lstm,) = read_lstms(files.model(files.graph(nodes, files.tensors({**arrays, "start": value}))))
    assert lstm.notes == ()
    if expected is None:
        assert lstm.initial is None
    else:
        assert lstm.initial is not None
        assert np.array_equal(lstm.initial.hidden, np.full((1, 1, 2), expected, np.float32))


def test_what_the_model_is_fed_is_noted() -> None:
    arrays = files.weights()
    node = files.lstm([*arrays, "initial_h"], hidden_size=2)
    node.input[4] = "lengths"
    given_names = [files.floats("X", "T", "N", 3), files.floats("initial_h", 1, "N", 2)]
    given_names.append(helper.make_tensor_value_info("lengths", TensorProto.INT32, ["N"]))
    (lstm,) = read_lstms(files.model(files.graph([node], files.tensors(arrays), given_names)))
    assert lstm.initial is None
    assert [any(word in note for note in lstm.caveats) for word in ("starts from states", "sequence_lens")] == [True, True]
    assert lstm.caveats[1] == (
        "it is fed the lengths of its samples (sequence_lens) when the model runs: give them with --lengths"
    )


def test_lengths_that_are_in_the_file_are_told_of_and_not_used() -> None:
    arrays = files.weights()
    for lengths, said in (
        (np.array([6, 4, 2], np.int32), "6,4,2 of 3 samples"),
        (np.arange(1, 21), "16 and 4 more of 20 samples"),
    ):
        node = files.lstm([*arrays, "initial_h"], hidden_size=2)
        node.input[4], node.input[5] = "lengths", ""
        (lstm,) = read_lstms(files.model(files.graph([node], files.tensors({**arrays, "lengths": lengths.astype(np.int32)}))))
        (aside,) = lstm.caveats
        assert f"{said} (sequence_lens); only those that --lengths gives are used here" in aside
        assert lstm.provenance("m.onnx")["asides"] == [aside]


def second_reads(*way: Any, second: Any = None, **attributes: Any) -> tuple[str, ...] | None:
    """What the second of two nodes LSTM reads, where these nodes stand between Y and its X, which is called Z."""
    first, other = files.weights(ways=attributes.pop("ways", 1)), files.weights(features=2 * 1)
    nodes = [files.lstm(list(first), "a", hidden_size=2, **attributes), *way]
    nodes.append(files.lstm(list(other), "b", "second_", "Z", hidden_size=2, **(second or {})))
    held = files.tensors({**first, **{f"second_{name}": array for name, array in other.items()}})
    return read_lstms(files.model(files.graph(nodes, held)))[-1].fed_by


def axes_moved(kind: str, reads: str, makes: str, **attributes: Any) -> Any:
    return helper.make_node(kind, [reads], [makes], name=f"{kind}_{makes}", **attributes)


def test_what_only_moves_axes_is_seen_through() -> None:
    squeezed = axes_moved("Squeeze", "Y", "q")
    turned = axes_moved("Transpose", "q", "t", perm=[1, 0, 2])
    back = axes_moved("Transpose", "t", "Z", perm=[1, 0, 2])
    assert second_reads(squeezed, turned, back) == ("a",)
    assert second_reads(squeezed, axes_moved("Identity", "q", "Z")) == ("a",)
    assert second_reads(squeezed, axes_moved("Cast", "q", "Z", to=1)) == ("a",)
    assert second_reads(squeezed, axes_moved("Dropout", "q", "Z")) == ("a",)
    assert second_reads(squeezed, axes_moved("Transpose", "q", "Z", perm=[1, 0, 2]), second={"layout": 1}) == ("a",)


def test_whatever_else_stands_between_two_nodes_is_named() -> None:
    squeezed = axes_moved("Squeeze", "Y", "q")
    assert second_reads(squeezed, axes_moved("Relu", "q", "Z")) == ("Relu_Z",)
    assert second_reads(squeezed, axes_moved("Transpose", "q", "Z", perm=[1, 0, 2])) == ("the output of a with other axes",)
    assert second_reads(squeezed, axes_moved("Transpose", "q", "Z", perm=[0, 2, 1])) == ("the output of a with other axes",)
    assert second_reads(squeezed, axes_moved("Transpose", "q", "Z", perm=[7, 0, 1])) == ("the output of a with other axes",)
    assert second_reads(axes_moved("Identity", "Y_h", "Z")) == ("a state of a",)
    assert second_reads(axes_moved("Identity", "X", "Z")) == ("X",)
    assert second_reads(axes_moved("Squeeze", "Y", "Z"), ways=2, direction="bidirectional") == (
        "the output of a with other axes",
    )
    assert second_reads(axes_moved("Identity", "a", "Z")) is not None


def test_what_else_is_in_the_file_is_told_of_by_name() -> None:
    arrays = files.weights()
    nodes = [files.lstm(list(arrays), hidden_size=2), files.lstm(list(arrays), "cut", hidden_size=2, clip=1.0)]
    nodes.append(helper.make_node("GRU", ["X", "W", "R"], ["Z"], name="other"))
    (lstm,) = read_lstms(files.model(files.graph(nodes, files.tensors(arrays))))
    assert lstm.name == "lstm"
    assert [one.name for one in lstm.unsupported] == ["cut", "other"]
    with pytest.raises(InputFileError, match=r"^m.onnx#cut: it clips its gates' sums \(clip=1\), which is not explained"):
        select_lstm((lstm,), "cut", "m.onnx")
    with pytest.raises(InputFileError, match=r"^m.onnx#other: it is a GRU; only LSTMs are explained"):
        select_lstm((lstm,), "other", "m.onnx")


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        (np.arange(6.0, dtype=np.float32).reshape(1, 3, 2), "gives each of 3 samples another state"),
        (np.ones((1, 1, 3), np.float32), "it should be [1, samples, 2]"),
        (np.ones((2, 1, 2), np.float32), "it should be [1, samples, 2]"),
        (np.ones((1, 1, 1, 2), np.float32), "it should be [1, samples, 2]"),
        (np.ones((1, 0, 2), np.float32), "it should be [1, samples, 2]"),
        (np.ones((1, 1, 2), np.int64), "int64"),
    ],
)
def test_other_states_are_refused(states: Array, reason: str) -> None:
    assert_refused(with_states(initial_h=states), 3, "m.onnx#lstm", "initial_h", reason)


# --- what is refused by name ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"clip": 3.0}, "clip=3"),
        ({"input_forget": 1}, "input_forget=1"),
        ({"activations": ["Relu", "Tanh", "Tanh"]}, "its activations are Relu, Tanh, Tanh"),
        ({"activations": ["Sigmoid", "Tanh"]}, "its activations are Sigmoid, Tanh"),
        ({"activations": ["HardSigmoid", "Tanh", "\x1b[31m"]}, "\\x1b[31m"),
        ({"direction": "sideways"}, "its direction is sideways"),
        ({"direction": "bidirectional"}, "it should be [2, 8, 3]"),
    ],
)
def test_other_layers_are_refused(attributes: dict[str, Any], reason: str) -> None:
    assert_refused(files.simple(**attributes), 3, "m.onnx#lstm", reason)


@pytest.mark.parametrize("operator", ["GRU", "RNN", "DynamicQuantizeLSTM"])
def test_other_recurrent_nodes_are_named(operator: str) -> None:
    node = helper.make_node(operator, ["X"], ["Y"], name="old", domain="com.microsoft" if "Quant" in operator else "")
    assert_refused(files.model(files.graph([node])), 3, "m.onnx#old", operator, "only LSTMs are explained")


def test_an_operator_of_another_domain_is_not_ours() -> None:
    arrays = files.weights()
    node = files.lstm(list(arrays), hidden_size=2, domain="com.example")
    assert_refused(files.model(files.graph([node], files.tensors(arrays))), 3, "no LSTM was found in this file")


def test_an_lstm_written_out_is_hinted_at() -> None:
    nodes = [helper.make_node(one, ["X"], [one]) for one in ("MatMul", "Sigmoid", "Tanh")]
    assert_refused(files.model(files.graph(nodes)), 3, "may be an LSTM in elementary operators", ".keras")
    assert_refused(files.model(files.graph(nodes[:2])), 3, "no LSTM was found in this file")


def test_another_convention_is_refused() -> None:
    data = files.simple().SerializeToString()
    assert read_onnx(BytesIO(data), "m.onnx", BUDGET, "onnx")
    with pytest.raises(UsageError, match="--convention keras"):
        read_onnx(BytesIO(data), "m.onnx", BUDGET, "keras")


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match="needs onnx"):
        read_lstms(b"")


# --- hostile files ----------------------------------------------------------------------------------------------------


def first_tensor(**fields: Any) -> ModelProto:
    """A model of which the first tensor says other things of itself."""
    model = files.simple()
    tensor = model.graph.initializer[0]
    for name, value in fields.items():
        if isinstance(value, list):
            tensor.ClearField(name)
            getattr(tensor, name).extend(value)
        else:
            setattr(tensor, name, value)
    return model


def external(location: str) -> ModelProto:
    model = first_tensor(data_location=TensorProto.EXTERNAL)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    for key, value in (("location", location), ("offset", "0"), ("length", "96")):
        tensor.external_data.add(key=key, value=value)
    return model


def strings() -> ModelProto:
    model = first_tensor(data_type=TensorProto.STRING)
    model.graph.initializer[0].ClearField("raw_data")
    model.graph.initializer[0].string_data.append(b"x")
    return model


def sparse() -> ModelProto:
    model = files.simple()
    dense = model.graph.initializer.pop(0)
    one = model.graph.sparse_initializer.add(dims=[1, 8, 3])
    one.values.CopyFrom(dense)
    return model


def made_by(operator: str, *inputs: str, before: list[Any] | None = None, **attributes: Any) -> ModelProto:
    return files.computed([*(before or []), helper.make_node(operator, list(inputs), ["W"], name="maker", **attributes)])


def nested(depth: int) -> ModelProto:
    inner = files.graph([files.lstm([])], given=[], made=[])
    for _ in range(depth):
        inner = files.graph([helper.make_node("If", ["c"], ["Y"], then_branch=inner)], given=[], made=[])
    return files.model(inner)


def deep_bytes(depth: int) -> bytes:
    """Graphs in attributes in nodes in graphs, deeper than the library parses."""
    data = b""
    for _ in range(depth):
        for field in (6, 5, 1):  # a graph of an attribute, an attribute of a node, a node of a graph
            data = bytes([field << 3 | 2]) + varint(len(data)) + data
    return b"\x3a" + varint(len(data)) + data


def varint(number: int) -> bytes:
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def doubling_functions(depth: int) -> ModelProto:
    """Each function calls the next one twice: few bytes, 2**depth nodes."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    functions = []
    for level in range(depth):
        nodes = [helper.make_node(f"f{level + 1}", ["x"], [name], domain="local") for name in ("a", "y")]
        functions.append(helper.make_function("local", f"f{level}", ["x"], ["y"], nodes, opsets))
    return files.model(files.graph([helper.make_node("f0", ["X"], ["Y"], domain="local")]), functions)


def wrong_size() -> ModelProto:
    arrays = files.weights()
    return files.model(files.graph([files.lstm(list(arrays), hidden_size=7)], files.tensors(arrays)))


BIG = files.whole("sizes", 2**31, 2**31)
HOSTILE: dict[str, tuple[Callable[[], ModelProto | bytes], int, str]] = {
    "external": (lambda: external("weights.bin"), 4, "its tensor W is in another file"),
    "external path": (lambda: external("../../../../etc/passwd"), 4, "no other file is opened"),
    "negative": (lambda: first_tensor(dims=[-1, 8, 3]), 3, "[-1, 8, 3], which no array has"),
    "minus one": (lambda: first_tensor(dims=[-1]), 3, "[-1], which no array has"),
    "huge": (lambda: first_tensor(dims=[2**40, 2**40]), 3, "and holds 96"),
    "overflow": (lambda: first_tensor(dims=[2**32, 2**32, 24]), 3, "and holds 96"),
    "empty sizes": (lambda: first_tensor(dims=[0, 8, 3]), 3, "and holds 96"),
    "many axes": (lambda: first_tensor(dims=[1] * 70), 3, "which no array has"),
    "too few bytes": (lambda: first_tensor(raw_data=b"123"), 3, "announces 96 bytes, and holds 3"),
    "too many bytes": (lambda: first_tensor(raw_data=bytes(97)), 3, "announces 96 bytes, and holds 97"),
    "strings": (strings, 3, "STRING"),
    "unknown type": (lambda: first_tensor(data_type=99), 3, "numbers of type 99"),
    "float8": (lambda: first_tensor(data_type=17), 3, "FLOAT8E4M3FN"),
    "whole numbers": (lambda: first_tensor(data_type=3, raw_data=bytes(24)), 3, "int8: quantised"),
    "sparse": (sparse, 3, "its tensor W is sparse"),
    "itself": (lambda: made_by("Identity", "W"), 3, "W depends on itself"),
    "a ring": (lambda: made_by("Identity", "V", before=[helper.make_node("Identity", ["W"], ["V"])]), 3, "depends on itself"),
    "nowhere": (lambda: made_by("Identity", "nowhere"), 3, "nothing in it gives nowhere a value"),
    "given": (lambda: made_by("Identity", "X"), 3, "its W depends on X"),
    "fill": (lambda: made_by("ConstantOfShape", "sizes", before=[BIG]), 4, "the ConstantOfShape node maker"),
    "fill below zero": (lambda: made_by("ConstantOfShape", "m", before=[files.whole("m", -1)]), 3, "sizes that no array has"),
    "expand": (lambda: made_by("Expand", "one", "sizes", before=[files.whole("one", 1), BIG]), 4, "the Expand node maker"),
    "tile": (lambda: made_by("Tile", "one", "n", before=[files.whole("one", 1), files.whole("n", 2**50)]), 4, "the Tile node"),
    "gather": (
        lambda: made_by(
            "Gather",
            "rows",
            "zeros",
            before=[
                files.constant("rows", np.zeros((2, 5000), np.float32)),
                files.constant("zeros", np.zeros(5000, np.int64)),
            ],
        ),
        4,
        "the Gather node maker",
    ),
    "outer sum": (
        lambda: made_by(
            "Add",
            "row",
            "column",
            before=[
                files.constant("row", np.zeros((1, 10000), np.float32)),
                files.constant("column", np.zeros((10000, 1), np.float32)),
            ],
        ),
        4,
        "the Add node maker",
    ),
    "range": (lambda: made_by("Range", "a", "b", "c"), 3, "the Range node maker, which is not folded"),
    "random": (lambda: made_by("RandomNormal", shape=[9, 9]), 3, "the RandomNormal node maker, which is not folded"),
    "quantised": (lambda: made_by("DequantizeLinear", "a", "b"), 3, "a weight is quantised"),
    "many parts": (
        lambda: made_by("Split", "w", before=[files.whole("w", 1)], num_outputs=2**40),
        3,
        "not as they should be",
    ),
    "to strings": (lambda: made_by("Cast", "w", before=[files.whole("w", 1)], to=8), 3, "not as they should be"),
    "no inputs": (lambda: made_by("Identity"), 3, "not as they should be"),
    "turned wrong": (lambda: made_by("Transpose", "w", before=[files.whole("w", 1)], perm=[7, 2]), 3, "and that fails"),
    "a string": (lambda: files.computed([helper.make_node("Constant", [], ["W"], value_string="x")]), 3, "holds no numbers"),
    "a chain": (
        lambda: files.computed(
            [helper.make_node("Identity", [f"n{place + 1}"], [f"n{place}" if place else "W"]) for place in range(5000)]
        ),
        3,
        "more than 100 nodes in a row",
    ),
    "hidden_size": (wrong_size, 3, "its hidden_size is 7"),
    "sizes": (lambda: files.simple({**files.weights(), "R": files.weights(units=3)["R"]}), 3, "it should be [1, 12, 3]"),
    "axes": (lambda: files.simple({**files.weights(), "B": np.ones(16, np.float32)}), 3, "it should be [1, 16]"),
    "no weights": (lambda: files.model(files.graph([files.lstm([])])), 3, "it has no W"),
    "nested": (lambda: nested(20), 3, "it has no W"),
    "deeper": (lambda: deep_bytes(5000), 3, "this is not an ONNX model"),
    "a function that calls itself": (lambda: files.in_function(files.weights(), deeper=True), 3, "more than 50 deep"),
    "doubling functions": (lambda: doubling_functions(40), 4, "more than 1,000,000 nodes"),
    "empty": (lambda: b"", 3, "it has no graph"),
    "text": (lambda: b"hello world", 3, "this is not an ONNX model"),
    "noise": (lambda: b"\xff" * 100, 3, "this is not an ONNX model"),
    "cut": (lambda: files.simple().SerializeToString()[:-9], 3, "this is not an ONNX model"),
    "length": (lambda: b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 3, "this is not an ONNX model"),
    "groups": (lambda: b"\x3b\x3c", 3, "this is not an ONNX model"),
    "empty nodes": (lambda: b"\x3a" + varint(2**19) + b"\x0a\x00" * 2**18, 4, "parsing this ONNX model takes"),
    "empty names": (lambda: b"\x3a" + varint(2**20 + 4) + b"\x0a" + varint(2**20) + b"\x0a\x00" * 2**19, 4, "parsing this"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_models_are_refused(name: str) -> None:
    make, code, reason = HOSTILE[name]
    assert_refused(make(), code, reason)


def test_more_fields_than_any_recurrent_model_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "MAX_FIELDS", 1000)
    assert_refused(b"\x08\x00" * 1001, 4, "more than 1,000 fields")


def test_names_that_are_not_text_are_read() -> None:
    data = files.simple().SerializeToString().replace(b"\x1a\x04lstm", b"\x1a\x04\xff\xfe\x1b[")
    (lstm,) = read_lstms(data)
    assert lstm.name == "\\xff\\xfe\x1b["


def test_external_data_of_other_tensors_is_no_matter() -> None:
    model = files.simple()
    other = model.graph.initializer.add(name="embedding", data_location=TensorProto.EXTERNAL, data_type=1, dims=[10, 3])
    other.external_data.add(key="location", value="../x")
    assert read_lstms(model)


def test_the_file_must_fit_the_budget() -> None:
    data = files.simple(files.weights(50, 50)).SerializeToString()
    assert_refused(data, 4, "the budget is 100,000", budget=100_000)
    assert read_lstms(data, 10**6)


MEASURE = """
import json, pathlib, re, sys
from io import BytesIO
from lstm_explain.errors import LstmExplainError
from lstm_explain.readers.identify.onnx import read_onnx
import onnx.reference
budget, files = int(sys.argv[1]), sys.argv[2:]
def read(name):
    with open(name, "rb") as file:
        try:
            read_onnx(file, name, budget)
        except LstmExplainError:
            pass
def most():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])
read(files[0])
before = most()
for name in files[1:]:
    read(name)
print(json.dumps(most() - before))
"""


@pytest.mark.slow
def test_memory_stays_within_the_budget(file: Callable[[str, bytes], str]) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("this system does not say how much memory a program took")
    budget = 2**25
    names = [file("warm.onnx", files.in_loop(files.weights()).SerializeToString())]
    written_out = [(make, 0, ()) for make in written_out_files.HOSTILE.values()]
    for place, (make, _, _) in enumerate([*HOSTILE.values(), *written_out]):
        made = make()
        names.append(file(f"{place}.onnx", made if isinstance(made, bytes) else made.SerializeToString()))
    names.append(file("nodes.onnx", b"\x3a" + varint(2 * 45_000) + b"\x0a\x00" * 45_000))
    names.append(file("large.onnx", files.simple(files.weights(300, 300)).SerializeToString()))
    run = [sys.executable, "-c", MEASURE, str(budget), *names]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) < budget + 2**23


@pytest.mark.slow
def test_reading_touches_nothing_but_the_file(file: Callable[[str, bytes], str]) -> None:
    folded = [files.computed(nodes, held=held) for nodes, held in FOLDED.values()]
    models: list[ModelProto | bytes] = [files.in_loop(files.weights()), *folded, *(make() for make, _, _ in HOSTILE.values())]
    models += [*files.valid(), *(make() for make in written_out_files.HOSTILE.values())]
    names = [
        file(f"{place}.onnx", one if isinstance(one, bytes) else one.SerializeToString()) for place, one in enumerate(models)
    ]
    heard = reading_events(names)
    assert {given for event, given in heard if event == "open"} == set(names)
    assert {event for event, _ in heard} <= {"open", "builtins.id"}, "an event that nobody has judged"


def test_through_the_front_door(file: Callable[[str, bytes], str]) -> None:
    (lstm,) = read_model(file("m.onnx", files.simple().SerializeToString()), BUDGET)
    assert lstm.title == "ONNX LSTM"
    with pytest.raises(RefusedError):
        read_model(file("e.onnx", external("/etc/passwd").SerializeToString()), BUDGET)


@pytest.mark.slow
def test_fuzz() -> None:
    assert fuzz(files.valid(), read_onnx_model, 1, 1) > 10
