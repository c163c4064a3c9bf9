"""`shapes --framework`: the lines that it shows are executed with our weights; names, shapes and numbers are what it says."""

from __future__ import annotations

import re
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.core.spec import LayerSpec
from lstm_explain.frameworks.layout import export_layer
from lstm_explain.frameworks.registry import FRAMEWORKS
from lstm_explain.library import seeded
from lstm_explain.topics.shapes import explain_shapes
from tests.helpers.mixed_stacks import MIXED

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.gates import Direction
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record
    from lstm_explain.topics.shapes.framework_call import FrameworkCall

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]

TOLERANCE = {"float32": 2e-6, "float64": 1e-12}
SIZES: dict[str, Any] = {"samples": 5, "timesteps": 6, "features": 3, "units": 4, "init": "pytorch", "seed": 3}
SHORTER = (6, 2, 4, 1, 5)

Made = dict[str, Any]
"""What the lines of one layer make, by the names that they give it."""


def told(name: str, asked: dict[str, Any], **options: Any) -> tuple[LSTM, FrameworkCall]:
    lstm = seeded(**{**SIZES, **options})
    call = explain_shapes(lstm, name, **asked).framework
    assert call is not None
    assert call.measured
    return lstm, call


def lines_of(call: FrameworkCall, layer: int) -> tuple[str, ...]:
    (lines,) = (one.lines for one in call.lines if one.first <= layer <= one.last)
    return lines


def cut(lines: tuple[str, ...], end: str) -> tuple[str, str]:
    """What builds the layer, and what calls it: the lines from the first that contains `end`."""
    place = next(number for number, line in enumerate(lines) if end in line)
    return "\n".join(lines[:place]), "\n".join(lines[place:])


def statements(lines: tuple[str, ...]) -> list[str]:
    """The lines, those that were broken put together again."""
    return re.split(r"\n(?![ )])", "\n".join(lines))


def laid_out(lstm: LSTM, call: FrameworkCall) -> Array:
    """The batch in the layout that is told."""
    batch = lstm.inputs.block(0, lstm.spec.samples)
    x = batch if call.reads.names[0] == "samples" else batch.transpose(1, 0, 2)
    assert x.shape == call.reads.sizes
    return x


def check(lstm: LSTM, call: FrameworkCall, made: list[Made], arange: Any = np.arange, tolerance: float | None = None) -> None:
    """Compare what came back, layer by layer, with what is told of it: every name, shape, number and place."""
    record = lstm.run()
    assert record.spec.samples == call.compared
    lengths = None if lstm.lengths is None else np.array(lstm.lengths)
    for one in call.returns:
        own = made[0 if one.layer is None else one.layer]
        found = np.asarray(eval(one.result.name, {}, own))
        assert (one.result.name, found.shape) == (one.result.name, one.shape.sizes)
        assert str(found.dtype) == lstm.spec.dtype
    tolerance = tolerance or TOLERANCE[lstm.spec.dtype]
    for state in call.states:
        assert state.difference == 0
        own = made[state.layer if call.call.per_layer else 0]
        for place in state.places:
            found = np.asarray(eval(place, {}, {**own, "arange": arange, "lengths": lengths}))
            np.testing.assert_allclose(found, last(record, state.layer, state.direction, state.kind), rtol=0, atol=tolerance)
    for wrong in call.pitfalls:
        own = made[wrong.layer if call.call.per_layer else 0]
        found = np.asarray(eval(wrong.place, {}, {**own, "arange": arange, "lengths": lengths}))
        apart = np.max(np.abs(found - last(record, wrong.layer, wrong.direction, "hidden")))
        assert wrong.difference is not None
        assert wrong.difference > 0.001
        assert abs(apart - wrong.difference) <= tolerance
    check_sequences(lstm, call, made, record, tolerance)


def last(record: Record, layer: int, way: Direction, kind: str) -> Array:
    part = record.of(layer, way)
    return part.last_hidden if kind == "hidden" else part.last_cell


