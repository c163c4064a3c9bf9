"""Core ML's operator `lstm`: i f o z (z is our g), neurons first, one bias that is the sum of two, peepholes i f o."""

from __future__ import annotations

from types import MappingProxyType

from lstm_explain.core.gates import Direction, Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.framework import GIVEN_WEIGHTS, ForgetBias, Framework, LayerInfo, LayerOutput

COREML = Framework(
    convention=Convention(
        framework="coreml",
        title="Core ML",
        gate_order=(Gate.INPUT, Gate.FORGET, Gate.OUTPUT, Gate.CANDIDATE),
        output_major=True,
        biases=("bias",),
        kernel="weight_ih",
        recurrent_kernel="weight_hh",
        peephole="peephole",
        peephole_order=(Gate.INPUT, Gate.FORGET, Gate.OUTPUT),
        source="apple/coremltools@3d59c954: coremltools/converters/mil/mil/ops/defs/iOS15/recurrent.py, class lstm",
        direction_names=MappingProxyType({Direction.FORWARD: "{name}", Direction.BACKWARD: "{name}_back"}),
    ),
    info=LayerInfo(
        class_name="lstm, an operator of Core ML's MIL (iOS 15)",
        input_axes=("timesteps", "samples", "features"),
        returns=(
            LayerOutput(
                "output 0", ("timesteps", "samples", "output"), "with output_sequence=True; else the last timestep alone"
            ),
            LayerOutput("output 1", ("samples", "output"), "h after the last timestep read, directions side by side"),
            LayerOutput("output 2", ("samples", "all_units"), "c after the last timestep read, directions side by side"),
        ),
        forget_bias=ForgetBias(None, "given"),
        initializers=(("all weights and the bias", GIVEN_WEIGHTS),),
        stacking="an operator for each layer; direction=bidirectional has both, the backward weights' names end in _back",
        aliases=("coremltools", "mil", "apple"),
        remarks=("The bias is the sum of what PyTorch keeps as two.",),
    ),
)
