"""PyTorch's `torch.nn.LSTM`: i f g o, neurons first, and two biases that are always added (once for cuDNN's sake)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction, Gate
from lstm_explain.frameworks.convention import UNNUMBERED_NAMES, Convention
from lstm_explain.frameworks.described import ForgetBias, LayerInfo, LayerOutput
from lstm_explain.frameworks.stored import export_layer

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import Weights

PYTORCH = Convention(
    framework="pytorch",
    title="PyTorch",
    gate_order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT),
    output_major=True,
    biases=("bias_ih", "bias_hh"),
    kernel="weight_ih",
    recurrent_kernel="weight_hh",
    projection="weight_hr",
    peephole=None,
    peephole_order=(),
    source="torch/nn/modules/rnn.py, class LSTM",
    direction_names=MappingProxyType({Direction.FORWARD: "{name}_l{layer}", Direction.BACKWARD: "{name}_l{layer}_reverse"}),
)

PYTORCH_CELL = PYTORCH._replace(
    framework="pytorch-cell",
    title="PyTorch cell",
    projection=None,
    source="torch/nn/modules/rnn.py, class LSTMCell",
    direction_names=UNNUMBERED_NAMES,
)

_STARTS = (("all weights and biases", "uniform in ±1/sqrt(units)"),)
_TWO_BIASES = (
    "Both biases are added at every step, and they get equal gradients, so a plain gradient step moves their sum twice as far "
    "as one bias."
)

PYTORCH_LAYER = LayerInfo(
    convention=PYTORCH,
    class_name="torch.nn.LSTM",
    is_cell=False,
    input_axes=("timesteps", "samples", "features"),
    alternative_layouts=(
        ("batch_first=True", ("samples", "timesteps", "features")),
        ("without a batch", ("timesteps", "features")),
    ),
    returns=(
        LayerOutput("output", ("timesteps", "samples", "output"), "h of every timestep of the last layer"),
        LayerOutput(
            "h_n", ("states", "samples", "hidden"), "h after the last timestep read; slice layer*directions + direction"
        ),
        LayerOutput("c_n", ("states", "samples", "units"), "c after the last timestep read; slices as in h_n"),
    ),
    state_order=("h", "c"),
    forget_bias=ForgetBias(None, "random"),
    initializers=_STARTS,
    verification="run",
    stacking="num_layers and bidirectional=True; names end in _l0, _l1, and _reverse",
    aliases=("torch", "torch.nn.LSTM", "nn.LSTM"),
    remarks=(
        "batch_first=True turns the input and `output` alone: h_n and c_n keep the samples on their second axis.",
        _TWO_BIASES,
    ),
)

PYTORCH_CELL_LAYER = PYTORCH_LAYER._replace(
    convention=PYTORCH_CELL,
    class_name="torch.nn.LSTMCell",
    is_cell=True,
    input_axes=("samples", "features"),
    alternative_layouts=(("without a batch", ("features",)),),
    returns=(
        LayerOutput("h_1", ("samples", "hidden"), "h after this timestep"),
        LayerOutput("c_1", ("samples", "units"), "c after this timestep"),
    ),
    stacking="a cell for each, in a loop of your own",
    aliases=("LSTMCell", "torch.nn.LSTMCell", "nn.LSTMCell"),
    remarks=("There is no projection, and the names have no _l0.", _TWO_BIASES),
)


def state_dict(weights: Weights) -> dict[str, Array]:
    """Name a whole stack as `torch.nn.LSTM(...).state_dict()` does: `weight_ih_l0`, `weight_ih_l0_reverse`, ..."""
    layers = enumerate(weights.layers)
    return {name: array for layer, parts in layers for name, _, array in export_layer(PYTORCH, parts, layer)}