def check_sequences(lstm: LSTM, call: FrameworkCall, made: list[Made], record: Record, tolerance: float) -> None:
    """Every timestep of an output is ours, and past a sample's end it holds what is said."""
    lengths = np.array(lstm.lengths or [lstm.spec.timesteps] * lstm.spec.samples)
    ended = np.arange(lstm.spec.timesteps) >= lengths[:, None]
    for one in call.returns:
        if one.result.role != "sequence":
            continue
        layer = len(lstm.spec.layers) - 1 if one.layer is None else one.layer
        found = np.asarray(eval(one.result.name, {}, made[0 if one.layer is None else layer]))
        axes = one.result.axes
        kept = [axis for axis in axes if axis not in ("samples", "timesteps")]
        found = np.transpose(found, [axes.index(axis) for axis in ("samples", "timesteps", *kept)])
        found = found.reshape(*found.shape[:2], -1)
        np.testing.assert_allclose(found[~ended], record.outputs[layer][~ended], rtol=0, atol=tolerance)
        if call.past_end[layer] == "zeros":
            assert not found[ended].any()
        elif call.past_end[layer] == "repeated":
            for sample, length in enumerate(lengths):
                assert (found[sample, length:] == found[sample, length - 1]).all()
        elif ended.any():
            assert found[ended].any(), "numbers of no use"


def weights_by_layer(lstm: LSTM, call: FrameworkCall) -> list[list[tuple[str, Direction | None, Array]]]:
    """Our weights in the framework's way, under the names and of the shapes that are told."""
    convention = FRAMEWORKS[call.framework.name].convention
    made = [list(export_layer(convention, parts, layer)) for layer, parts in enumerate(lstm.weights.layers)]
    names = [(name, array.shape) for layer in made for name, _, array in layer]
    assert names == [(one.name, one.shape.sizes) for one in call.written.weights]
    return made


# --- PyTorch ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layers": 3},
        {"bidirectional": True, "bias": False},
        {"layers": 2, "bidirectional": True},
        {"projection": 2, "dtype": "float64"},
        {"layers": 2, "bidirectional": True, "projection": 3, "lengths": SHORTER},
        {"layers": 2, "lengths": SHORTER, "dtype": "float64"},
        {"timesteps": 1, "bidirectional": True},
        {"samples": 1, "lengths": (4,), "timesteps": 6},
    ],
    ids=str,
)
def test_pytorch(torch: Any, batch_first: bool, options: dict[str, Any]) -> None:
    lstm, call = told("pytorch", {"batch_first": batch_first}, **options)
    build, run = cut(lines_of(call, 0), "packed =" if lstm.lengths else "output,")
    space: Made = {"torch": torch, "x": torch.tensor(laid_out(lstm, call))}
    space["lengths"] = None if lstm.lengths is None else torch.tensor(lstm.lengths)
    exec(build, space)
    named = {name: torch.tensor(array) for layer in weights_by_layer(lstm, call) for name, _, array in layer}
    assert {name: one.shape for name, one in space["lstm"].state_dict().items()} == {
        name: one.shape for name, one in named.items()
    }
    assert sum(one.numel() for one in named.values()) == call.written.parameters
    space["lstm"].load_state_dict(named)
    with torch.no_grad():
        exec(run, space)
    assert [one.result.name for one in call.returns] == ["output", "h_n", "c_n"]
    check(lstm, call, [space], torch.arange)


