"""Conventions: packing and reading back is the identity, and each framework counts what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Direction, Gate
from lstm_explain.core.spec import Spec
from lstm_explain.core.weights import LayerWeights, Weights, weight_shapes
from lstm_explain.frameworks.keras import KERAS_CONVENTION
from lstm_explain.frameworks.onnx import ONNX_CONVENTION
from lstm_explain.frameworks.pytorch import PYTORCH_CONVENTION
from lstm_explain.frameworks.registry import CONVENTIONS
from tests.helpers.framework_weights import layer_weights, node_inputs, state_dict

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.frameworks.convention import Convention

few = settings(max_examples=60, deadline=None)
every_convention = pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=CONVENTIONS)


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    units = draw(st.integers(1, 6))
    return Spec.from_options(
        features=draw(st.integers(1, 5)),
        units=units,
        layers=draw(st.integers(1, 3)),
        bidirectional=draw(st.booleans()),
        projection=draw(st.none() | st.integers(1, units - 1)) if units > 1 else None,
        bias=draw(st.booleans()),
        peepholes=draw(st.booleans()),
        dtype=draw(st.sampled_from(["float32", "float64"])),
    )


def counted(spec: Spec) -> Weights:
    """Weights of which no two numbers are alike."""
    numbers = iter(range(10**6))

    def fill(sizes: tuple[int, ...]) -> Array:
        return np.array([next(numbers) for _ in range(int(np.prod(sizes)))], spec.dtype).reshape(sizes)

    def layer(place: int) -> LayerWeights:
        return LayerWeights(**{name: fill(axes.sizes) for name, axes in weight_shapes(spec, place).items()})

    return Weights(tuple({way: layer(place) for way in spec.directions} for place in range(len(spec.layers))))


@every_convention
@given(spec=specs())
@few
def test_packing_and_reading_back_is_the_identity(convention: Convention, spec: Spec) -> None:
    if convention.unsupported_option(spec):
        return
    weights = counted(spec).of(0, Direction.FORWARD)
    packed = convention.pack(weights)
    back = convention.unpack(packed)
    expected = weights.tensors()
    if convention.bias_required and weights.bias is None:
        expected = weights._replace(bias=np.zeros(4 * spec.units, spec.dtype)).tensors()
    assert list(back.tensors()) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(back.tensors()[name], array)
        assert back.tensors()[name].dtype == array.dtype


@every_convention
@given(spec=specs())
@few
def test_each_framework_counts_the_numbers_it_holds(convention: Convention, spec: Spec) -> None:
    if convention.unsupported_option(spec):
        assert convention.count_parameters(spec) is None
        return
    parts = [part for directions in counted(spec).layers for part in directions.values()]
    assert convention.count_parameters(spec) == sum(array.size for part in parts for array in convention.pack(part).values())


@pytest.mark.parametrize(
    ("options", "keras", "pytorch", "onnx"),
    [
        ({"bias": False}, 600, 600, 600),
        ({}, 640, 680, 680),
        ({"peepholes": True}, None, None, 710),
        ({"projection": 3}, None, 430, None),
        ({"layers": 2}, 1480, 1560, 1560),
        ({"bidirectional": True}, 1280, 1360, 1360),
        ({"layers": 2, "bidirectional": True}, 3760, 3920, 3920),
    ],
)
def test_known_counts(options: dict[str, Any], keras: int | None, pytorch: int | None, onnx: int | None) -> None:
    found = {
        name: convention.count_parameters(Spec.from_options(**options))
        for name, convention in ((name, CONVENTIONS[name]) for name in ("keras", "pytorch", "onnx"))
    }
    assert found == {"keras": keras, "pytorch": pytorch, "onnx": onnx}


@pytest.mark.parametrize(
    ("options", "supporting"),
    [
        ({"projection": 3}, {"pytorch", "tensorflow1", "tflite"}),
        ({"peepholes": True}, {"onnx", "tensorflow1", "coreml", "webnn", "tflite"}),
    ],
)
def test_projections_and_peepholes_are_supported(options: dict[str, Any], supporting: set[str]) -> None:
    assert [CONVENTIONS[name].unsupported_option(Spec.from_options(**options)) for name in supporting] == [None] * len(
        supporting
    )


@every_convention
def test_biases_are_counted(convention: Convention) -> None:
    """4 * units * (features + units) weights; each vector of biases adds 4 * units."""
    assert convention.count_parameters(Spec()) == 600 + 40 * len(convention.biases)
    assert convention.count_parameters(Spec.from_options(bias=False)) == (640 if convention.bias_required else 600)


def test_what_each_framework_lacks() -> None:
    projection, peepholes = Spec.from_options(projection=3), Spec.from_options(peepholes=True)
    assert [one.unsupported_option(projection) for one in (KERAS_CONVENTION, PYTORCH_CONVENTION, ONNX_CONVENTION)] == [
        "projection",
        None,
        "projection",
    ]
    assert [one.unsupported_option(peepholes) for one in (KERAS_CONVENTION, PYTORCH_CONVENTION, ONNX_CONVENTION)] == [
        "peepholes",
        "peepholes",
        None,
    ]
    assert [
        one.unsupported_option(Spec.from_options(layers=3, bidirectional=True))
        for one in (KERAS_CONVENTION, PYTORCH_CONVENTION, ONNX_CONVENTION)
    ] == [None, None, None]


@every_convention
def test_every_order_holds_every_gate_once(convention: Convention) -> None:
    assert sorted(convention.gate_order) == sorted(GATES)
    assert sorted(convention.peephole_order) == (sorted(PEEPHOLE_GATES) if convention.peephole else [])


def test_the_orders_as_their_makers_write_them() -> None:
    i, f, g, o = GATES
    assert KERAS_CONVENTION.gate_order == (i, f, g, o)
    assert PYTORCH_CONVENTION.gate_order == (i, f, g, o)
    assert ONNX_CONVENTION.gate_order == (i, o, f, g)
    expected = {
        "webnn": (i, o, f, g),
        "tensorflow1": (i, g, f, o),
        "haiku": (i, g, f, o),
        "coreml": (i, f, o, g),
        "openvino": (f, i, g, o),
    }
    assert {name: CONVENTIONS[name].gate_order for name in expected} == expected
    assert ONNX_CONVENTION.peephole_order == (Gate.INPUT, Gate.OUTPUT, Gate.FORGET)


@every_convention
def test_the_names_that_the_command_line_uses(convention: Convention) -> None:
    assert CONVENTIONS[convention.framework] is convention
    assert convention.framework == convention.framework.lower()
    assert " " not in convention.framework


def test_each_gates_numbers_stand_where_the_framework_looks_for_them() -> None:
    weights = counted(Spec.from_options(features=2, units=3)).of(0, Direction.FORWARD)
    packed = ONNX_CONVENTION.pack(weights)
    for place, gate in enumerate((Gate.INPUT, Gate.OUTPUT, Gate.FORGET, Gate.CANDIDATE)):
        rows = slice(3 * place, 3 * place + 3)
        np.testing.assert_array_equal(packed["W"][rows], weights.kernel[:, weights.columns(gate)].T)
        np.testing.assert_array_equal(packed["R"][rows], weights.recurrent_kernel[:, weights.columns(gate)].T)
        assert weights.bias is not None
        np.testing.assert_array_equal(packed["Wb"][rows], weights.bias[weights.columns(gate)])


def test_the_second_of_two_biases_is_zero_and_both_are_added_when_read() -> None:
    weights = counted(Spec.from_options(features=2, units=3)).of(0, Direction.FORWARD)
    packed = PYTORCH_CONVENTION.pack(weights)
    assert not packed["bias_hh"].any()
    back = PYTORCH_CONVENTION.unpack({**packed, "bias_hh": np.ones_like(packed["bias_hh"])})
    assert weights.bias is not None
    assert back.bias is not None
    np.testing.assert_array_equal(back.bias, weights.bias + 1)


@pytest.mark.parametrize("name", ["tensorflow1", "haiku"])
def test_the_forget_bias_that_is_added_when_called_is_not_stored(name: str) -> None:
    convention = CONVENTIONS[name]
    assert convention.forget_bias_added == 1
    weights = counted(Spec.from_options(features=2, units=3)).of(0, Direction.FORWARD)
    assert weights.bias is not None
    (stored,) = (convention.pack(weights)[bias] for bias in convention.biases)
    place = convention.gate_order.index(Gate.FORGET)
    np.testing.assert_array_equal(stored[3 * place : 3 * place + 3], weights.bias[weights.columns(Gate.FORGET)] - 1)
    np.testing.assert_array_equal(stored[:3], weights.bias[weights.columns(Gate.INPUT)])
    nothing = convention.pack(weights._replace(bias=None))[convention.biases[0]]
    assert nothing.tolist() == [-1.0 if 3 * place <= number < 3 * place + 3 else 0.0 for number in range(12)]


@pytest.mark.parametrize("name", ["tensorflow1", "haiku"])
def test_one_matrix_for_x_and_h_has_the_rows_of_x_first(name: str) -> None:
    convention = CONVENTIONS[name]
    assert convention.fused_kernel
    weights = counted(Spec.from_options(features=2, units=3)).of(0, Direction.FORWARD)
    joined = convention.pack(weights)[convention.kernel]
    assert joined.shape == (5, 12)
    np.testing.assert_array_equal(joined[:2, :3], weights.kernel[:, weights.columns(Gate.INPUT)])
    np.testing.assert_array_equal(joined[2:, 3:6], weights.recurrent_kernel[:, weights.columns(Gate.CANDIDATE)])


def test_an_array_for_each_gate() -> None:
    weights = counted(Spec.from_options(features=2, units=3)).of(0, Direction.FORWARD)
    linen, nnx = (CONVENTIONS[name].pack(weights) for name in ("flax-linen", "flax-nnx"))
    kernels = {f"{side}{letter}.kernel" for side in "ih" for letter in "ifgo"}
    assert set(linen) == kernels | {f"h{letter}.bias" for letter in "ifgo"}
    assert set(linen) ^ set(nnx) == {"if.kernel", "if_.kernel"}
    np.testing.assert_array_equal(nnx["if_.kernel"], weights.kernel[:, weights.columns(Gate.FORGET)])
    np.testing.assert_array_equal(linen["hg.kernel"], weights.recurrent_kernel[:, weights.columns(Gate.CANDIDATE)])


@pytest.mark.parametrize("name", ["tensorflow1", "haiku"])
def test_reading_a_forget_bias_back_is_exact_to_a_rounding_of_one(name: str) -> None:
    weights = counted(Spec.from_options(features=2, units=3)).of(0, Direction.FORWARD)
    assert weights.bias is not None
    weights = weights._replace(bias=np.linspace(-1, 1, 12, dtype=np.float32))
    back = CONVENTIONS[name].unpack(CONVENTIONS[name].pack(weights)).bias
    assert back is not None
    assert np.max(np.abs(back - weights.bias)) <= np.finfo(np.float32).eps


@every_convention
def test_packing_leaves_our_weights_alone(convention: Convention) -> None:
    weights = counted(Spec.from_options(units=3)).of(0, Direction.FORWARD)
    copies = {name: array.copy() for name, array in weights.tensors().items()}
    for array in convention.pack(weights).values():
        assert array.flags.c_contiguous
    for name, array in weights.tensors().items():
        np.testing.assert_array_equal(array, copies[name])


def test_state_dict_of_pytorch() -> None:
    spec = Spec.from_options(features=2, units=4, layers=2, bidirectional=True, projection=3)
    named = state_dict(counted(spec))
    kinds = {"weight_ih": (16, 2), "weight_hh": (16, 3), "bias_ih": (16,), "bias_hh": (16,), "weight_hr": (3, 4)}
    first = {f"{name}_l0{way}": sizes for way in ("", "_reverse") for name, sizes in kinds.items()}
    second = {f"{name}_l1{way}": sizes for way in ("", "_reverse") for name, sizes in {**kinds, "weight_ih": (16, 6)}.items()}
    assert {name: array.shape for name, array in named.items()} == {**first, **second}


def test_layer_weights_of_keras() -> None:
    weights = counted(Spec.from_options(features=2, units=4, layers=2, bidirectional=True))
    assert [array.shape for array in layer_weights(weights, 0)] == 2 * [(2, 16), (4, 16), (16,)]
    assert [array.shape for array in layer_weights(weights, 1)] == 2 * [(8, 16), (4, 16), (16,)]
    np.testing.assert_array_equal(layer_weights(weights, 0)[3], weights.of(0, Direction.BACKWARD).kernel)


def test_node_inputs_of_onnx() -> None:
    spec = Spec.from_options(features=2, units=4, bidirectional=True, peepholes=True)
    sizes = {name: array.shape for name, array in node_inputs(counted(spec), 0).items()}
    assert sizes == {"W": (2, 16, 2), "R": (2, 16, 4), "B": (2, 32), "P": (2, 12)}
    assert set(node_inputs(counted(Spec.from_options(bias=False)), 0)) == {"W", "R"}


@every_convention
def test_conventions_are_frozen(convention: Convention) -> None:
    with pytest.raises(AttributeError):
        convention.gate_order = ()  # type: ignore[misc]
