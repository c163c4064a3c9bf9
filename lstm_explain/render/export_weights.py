"""Weights as files for other programs: `.npz`, `.safetensors`, and an `.onnx` model that runs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_explain.errors import MissingExtraError, UsageError
from lstm_explain.topics.convert import STATES

if TYPE_CHECKING:
    from lstm_explain.topics.convert import Convert

SUFFIXES = (".npz", ".safetensors", ".onnx")
OPSET, IR_VERSION = 17, 8
"""Old enough for every runtime of the last years; the LSTM operator is the same in all later ones."""


def encode_weights(convert: Convert, suffix: str, asked: str) -> bytes:
    """The bytes of a file of converted weights.

    Args:
        convert: the conversion.
        suffix: one of `SUFFIXES`.
        asked: what the caller asked for, to begin a message with.

    Raises:
        UsageError: no such file is written, or the model cannot be written in this convention.
        MissingExtraError: a library is missing that writes the format.
    """
    if suffix in (".npz", ".safetensors") and convert.from_the_end:
        found = "arrays cannot say that a layer reads from the end, and this one does"
        raise UsageError(asked, found, "Write an .onnx model, which can")
    if suffix in SUFFIXES and convert.initial is not None and convert.states_written is not (suffix == ".onnx"):
        found = "initial states are written into .onnx models, and into no other file"
        raise UsageError(asked, found, f"Convert with model={suffix == '.onnx'}")
    if suffix == ".npz":
        return _encode_npz(convert)
    if suffix == ".safetensors":
        return _encode_safetensors(convert, asked)
    if suffix == ".onnx":
        return _encode_onnx(convert, asked)
    raise UsageError(asked, f"weights are written as {', '.join(SUFFIXES)}", "End the name so, or name a framework")


def _encode_npz(convert: Convert) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **convert.named())  # type: ignore[arg-type]
    return stream.getvalue()


def _encode_safetensors(convert: Convert, asked: str) -> bytes:
    try:
        from safetensors.numpy import save
    except ImportError:
        raise MissingExtraError(asked, "safetensors") from None
    arrays = {name: np.ascontiguousarray(array) for name, array in convert.named().items()}
    return bytes(save(arrays, {"format": convert.convention.framework}))


def _encode_onnx(convert: Convert, asked: str) -> bytes:
    """A model that reads (timesteps, samples, features) and gives Y, Y_h and Y_c of the last layer, as ONNX's LSTM does."""
    if convert.convention.framework != "onnx":
        raise UsageError(asked, "an .onnx file is written in ONNX's convention", "Choose --to onnx")
    if convert.spec.dtype != "float32":
        found = f"ONNX Runtime runs no LSTM in {convert.spec.dtype}, and this one is"
        raise UsageError(asked, found, "Add --dtype float32, or write .npz or .safetensors")
    try:
        import onnx
        from onnx import helper, numpy_helper
    except ImportError:
        raise MissingExtraError(asked, "onnx") from None
    spec = convert.spec
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype))
    nodes: list[Any] = []
    weights: list[Any] = []
    if len(spec.layers) > 1:  # what the layers between hand on: timesteps, samples, directions side by side
        weights.append(numpy_helper.from_array(np.array([0, 0, -1], np.int64), "joined_shape"))
    if convert.states_written:  # the states of one sample, for as many as are read
        nodes += _batch_nodes()
        weights.append(numpy_helper.from_array(np.array([1], np.int64), "one"))
    reads = "x"
    for layer in range(len(spec.layers)):
        arrays = {one.name.rpartition("/")[2]: one.array for one in convert.arrays if one.layer == layer}
        weights += [numpy_helper.from_array(np.ascontiguousarray(array), f"{name}_{layer}") for name, array in arrays.items()]
        nodes += _layer_nodes(convert, layer, reads, set(arrays))
        reads = f"joined_{layer}"
    read = [helper.make_tensor_value_info("x", kind, ["timesteps", "samples", spec.features])]
    last = spec.for_layer(len(spec.layers) - 1)
    ways = len(last.directions)
    sizes = {
        "Y": ["timesteps", ways, "samples", last.units],
        "Y_h": [ways, "samples", last.units],
        "Y_c": [ways, "samples", last.units],
    }
    made = [helper.make_tensor_value_info(name, kind, size) for name, size in sizes.items()]
    graph = helper.make_graph(nodes, "lstm", read, made, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name = "lstm-explain"
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _layer_nodes(convert: Convert, layer: int, reads: str, names: set[str]) -> list[Any]:
    """The LSTM of one layer; below the last, its directions are put side by side for the next."""
    from onnx import helper

    spec, last = convert.spec.for_layer(layer), layer == len(convert.spec.layers) - 1
    inputs = [reads, f"W_{layer}", f"R_{layer}", f"B_{layer}" if "B" in names else ""]
    inputs += ["", *(f"{name}_{layer}_repeated" if name in names else "" for name in STATES["onnx"])]
    inputs += [f"P_{layer}"] if "P" in names else []
    while not inputs[-1]:
        inputs.pop()
    made = ["Y", "Y_h", "Y_c"] if last else [f"Y_{layer}"]
    direction = "bidirectional" if spec.bidirectional else "reverse" if convert.from_the_end else "forward"
    node = helper.make_node("LSTM", inputs, made, f"lstm_{layer}", hidden_size=spec.units, direction=direction)
    repeated = _repeat_states(layer) if convert.states_written else []
    if last:
        return [*repeated, node]
    turned = helper.make_node("Transpose", [f"Y_{layer}"], [f"turned_{layer}"], perm=[0, 2, 1, 3])
    joined = helper.make_node("Reshape", [f"turned_{layer}", "joined_shape"], [f"joined_{layer}"])
    return [*repeated, node, turned, joined]


def _batch_nodes() -> list[Any]:
    """What a state is repeated to: one direction, as many samples as x has, one unit."""
    from onnx import helper

    samples = helper.make_node("Shape", ["x"], ["samples_read"], start=1, end=2)
    return [samples, helper.make_node("Concat", ["one", "samples_read", "one"], ["states_shape"], axis=0)]


def _repeat_states(layer: int) -> list[Any]:
    """The states of a layer, [directions, 1, units], for every sample."""
    from onnx import helper

    names = [f"{name}_{layer}" for name in STATES["onnx"]]
    return [helper.make_node("Expand", [name, "states_shape"], [f"{name}_repeated"]) for name in names]
