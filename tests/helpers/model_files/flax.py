"""Flax's files put together by hand from the form that `flax/serialization.py` gives, so that tests need no Flax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgpack
import numpy as np

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array

GATES = "ifgo"


def array(values: Any, dtype: str = "float32") -> msgpack.ExtType:
    """A leaf: shape, the type's name, and the bytes; bfloat16 is the upper half of a float32."""
    whole = np.asarray(values, np.float32 if dtype == "bfloat16" else dtype)
    data = (whole.view(np.uint32) >> 16).astype("<u2").tobytes() if dtype == "bfloat16" else whole.tobytes()
    return forged(whole.shape, dtype, data)


def forged(sizes: Any, dtype: Any, data: Any) -> msgpack.ExtType:
    """A leaf that says what it likes."""
    return msgpack.ExtType(1, msgpack.packb((sizes, dtype, data), use_bin_type=True))


def chunked(values: Array, pieces: int) -> dict[str, Any]:
    """An array in pieces, as Flax writes those of more than 2**30 bytes."""
    shape = {str(place): size for place, size in enumerate(values.shape)}
    chunks = {str(place): array(piece) for place, piece in enumerate(np.array_split(values.ravel(), pieces))}
    return {"__msgpack_chunked_array__": True, "shape": shape, "chunks": chunks}


def weights(features: int = 3, units: int = 2, seed: int = 0) -> dict[str, Array]:
    """kernel, recurrent_kernel and bias in our own arrangement."""
    numbers = np.random.default_rng(seed)
    shapes = {"kernel": (features, 4 * units), "recurrent_kernel": (units, 4 * units), "bias": (4 * units,)}
    return {name: numbers.normal(size=sizes).astype(np.float32) for name, sizes in shapes.items()}


def cell(own: dict[str, Array], dtype: str = "float32", forget: str = "if") -> dict[str, Any]:
    """A cell of linen; with `if_` of nnx."""
    parts = {name: np.split(values, 4, axis=-1) for name, values in own.items()}
    found: dict[str, Any] = {}
    for place, gate in enumerate(GATES):
        found[forget if gate == "f" else f"i{gate}"] = {"kernel": array(parts["kernel"][place], dtype)}
        hidden = {"kernel": array(parts["recurrent_kernel"][place], dtype), "bias": array(parts["bias"][place], dtype)}
        found[f"h{gate}"] = hidden
    return found


def packed_cell(own: dict[str, Array]) -> dict[str, Any]:
    """An OptimizedLSTMCell of nnx."""
    hidden = {"kernel": array(own["recurrent_kernel"]), "bias": array(own["bias"])}
    return {"dense_i": {"kernel": array(own["kernel"])}, "dense_h": hidden}


def packed(tree: Any) -> bytes:
    found: bytes = msgpack.packb(tree, strict_types=True)
    return found


def valid() -> list[bytes]:
    """One small file of each kind."""
    own = weights()
    in_pieces = cell(own)
    in_pieces["ii"]["kernel"] = chunked(np.split(own["kernel"], 4, axis=-1)[0], 2)
    trees = [
        {"params": {"LSTMCell_0": cell(own), "Dense_0": {"kernel": array(np.ones((2, 2)))}}, "step": 3},
        {"rnn": {"cell": cell(own, forget="if_")}, "1": {"cell": packed_cell(own)}},
        {"params": {"cell": cell(own, "bfloat16")}, "count": array(3, "int32")},
        {"params": in_pieces},
    ]
    return [packed(tree) for tree in trees]
