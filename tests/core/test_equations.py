"""The equations are written three times: as trees, as the reference cell and as the engine. All three compute the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.cell import StepResult, step
from lstm_explain.core.equations import evaluate, symbols_in
from lstm_explain.core.gates import LETTERS, Direction, Gate
from lstm_explain.core.weights import LayerWeights
from lstm_explain.frameworks.registry import NOTATIONS
from lstm_explain.topics.equations.writer import Moment, Writer, weight_arrays
from tests.helpers.random_lstms import random_lstms

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.notation import Notation

ENGINE_TOLERANCE = {"float32": 5e-6, "float64": 1e-13}
TREE_TOLERANCE = 1e-13


def evaluate_step(notation: Notation, spec: Spec, weights: LayerWeights, x: Array, h: Array, c: Array) -> dict[str, Array]:
    """One timestep by the trees of a notation; x, h and c are [samples, n], and so is every result."""
    arrays = {key: entry.array for key, entry in weight_arrays(notation, weights, spec.hidden_axis).items()}
    arrays |= {"input": x, "hidden_before": h, "cell_before": c}
    waiting = list(Writer(notation, spec, Moment()).equations())
    while waiting:
        ready = next(
            equation
            for equation in waiting
            if all(symbol.key in arrays or symbol.key.startswith("joined_vector") for symbol in symbols_in(equation.right))
        )
        arrays[ready.left.key] = evaluate(ready.right, arrays)
        waiting.remove(ready)
    return arrays


def largest_difference(arrays: dict[str, Array], result: StepResult) -> float:
    """How far the trees are from the reference cell; a notation may have no equation for the candidate alone."""
    expected = {"cell": result.c, "hidden": result.h}
    expected |= {gate: getattr(result, LETTERS[gate]) for gate in Gate if gate in arrays}
    return max(float(np.abs(arrays[key] - array).max()) for key, array in expected.items())


@given(random_lstms(most_samples=3, most_timesteps=5, lengths=None), st.sampled_from(tuple(NOTATIONS)))
@settings(max_examples=100, deadline=None)
def test_trees_reference_cell_and_engine_agree(lstm: LSTM, name: str) -> None:
    record, exact_weights = lstm.run(), lstm.weights
    for layer, direction in lstm.spec.layer_directions:
        spec, part = lstm.spec.for_layer(layer), record.of(layer, direction)
        own = exact_weights.of(layer, direction)
        weights = LayerWeights(**{key: array.astype(np.float64) for key, array in own.tensors().items()})
        h, c = part.initial_hidden.astype(np.float64), part.initial_cell.astype(np.float64)
        times = range(spec.timesteps) if direction is Direction.FORWARD else reversed(range(spec.timesteps))
        for t in times:
            x = part.input[:, t].astype(np.float64)
            reference = step(weights, x, h, c)
            assert largest_difference(evaluate_step(NOTATIONS[name], spec, weights, x, h, c), reference) < TREE_TOLERANCE
            h, c = reference.h, reference.c
            tolerance = ENGINE_TOLERANCE[lstm.spec.dtype] * (1 + float(np.abs(c).max()))
            np.testing.assert_allclose(part.hidden[:, t], h, rtol=0, atol=tolerance)
            np.testing.assert_allclose(part.cell[:, t], c, rtol=0, atol=tolerance)


def test_the_comparison_can_fail() -> None:
    spec_weights = LayerWeights(kernel=np.ones((1, 4)), recurrent_kernel=np.ones((1, 4)))
    x, h, c = np.array([[0.5]]), np.array([[0.1]]), np.array([[0.2]])
    from lstm_explain.library import seeded

    spec = seeded(samples=1, timesteps=1, features=1, units=1, bias=False).spec.for_layer(0)
    arrays = evaluate_step(NOTATIONS["pytorch"], spec, spec_weights, x, h, c)
    assert largest_difference(arrays, step(spec_weights, x, h, c)) < TREE_TOLERANCE
    assert largest_difference(arrays, step(spec_weights, x, h, c + 0.1)) > 1e-3