# --- Keras ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("return_state", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layers": 3, "bias": False},
        {"bidirectional": True},
        {"layers": 2, "bidirectional": True, "lengths": SHORTER},
        {"lengths": SHORTER},
        {"bidirectional": True, "dtype": "float64"},
        {"stack": MIXED},
        {"stack": MIXED, "lengths": SHORTER},
    ],
    ids=str,
)
def test_keras(keras: Any, framework: Any, return_sequences: bool, return_state: bool, options: dict[str, Any]) -> None:
    asked = {"return_sequences": return_sequences, "return_state": return_state}
    lstm, call = told("keras", asked, **options)
    weights, made = weights_by_layer(lstm, call), []
    x: Any = laid_out(lstm, call)
    with in_float64(framework) if lstm.spec.dtype == "float64" else nullcontext():
        for layer in range(len(lstm.spec.layers)):
            build, run = cut(lines_of(call, layer), "mask =" if lstm.lengths else "output")
            space: Made = {"keras": keras, "np": np, "x": x, "lengths": lstm.lengths}
            exec(build, space)
            space["layer"].build(x.shape)
            held = [(one.path.split("/")[-1], tuple(one.shape)) for one in space["layer"].weights]
            assert held == [(name, array.shape) for name, _, array in weights[layer]]
            space["layer"].set_weights([array for _, _, array in weights[layer]])
            exec(run, space)
            made.append(space)
            x = space["output"]
    check(lstm, call, made, tolerance=TOLERANCE["float32"])  # on JAX, Keras rounds some numbers of a float64 layer to float32


def in_float64(framework: Any) -> Any:
    return framework("jax").enable_x64(True)


