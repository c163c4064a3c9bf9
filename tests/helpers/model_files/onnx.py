"""ONNX models put together node by node, as exporters write them and as they never would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.core.axes import Array

FLOAT = TensorProto.FLOAT
INPUTS = ("X", "W", "R", "B", "", "initial_h", "initial_c", "P")
OUTPUTS = ("Y", "Y_h", "Y_c")


def weights(
    features: int = 3, units: int = 2, ways: int = 1, seed: int = 0, peepholes: bool = False, dtype: Any = np.float32
) -> dict[str, Array]:
    """The operator's inputs W, R, B and P."""
    numbers = np.random.default_rng(seed)
    shapes = {"W": (ways, 4 * units, features), "R": (ways, 4 * units, units), "B": (ways, 8 * units)}
    if peepholes:
        shapes["P"] = (ways, 3 * units)
    return {name: (numbers.normal(size=sizes) * 0.5).astype(dtype) for name, sizes in shapes.items()}


def lstm(named: Sequence[str], name: str = "lstm", before: str = "", x: str = "X", **attributes: Any) -> NodeProto:
    """A node LSTM whose inputs are called as they are, `before` put before each but X; those that are not named it has not."""
    inputs = [x] + [before + one if one in named else "" for one in INPUTS[1:]]
    while not inputs[-1]:
        inputs.pop()
    return helper.make_node("LSTM", inputs, [before + one for one in OUTPUTS], name=name, **attributes)


def floats(name: str, *axes: str | int) -> Any:
    return helper.make_tensor_value_info(name, FLOAT, list(axes))


def tensors(arrays: dict[str, Array]) -> list[TensorProto]:
    return [numpy_helper.from_array(np.array(array, order="C"), name) for name, array in arrays.items()]


def graph(
    nodes: Sequence[NodeProto],
    held: Sequence[TensorProto] = (),
    given: Sequence[Any] = (floats("X", "T", "N", "F"),),
    made: Sequence[Any] = (floats("Y", "T", "D", "N", "U"),),
) -> GraphProto:
    return helper.make_graph(list(nodes), "graph", list(given), list(made), list(held))


def model(made: GraphProto, functions: Sequence[Any] = (), opset: int = 17) -> ModelProto:
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("local", 1)]
    found: ModelProto = helper.make_model(made, opset_imports=opsets, ir_version=8, functions=list(functions))
    return found


def simple(arrays: dict[str, Array] | None = None, **attributes: Any) -> ModelProto:
    """One node, its weights as they are."""
    arrays = weights() if arrays is None else arrays
    return model(graph([lstm(list(arrays), hidden_size=arrays["R"].shape[-1], **attributes)], tensors(arrays)))


def constant(name: str, array: Array) -> NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(array)))


def whole(name: str, *numbers: int) -> NodeProto:
    """A constant of whole numbers."""
    return constant(name, np.array(numbers, np.int64))


def computed(nodes: Sequence[NodeProto], name: str = "W", held: dict[str, Array] | None = None) -> ModelProto:
    """A model of which one weight is made by nodes."""
    arrays = weights()
    left = {one: array for one, array in arrays.items() if one != name}
    return model(graph([*nodes, lstm(list(arrays), hidden_size=2)], tensors({**left, **(held or {})})))


