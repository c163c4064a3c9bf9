"""The library's ways in: an LSTM from sizes, or over an array of yours. The command line goes through the same two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lstm_explain.core.axes import compact
from lstm_explain.core.inputs import GivenInputs, SeededInputs
from lstm_explain.core.lstm import DEFAULT_MEMORY, LSTM
from lstm_explain.core.spec import Spec, checked_seed
from lstm_explain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Init
    from lstm_explain.explain.result import Explanation


def seeded(
    *,
    init: Init = "keras",
    seed: int = 0,
    lengths: Sequence[int] | None = None,
    max_memory: int = DEFAULT_MEMORY,
    **sizes: Any,
) -> LSTM:
    """Build an LSTM with weights and inputs made from a seed.

    Args:
        init: `keras` or `pytorch`: the seeded initialiser.
        seed: of the weights and the inputs; a whole number from 0.
        lengths: how many timesteps of each sample to run; all if left out. Without `samples` and `timesteps`, there are as
            many samples as lengths, and as many timesteps as the largest.
        max_memory: the budget of one run, in bytes.
        sizes: the fields of `Spec`: samples, timesteps, features, units, layers, bidirectional, projection, bias,
            peepholes, dtype.

    Raises:
        UsageError: a size, option, seed or length breaks a rule.
    """
    _check_names(sizes)
    spec = _with_lengths(sizes, lengths)
    return LSTM(
        spec, SeededInputs(spec, checked_seed(seed)), init, seed, None if lengths is None else tuple(lengths), max_memory
    )


def given(
    array: Array,
    *,
    name: str = "array",
    columns: Sequence[str] | None = None,
    init: Init = "keras",
    seed: int = 0,
    lengths: Sequence[int] | None = None,
    max_memory: int = DEFAULT_MEMORY,
    **sizes: Any,
) -> LSTM:
    """Build an LSTM with seeded weights over your own batch.

    Args:
        array: [samples, timesteps, features], or [timesteps, features] for one sample.
        name: what to call it.
        columns: the names of the features.
        init, seed, lengths, max_memory, sizes: as in `seeded`; samples, timesteps and features come from the array.

    Raises:
        UsageError: the array has another number of axes, or contradicts a size that is given.
    """
    if not hasattr(array, "dtype"):
        raise UsageError(f"{name} of type {type(array).__name__}", "this is no array", "Give a numpy array")
    if array.dtype.kind not in "fiub":
        raise UsageError(name, f"its numbers are of type {array.dtype}", "Give floating-point or whole numbers")
    batch = array[None] if array.ndim == 2 else array
    if batch.ndim != 3:
        fix = "Reshape one column of T numbers to (1, T, 1), or T rows of F numbers to (1, T, F)"
        raise UsageError(f"{name} as (samples, timesteps, features)", f"the array is {compact(array)}", fix)
    _check_names(sizes)
    found = dict(zip(("samples", "timesteps", "features"), batch.shape, strict=True))
    for axis, size in found.items():
        if sizes.get(axis, size) != size:
            raise UsageError(f"--{axis} {sizes[axis]}", f"{name} has {axis}={size}", f"Leave out --{axis}")
        if size == 0:
            raise UsageError(name, f"the array has no {axis}: {compact(batch, tuple(found))}")
    spec = Spec(**{**sizes, **found})
    if columns is not None and len(columns) != spec.features:
        raise UsageError(f"columns {','.join(columns)}", f"these are {len(columns)} names for {spec.features} features")
    inputs = GivenInputs(batch, name, None if columns is None else tuple(columns))
    return LSTM(spec, inputs, init, seed, None if lengths is None else tuple(lengths), max_memory)


def present(explanation: Explanation, view: str) -> Any:
    """Show an explanation in a rich console (`rich`) or a notebook (`html`)."""
    from lstm_explain.document import document_of
    from lstm_explain.render import terminal

    document = document_of(explanation)
    return terminal.painted(document) if view == "rich" else terminal.html(document)


def _check_names(sizes: dict[str, Any]) -> None:
    known = Spec.__dataclass_fields__
    for name in sizes:
        if name not in known:
            raise UsageError(name, "there is no such size or option", f"There are {', '.join(known)}")


def _with_lengths(sizes: dict[str, Any], lengths: Sequence[int] | None) -> Spec:
    if lengths is not None and len(lengths):
        sizes = {"samples": len(lengths), "timesteps": max(lengths), **sizes}
    return Spec(**sizes)
