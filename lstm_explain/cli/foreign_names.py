"""What people type that other programs have and this one does not: commands and options, with what there is instead."""

from __future__ import annotations

NO_TRAINING = "nothing is trained here: weights come from a seed or from a model file"
PICTURES = "lstm-explain trace -o trace.svg draws h and c as a picture; every topic takes -o FILE.svg"
FRAMEWORK_COMMAND = "lstm-explain frameworks {} shows how it writes this layer, and lstm-explain model FILE reads its models"

_COMMANDS = {
    "gru rnn simplernn vanilla-rnn transformer attention cnn conv mlp dense": (
        "only LSTMs are explained here",
        "See lstm-explain shapes, or lstm-explain terms for the words",
    ),
    "lstm bilstm bidirectional stacked": (
        "every command is about an LSTM, so it is not a command of its own",
        "See lstm-explain shapes, or lstm-explain shapes --layers 2 --bidirectional",
    ),
    "plot plots draw diagram picture image svg png graph graphviz chart figure visualize visualise viz heatmap": (
        "there is no command of this name",
        f"{PICTURES}; lstm-explain explore shows the layer on the screen",
    ),
    "summary info describe print show params parameters count size dims dimensions torchinfo": (
        "there is no command of this name",
        "lstm-explain shapes lists every tensor and counts the parameters; lstm-explain model FILE reads a model",
    ),
    "train fit backward optimize optimise evaluate loss": (NO_TRAINING, "lstm-explain trace shows a run"),
    "run predict forward step steps gates states hidden cell output outputs activations": (
        "there is no command of this name",
        "lstm-explain trace --gates shows h, c and the gates at every timestep; lstm-explain unit 3 --step 4 computes one",
    ),
    "load open read import inspect weights checkpoint state-dict": (
        "there is no command of this name",
        "lstm-explain model FILE lists the LSTMs in a file, and every topic takes --model FILE",
    ),
    "interactive tui gui ui play demo app": (
        "there is no command of this name",
        "lstm-explain explore shows the layer on the full screen",
    ),
    "learn tutorial lesson intro introduction start guide walkthrough explain teach": (
        "there is no command of this name",
        "lstm-explain tour explains LSTM units step by step",
    ),
    "test exam exercise exercises questions": ("there is no command of this name", "lstm-explain quiz asks you questions"),
    "glossary dictionary define definition words word vocabulary what": (
        "there is no command of this name",
        "lstm-explain terms explains the words",
    ),
    "formula formulas equation math maths latex": (
        "there is no command of this name",
        "lstm-explain equations writes the equations; -o FILE.md has them in LaTeX",
    ),
    "export save translate port transfer to-keras to-pytorch to-onnx": (
        "there is no command of this name",
        "lstm-explain convert FROM TO writes the weights for another framework; -o FILE saves any answer",
    ),
    "compare diff validate": (
        "there is no command of this name",
        "lstm-explain verify compares a model's outputs with those of another program",
    ),
    "data csv split slice slide sliding reshape sequences batch batches dataset": (
        "there is no command of this name",
        "lstm-explain window FILE cuts a table into samples; every topic takes --data FILE",
    ),
    "poke perturb gradient gradients jacobian attribution importance sensitivity independence sharing share": (
        "there is no command of this name",
        "lstm-explain influence changes one unit and shows which others notice",
    ),
    "forget forgetting half-life remember stateful": (
        "there is no command of this name",
        "lstm-explain memory shows what each unit remembers",
    ),
    "units neuron neurons circle circles": (
        "there is no command of this name",
        "lstm-explain unit 3 shows unit 3; lstm-explain tour explains what a unit is",
    ),
    "many-to-one many-to-many one-to-many one-to-one encoder-decoder seq2seq classification regression forecasting": (
        "this is a task, not a command",
        "See lstm-explain tasks, which shows the outputs of each task",
    ),
    "json schemas": ("there is no command of this name", "Every topic takes --json; lstm-explain schema TOPIC describes it"),
    "version": ("there is no command of this name", "lstm-explain --version prints it"),
    "completion completions": (
        "there is no command of this name",
        "lstm-explain --install-completion installs it for your shell",
    ),
}
_FRAMEWORKS = "keras pytorch torch tensorflow tf onnx flax jax haiku mlx coreml openvino tinygrad equinox"
_TRAINING = "dropout recurrent-dropout epochs learning-rate lr optimizer loss"
_OPTIONS = {
    _TRAINING: ("this is an option of training, and nothing is trained here", "Leave it out"),
    "plot draw png svg image picture figure chart graph show-plot visualize": (
        "there is no such option; pictures are files",
        "Write -o FILE.svg, which draws what the table shows",
    ),
    "gpu cuda device cpu": ("there is no such option; everything runs on the CPU, with numpy", "Leave it out"),
    "out outfile output-file save save-to": ("there is no such option", "Write -o FILE"),
    "verbose quiet": ("there is no such option; notes go to standard error", "Leave it out"),
}

COMMANDS = {name: answer for names, answer in _COMMANDS.items() for name in names.split()} | {
    name: ("this is a framework, not a command", FRAMEWORK_COMMAND.format({"jax": "flax"}.get(name, name)))
    for name in _FRAMEWORKS.split()
}
"""A name -> what is the matter with it, and what there is instead."""
OPTIONS = {f"--{name}": answer for names, answer in _OPTIONS.items() for name in names.split()}
TRAINING_OPTIONS = tuple(f"--{name}" for name in _TRAINING.split())