def in_loop(arrays: dict[str, Array], handed_on: str = "state_W") -> ModelProto:
    """An LSTM in the body of a Loop as exporters of Keras write it: its kernels turned, W a state of the loop, R captured.

    Args:
        arrays: W, R and B.
        handed_on: what the body hands on as the next W; unchanged by default.
    """
    ways, gates, features = arrays["W"].shape
    kernel = arrays["W"][0].T.copy()  # [features, 4*units], as Keras has it
    halves = np.split(arrays["B"], 2, axis=1)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["go_on_out"]),
            helper.make_node("Identity", [handed_on], ["state_W_out"]),
            helper.make_node("Transpose", ["captured_R"], ["turned_R"], perm=[0, 2, 1]),
            helper.make_node(
                "LSTM", ["X", "state_W", "turned_R", "joined_B"], ["body_Y"], name="cell", hidden_size=gates // 4
            ),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            floats("state_W", ways, gates, features),
        ],
        [
            helper.make_tensor_value_info("go_on_out", TensorProto.BOOL, []),
            floats("state_W_out", ways, gates, features),
            floats("body_Y", "T", ways, "N", gates // 4),
        ],
    )
    nodes = [
        helper.make_node("Transpose", ["kernel"], ["turned"], perm=[1, 0]),
        helper.make_node("Unsqueeze", ["turned", "first"], ["start_W"]),
        helper.make_node("Concat", ["Wb", "Rb"], ["joined_B"], axis=1),
        helper.make_node("Loop", ["turns", "yes", "start_W"], ["last_W", "Y"], name="while", body=body),
    ]
    held = {
        "kernel": kernel,
        "captured_R": arrays["R"].transpose(0, 2, 1),
        "Wb": halves[0],
        "Rb": halves[1],
        "turns": np.array(1, np.int64),
        "yes": np.array(True),
        "first": np.array([0], np.int64),
        "spare": arrays["W"] + 1,
    }
    return model(graph(nodes, tensors(held), made=[floats("Y", 1, "T", ways, "N", gates // 4)]))


def in_scan(arrays: dict[str, Array]) -> ModelProto:
    """An LSTM in the body of a Scan over the timesteps, as one written by hand has it: X is scanned, the states are kept."""
    ways, gates, features = arrays["W"].shape
    units = gates // 4
    body = helper.make_graph(
        [
            helper.make_node("Unsqueeze", ["x", "first"], ["X1"]),
            helper.make_node(
                "LSTM", ["X1", "W", "R", "B", "", "h", "c"], ["Y1", "h_out", "c_out"], name="", hidden_size=units
            ),
            helper.make_node("Squeeze", ["Y1", "first"], ["y"]),
        ],
        "body",
        [floats("h", ways, "N", units), floats("c", ways, "N", units), floats("x", "N", features)],
        [floats("h_out", ways, "N", units), floats("c_out", ways, "N", units), floats("y", ways, "N", units)],
    )
    nodes = [helper.make_node("Scan", ["h_0", "c_0", "X"], ["h_n", "c_n", "Y"], body=body, num_scan_inputs=1)]
    zeros = {name: np.zeros((ways, 1, units), arrays["W"].dtype) for name in ("h_0", "c_0")}
    held = {**arrays, **zeros, "first": np.array([0], np.int64)}
    return model(graph(nodes, tensors(held), given=[floats("X", "T", 1, features)], made=[floats("Y", "T", ways, 1, units)]))


def in_branches(one: dict[str, Array], other: dict[str, Array]) -> ModelProto:
    """An If with an LSTM in each branch, which hold their own weights under the same names."""
    branches = {
        f"{way}_branch": graph(
            [lstm(list(arrays), way, way, hidden_size=arrays["R"].shape[-1])],
            tensors({way + name: array for name, array in arrays.items()}),
            given=[],
            made=[floats(f"{way}Y", "T", "D", "N", "U")],
        )
        for way, arrays in (("then", one), ("else", other))
    }
    yes = constant("yes", np.array(True))
    return model(graph([yes, helper.make_node("If", ["yes"], ["Y"], name="choice", **branches)]))


def in_function(arrays: dict[str, Array], deeper: bool = False) -> ModelProto:
    """A function of the model's own that holds the LSTM; its hidden_size is an attribute of the call."""
    units = arrays["R"].shape[-1]
    node = helper.make_node("LSTM", ["x", "w", "r", "b"], ["y"], name="inner")
    size = AttributeProto(name="hidden_size", ref_attr_name="size", type=AttributeProto.INT)
    node.attribute.append(size)
    nodes = [helper.make_node("Layer", ["x", "w", "r", "b"], ["y"], domain="local", size=units)] if deeper else [node]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    function = helper.make_function("local", "Layer", ["x", "w", "r", "b"], ["y"], nodes, opsets, ["size"])
    call = helper.make_node("Layer", ["X", "W", "R", "B"], ["Y"], domain="local", name="call", size=units)
    return model(graph([call], tensors(arrays)), [function])


def valid() -> list[bytes]:
    """One small model of each kind."""
    from tests.helpers.model_files.onnx_decomposed import valid as written_out

    arrays = weights()
    both = weights(ways=2, peepholes=True)
    turned = [
        helper.make_node("Transpose", ["kernel"], ["turned"], perm=[1, 0]),
        whole("first", 0),
        helper.make_node("Unsqueeze", ["turned", "first"], ["W"]),
    ]
    made = [
        simple(arrays, activations=["Sigmoid", "Tanh", "Tanh"]),
        simple(both, direction="bidirectional", layout=1),
        simple(weights(dtype=np.float16), direction="reverse"),
        computed(turned, held={"kernel": arrays["W"][0].T}),
        in_loop(arrays),
        in_scan(arrays),
        in_branches(arrays, weights(seed=1)),
        in_function(arrays),
    ]
    return [*(one.SerializeToString() for one in made), *written_out()]
