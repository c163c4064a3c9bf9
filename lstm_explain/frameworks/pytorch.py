"""PyTorch's `torch.nn.LSTM`: i f g o, neurons first, and two biases that are always added (once for cuDNN's sake)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from lstm_explain.core.equations import Sign
from lstm_explain.core.gates import Direction, Gate
from lstm_explain.core.network import FROM_ONE, Task
from lstm_explain.errors import argument
from lstm_explain.frameworks.call import (
    LAST_C,
    LAST_H,
    SAMPLES_FIRST,
    TIMESTEPS_FIRST,
    Call,
    CallOptions,
    ReturnedTensor,
    describe_sequence,
)
from lstm_explain.frameworks.convention import IFGO, UNNUMBERED_NAMES, Convention
from lstm_explain.frameworks.framework import ForgetBias, Framework, LayerInfo, LayerOutput
from lstm_explain.frameworks.notation import (
    BORROWED_PEEPHOLES,
    SAK,
    TWO_BIASES,
    Notation,
    Reference,
    gate_signs,
    state_signs,
)
from lstm_explain.frameworks.python_code import (
    INDENT,
    NetworkCode,
    ScriptTemplate,
    Statement,
    call_expression,
    dtype_argument,
    format_statements,
    shape_literal,
)

if TYPE_CHECKING:
    from lstm_explain.core.network import NetworkPlan
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.framework import AxisName

DTYPE = "dtype=torch.{}"

PYTORCH_CONVENTION = Convention(
    framework="pytorch",
    title="PyTorch",
    gate_order=IFGO,
    output_major=True,
    biases=("bias_ih", "bias_hh"),
    kernel="weight_ih",
    recurrent_kernel="weight_hh",
    projection="weight_hr",
    source="torch/nn/modules/rnn.py, class LSTM",
    direction_names=MappingProxyType({Direction.FORWARD: "{name}_l{layer}", Direction.BACKWARD: "{name}_l{layer}_reverse"}),
)

_EQUAL_GRADIENTS = (
    "Both biases are added at every step, and they get equal gradients, so a plain gradient step moves their sum twice as far "
    "as one bias."
)

_INFO = LayerInfo(
    class_name="torch.nn.LSTM",
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
    forget_bias=ForgetBias(None, "random"),
    initializers=(("all weights and biases", "uniform in ±1/sqrt(units)"),),
    verification="run",
    stacking="num_layers and bidirectional=True; names end in _l0, _l1, and _reverse",
    aliases=("torch", "torch.nn.LSTM", "nn.LSTM"),
    remarks=(
        "batch_first=True turns the input and `output` alone: h_n and c_n keep the samples on their second axis.",
        _EQUAL_GRADIENTS,
    ),
)

_NOTATION = Notation(
    name="pytorch",
    title="PyTorch",
    source=Reference(
        "PyTorch's documentation of torch.nn.LSTM",
        "torch/nn/modules/rnn.py, class LSTM, version 2.13",
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html",
        "read in its source",
    ),
    convention=PYTORCH_CONVENTION,
    order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT, "cell", "hidden"),
    terms=("kernel", "bias", "recurrent_kernel", "recurrent_bias", "peephole"),
    states=state_signs("xhcm"),
    gates=gate_signs("%g_%t", "%g_{%t}", "ifgo"),
    kernels=gate_signs("W_i%g", "W_{i%g}", "ifgo"),
    recurrent_kernels=gate_signs("W_h%g", "W_{h%g}", "ifgo"),
    biases=(gate_signs("b_i%g", "b_{i%g}", "ifgo"), gate_signs("b_h%g", "b_{h%g}", "ifgo")),
    peepholes=gate_signs("p_%g", "p_{%g}", "ifgo"),
    projection=Sign("W_hr", "W_{hr}"),
    hadamard=Sign("⊙", r"\odot"),
    terminology={
        Gate.INPUT: "input gate",
        Gate.FORGET: "forget gate",
        Gate.CANDIDATE: "cell gate",
        Gate.OUTPUT: "output gate",
        "cell": "cell state",
        "hidden": "hidden state",
        "input": "input",
    },
    borrowed=("peepholes",),
    option_notes={
        "peepholes": BORROWED_PEEPHOLES,
        "projection": "PyTorch writes h_t on both sides, h_t = W_hr h_t. What is not yet projected is called m_t here, as in "
        f"{SAK}",
        "bias": TWO_BIASES,
    },
    remarks=(
        "A weight has two letters: what it multiplies (i for the input, h for the hidden state), and the gate it belongs to.",
    ),
)


def layer_constructor(spec: Spec, module: str = "torch.nn", batch_first: bool = False) -> str:
    """The call that builds a stack: `torch.nn.LSTM(5, 10, num_layers=2)`."""
    return call_expression(
        f"{module}.LSTM",
        f"{spec.features}, {spec.units}",
        f"num_layers={len(spec.layers)}" if len(spec.layers) > 1 else "",
        "bidirectional=True" if spec.bidirectional else "",
        f"proj_size={spec.projection}" if spec.projection else "",
        "" if spec.bias else "bias=False",
        "batch_first=True" if batch_first else "",
        dtype_argument(spec, DTYPE),
    )


# --- the call ---------------------------------------------------------------------------------------------------------


def _list_returned(spec: Spec, options: CallOptions, _: bool) -> tuple[ReturnedTensor, ...]:
    first: tuple[AxisName, ...] = ("samples", "timesteps") if options.batch_first else ("timesteps", "samples")
    scope = " of the last layer" if len(spec.layers) > 1 else ""
    slices = ", a slice for each layer and direction" if len(spec.layers) * len(spec.directions) > 1 else ""
    return (
        ReturnedTensor("output", "sequence", (*first, "output"), describe_sequence(spec, scope)),
        ReturnedTensor("h_n", "hidden", ("states", "samples", "hidden"), f"{LAST_H}{slices}"),
        ReturnedTensor("c_n", "cell", ("states", "samples", "units"), f"{LAST_C}{slices}"),
    )


def _write_call(spec: Spec, options: CallOptions, _: int, padded: bool) -> list[Statement]:
    """One call for all layers."""
    constructor = Statement(f"lstm = {layer_constructor(spec, batch_first=options.batch_first)}")
    if not padded:
        return [constructor, Statement("output, (h_n, c_n) = lstm(x)")]
    first = "batch_first=True" if options.batch_first else ""
    packed = call_expression("torch.nn.utils.rnn.pack_padded_sequence", "x, lengths, enforce_sorted=False", first)
    unpacked = call_expression("torch.nn.utils.rnn.pad_packed_sequence", f"packed, total_length={spec.timesteps}", first)
    return [
        constructor,
        Statement(f"packed = {packed}"),
        Statement("packed, (h_n, c_n) = lstm(packed)"),
        Statement(f"output, _ = {unpacked}"),
    ]


_CALL = Call(
    input_name="input",
    unsupported_options={
        "return_sequences": ("PyTorch's LSTM returns every timestep always", f"Leave out {argument('return_sequences')}"),
        "return_state": ("PyTorch's LSTM returns h_n and c_n always", f"Leave out {argument('return_state')}"),
        "layout": ("PyTorch's LSTM has no number for its layout", f"For samples first give {argument('batch_first', True)}"),
    },
    per_layer=False,
    input_axes=lambda options: SAMPLES_FIRST if options.batch_first else TIMESTEPS_FIRST,
    returns=_list_returned,
    lines=_write_call,
    initial_states="lstm(x, (h_0, c_0)), of the shapes of h_n and c_n",
    remarks={
        "batch_first": "batch_first=True turns the input and output alone: h_n and c_n keep samples on their second axis."
    },
)


# --- scripts ----------------------------------------------------------------------------------------------------------


def _load_state_dict(module: str) -> Statement:
    tensors = f"{{name: torch.tensor(saved[name]) for name in {module}.state_dict()}}"
    return Statement(f"{module}.load_state_dict({tensors})")


def _write_script(spec: Spec, _: tuple[str, ...], states: bool) -> list[Statement]:
    return [
        Statement(f"lstm = {layer_constructor(spec, batch_first=True)}"),
        _load_state_dict("lstm"),
        *([Statement('start = torch.tensor(saved["h_0"]), torch.tensor(saved["c_0"])')] if states else []),
        Statement("with torch.no_grad():"),
        Statement(f'{INDENT}output, (h, c) = lstm(torch.tensor(saved["x"]){", start" if states else ""})'),
    ]


def _write_cell_script(spec: Spec, _: tuple[str, ...], states: bool) -> list[Statement]:
    bias = "" if spec.bias else "bias=False"
    cell = call_expression("torch.nn.LSTMCell", f"{spec.features}, {spec.units}", bias, dtype_argument(spec, DTYPE))
    start = [Statement('states = torch.tensor(saved["h_0"][0]), torch.tensor(saved["c_0"][0])')] if states else []
    return [
        Statement(f"cell = {cell}"),
        _load_state_dict("cell"),
        Statement('x, states, outputs = torch.tensor(saved["x"]), None, []'),
        *start,
        Statement("with torch.no_grad():"),
        Statement(f"{INDENT}for t in range(x.shape[1]):"),
        Statement(f"{INDENT * 2}states = cell(x[:, t], states)", "h, c"),
        Statement(f"{INDENT * 2}outputs.append(states[0])"),
        Statement("output, h, c = torch.stack(outputs, dim=1), states[0][None], states[1][None]"),
    ]


# --- networks ---------------------------------------------------------------------------------------------------------


def summarize_network(plan: NetworkPlan) -> str:
    """What distinguishes the network, in one line."""
    last = "torch.cat((h_n[-2], h_n[-1]), dim=1)" if plan.spec.bidirectional else "h_n[-1]"
    repeated = f"x[:, :1].expand(-1, {plan.steps_out}, -1)"
    return {
        Task.ONE_TO_ONE: f"lstm(x[:, :1]), then dense({last})",
        Task.ONE_TO_MANY: f"lstm({repeated}), then dense(output)",
        Task.MANY_TO_ONE: f"dense({last})",
        Task.MANY_TO_MANY: "dense(output)",
        Task.ENCODER_DECODER: "decoder(last_h_repeated, (h_n, c_n)), then dense(output)",
    }[plan.task]


def network_lines(plan: NetworkPlan, lengths: bool) -> tuple[str, ...]:
    """A program that builds the network and runs it over `x`, which is given.

    Args:
        plan: the network; without peepholes.
        lengths: whether the samples have different lengths, in the variable `lengths`.
    """
    batch, several = plan.batch, "; lengths too" if _is_packed(plan, lengths) else ""
    statements = [
        Statement("import torch"),
        Statement("from torch import nn"),
        Statement(""),
        Statement(f"# x is given: {shape_literal(batch.samples, batch.timesteps, batch.features)}{several}"),
    ]
    makers = {Task.ONE_TO_ONE: _single_output, Task.MANY_TO_ONE: _single_output, Task.ENCODER_DECODER: _encoder_decoder}
    return format_statements([*statements, *makers.get(plan.task, _output_per_step)(plan, lengths)])


def _is_packed(plan: NetworkPlan, lengths: bool) -> bool:
    """Whether the batch is packed: not where the first timestep alone is read, which every sample has."""
    return lengths and plan.task not in FROM_ONE


def _lstm_statement(name: str, spec: Spec) -> Statement:
    return Statement(f"{name} = {layer_constructor(spec, 'nn', batch_first=True)}")


def _dense_statement(plan: NetworkPlan) -> Statement:
    sizes = f"{plan.dense_source.output}, {plan.outputs}"
    return Statement(f"dense = {call_expression('nn.Linear', sizes, dtype_argument(plan.batch, DTYPE))}")


def _run_statements(plan: NetworkPlan, lstm: str, reads: str, lengths: bool) -> list[Statement]:
    """Run the LSTM that reads the input: over a packed batch where samples have lengths, which end it where they end."""
    spec = plan.spec
    states = len(spec.layers) * len(spec.directions)
    output = shape_literal(spec.samples, spec.timesteps, spec.output)
    h_n, c_n = shape_literal(states, spec.samples, spec.hidden), shape_literal(states, spec.samples, spec.units)
    run = f"output, (h_n, c_n) = {lstm}"
    if not lengths:
        return [Statement(f"{run}({reads})", f"{output}, {h_n}, {c_n}")]
    pack, options = "nn.utils.rnn.pack_padded_sequence", "batch_first=True, enforce_sorted=False"
    pad, total = "nn.utils.rnn.pad_packed_sequence", f"total_length={spec.timesteps}"
    return [
        Statement(f"packed = {pack}({reads}, lengths, {options})"),
        Statement(f"{run}(packed)", f"packed, {h_n}, {c_n}"),
        Statement(f"output, _ = {pad}(output, batch_first=True, {total})", output),
    ]


def _single_output(plan: NetworkPlan, lengths: bool) -> list[Statement]:
    spec, reads_one = plan.spec, plan.task is Task.ONE_TO_ONE
    last = "torch.cat((h_n[-2], h_n[-1]), dim=1)" if spec.bidirectional else "h_n[-1]"
    return [
        _lstm_statement("lstm", spec),
        _dense_statement(plan),
        *_run_statements(plan, "lstm", "x[:, :1]" if reads_one else "x", _is_packed(plan, lengths)),
        Statement(f"last = {last}", shape_literal(spec.samples, spec.output)),
        Statement("y = dense(last)", shape_literal(spec.samples, plan.outputs)),
    ]


def _output_per_step(plan: NetworkPlan, lengths: bool) -> list[Statement]:
    spec, reads_one = plan.spec, plan.task is Task.ONE_TO_MANY
    steps = shape_literal(spec.samples, spec.timesteps, spec.features)
    repeated = [Statement(f"repeated = x[:, :1].expand(-1, {spec.timesteps}, -1)", steps)] if reads_one else []
    return [
        _lstm_statement("lstm", spec),
        _dense_statement(plan),
        *repeated,
        *_run_statements(plan, "lstm", "repeated" if reads_one else "x", _is_packed(plan, lengths)),
        Statement("y = dense(output)", shape_literal(spec.samples, spec.timesteps, plan.outputs)),
    ]


def _encoder_decoder(plan: NetworkPlan, lengths: bool) -> list[Statement]:
    spec, decoder = plan.spec, plan.dense_source
    steps = (spec.samples, decoder.timesteps)
    states = [Statement("h_0, c_0 = h_n, c_n")]
    if spec.bidirectional:
        h_0, c_0 = (shape_literal(len(spec.layers), spec.samples, size) for size in (decoder.hidden, decoder.units))
        states = [
            Statement("h_0 = torch.cat((h_n[0::2], h_n[1::2]), dim=2)", h_0),
            Statement("c_0 = torch.cat((c_n[0::2], c_n[1::2]), dim=2)", c_0),
        ]
    return [
        _lstm_statement("encoder", spec),
        _lstm_statement("decoder", decoder),
        _dense_statement(plan),
        *_run_statements(plan, "encoder", "x", lengths),
        *states,
        Statement(f"repeated = h_0[-1][:, None].expand(-1, {decoder.timesteps}, -1)", shape_literal(*steps, decoder.features)),
        Statement("output, _ = decoder(repeated, (h_0, c_0))", shape_literal(*steps, decoder.output)),
        Statement("y = dense(output)", shape_literal(*steps, plan.outputs)),
    ]


PYTORCH = Framework(
    convention=PYTORCH_CONVENTION,
    info=_INFO,
    call=_CALL,
    script=ScriptTemplate(
        ("import torch",), _write_script, supports_layers=True, supports_directions=True, dtypes=("float32", "float64")
    ),
    network_code=NetworkCode(summarize_network, network_lines),
    notation=_NOTATION,
)

PYTORCH_CELL = Framework(
    convention=PYTORCH_CONVENTION._replace(
        framework="pytorch-cell",
        title="PyTorch cell",
        projection=None,
        source="torch/nn/modules/rnn.py, class LSTMCell",
        direction_names=UNNUMBERED_NAMES,
    ),
    info=_INFO._replace(
        class_name="torch.nn.LSTMCell",
        is_cell=True,
        input_axes=("samples", "features"),
        alternative_layouts=(("without a batch", ("features",)),),
        returns=(
            LayerOutput("h_1", ("samples", "hidden"), "h after this timestep"),
            LayerOutput("c_1", ("samples", "units"), "c after this timestep"),
        ),
        stacking="a cell for each layer and direction, in your loop over time",
        aliases=("LSTMCell", "torch.nn.LSTMCell", "nn.LSTMCell"),
        remarks=("It has no projection, and its names have no _l0.", _EQUAL_GRADIENTS),
    ),
    script=ScriptTemplate(("import torch",), _write_cell_script, dtypes=("float32", "float64")),
)
