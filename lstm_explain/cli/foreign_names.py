"""What people type that other programs have and this one does not: commands and options, with what there is instead."""

from __future__ import annotations

NO_TRAINING = "nothing is trained here: weights come from a seed or from a model file"
UNKNOWN_COMMAND, UNKNOWN_OPTION = "unknown command", "unknown option"
PICTURES = "lstm-explain trace -o trace.svg draws h and c as a picture; every topic takes -o FILE.svg"
FRAMEWORK_COMMAND = "lstm-explain frameworks {} shows how it writes this layer, and lstm-explain model FILE reads its models"

_COMMANDS = {
    "gru rnn simplernn vanilla-rnn transformer attention cnn conv mlp dense": (
        "only LSTMs are explained here",
        "See lstm-explain shapes, or lstm-explain terms for the words",
    ),
    "lstm bilstm bidirectional stacked": (
        "this is not a command, because every command is about an LSTM",
        "See lstm-explain shapes, or lstm-explain shapes --layers 2 --bidirectional",
    ),
    "plot plots draw diagram picture image svg png graph graphviz chart figure visualize visualise viz heatmap": (
        UNKNOWN_COMMAND,
        f"{PICTURES}; lstm-explain explore shows the layer on the screen",
    ),
    "summary info describe print show params parameters count size dims dimensions torchinfo": (
        UNKNOWN_COMMAND,
        "lstm-explain shapes lists every tensor and counts the parameters; lstm-explain model FILE reads a model",
    ),
    "train fit backward optimize optimise evaluate loss": (NO_TRAINING, "lstm-explain trace shows a run"),
    "run predict forward step steps gates states hidden cell output outputs activations": (
        UNKNOWN_COMMAND,
        "lstm-explain trace --gates shows h, c and the gates at every timestep; lstm-explain unit 3 --step 4 computes one",
    ),
    "load open read import inspect weights checkpoint state-dict": (
        UNKNOWN_COMMAND,
        "lstm-explain model FILE lists the LSTMs in a file, and every topic takes --model FILE",
    ),
    "interactive tui gui ui play demo app": (
        UNKNOWN_COMMAND,
        "lstm-explain explore shows the layer on the full screen",
    ),
    "learn tutorial lesson intro introduction start guide walkthrough explain teach": (
        UNKNOWN_COMMAND,
        "lstm-explain tour explains LSTM units step by step",
    ),
    "test exam exercise exercises questions": (UNKNOWN_COMMAND, "lstm-explain quiz asks you questions"),
    "glossary dictionary define definition words word vocabulary what": (
        UNKNOWN_COMMAND,
        "lstm-explain terms explains the words",
    ),
    "formula formulas equation math maths latex": (
        UNKNOWN_COMMAND,
        "lstm-explain equations writes the equations; -o FILE.md has them in LaTeX",
    ),
    "export save translate port transfer to-keras to-pytorch to-onnx": (
        UNKNOWN_COMMAND,
        "lstm-explain convert FROM TO writes the weights for another framework; -o FILE saves any answer",
    ),
    "compare diff validate": (
        UNKNOWN_COMMAND,
        "lstm-explain verify compares a model's outputs with those of another program",
    ),
    "data csv split slice slide sliding reshape sequences batch batches dataset": (
        UNKNOWN_COMMAND,
        "lstm-explain window FILE cuts a table into samples; every topic takes --data FILE",
    ),
    "poke perturb gradient gradients jacobian attribution importance sensitivity independence sharing share": (
        UNKNOWN_COMMAND,
        "lstm-explain influence changes one unit and shows which others notice",
    ),
    "forget forgetting half-life remember stateful": (
        UNKNOWN_COMMAND,
        "lstm-explain memory shows what each unit remembers",
    ),
    "units neuron neurons circle circles": (
        UNKNOWN_COMMAND,
        "lstm-explain unit 3 shows unit 3; lstm-explain tour explains what a unit is",
    ),
    "many-to-one many-to-many one-to-many one-to-one encoder-decoder seq2seq classification regression forecasting": (
        "this is a task, not a command",
        "See lstm-explain tasks, which shows the outputs of each task",
    ),
    "json schemas": (UNKNOWN_COMMAND, "Every topic takes --json; lstm-explain schema TOPIC describes it"),
    "version": (UNKNOWN_COMMAND, "lstm-explain --version prints it"),
    "completion completions": (
        UNKNOWN_COMMAND,
        "lstm-explain --install-completion installs it for your shell",
    ),
}
_FRAMEWORKS = "keras pytorch torch tensorflow tf onnx flax jax haiku mlx coreml openvino tinygrad equinox"
_TRAINING = "dropout recurrent-dropout epochs learning-rate lr optimizer loss"
_OPTIONS = {
    _TRAINING: ("this is an option of training, and nothing is trained here", "Leave it out"),
    "plot draw png svg image picture figure chart graph show-plot visualize": (
        "unknown option; pictures are files",
        "Write -o FILE.svg, which draws what the table shows",
    ),
    "gpu cuda device cpu": ("unknown option; everything runs on the CPU, with numpy", "Leave it out"),
    "out outfile output-file save save-to": (UNKNOWN_OPTION, "Write -o FILE"),
    "verbose quiet": ("unknown option; notes go to standard error", "Leave it out"),
}

COMMANDS = {name: answer for names, answer in _COMMANDS.items() for name in names.split()} | {
    name: ("this is a framework, not a command", FRAMEWORK_COMMAND.format({"jax": "flax"}.get(name, name)))
    for name in _FRAMEWORKS.split()
}
"""A name -> what is the matter with it, and what there is instead."""
OPTIONS = {f"--{name}": answer for names, answer in _OPTIONS.items() for name in names.split()}
TRAINING_OPTIONS = tuple(f"--{name}" for name in _TRAINING.split())
