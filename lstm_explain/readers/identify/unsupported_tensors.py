"""Arrays that surely are an LSTM's, and that are not read: quantised ones, and those of which torch computes the weights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.errors import InputFileError, printable
from lstm_explain.readers.identify.name_patterns import NORMED_NAME, TELLING_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lstm_explain.core.axes import Array


OUTER = re.compile("(?:^|[./])[^./]*$")
"""The last part of a name, and what parts it from the module's."""


class NotRead(NamedTuple):
    """A recurrent layer that is not read."""

    name: str
    """Its module; may be empty."""
    error: InputFileError
    tensors: tuple[str, ...]
    """Its other arrays, which are nothing without those."""


def quantised(tensors: Mapping[str, Array], left_out: Mapping[str, str], file: str) -> Iterator[NotRead]:
    """The modules of which an array holds other numbers than floating-point ones, under a name that only an LSTM's has."""
    told: dict[str, str] = {}
    for name in left_out:
        if (module := _module(name, TELLING_NAMES)) is not None:
            told.setdefault(module, name)
    for module, own in _grouped(tensors, told).items():
        name = told[module]
        quantised = left_out[name].endswith("8") or left_out[name].startswith(("float", "int4", "uint4"))
        reason = "quantised weights are not supported" if quantised else "weights are floating-point numbers"
        fix = "Give the weights as float32, as they were before quantisation" if quantised else "Save them as float32"
        yield NotRead(module, InputFileError(file, f"{printable(name)} is {printable(left_out[name])}: {reason}", fix), own)


def normed(tensors: Mapping[str, Array], file: str) -> Iterator[NotRead]:
    """The modules whose weights torch computes from a length and a direction when they run (`weight_norm`)."""
    told: dict[str, str] = {}
    for name in tensors:
        if match := NORMED_NAME.fullmatch(name):
            told.setdefault(match["module"] or "", match["tensor"])
    for module, own in _grouped(tensors, told).items():
        reason = f"holds {told[module]} as weight_g and weight_v (weight_norm), of which torch computes it when it runs"
        fix = "Remove it before saving, with torch.nn.utils.parametrize.remove_parametrizations"
        yield NotRead(module, InputFileError(file, f"{printable(module) or 'lstm'} {reason}", fix), own)


def _module(name: str, patterns: tuple[re.Pattern[str], ...]) -> str | None:
    """What stands before a name that only an LSTM's array has; None for others."""
    match = next((found for one in patterns if (found := one.fullmatch(name))), None)
    return None if match is None else match["module"] or ""


def _grouped(tensors: Mapping[str, Array], modules: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The arrays of each of the modules."""
    own: dict[str, list[str]] = {module: [] for module in modules}
    for name in tensors if own else ():
        module = _module(name, (*TELLING_NAMES, NORMED_NAME))
        module = OUTER.sub("", name) if module is None else module
        if module in own:
            own[module].append(name)
    return {module: tuple(names) for module, names in own.items()}