# --- ONNX -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "options"),
    [
        (None, {}),
        (0, {"bidirectional": True, "peepholes": True}),
        (0, {"layers": 3, "bidirectional": True, "lengths": SHORTER}),
        (0, {"layers": 2, "bias": False, "lengths": SHORTER}),
        (0, {"bias": False, "peepholes": True, "dtype": "float64"}),
        (1, {"layers": 2, "peepholes": True}),
        (1, {"layers": 2, "bidirectional": True, "dtype": "float64"}),
        (1, {"bidirectional": True}),
        (0, {"stack": (*MIXED, LayerSpec(3, peepholes=True)), "lengths": SHORTER}),
        (1, {"stack": MIXED}),
    ],
    ids=str,
)
def test_onnx(onnx: Any, onnxruntime: Any, framework: Any, layout: int | None, options: dict[str, Any]) -> None:
    """Layout 1 and float64 are run by ONNX's reference evaluator, as ONNX Runtime refuses them."""
    parser, helper, numpy_helper = (framework(f"onnx.{one}") for one in ("parser", "helper", "numpy_helper"))
    lstm, call = told("onnx", {"layout": layout}, **options)
    weights, made = weights_by_layer(lstm, call), []
    kind = onnx.TensorProto.FLOAT if lstm.spec.dtype == "float32" else onnx.TensorProto.DOUBLE
    reads = laid_out(lstm, call)
    for layer in range(len(lstm.spec.layers)):
        nodes = [parser.parse_node(one) for one in statements(lines_of(call, layer))]
        arrays = {name: array for name, _, array in weights[layer]}
        if lstm.lengths is not None:
            arrays["sequence_lens"] = np.array(lstm.lengths, "int32")
        assert {name for node in nodes for name in node.input if name} >= set(arrays)
        read = "X" if layer == 0 else "Y_below"
        returned = [one for one in call.returns if one.layer == layer]
        graph = helper.make_graph(
            nodes,
            "layer",
            [helper.make_tensor_value_info(read, kind, reads.shape)],
            [helper.make_tensor_value_info(one.result.name, kind, one.shape.sizes) for one in returned],
            [numpy_helper.from_array(array, name) for name, array in arrays.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
        onnx.checker.check_model(model)
        if layout or lstm.spec.dtype == "float64":
            session: Any = framework("onnx.reference").ReferenceEvaluator(model)
        else:
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        y, h, c = session.run(None, {read: reads})
        made.append({"Y": y, "Y_h": h, "Y_c": c})
        reads = y
    assert [one.result.name for one in call.returns] == ["Y", "Y_h", "Y_c"] * len(lstm.spec.layers)
    check(lstm, call, made)


# --- Flax -------------------------------------------------------------------------------------------------------------

FLAX = [
    {},
    {"layers": 2, "bias": False},
    {"bidirectional": True},
    {"layers": 2, "bidirectional": True, "lengths": SHORTER},
    {"lengths": SHORTER, "dtype": "float64"},
    {"stack": MIXED, "lengths": SHORTER},
]


@pytest.mark.parametrize("return_state", [False, True])
@pytest.mark.parametrize("cell", ["LSTMCell", "OptimizedLSTMCell"])
@pytest.mark.parametrize("options", FLAX, ids=str)
def test_flax_linen(framework: Any, return_state: bool, cell: str, options: dict[str, Any]) -> None:
    """Both cells of linen have the same arrays, and return the same."""
    linen, jax = framework("flax.linen"), framework("jax")
    lstm, call = told("flax", {"return_state": return_state}, **options)
    named = SimpleNamespace(RNN=linen.RNN, Bidirectional=linen.Bidirectional, LSTMCell=getattr(linen, cell))
    weights, made = weights_by_layer(lstm, call), []
    x: Any = laid_out(lstm, call)
    with in_float64(framework) if lstm.spec.dtype == "float64" else nullcontext():
        for layer in range(len(lstm.spec.layers)):
            build, run = cut(lines_of(call, layer), "outputs =")
            lengths = None if lstm.lengths is None else np.array(lstm.lengths)
            space: Made = {"linen": named, "x": jax.numpy.asarray(x), "lengths": lengths}
            exec(build, space)
            fresh = space["layer"].init(jax.random.key(0), space["x"])["params"]
            nested = nested_by_way(weights[layer])
            params = {f"{way}_rnn": {"cell": own} for way, own in nested.items()}
            space["params"] = {"params": params if len(nested) > 1 else params["forward_rnn"]}
            shapes = jax.tree.map(np.shape, space["params"]["params"], is_leaf=lambda one: hasattr(one, "shape"))
            assert jax.tree.map(np.shape, fresh, is_leaf=lambda one: hasattr(one, "shape")) == shapes
            exec(run, space)
            made.append(space)
            x = space["outputs"]
    check(lstm, call, made)


def nested_by_way(weights: list[tuple[str, Direction | None, Array]]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, way, array in weights:
        module, kind = name.split(".")
        assert way is not None
        nested.setdefault(way.value, {}).setdefault(module, {})[kind] = array
    return nested


@pytest.mark.parametrize("return_state", [False, True])
@pytest.mark.parametrize("name", ["flax-nnx", "flax-nnx-optimized"])
@pytest.mark.parametrize("options", FLAX, ids=str)
def test_flax_nnx(framework: Any, name: str, return_state: bool, options: dict[str, Any]) -> None:
    nnx = framework("flax.nnx")
    lstm, call = told(name, {"return_state": return_state}, **options)
    weights, made = weights_by_layer(lstm, call), []
    x: Any = laid_out(lstm, call)
    with in_float64(framework) if lstm.spec.dtype == "float64" else nullcontext():
        for layer in range(len(lstm.spec.layers)):
            build, run = cut(lines_of(call, layer), "outputs =")
            lengths = None if lstm.lengths is None else np.array(lstm.lengths)
            space: Made = {"nnx": nnx, "rngs": nnx.Rngs(0), "x": x, "lengths": lengths}
            exec(build, space)
            loops = {"forward": space["layer"]}
            if lstm.spec.for_layer(layer).bidirectional:
                loops = {"forward": space["layer"].forward_rnn, "backward": space["layer"].backward_rnn}
            for weight, way, array in weights[layer]:
                module, kind = weight.split(".")
                assert way is not None
                held = getattr(getattr(loops[way.value].cell, module), kind)
                assert held.shape == array.shape
                held[...] = array
            exec(run, space)
            made.append(space)
            x = space["outputs"]
    check(lstm, call, made)
