"""Found: an LSTM in a model file, whatever the format; its sizes and options follow from its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.core.spec import Spec
from lstm_explain.errors import InputFileError
from lstm_explain.readers.opening import shown

if TYPE_CHECKING:
    from lstm_explain.core.forward import State
    from lstm_explain.core.spec import Dtype
    from lstm_explain.core.weights import LayerWeights, Weights


class Found(NamedTuple):
    """One LSTM in a file: a layer, or a stack of layers that belong together."""

    name: str
    """What to choose it by; as the file has it, not yet safe to print."""
    framework: str
    """The convention it is written in: a key of `frameworks.known.CONVENTIONS`, or `lstm-explain` for our own."""
    title: str
    """What it is, in its framework's words, such as `torch.nn.LSTM`."""
    weights: Weights
    """In our own arrangement."""
    tensors: dict[str, tuple[int, ...]]
    """Where it stands in the file: the names of its tensors there, with their shapes."""
    biases: int
    """How many bias vectors each neuron has in the file: 0, 1 or 2."""
    initial: State | None = None
    """The states that it starts from, where the file says so; [directions, 1, units or hidden]."""

    @property
    def spec(self) -> Spec:
        """Its sizes and options, for one sample of one timestep.

        Raises:
            UsageError: a size breaks a rule, such as a projection that is not smaller than the units.
        """
        first = next(iter(self.weights.layers[0].values()))
        return Spec(
            samples=1,
            timesteps=1,
            features=len(first.kernel),
            units=first.units,
            layers=len(self.weights.layers),
            bidirectional=len(self.weights.layers[0]) > 1,
            projection=None if first.projection is None else len(first.recurrent_kernel),
            bias=first.bias is not None,
            peepholes=first.peephole is not None,
            dtype=_dtype(first),
        )

    def origin(self, file: str) -> dict[str, Any]:
        """Where the weights come from, as it stands under `source.weights` in JSON."""
        about = {"kind": "model", "file": file, "layer": shown(self.name), "framework": self.framework}
        return {**about, "title": self.title}


def _dtype(weights: LayerWeights) -> Dtype:
    return "float64" if weights.kernel.dtype.itemsize == 8 else "float32"


def chosen(found: tuple[Found, ...], name: str | None, file: str) -> Found:
    """The LSTM of a name; the only one there is where no name is given.

    A name may be shortened to its last part, or to any end that fits one LSTM only.

    Raises:
        InputFileError: there is no LSTM in the file, none of that name, or several to choose from.
    """
    if not found:
        raise InputFileError(file, "there is no LSTM in it")
    names = [one.name for one in found]
    if name is None:
        fitting = list(found)
    else:
        fitting = [one for one in found if one.name == name] or [one for one in found if one.name.endswith(f".{name}")]
        fitting = fitting or [one for one in found if one.name.endswith(f"/{name}")]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(map(shown, names[:8])) + (", ..." if len(names) > 8 else "")
    asked = file if name is None else f"{file}#{shown(name)}"
    if not fitting:
        raise InputFileError(asked, f"there is no such LSTM in it. There are {listed}")
    raise InputFileError(asked, f"there are {len(fitting)} LSTMs to choose from: {listed}", f"Choose one: {file}#NAME")
