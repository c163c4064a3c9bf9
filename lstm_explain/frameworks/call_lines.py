"""The lines that build a framework's layer and call it; the oracle tests execute them as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.frameworks.python_code import Statement

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec


class CallOptions(NamedTuple):
    """What can be asked of a call; each framework has some of these."""

    batch_first: bool = False
    """PyTorch: samples before timesteps."""
    return_sequences: bool = False
    """Keras: h of every timestep, in place of the last."""
    return_state: bool = False
    """Keras and Flax: the last states too."""
    layout: int | None = None
    """ONNX: 0, timesteps first, or 1, samples first; 0 where it is None."""

    @property
    def requested(self) -> dict[str, str]:
        """Each option that is asked for, as it is written on the command line."""
        words = {name: f"--{name.replace('_', '-')}" for name, value in self._asdict().items() if value not in (None, False)}
        return {**words, **({} if self.layout is None else {"layout": f"--layout {self.layout}"})}


def _called(function: str, *arguments: str) -> str:
    return f"{function}({', '.join(one for one in arguments if one)})"


def _dtype(spec: Spec, argument: str) -> str:
    return "" if spec.dtype == "float32" else argument.format(spec.dtype)


# --- PyTorch ----------------------------------------------------------------------------------------------------------


def pytorch(spec: Spec, options: CallOptions, _: int, padded: bool) -> list[Statement]:
    """One call for all layers."""
    first = "batch_first=True" if options.batch_first else ""
    layer = _called(
        "torch.nn.LSTM",
        f"{spec.features}, {spec.units}",
        f"num_layers={spec.layers}" if spec.layers > 1 else "",
        "" if spec.bias else "bias=False",
        first,
        "bidirectional=True" if spec.bidirectional else "",
        f"proj_size={spec.projection}" if spec.projection else "",
        _dtype(spec, "dtype=torch.{}"),
    )
    built = Statement(f"lstm = {layer}")
    if not padded:
        return [built, Statement("output, (h_n, c_n) = lstm(x)")]
    packed = _called("torch.nn.utils.rnn.pack_padded_sequence", "x, lengths, enforce_sorted=False", first)
    unpacked = _called("torch.nn.utils.rnn.pad_packed_sequence", f"packed, total_length={spec.timesteps}", first)
    return [
        built,
        Statement(f"packed = {packed}"),
        Statement("packed, (h_n, c_n) = lstm(packed)"),
        Statement(f"output, _ = {unpacked}"),
    ]


# --- Keras ------------------------------------------------------------------------------------------------------------


def keras(spec: Spec, options: CallOptions, layer: int, padded: bool) -> list[Statement]:
    """A layer reads what the layer below returns at every timestep."""
    sequences = options.return_sequences or layer < spec.layers - 1
    spec = spec.at(layer)
    dtype = _dtype(spec, 'dtype="{}"')
    built = _called(
        "keras.layers.LSTM",
        str(spec.units),
        "" if spec.bias else "use_bias=False",
        "return_sequences=True" if sequences else "",
        "return_state=True" if options.return_state else "",
        dtype,
    )
    if spec.bidirectional:
        built = _called("keras.layers.Bidirectional", built, dtype)
    states = [f"{way.value}_{state}" if spec.bidirectional else state for way in spec.directions for state in "hc"]
    made = ", ".join(["output", *(states if options.return_state else [])])
    mask = [Statement(f"mask = np.arange({spec.timesteps}) < np.asarray(lengths)[:, None]")] if padded else []
    called = _called("layer", "x", "mask=mask" if padded else "")
    return [Statement(f"layer = {built}"), *mask, Statement(f"{made} = {called}")]


# --- ONNX -------------------------------------------------------------------------------------------------------------


def onnx(spec: Spec, options: CallOptions, layer: int, padded: bool) -> list[Statement]:
    """A node, in the textual form of ONNX; above another, the nodes that join its directions first."""
    spec = spec.at(layer)
    inputs = [
        "X",
        "W",
        "R",
        "B" if spec.bias else "",
        "sequence_lens" if padded else "",
        "",
        "",
        "P" if spec.peepholes else "",
    ]
    while not inputs[-1]:
        inputs.pop()
    attributes = [
        f"hidden_size = {spec.units}",
        *(['direction = "bidirectional"'] if spec.bidirectional else []),
        *([f"layout = {options.layout}"] if options.layout else []),
    ]
    node = Statement(f"Y, Y_h, Y_c = LSTM <{', '.join(attributes)}> ({', '.join(inputs)})")
    if layer == 0:
        return [node]
    turned = [] if options.layout else [Statement("Y_turned = Transpose <perm = [0, 2, 1, 3]> (Y_below)")]
    return [
        *turned,
        Statement("joined = Constant <value_ints = [0, 0, -1]> ()"),
        Statement(f"X = Reshape ({'Y_turned' if turned else 'Y_below'}, joined)"),
        node,
    ]


# --- Flax -------------------------------------------------------------------------------------------------------------


def linen(spec: Spec, options: CallOptions, layer: int, padded: bool) -> list[Statement]:
    """`params` are the layer's weights."""
    spec = spec.at(layer)
    cell = _called("linen.LSTMCell", str(spec.units), _dtype(spec, 'param_dtype="{}"'))
    return [*_looped("linen", cell, spec, options), _applied("layer.apply", "params, x", options, padded)]


def nnx(spec: Spec, options: CallOptions, layer: int, padded: bool) -> list[Statement]:
    """`rngs` are the seeds of new weights."""
    return _nnx("nnx.LSTMCell", spec, options, layer, padded)


def nnx_optimized(spec: Spec, options: CallOptions, layer: int, padded: bool) -> list[Statement]:
    """The same of the cell that multiplies once for all gates."""
    return _nnx("nnx.OptimizedLSTMCell", spec, options, layer, padded)


def _nnx(cell: str, spec: Spec, options: CallOptions, layer: int, padded: bool) -> list[Statement]:
    spec = spec.at(layer)
    sizes = f"{spec.features}, {spec.units}"
    made = _called(cell, sizes, _dtype(spec, 'param_dtype="{}"'), "rngs=rngs")
    return [*_looped("nnx", made, spec, options), _applied("layer", "x", options, padded)]


def _looped(module: str, cell: str, spec: Spec, options: CallOptions) -> list[Statement]:
    """A cell in a loop over time, or one for each direction."""
    carry = "return_carry=True" if options.return_state else ""
    if not spec.bidirectional:
        return [Statement(f"layer = {_called(f'{module}.RNN', cell, carry)}")]
    return [
        *(Statement(f"{way.value} = {_called(f'{module}.RNN', cell)}") for way in spec.directions),
        Statement(f"layer = {_called(f'{module}.Bidirectional', 'forward, backward', carry)}"),
    ]


def _applied(function: str, given: str, options: CallOptions, padded: bool) -> Statement:
    called = _called(function, given, "seq_lengths=lengths" if padded else "")
    return Statement(f"{'carry, ' if options.return_state else ''}outputs = {called}")
