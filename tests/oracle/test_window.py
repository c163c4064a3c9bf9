"""`window`, by PyTorch's unfold and by the code with which Keras cuts a time series into windows."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.topics.window import explain_window

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array

pytestmark = pytest.mark.oracle
few = settings(max_examples=30, deadline=None, derandomize=True)
CASES = st.tuples(st.integers(1, 8), st.integers(1, 9), st.integers(1, 3), st.integers(0, 20), st.integers(1, 3))


def numbers(rows: int, columns: int) -> Array:
    return np.random.default_rng(rows).normal(size=(rows, columns))


@given(case=CASES)
@few
def test_pytorch_unfolds_to_the_same_windows(torch: Any, case: tuple[int, int, int, int, int]) -> None:
    timesteps, stride, horizon, more, columns = case
    values = numbers(timesteps + horizon + more, columns)
    window = explain_window(values, timesteps, stride, horizon, columns - 1)
    theirs = torch.tensor(values)
    x = theirs[: len(values) - horizon].unfold(0, timesteps, stride).transpose(1, 2)
    y = theirs[timesteps:, columns - 1].unfold(0, horizon, stride)
    assert window.y is not None
    assert (tuple(x.shape), tuple(y.shape)) == (window.x.shape, window.y.shape)
    np.testing.assert_array_equal(window.x, x.numpy())
    np.testing.assert_array_equal(window.y, y.numpy())


class Grain:
    """What Keras hands its windows to: the cutting is its own, this keeps them."""

    available = True
    MapDataset: Any
    experimental: Any

    def __init__(self) -> None:
        self.MapDataset = self.experimental = self

    def source(self, items: list[Any]) -> Grain:
        made = Grain()
        made.items = items
        return made

    items: list[Any]

    def ZipMapDataset(self, parts: list[Grain]) -> Grain:  # noqa: N802
        return self.source(list(zip(*(part.items for part in parts), strict=True)))

    def to_iter_dataset(self) -> list[Any]:
        return self.items


@given(case=CASES)
@few
def test_keras_cuts_the_same_windows(keras: Any, case: tuple[int, int, int, int, int]) -> None:
    timesteps, stride, _, more, columns = case
    values = numbers(timesteps + 1 + more, columns)
    stride = min(stride, len(values) - 1)  # Keras takes no larger one
    inner = import_module("keras.src.utils.timeseries_dataset_utils")
    if not hasattr(inner, "grain"):
        pytest.skip("this Keras cuts windows with TensorFlow only")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inner, "grain", Grain())
        cut = keras.utils.timeseries_dataset_from_array
        options = {"sequence_stride": stride, "batch_size": None, "format": "grain"}
        alone = cut(values, None, timesteps, **options)
        aimed = cut(values, values[timesteps:, 0], timesteps, **options)
    window, with_targets = explain_window(values, timesteps, stride), explain_window(values, timesteps, stride, target=0)
    np.testing.assert_array_equal(window.x, alone)
    np.testing.assert_array_equal(with_targets.x, [x for x, _ in aimed])
    assert with_targets.y is not None
    np.testing.assert_array_equal(with_targets.y[:, 0], [y for _, y in aimed])
