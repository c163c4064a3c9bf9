"""WebNN's operator `lstm`: i o f g unless asked for i f g o, neurons first, two biases, directions stacked."""

from __future__ import annotations

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.framework import GIVEN_WEIGHTS, ForgetBias, Framework, LayerInfo, LayerOutput

WEBNN = Framework(
    convention=Convention(
        framework="webnn",
        title="WebNN",
        gate_order=(Gate.INPUT, Gate.OUTPUT, Gate.FORGET, Gate.CANDIDATE),
        output_major=True,
        biases=("bias", "recurrentBias"),
        kernel="weight",
        recurrent_kernel="recurrentWeight",
        peephole="peepholeWeight",
        peephole_order=(Gate.INPUT, Gate.OUTPUT, Gate.FORGET),
        source="webmachinelearning/webnn@c515210d: index.bs, MLLstmOptions and lstm()",
        directions_stacked=True,
    ),
    info=LayerInfo(
        class_name="MLGraphBuilder.lstm",
        input_axes=("timesteps", "samples", "features"),
        returns=(
            LayerOutput("output 0", ("directions", "samples", "hidden"), "h after the last timestep read"),
            LayerOutput("output 1", ("directions", "samples", "units"), "c after the last timestep read"),
            LayerOutput(
                "output 2", ("timesteps", "directions", "samples", "hidden"), "with returnSequence: h of every timestep"
            ),
        ),
        forget_bias=ForgetBias(None, "given"),
        initializers=(("all weights and biases", GIVEN_WEIGHTS),),
        stacking='an operator for each layer; direction "both" has both directions in one operator',
        aliases=("web", "MLGraphBuilder"),
        remarks=('layout: "ifgo" asks for the order i f g o instead of the default "iofg".',),
    ),
)
