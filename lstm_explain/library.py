"""The library's ways in: an LSTM from sizes, or over an array of yours. The command line goes through the same two."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_explain.core.axes import describe_array
from lstm_explain.core.lstm import DEFAULT_MEMORY, LSTM, ArrayInputs, PretrainedWeights, SeededInputs
from lstm_explain.core.spec import DEFAULT_OPTIONS, Spec, validate_seed
from lstm_explain.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Init
    from lstm_explain.topics.result import Result

DEFAULT_WIDTH, MIN_WIDTH = 80, 20
"""Columns of a page."""


def seeded(
    *,
    init: Init = "keras",
    seed: int = 0,
    lengths: Sequence[int] | None = None,
    max_memory: int = DEFAULT_MEMORY,
    loaded: PretrainedWeights | None = None,
    **sizes: Any,
) -> LSTM:
    """Build an LSTM with weights and inputs made from a seed.

    Args:
        init: `keras` or `pytorch`: the seeded initialiser.
        seed: of the weights and the inputs; a whole number from 0.
        lengths: how many timesteps of each sample to run; all if left out. Without `samples` and `timesteps`, there are as
            many samples as lengths, and as many timesteps as the largest.
        max_memory: the budget of one run, in bytes.
        loaded: weights from elsewhere, in place of seeded ones; see `from_model`.
        sizes: the fields of `Spec`: samples, timesteps, features, units, layers, bidirectional, projection, bias,
            peepholes, dtype. `units=(64, 32)` is a stack of layers of these sizes; `stack` has a `LayerSpec` for each layer
            where they differ in more.

    Raises:
        UsageError: a size, option, seed or length breaks a rule.
    """
    _check_field_names(sizes)
    spec = _spec_with_lengths(sizes, lengths)
    inputs = SeededInputs(spec, validate_seed(seed))
    return LSTM(spec, inputs, init, seed, None if lengths is None else tuple(lengths), max_memory, loaded)


def given(
    array: Array,
    *,
    name: str = "array",
    columns: Sequence[str] | None = None,
    init: Init = "keras",
    seed: int = 0,
    lengths: Sequence[int] | None = None,
    max_memory: int = DEFAULT_MEMORY,
    loaded: PretrainedWeights | None = None,
    **sizes: Any,
) -> LSTM:
    """Build an LSTM with seeded weights over your own batch.

    Args:
        array: [samples, timesteps, features], or [timesteps, features] for one sample.
        name: what to call it.
        columns: the names of the features.
        init, seed, lengths, max_memory, loaded, sizes: as in `seeded`; samples, timesteps and features come from the array.

    Raises:
        UsageError: the array has another number of axes, or contradicts a size that is given.
    """
    if not hasattr(array, "dtype"):
        raise UsageError(f"{name} of type {type(array).__name__}", "this is not an array", "Give a numpy array")
    if array.dtype.kind not in "fiub":
        raise UsageError(name, f"its numbers are of type {array.dtype}", "Give floating-point or whole numbers")
    batch = array[None] if array.ndim == 2 else array
    if batch.ndim != 3:
        fix = "Reshape one column of T numbers to (1, T, 1), or T rows of F numbers to (1, T, F)"
        raise UsageError(f"{name} as (samples, timesteps, features)", f"the array is {describe_array(array)}", fix)
    _check_field_names(sizes)
    array_sizes = dict(zip(("samples", "timesteps", "features"), batch.shape, strict=True))
    for axis, size in array_sizes.items():
        _check_axis(axis, size, sizes.get(axis, size), name, loaded, is_table=array.ndim == 2)
        if size == 0:
            raise UsageError(name, f"the array has no {axis}: {describe_array(batch, tuple(array_sizes))}")
    spec = Spec.from_options(**{**sizes, **array_sizes})
    if columns is not None and len(columns) != spec.features:
        raise UsageError(argument("columns", columns), f"these are {len(columns)} names for {spec.features} features")
    inputs = ArrayInputs(batch, name, None if columns is None else tuple(columns))
    return LSTM(spec, inputs, init, seed, None if lengths is None else tuple(lengths), max_memory, loaded)


def from_model(
    file: str,
    layer: str | None = None,
    *,
    convention: str | None = None,
    max_memory: int = DEFAULT_MEMORY,
    array: Array | None = None,
    **about: Any,
) -> LSTM:
    """Build an LSTM with the weights of a model file, over seeded inputs or an array of yours.

    Args:
        file: a file that PyTorch, Keras, ONNX, Flax, safetensors or numpy wrote. No code in it is run.
        layer: which of its LSTMs; may be left out where there is one only; `a+b` stacks consecutive layers.
        convention: the framework that wrote the arrays, where their names do not tell.
        max_memory: the budget of reading and of one run, in bytes.
        array: the batch, as in `given`.
        about: as in `seeded` and `given`; a size that contradicts the file is an error.

    Raises:
        UsageError: a size contradicts the file, or breaks a rule.
        InputFileError: the file cannot be read, or does not hold this LSTM.
        RefusedError: it is larger than the budget, or holds an unsafe construct.
        MissingExtraError: a library is missing that reads the format.
    """
    sizes = model_arguments(file, layer, convention, max_memory, about) | {"max_memory": max_memory}
    return seeded(**sizes) if array is None else given(array, **sizes)


def model_arguments(
    file: str, layer: str | None, convention: str | None, max_memory: int, about: dict[str, Any]
) -> dict[str, Any]:
    """The arguments of `seeded` and `given`, with sizes, options and weights from a model file; as in `from_model`."""
    from lstm_explain.errors import printable
    from lstm_explain.readers.identify.model_lstm import select_lstm
    from lstm_explain.readers.model_file import read_model
    from lstm_explain.topics.lookup import find_framework

    short = printable(Path(file).name)
    framework = None if convention is None else find_framework(convention, "convention").name
    model_lstm = select_lstm(read_model(file, max_memory, framework), layer, short)
    spec = {name: size for name, size in model_lstm.spec.to_dict().items() if name not in ("samples", "timesteps")}
    spec["stack"] = model_lstm.spec.layers if model_lstm.spec.layers_differ else ()
    for name, size in spec.items():
        asked = about.get(name, size)
        if name == "units" and not isinstance(asked, int | None):
            size = tuple(layer.units for layer in model_lstm.spec.layers)
            asked = tuple(asked)
        if name != "dtype" and asked != size:
            raise _model_contradiction(name, about[name], model_lstm.spec, short)
    dtype = about.get("dtype", spec["dtype"])
    initial = model_lstm.initial and model_lstm.initial.astype(dtype)
    loaded = PretrainedWeights(model_lstm.weights.astype(dtype), model_lstm.provenance(short), initial, model_lstm.reverse)
    return {**about, **spec, "dtype": dtype, "loaded": loaded}


def _check_axis(axis: str, size: int, asked: Any, name: str, loaded: PretrainedWeights | None, is_table: bool) -> None:
    """Raise `UsageError` where an array has another size than was asked for, or than the model reads."""
    if asked == size:
        return
    if axis == "features" and loaded is not None:
        reads = f"the LSTM in {loaded.provenance['file']} reads {asked}"
        raise UsageError(name, f"its timesteps have features={size}, and {reads}", "Give inputs that it was made for")
    fix = f"Leave out {argument(axis)}"
    if is_table and (axis == "samples" or (axis == "timesteps" and isinstance(asked, int) and 0 < asked < size)):
        fix += ", or cut the rows into samples with `window` first"
    raise UsageError(argument(axis, asked), f"{name} has {axis}={size}", fix)


def _model_contradiction(name: str, given: Any, spec: Spec, file: str) -> UsageError:
    """The error for an option that contradicts the model."""
    asked, fix = argument(name, given), f"Leave out {argument(name, given) if given is False else argument(name)}"
    size = spec.to_dict().get(name, ())
    if spec.layers_differ and size is None:
        sizes = ", ".join(str(getattr(layer, name)) for layer in spec.layers)
        return UsageError(asked, f"the layers in {file} have {name}={sizes}", fix)
    if name == "bias":
        return UsageError(asked, f"the neurons in {file} have {'biases' if size else 'no biases'}", fix)
    if size is None:
        return UsageError(asked, f"the LSTM in {file} has no {name}", fix)
    return UsageError(asked, f"the LSTM in {file} has {name}={size}", fix)


def render_result(answer: Result, view: str) -> Any:
    """Show an explanation by `print` (`text`), in a rich console (`rich`) or a notebook (`html`)."""
    from lstm_explain.topics.registry import document_of

    document = document_of(answer)
    if view == "html":
        from lstm_explain.render.markup import to_html

        return to_html(document)
    from lstm_explain.render.terminal import can_encode, to_rich, to_terminal

    if view == "rich":
        return to_rich(document)
    unicode = can_encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    return to_terminal(document, _stdout_width(), None, unicode).removesuffix("\n")


def _stdout_width() -> int:
    """The width of the terminal that `print` writes to; 80 columns where it writes elsewhere, as in a notebook."""
    if sys.stdout is None or not sys.stdout.isatty():
        return DEFAULT_WIDTH
    columns = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
    return columns if columns >= MIN_WIDTH else DEFAULT_WIDTH


def _check_field_names(sizes: dict[str, Any]) -> None:
    known = (*DEFAULT_OPTIONS, "stack")
    for name in sizes:
        if name not in known:
            from lstm_explain.topics.lookup import find_size

            size = find_size(name)
            raise UsageError(name, "unknown size or option", f"Here it is {size}" if size else f"There are {', '.join(known)}")


def _spec_with_lengths(sizes: dict[str, Any], lengths: Sequence[int] | None) -> Spec:
    if lengths is not None and len(lengths):
        sizes = {"samples": len(lengths), "timesteps": max(lengths), **sizes}
    return Spec.from_options(**sizes)
