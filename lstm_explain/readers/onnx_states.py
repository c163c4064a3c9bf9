"""The states that an LSTM of an ONNX model starts from, where they are constant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.readers.onnx_constants import NotConstantError
from lstm_explain.readers.onnx_source import Source, numbers

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.readers.onnx_constants import Constants
    from lstm_explain.readers.onnx_graph import Scope

MOST_NODES = 32
"""No more nodes in a row only repeat, join or rename a state."""


def before_batch(constants: Constants, scope: Scope, name: str, left: int = MOST_NODES) -> Array:
    """The value of a state; where nodes only repeat it for as many samples as there are, the value before that.

    Raises:
        NotConstantError: it is only known when the model runs.
        InputFileError: it is malformed.
        RefusedError: it stands in another file, or is over the memory budget.
    """
    try:
        return constants.value(scope, name)
    except NotConstantError:
        home = scope.home(name)
        if home is None or left <= 0:
            raise
    one = Source(home, name)
    outside = home.given.get(name)
    if one.maker is None and outside is not None:
        return before_batch(constants, *outside, left - 1)
    if one.kind == "ConstantOfShape" and one.maker is not None:
        return constants.fill(home, one.maker[0])
    if one.kind in ("Expand", "Cast", "Identity") and one.inputs:
        return before_batch(constants, home, one.inputs[0], left - 1)
    if one.kind == "Unsqueeze" and one.inputs and numbers(one, 1, "axes", constants) == [0]:
        array = before_batch(constants, home, one.inputs[0], left - 1)
        return array[np.newaxis] if array.ndim > 1 else array
    if one.kind == "Concat" and len(one.inputs) == 2:  # of both directions
        return _joined([before_batch(constants, home, each, left // 2) for each in one.inputs], name)
    raise NotConstantError(name)


def _joined(parts: list[Array], name: str) -> Array:
    if all(one.size == 1 and one.ravel()[0] == parts[0].ravel()[0] for one in parts):
        return parts[0]
    if all(one.ndim == 3 and one.shape[1:] == parts[0].shape[1:] for one in parts):
        return np.concatenate(parts)
    raise NotConstantError(name)


def one_for_all(array: Array, units: int) -> Array | None:
    """A state of a cell, [units], where all samples start from the same; None where they do not."""
    if array.ndim > 2 or array.dtype.kind != "f" or not array.size:
        return None
    rows = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
    if (rows != rows[:1]).any() or rows.shape[1] not in (1, units):
        return None
    return np.broadcast_to(rows[0], (units,))
