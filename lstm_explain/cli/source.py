"""From options to an LSTM: sizes and a seed, or a file of inputs."""

from __future__ import annotations

import os
from typing import Any

from lstm_explain.cli.options import SourceOptions, memory_size, spelled, whole_numbers
from lstm_explain.core.lstm import LSTM
from lstm_explain.errors import UsageError
from lstm_explain.library import given, seeded


def lstm_from(options: SourceOptions, output: str | None = None, lengths: str | None = None) -> LSTM:
    """Build the LSTM that the options ask for.

    Args:
        options: the options.
        output: where the answer will go; not over the file of inputs.
        lengths: the lengths of a padded batch, as they were given.

    Raises:
        UsageError: a value breaks a rule, or contradicts the file of inputs.
        InputFileError, RefusedError: the file of inputs cannot be used.
    """
    _check_apart(options.data, output)
    budget = memory_size("--max-memory", options.max_memory)
    about: dict[str, Any] = {
        "init": options.init,
        "seed": options.seed,
        "lengths": None if lengths is None else whole_numbers("--lengths", lengths),
        "max_memory": budget,
        **_sizes(options),
    }
    if options.data is None:
        if options.columns is not None:
            raise UsageError(spelled("--columns", options.columns), "there is no --data to choose columns of")
        return seeded(**about)
    from lstm_explain.readers.batch import read_batch

    columns = None if options.columns is None else [one.strip() for one in options.columns.split(",")]
    batch = read_batch(options.data, columns, budget, options.allow_nan, options.dtype)
    return given(batch.array, name=batch.name, columns=batch.columns, **about)


def _check_apart(data: str | None, output: str | None) -> None:
    """Raise `UsageError` where the answer would take the place of the file of inputs."""
    if data in (None, "-") or output in (None, "-"):
        return
    if os.path.realpath(str(data)) == os.path.realpath(str(output)):
        raise UsageError(spelled("-o", str(output)), "the answer would replace the file that is read", "Name another file")


def _sizes(options: SourceOptions) -> dict[str, Any]:
    """The fields of `Spec` that were given."""
    sizes = {
        "samples": options.samples,
        "timesteps": options.timesteps,
        "features": options.features,
        "units": None if options.units is None else _units(options.units),
        "projection": options.projection,
    }
    return {
        **{name: size for name, size in sizes.items() if size is not None},
        "layers": options.layers,
        "bidirectional": options.bidirectional,
        "bias": not options.no_bias,
        "peepholes": options.peepholes,
        "dtype": options.dtype,
    }


def _units(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(spelled("--units", text), "a size is one whole number, such as 10") from None
