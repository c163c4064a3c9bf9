"""Weights as files for other programs: `.npz`, `.safetensors`, and an `.onnx` model that runs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_explain.errors import MissingExtraError, UsageError
from lstm_explain.render.numpy_files import write_arrays
from lstm_explain.topics.convert import STATES

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.topics.convert import Convert

SUFFIXES = (".npz", ".safetensors", ".onnx")
OPSET, IR_VERSION = 17, 8
"""Old enough for every runtime of recent years; the LSTM operator is the same in all later ones."""


def encode_weights(convert: Convert, suffix: str, asked: str) -> bytes:
    """Return the bytes of a file of converted weights.

    Args:
        convert: the conversion.
        suffix: one of `SUFFIXES`.
        asked: what the caller asked for, to begin a message with.

    Raises:
        UsageError: the suffix is unknown, or this format cannot hold the LSTM.
        MissingExtraError: the library that writes the format is not installed.
    """
    if suffix not in SUFFIXES:
        raise UsageError(asked, f"weights are written as {', '.join(SUFFIXES)}", "End the name so, or name a framework")
    is_model = suffix == ".onnx"
    if convert.reverse and not is_model:
        problem = "arrays cannot say that a layer reads from the end, and this one does"
        raise UsageError(asked, problem, "Write an .onnx model, which can")
    if convert.initial is not None and convert.states_written is not is_model:
        problem = "initial states are written into .onnx models, and into no other file"
        raise UsageError(asked, problem, f"Convert with model={is_model}")
    if is_model:
        return _encode_onnx(convert, asked)
    if suffix == ".safetensors":
        return _encode_safetensors(convert, asked)
    archive = io.BytesIO()
    write_arrays(convert.arrays_by_name(), archive)
    return archive.getvalue()


def _encode_safetensors(convert: Convert, asked: str) -> bytes:
    try:
        from safetensors.numpy import save
    except ImportError:
        raise MissingExtraError(asked, "safetensors") from None
    arrays = {name: np.ascontiguousarray(array) for name, array in convert.arrays_by_name().items()}
    return bytes(save(arrays, {"format": convert.convention.framework}))


def _encode_onnx(convert: Convert, asked: str) -> bytes:
    """Return a model of x, (timesteps, samples, features), with Y, Y_h and Y_c of the last layer, as ONNX's LSTM has them."""
    if convert.convention.framework != "onnx":
        raise UsageError(asked, "an .onnx file is written in ONNX's convention", "Choose --to onnx")
    if convert.spec.dtype != "float32":
        problem = f"ONNX Runtime runs no LSTM in {convert.spec.dtype}, and this one is"
        raise UsageError(asked, problem, "Add --dtype float32, or write .npz or .safetensors")
    try:
        import onnx
        from onnx import helper, numpy_helper
    except ImportError:
        raise MissingExtraError(asked, "onnx") from None
    spec, input_name = convert.spec, "x"
    nodes: list[Any] = []
    weights: dict[str, Array] = {}
    if len(spec.layers) > 1:  # what a layer reads from the one below: timesteps, samples, directions side by side
        weights["joined_shape"] = np.array([0, 0, -1], np.int64)
    if convert.states_written:  # the states of one sample are repeated for as many as there are
        nodes += [
            helper.make_node("Shape", ["x"], ["samples_read"], start=1, end=2),
            helper.make_node("Concat", ["one", "samples_read", "one"], ["states_shape"], axis=0),
        ]
        weights["one"] = np.array([1], np.int64)
    for layer in range(len(spec.layers)):
        arrays = {tensor.name.rpartition("/")[2]: tensor.array for tensor in convert.arrays if tensor.layer == layer}
        weights |= {f"{name}_{layer}": np.ascontiguousarray(array) for name, array in arrays.items()}
        nodes += _layer_nodes(convert, layer, input_name, set(arrays))
        input_name = f"joined_{layer}"
    last = spec.for_layer(len(spec.layers) - 1)
    state_axes = [len(last.directions), "samples", last.units]
    axes = {
        "x": ["timesteps", "samples", spec.features],
        "Y": ["timesteps", *state_axes],
        "Y_h": state_axes,
        "Y_c": state_axes,
    }
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype))
    inputs, *outputs = (helper.make_tensor_value_info(name, kind, sizes) for name, sizes in axes.items())
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "lstm", [inputs], outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name = "lstm-explain"
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _layer_nodes(convert: Convert, layer: int, input_name: str, names: set[str]) -> list[Any]:
    """Return the nodes of one layer, the last of which puts its directions side by side for the layer above."""
    from onnx.helper import make_node

    spec, is_last = convert.spec.for_layer(layer), layer == len(convert.spec.layers) - 1
    states = [f"{name}_{layer}" if name in names else "" for name in STATES["onnx"]]
    inputs = [input_name, f"W_{layer}", f"R_{layer}", f"B_{layer}" if "B" in names else "", ""]
    inputs += [state and f"{state}_repeated" for state in states] + ([f"P_{layer}"] if "P" in names else [])
    while not inputs[-1]:
        inputs.pop()
    outputs = ["Y", "Y_h", "Y_c"] if is_last else [f"Y_{layer}"]
    direction = "bidirectional" if spec.bidirectional else "reverse" if convert.reverse else "forward"
    nodes = [make_node("Expand", [state, "states_shape"], [f"{state}_repeated"]) for state in states if state]
    nodes.append(make_node("LSTM", inputs, outputs, f"lstm_{layer}", hidden_size=spec.units, direction=direction))
    if not is_last:
        nodes.append(make_node("Transpose", [f"Y_{layer}"], [f"turned_{layer}"], perm=[0, 2, 1, 3]))
        nodes.append(make_node("Reshape", [f"turned_{layer}", "joined_shape"], [f"joined_{layer}"]))
    return nodes
