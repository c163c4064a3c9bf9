"""The computed layouts of a framework's arrays are those of the arrays that our weights are written to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import Gate
from lstm_explain.core.spec import Spec
from lstm_explain.core.weights import LayerWeights, Weights, seeded_weights
from lstm_explain.frameworks.layout import export_layer, tensor_layouts
from lstm_explain.frameworks.registry import CONVENTIONS

if TYPE_CHECKING:
    from lstm_explain.frameworks.convention import Convention

every_convention = pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=CONVENTIONS)


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    units = draw(st.integers(1, 5))
    return Spec.from_options(
        features=draw(st.integers(1, 5)),
        units=units,
        layers=draw(st.integers(1, 3)),
        bidirectional=draw(st.booleans()),
        projection=draw(st.none() | st.integers(1, units - 1)) if units > 1 else None,
        bias=draw(st.booleans()),
        peepholes=draw(st.booleans()),
    )


@every_convention
@given(spec=specs())
@settings(max_examples=40, deadline=None)
def test_shapes_computed_are_shapes_written(convention: Convention, spec: Spec) -> None:
    if convention.unsupported_option(spec):
        return
    weights = seeded_weights(spec)
    elements = 0
    for layer in range(len(spec.layers)):
        layouts, exported = tensor_layouts(convention, spec, layer), export_layer(convention, weights.layers[layer], layer)
        assert [(layout.name, layout.direction, layout.shape.sizes) for layout in layouts] == [
            (name, direction, array.shape) for name, direction, array in exported
        ]
        elements += sum(layout.shape.elements for layout in layouts)
        assert all(segment.stop <= layout.shape.sizes[segment.axis] for layout in layouts for segment in layout.segments)
    assert elements == convention.count_parameters(spec)


def marked(spec: Spec) -> Weights:
    """Weights whose every number says its gate: 1 to 4 in the order of `Gate`, and ten times as much what multiplies h."""
    number = dict(zip(Gate, (1.0, 2.0, 3.0, 4.0), strict=True))
    row = np.concatenate([np.full(spec.units, number[gate]) for gate in Gate])
    kernel, recurrent = np.tile(row, (spec.features, 1)), np.tile(10 * row, (spec.hidden, 1))
    peephole = np.stack([np.full(spec.units, number[gate]) for gate in Gate if gate is not Gate.CANDIDATE])
    part = LayerWeights(kernel, recurrent, row, None, peephole if spec.peepholes else None)
    return Weights(tuple(dict.fromkeys(spec.directions, part) for _ in range(len(spec.layers))))


@every_convention
@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_each_segment_holds_its_content(convention: Convention, peepholes: bool, bidirectional: bool) -> None:
    spec = Spec.from_options(features=2, units=3, peepholes=peepholes, bidirectional=bidirectional)
    if convention.unsupported_option(spec):
        return
    compared = 0
    for layout, (_, _, array) in zip(
        tensor_layouts(convention, spec, 0), export_layer(convention, marked(spec).layers[0], 0), strict=True
    ):
        gates = [
            (segment.axis, segment.start, segment.stop, Gate(segment.content))
            for segment in layout.segments
            if segment.content in tuple(Gate)
        ]
        if layout.gate is not None:
            gates = [(0, 0, array.shape[0], layout.gate)]
        for axis, start, stop, gate in gates:
            values = set(np.take(array, range(start, stop), axis=axis).ravel().tolist())
            number = 1.0 + list(Gate).index(gate)
            added = convention.forget_bias_added if layout.kind == "bias" and gate is Gate.FORGET else 0.0
            fitting = {number - added, 0.0} if layout.kind == "bias" else {number, 10 * number}
            assert values <= fitting, (layout.name, gate)
            compared += 1
        for segment in layout.segments:
            if segment.content in ("input", "hidden"):
                read = np.take(array, range(segment.start, segment.stop), axis=segment.axis)
                assert bool((read >= 10).all()) is (segment.content == "hidden")
                compared += 1
    assert compared >= 8


def test_biases_of_onnx_are_concatenated() -> None:
    (bias,) = [
        one
        for one in tensor_layouts(CONVENTIONS["onnx"], Spec.from_options(units=3, bidirectional=True), 0)
        if one.kind == "bias"
    ]
    assert (bias.name, bias.shape.sizes, bias.shape.names) == ("B", (2, 24), ("directions", "8*units"))
    assert [(part.start, part.stop) for part in bias.segments] == [(start, start + 3) for start in range(0, 24, 3)]


def test_the_names_of_layers_and_directions_where_a_framework_has_them() -> None:
    spec = Spec.from_options(units=3, layers=2, bidirectional=True)
    assert [one.name for one in tensor_layouts(CONVENTIONS["pytorch"], spec, 1)][::4] == [
        "weight_ih_l1",
        "weight_ih_l1_reverse",
    ]
    assert [one.name for one in tensor_layouts(CONVENTIONS["coreml"], spec, 1)][::3] == ["weight_ih", "weight_ih_back"]
    assert [one.direction for one in tensor_layouts(CONVENTIONS["webnn"], spec, 1)] == [None] * 4
