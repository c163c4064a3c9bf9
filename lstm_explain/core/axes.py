"""Named axes: a shape here is never a bare tuple.

`Shape` pairs each size with its axis name, in the words of the command line (samples, timesteps, features, units), and is
what every table, error message and JSON object says about a tensor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias

from lstm_explain.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

Size = Annotated[int, "at least 1"]
"""The size of an axis; the annotation is read for the JSON schemas."""

SPELLED = {
    "gate_units": "4*units",
    "both_units": "2*units",
    "both_hidden": "2*hidden",
    "features_and_units": "features + units",
    "features_and_hidden": "features + hidden",
}
"""The names of axes that are not Python identifiers."""


class Axis(NamedTuple):
    """One axis of a tensor."""

    name: str
    """What one step along this axis means, such as `samples` or `4*units`."""
    size: Size
    """How many steps there are; an exact Python integer, however large."""

    def __str__(self) -> str:
        return f"{self.name}={self.size}"


@dataclass(frozen=True, slots=True)
class Shape:
    """The axes of a tensor, outermost first.

    >>> str(shape(samples=2, units=3)), shape(samples=2, units=3).elements
    ('[samples=2, units=3]', 6)
    """

    axes: tuple[Axis, ...]

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The sizes of the axes."""
        return tuple(axis.size for axis in self.axes)

    @property
    def names(self) -> tuple[str, ...]:
        """The axes, outermost first."""
        return tuple(axis.name for axis in self.axes)

    @property
    def elements(self) -> Size:
        """The number of scalars: the product of the sizes."""
        return math.prod(self.sizes)

    def with_sizes(self, sizes: tuple[int, ...]) -> Shape:
        """The same axes with the sizes that were read off an array."""
        if len(sizes) != len(self.axes):
            raise AssertionError(f"{self} was expected, and the run made {sizes}")
        return Shape(tuple(Axis(axis.name, size) for axis, size in zip(self.axes, sizes, strict=True)))

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.axes))}]"


def shape(**sizes: int) -> Shape:
    """Build a shape from axis names and sizes, outermost first; see `SPELLED` for names that are not Python identifiers."""
    return Shape(tuple(Axis(SPELLED.get(name, name), size) for name, size in sizes.items()))


def describe_array(array: Array, names: tuple[str, ...] = ()) -> str:
    """Describe an array in one greppable word, such as `float32[samples=2, units=3]` or `float32[2, 3]`."""
    if len(names) != array.ndim:
        return f"{array.dtype}{list(array.shape)}"
    return f"{array.dtype}{Shape(tuple(map(Axis, names, array.shape)))}"


def check_shape(what: str, array: Array, expected: Shape) -> None:
    """Raise `UsageError` unless the array has exactly the expected sizes. The one shape check of the package."""
    if array.shape != expected.sizes:
        problem = f"the array given is {describe_array(array, expected.names)}"
        raise UsageError(f"{what} {expected}", problem, "Give an array of the shape named")
