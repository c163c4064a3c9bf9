"""The ONNX operator `LSTM`: i o f c, neurons first, two biases in one tensor, directions stacked, peepholes i o f."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.equations import Sign
from lstm_explain.core.gates import PEEPHOLE_GATES, Gate
from lstm_explain.errors import argument
from lstm_explain.frameworks.call import (
    EVERY_TIMESTEP,
    LAST_C,
    LAST_H,
    SAMPLES_FIRST,
    TIMESTEPS_FIRST,
    Call,
    CallOptions,
    ReturnedTensor,
)
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.framework import GIVEN_WEIGHTS, ForgetBias, Framework, LayerInfo, LayerOutput
from lstm_explain.frameworks.notation import (
    BORROWED_PROJECTION,
    TWO_BIASES,
    Notation,
    Reference,
    gate_signs,
    state_signs,
)
from lstm_explain.frameworks.python_code import ScriptTemplate, Statement, string_tuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.framework import AxisName

ONNX_CONVENTION = Convention(
    framework="onnx",
    title="ONNX",
    gate_order=(Gate.INPUT, Gate.OUTPUT, Gate.FORGET, Gate.CANDIDATE),
    output_major=True,
    biases=("Wb", "Rb"),
    kernel="W",
    recurrent_kernel="R",
    peephole="P",
    peephole_order=(Gate.INPUT, Gate.OUTPUT, Gate.FORGET),
    source="onnx/onnx, docs/Operators.md, LSTM",
    directions_stacked=True,
    concatenated_bias="B",
)

_INFO = LayerInfo(
    class_name="LSTM, an operator of ai.onnx",
    input_axes=("timesteps", "samples", "features"),
    alternative_layouts=(("layout=1", ("samples", "timesteps", "features")),),
    returns=(
        LayerOutput("Y", ("timesteps", "directions", "samples", "hidden"), "h of every timestep"),
        LayerOutput("Y_h", ("directions", "samples", "hidden"), "h after the last timestep read"),
        LayerOutput("Y_c", ("directions", "samples", "units"), "c after the last timestep read"),
    ),
    forget_bias=ForgetBias(None, "given"),
    initializers=(("all weights and biases", GIVEN_WEIGHTS),),
    verification="run",
    stacking="a node for each layer; direction=bidirectional has both directions in one node",
    state_names=("initial_h", "initial_c"),
    aliases=("onnxruntime", "ort"),
    remarks=(
        "B holds the biases Wb and Rb end to end. P, the peepholes, are packed in the order i o f.",
        "Y has a separate axis of directions, so a next layer cannot read it as it is. ONNX Runtime refuses layout=1.",
    ),
)

_NOTATION = Notation(
    name="onnx",
    title="ONNX",
    source=Reference(
        "ONNX, the operator LSTM",
        "docs/Operators.md, LSTM, version 22 of the operator",
        "https://github.com/onnx/onnx/blob/main/docs/Operators.md#LSTM",
        "read in its source",
    ),
    convention=ONNX_CONVENTION,
    order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, "cell", Gate.OUTPUT, "hidden"),
    terms=("kernel", "recurrent_kernel", "peephole", "bias", "recurrent_bias"),
    states=state_signs("XHCM", "%b"),
    gates=gate_signs("%g%b", "%g_{%t}", "ifco"),
    kernels=gate_signs("(W%g^T)", r"(W_{%g}^{T})", "ifco"),
    recurrent_kernels=gate_signs("(R%g^T)", r"(R_{%g}^{T})", "ifco"),
    biases=(gate_signs("Wb%g", r"\mathit{Wb}_{%g}", "ifco"), gate_signs("Rb%g", r"\mathit{Rb}_{%g}", "ifco")),
    peepholes=gate_signs("P%g", "P_{%g}", "ifo", PEEPHOLE_GATES),
    projection=Sign("W_hr", "W_{hr}"),
    row_vectors=True,
    transposed=True,
    times=Sign("*", "*"),
    hadamard=Sign("(.)", r"\odot"),
    sigmoid=Sign("f", "f"),
    tanh=Sign("g", "g"),
    tanh_cell=Sign("h", "h"),
    terminology={
        Gate.INPUT: "input gate",
        Gate.FORGET: "forget gate",
        Gate.CANDIDATE: "cell gate",
        Gate.OUTPUT: "output gate",
        "cell": "cell",
        "hidden": "hidden state",
        "input": "input tensor",
    },
    borrowed=("projection",),
    option_notes={
        "projection": BORROWED_PROJECTION,
        "bias": TWO_BIASES,
        "backward": "For the reverse direction the operator's documentation names the weights WB, RB, WBb, RBb and PB",
    },
    remarks=(
        "Before a bracket, f, g and h are functions: f is Sigmoid, g and h are Tanh, unless the node says otherwise. ft is "
        "the forget gate. A small ct is the candidate, a capital Ct the cell state.",
    ),
)


def _strip_trailing_empty(names: Sequence[str]) -> list[str]:
    """The inputs of a node up to the last that is set; an empty name leaves one out."""
    last = max(index for index, name in enumerate(names) if name)
    return list(names[: last + 1])


# --- the call ---------------------------------------------------------------------------------------------------------


def _list_returned(_: Spec, options: CallOptions, __: bool) -> tuple[ReturnedTensor, ...]:
    sequence: tuple[AxisName, ...] = ("timesteps", "directions", "samples")
    last: tuple[AxisName, ...] = ("directions", "samples")
    if options.layout == 1:
        sequence, last = ("samples", "timesteps", "directions"), ("samples", "directions")
    return (
        ReturnedTensor("Y", "sequence", (*sequence, "hidden"), EVERY_TIMESTEP),
        ReturnedTensor("Y_h", "hidden", (*last, "hidden"), LAST_H),
        ReturnedTensor("Y_c", "cell", (*last, "units"), LAST_C),
    )


def _write_call(spec: Spec, options: CallOptions, layer: int, padded: bool) -> list[Statement]:
    """A node in the textual form of ONNX; above another, preceded by the nodes that concatenate its directions."""
    spec = spec.for_layer(layer)
    names = ("X", "W", "R", "B" if spec.bias else "", "sequence_lens" if padded else "", "", "", "P" if spec.peepholes else "")
    attributes = [
        f"hidden_size = {spec.units}",
        *(['direction = "bidirectional"'] if spec.bidirectional else []),
        *([f"layout = {options.layout}"] if options.layout else []),
    ]
    inputs = ", ".join(_strip_trailing_empty(names))
    node = Statement(f"Y, Y_h, Y_c = LSTM <{', '.join(attributes)}> ({inputs})")
    if layer == 0:
        return [node]
    transpose = [] if options.layout else [Statement("Y_turned = Transpose <perm = [0, 2, 1, 3]> (Y_below)")]
    return [
        *transpose,
        Statement("joined = Constant <value_ints = [0, 0, -1]> ()"),
        Statement(f"X = Reshape ({'Y_turned' if transpose else 'Y_below'}, joined)"),
        node,
    ]


_ALWAYS = "ONNX's operator has the outputs Y, Y_h and Y_c always"

_CALL = Call(
    input_name="X",
    unsupported_options={
        "batch_first": ("ONNX numbers its layouts", f"For samples first give {argument('layout', 1)}"),
        "return_sequences": (_ALWAYS, f"Leave out {argument('return_sequences')}"),
        "return_state": (_ALWAYS, f"Leave out {argument('return_state')}"),
    },
    per_layer=True,
    input_axes=lambda options: SAMPLES_FIRST if options.layout == 1 else TIMESTEPS_FIRST,
    returns=_list_returned,
    lines=_write_call,
    initial_states="the inputs initial_h and initial_c, of the shapes of Y_h and Y_c",
    remarks={"layout": "ONNX Runtime refuses layout=1; ONNX's reference evaluator runs it."},
)


# --- scripts ----------------------------------------------------------------------------------------------------------


def _write_script(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    start = ["initial_h", "initial_c"] if states else ["", ""]
    inputs = ("X", "W", "R", "B" if "B" in names else "", "", *start, "P" if "P" in names else "")
    direction = ', direction="bidirectional"' if spec.bidirectional else ""
    return [
        Statement("# Timesteps come first."),
        Statement('x = saved["x"].transpose(1, 0, 2)'),
        Statement(f"inputs = {string_tuple(_strip_trailing_empty(inputs))}"),
        Statement(f"outputs = {string_tuple(('Y', 'Y_h', 'Y_c'))}"),
        Statement(f'node = helper.make_node("LSTM", inputs, outputs, hidden_size={spec.units}{direction})'),
        Statement(f"names, array = {string_tuple(names)}, numpy_helper.from_array"),
        Statement("weights = [array(saved[name], name) for name in names]"),
        *([Statement('weights += [array(saved["h_0"], "initial_h"), array(saved["c_0"], "initial_c")]')] if states else []),
        Statement("tensor, kind = helper.make_tensor_value_info, TensorProto.FLOAT"),
        Statement('reads = [tensor("X", kind, x.shape)]'),
        Statement("makes = [tensor(name, kind, None) for name in outputs]"),
        Statement('graph = helper.make_graph([node], "lstm", reads, makes, weights)'),
        Statement('opset = helper.make_opsetid("", 22)'),
        Statement("model = helper.make_model(graph, opset_imports=[opset], ir_version=10)"),
        Statement('options = {"providers": ["CPUExecutionProvider"]}'),
        Statement("session = onnxruntime.InferenceSession(model.SerializeToString(), **options)"),
        Statement('y, h, c = session.run(None, {"X": x})'),
        Statement("# y has timesteps, directions, samples, units; we join the directions."),
        Statement("output = y.transpose(2, 0, 1, 3).reshape(y.shape[2], y.shape[0], -1)"),
    ]


ONNX = Framework(
    convention=ONNX_CONVENTION,
    info=_INFO,
    call=_CALL,
    script=ScriptTemplate(
        ("import onnxruntime", "from onnx import TensorProto, helper, numpy_helper"),
        _write_script,
        supports_directions=True,
        supports_peepholes=True,  # in float32 only: ONNX Runtime's LSTM takes no double
    ),
    notation=_NOTATION,
)
