"""What people and programs see, pinned: each case is a command line and the file that holds its whole output.

The goldens are made in float64, so that another processor's last bits stay far behind the last digit shown. After a change
that is meant, `python tests/golden/test_golden.py` writes them anew; read the difference before you commit it.
"""

import json
import math
import re
import sys
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import lstm_explain
from lstm_explain.cli.main import app

HERE = Path(__file__).parent
SMALL = "--samples 3 --timesteps 4 --features 2 --units 3 --dtype float64"
STACK = f"{SMALL} --layers 2 --bidirectional --projection 2"

PLACE = "--layer 1 --direction backward"
UNLIKE = "--model unlike.npz --samples 3 --timesteps 4"

TEXTS = {
    "shapes.txt": "shapes --dtype float64",
    "shapes-160.txt": "shapes --dtype float64 --width 160",
    "shapes-all.txt": "shapes --all --dtype float64",
    "shapes-all-160.txt": "shapes --all --dtype float64 --width 160",
    "shapes-all-stack.txt": f"shapes --all {STACK}",
    "shapes-one.txt": "shapes --units 1 --features 1",
    "shapes-projection.txt": "shapes --projection 4",
    "shapes-ascii.txt": "shapes --bidirectional --ascii",
    "shapes-40.txt": f"shapes {SMALL} --width 40",
    "shapes-stack.txt": f"shapes {STACK}",
    "shapes-options.txt": f"shapes --all {SMALL} --no-bias --peepholes --init pytorch",
    "shapes-computed.txt": "shapes --all --samples 1000000000000",
    "shapes-unlike.txt": f"shapes {UNLIKE}",
    "shapes.md": f"shapes {SMALL} --format markdown",
    "shapes-pytorch.txt": f"shapes --framework pytorch {STACK}",
    "shapes-keras.txt": f"shapes --framework keras --return-state --lengths 4,2,3 --layers 3 {SMALL}",
    "shapes-onnx-160.txt": f"shapes --framework onnx --layout 1 --layers 2 --peepholes {SMALL} --width 160",
    "shapes-flax-ascii.txt": f"shapes --framework flax --return-state --bidirectional --lengths 4,2,3 {SMALL} --ascii",
    "shapes-pytorch-computed.txt": "shapes --framework pytorch --batch-first --samples 1000000000000",
    "shapes-pytorch.md": f"shapes --framework pytorch --bidirectional --lengths 4,2,3 {SMALL} --format markdown",
    "unit.txt": "unit --unit 3 --step 4 --dtype float64",
    "unit-160.txt": "unit --unit 3 --dtype float64 --width 160",
    "unit-stack.txt": f"unit --unit 2 --step 2 --layer 1 --direction backward {STACK} --sample 1",
    "unit-options.txt": f"unit --unit 1 --step 3 --no-bias --peepholes --lengths 4,3,1 --sample 1 {SMALL}",
    "unit-many.txt": "unit --unit 60 --step 2 --units 64 --features 40 --dtype float64",
    "unit-unlike.txt": f"unit --unit 1 --step 2 --layer 1 {UNLIKE} --sample 1",
    "unit-edited.txt": f"unit --unit 1 --step 2 --edit f_2[1]=0.25 --edit c_2[1]=-1.5 --edit h_1[0]=0.5 {SMALL}",
    "unit.md": f"unit --step 1 {SMALL} --format markdown",
    "trace.txt": "trace --gates --dtype float64",
    "trace-160.txt": "trace --units 20 --timesteps 40 --dtype float64 --width 160",
    "trace-80-wide.txt": "trace --units 20 --timesteps 3 --dtype float64 --width 80",
    "trace-ascii.txt": f"trace --gates --ascii {SMALL}",
    "trace-color.txt": f"trace --gates --color always {SMALL}",
    "trace-backward.txt": f"trace --direction backward --lengths 4,2,3 --sample 1 --gates {STACK}",
    "trace-edited.txt": f"trace --edit h_2[1]=0.5 --edit x_3[0]=2 --gates {SMALL}",
    "trace-unlike.txt": f"trace --layer 2 --gates {UNLIKE}",
    "trace-chosen.txt": "trace --sample 7 --unit 0,3,7-9 --steps 2-4 --dtype float64",
    "trace.md": f"trace {SMALL} --format markdown",
    "trace.svg": f"trace {SMALL} --format svg",
    "influence.txt": "influence --unit 3 --through-time --poke 3 --at 4 --dtype float64",
    "influence-160.txt": "influence --mean --samples 40 --dtype float64 --width 160",
    "influence-stack.txt": f"influence --unit 2 --layer 1 --direction backward --step 2 --through-time --poke 1 {STACK}",
    "influence-many.txt": "influence --units 20 --features 20 --samples 3 --timesteps 40 --poke 19 --at 3 --dtype float64",
    "influence-ascii.txt": f"influence --ascii --peepholes --no-bias --lengths 4,3,1 --sample 1 {SMALL}",
    "influence.md": f"influence --through-time {SMALL} --format markdown",
    "help-influence.txt": "influence --help",
    "equations.txt": "equations --numbers --unit 3 --step 4 --dtype float64",
    "equations-160.txt": "equations --notation keras --numbers --unit 3 --dtype float64 --width 160",
    "equations-all.txt": "equations --all --dtype float64",
    "equations-all-160.txt": "equations --all --peepholes --projection 4 --dtype float64 --width 160",
    "equations-stack.txt": f"equations --notation goodfellow --numbers --unit 2 --step 2 {PLACE} {STACK}",
    "equations-options.txt": f"equations --notation colah --no-bias --peepholes --numbers --lengths 4,3,1 --sample 1 {SMALL}",
    "equations-ascii.txt": f"equations --notation ng --peepholes --numbers --ascii {SMALL}",
    "equations.md": f"equations --notation onnx --peepholes --numbers --unit 1 {SMALL} --format markdown",
    "memory.txt": "memory --dtype float64",
    "memory-160.txt": "memory --init pytorch --dtype float64 --width 160",
    "memory-stack.txt": f"memory --layer 1 --direction backward --lengths 4,2,3 --sample 2 {STACK}",
    "memory-one.txt": f"memory --peepholes --timesteps 1 {SMALL.replace('--timesteps 4', '')}",
    "memory-carried.txt": "memory --carry-state --sample 500 --unit 0,3,7-9 --dtype float64",
    "memory-many.txt": "memory --units 20 --timesteps 40 --dtype float64",
    "memory-ascii.txt": f"memory --carry-state --sample 1 --ascii {SMALL}",
    "memory.md": f"memory --carry-state --sample 2 {SMALL} --format markdown",
    "tasks.txt": "tasks --dtype float64",
    "tasks-160.txt": "tasks many-to-many --outputs 3 --dtype float64 --width 160",
    "tasks-stack.txt": f"tasks many-to-one --sample 1 {STACK}",
    "tasks-decoder.txt": f"tasks encoder-decoder --steps-out 6 --outputs 2 --no-bias --layers 3 {SMALL} --bidirectional",
    "tasks-one.txt": f"tasks one-to-one --peepholes {SMALL}",
    "tasks-lengths.txt": f"tasks many-to-many --lengths 4,3,1 --sample 2 {SMALL}",
    "tasks-ascii.txt": f"tasks one-to-many --steps-out 7 --ascii {SMALL}",
    "tasks-computed.txt": "tasks many-to-one --samples 1000000000000 --dtype float64",
    "tasks.md": f"tasks many-to-one --bidirectional {SMALL} --format markdown",
    "terms.txt": "terms --dtype float64",
    "terms-160.txt": "terms --dtype float64 --width 160",
    "terms-all.txt": "terms --all --dtype float64",
    "terms-boxes.txt": f"terms --ascii {STACK}",
    "terms-stack.txt": f"terms cell hidden state output proj_size {STACK}",
    "terms-ascii.txt": f"terms unit node --ascii {SMALL}",
    "terms-computed.txt": "terms sample --samples 1000000000000",
    "terms.md": f"terms hidden_size element {SMALL} --format markdown",
    "tour.txt": "tour --dtype float64",
    "tour-160.txt": "tour --dtype float64 --width 160",
    "tour-stack.txt": f"tour --lengths 4,3,1 --sample 1 --peepholes {STACK}",
    "tour-one.txt": "tour --samples 2 --timesteps 1 --features 1 --units 1 --dtype float64",
    "tour-ascii.txt": f"tour --timesteps 1 --chapter 3 --chapter states --ascii {SMALL.replace('--timesteps 4', '')}",
    "tour-computed.txt": "tour --units 100000",
    "tour.md": f"tour {SMALL} --no-bias --format markdown",
    "help-tour.txt": "tour --help",
    "help-report.txt": "report --help",
    "window.txt": "window - --timesteps 4 --columns open,close --target close --dtype float64",
    "window-160.txt": "window - --timesteps 13 --columns open --dtype float64 --width 160",
    "window-gaps.txt": "window - --timesteps 3 --horizon 2 --target close --time-column date --scale standard --dtype float64",
    "window-stride.txt": "window - --timesteps 1 --stride 4 --columns close,open --scale minmax --dtype float64",
    "window-ascii.txt": "window - --timesteps 14 --time-column date --dtype float64 --ascii",
    "window.md": "window - --timesteps 2 --columns open,close --dtype float64 --format markdown",
    "help-window.txt": "window --help",
    "model.txt": "model module.npz",
    "model-unlike.txt": "model unlike.npz",
    "model-160.txt": "model layers.npz --width 160",
    "model-ascii.txt": "model plain.npz --convention onnx --ascii",
    "model.md": "model layers.npz --format markdown",
    "help-model.txt": "model --help",
    "verify.txt": "verify module.npz#enc --input x.npy --output y.npy",
    "verify-order.txt": "verify order.npz --input x.npy --output y.npy",
    "verify-order-160.txt": "verify order.npz --input x.npy --output last.npy --width 160",
    "verify-none.txt": "verify module.npz#enc --input x.npy --output other.npy --tolerance 1e-9 --ascii",
    "verify.md": "verify order.npz --input x.npy --output y.npy --format markdown",
    "help-verify.txt": "verify --help",
    "convert.txt": "convert pytorch keras --units 3 --features 2 --dtype float64",
    "convert-160.txt": "convert haiku onnx --units 3 --layers 2 --bidirectional --dtype float64 --width 160",
    "convert-ascii.txt": "convert plain.npz keras --convention onnx --ascii",
    "convert.md": "convert tflite coreml --units 3 --no-bias --peepholes --dtype float64 --format markdown",
    "help-convert.txt": "convert --help",
    "frameworks.txt": "frameworks --dtype float64",
    "frameworks-160.txt": "frameworks --layers 2 --bidirectional --dtype float64 --width 160",
    "frameworks-stack.txt": f"frameworks pytorch {STACK}",
    "frameworks-options.txt": f"frameworks tensorflow1 --no-bias --peepholes {SMALL}",
    "frameworks-computed.txt": "frameworks openvino --units 1000000000",
    "frameworks-ascii.txt": f"frameworks flax-nnx --ascii {SMALL}",
    "frameworks-program.txt": f"frameworks onnx --code --bidirectional {SMALL.replace(' --dtype float64', '')}",
    "frameworks.md": f"frameworks haiku --code {SMALL.replace(' --dtype float64', '')} --format markdown",
    "help-frameworks.txt": "frameworks --help",
    "quiz.md": "quiz --export markdown --questions 12 --seed 5",
    "quiz-sizes.md": "quiz --export markdown --questions 3 --level 2 --timesteps 4 --features 2 --units 3",
    "help-quiz.txt": "quiz --help",
    "help-tasks.txt": "tasks --help",
    "help-terms.txt": "terms --help",
    "help.txt": "--help",
    "help-shapes.txt": "shapes --help",
    "help-unit.txt": "unit --help",
    "help-trace.txt": "trace --help",
    "help-explore.txt": "explore --help",
    "help-equations.txt": "equations --help",
    "help-memory.txt": "memory --help",
}

NUMBERS = {
    "quiz.json": "quiz --export json --questions 9 --seed 6",
    "shapes.json": f"shapes {STACK} --json",
    "shapes-keras.json": f"shapes --framework keras --return-sequences --return-state --bidirectional {SMALL} --json",
    "unit.json": f"unit --step 2 {SMALL} --peepholes --json",
    "influence.json": f"influence --unit 1 --step 3 --through-time --poke 2 --at 2 {STACK} --json",
    "tasks-unlike.json": f"tasks encoder-decoder {UNLIKE} --json",
    "tasks.json": f"tasks {STACK} --steps-out 2 --json",
    "tasks-lengths.json": f"tasks many-to-many --lengths 4,3,1 --sample 2 {SMALL} --json",
    "window.json": "window - --timesteps 3 --stride 2 --target close --time-column 0 --scale standard --dtype float64 --json",
    "tour.json": f"tour {STACK} --json",
    "terms-unlike.json": f"terms unit projection {UNLIKE} --json",
    "terms.json": f"terms cell sample hidden state {STACK} --json",
    "trace.json": f"trace --lengths 4,2,3 --sample 1 {SMALL} --json",
    "equations.json": f"equations --notation goodfellow --numbers --unit 1 --step 2 {SMALL} --peepholes --json",
    "equations-all.json": f"equations --all {STACK} --json",
    "memory.json": f"memory --sample 1 --lengths 4,2,3 --carry-state {SMALL} --json",
    "memory-one.json": f"memory --peepholes --layers 2 --timesteps 1 {SMALL.replace('--timesteps 4', '')} --json",
    "model.json": "model layers.npz --json",
    "convert.json": "convert onnx pytorch --units 3 --bidirectional --dtype float64 --json",
    "verify.json": "verify order.npz --input x.npy --output y.npy --json",
    "frameworks.json": f"frameworks {STACK} --json",
    "frameworks-program.json": f"frameworks tinygrad --code {SMALL.replace(' --dtype float64', '')} --json",
    "trace.jsonl": f"trace --all-samples {STACK}",
    "trace-unlike.jsonl": f"trace {UNLIKE} --format jsonl",
    "trace.csv": f"trace --all-samples {STACK} --format csv",
}


DAYS = (1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 15, 16, 17, 18, 19)
PIPED = "date,open,close,kind\n" + "".join(f"2024-01-{day:02},{day * 7 % 11 / 4},{day * 5 % 13 / 2},1\n" for day in DAYS)
"""What `window -` reads."""


def write_files(command: str) -> None:
    """What a command reads, if it reads files: weights of modules, and what one of them reads and makes."""
    if "unlike.npz" in command:
        np.savez("unlike.npz", **unlike_layers())
    if not command.startswith(("model ", "verify ", "convert plain")):
        return
    enc = {**torch_layer("enc", "_l0", 2), **torch_layer("enc", "_l0_reverse", 2), **torch_layer("dec", "", 6)}
    np.savez("module.npz", **enc)
    gru: dict[str, Any] = {"gru/kernel": numbers(2, 9), "gru/recurrent_kernel": numbers(3, 9)}
    np.savez("layers.npz", **keras_layer("low", 2), **keras_layer("high", 3), **gru)
    np.savez("plain.npz", W=numbers(2, 12, 2), R=numbers(2, 12, 3), B=numbers(2, 24))
    np.savez("order.npz", **{name: swapped(array) for name, array in enc.items() if name.startswith("enc")})
    x = numbers(3, 4, 2)
    record = lstm_explain.from_model("module.npz", "enc", array=x).run()
    for name, array in {"x": x, "y": record.output, "other": np.cos(record.output)}.items():
        np.save(f"{name}.npy", array)
    np.save("last.npy", np.concatenate([part.last_hidden for part in record.layers[0].values()], axis=1))


def torch_layer(module: str, end: str, reads: int) -> dict[str, Any]:
    shapes = {"weight_ih": (12, reads), "weight_hh": (12, 3), "bias_ih": (12,), "bias_hh": (12,)}
    return {f"{module}.{name}{end}": numbers(*shape) + 0.1 * len(end) for name, shape in shapes.items()}


def keras_layer(name: str, reads: int) -> dict[str, Any]:
    shapes: dict[str, tuple[int, ...]] = {"kernel": (reads, 12), "recurrent_kernel": (3, 12), "bias": (12,)}
    return {f"{name}/{one}": numbers(*shape) for one, shape in shapes.items()}


def unlike_layers() -> dict[str, Any]:
    """Of a stack in our own names: 3 units both ways, 4 without bias whose h is projected to 2, 2 with peepholes."""
    shapes: dict[str, dict[str, tuple[int, ...]]] = {
        "layer0.forward": {"kernel": (2, 12), "recurrent_kernel": (3, 12), "bias": (12,)},
        "layer0.backward": {"kernel": (2, 12), "recurrent_kernel": (3, 12), "bias": (12,)},
        "layer1.forward": {"kernel": (6, 16), "recurrent_kernel": (2, 16), "projection": (4, 2)},
        "layer2.forward": {"kernel": (2, 8), "recurrent_kernel": (2, 8), "bias": (8,), "peephole": (3, 2)},
    }
    named = {f"{layer}.{name}": shape for layer, tensors in shapes.items() for name, shape in tensors.items()}
    return {name: numbers(*shape) + 0.01 * place for place, (name, shape) in enumerate(named.items())}


def swapped(array: Any) -> Any:
    """From the order i f g o to i o f g."""
    blocks = np.split(array, 4)
    return np.concatenate([blocks[place] for place in (0, 3, 1, 2)])


def numbers(*shape: int) -> Any:
    return np.sin(np.arange(math.prod(shape)) * 1.7).reshape(shape)


def output_of(command: str) -> str:
    environment = {
        "COLUMNS": "80",
        "COLORTERM": "truecolor",
        "TERM": "xterm-256color",
        "_TYPER_FORCE_DISABLE_TERMINAL": "1",
        "NO_COLOR": "",
        "FORCE_COLOR": "",
    }
    with TemporaryDirectory() as folder, chdir(folder):
        write_files(command)
        result = CliRunner().invoke(app, command.split(), input=PIPED, prog_name="lstm-explain", env=environment)
    assert result.exit_code == 0, result.output
    return result.stdout


def golden(name: str) -> str:
    path = HERE / name
    assert path.exists(), f"there is no {path}: write it with `python tests/golden/test_golden.py`"
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TEXTS)
def test_what_people_see(name: str) -> None:
    check_text(output_of(TEXTS[name]), golden(name))


def check_text(output: str, expected: str) -> None:
    assert without_rounding(output) == without_rounding(expected)


def without_rounding(text: str) -> str:
    """The text without measured rounding differences: processors disagree on whether one is 6e-17 or 0 exactly."""
    return re.sub(r"\b\d(?:\.\d+)?e-(?:1[5-9]|[2-9]\d)\b|(?<=differ by )0 exactly", "rounding", text)


@pytest.mark.parametrize("name", NUMBERS)
def test_what_programs_read(name: str) -> None:
    check_numbers(output_of(NUMBERS[name]), golden(name), name)


def check_numbers(output: str, expected: str, name: str) -> None:
    assert len(output.splitlines()) == len(expected.splitlines())
    for line, expected_line in zip(output.splitlines(), expected.splitlines(), strict=True):
        assert_same(parsed(line), parsed(expected_line), name)


@pytest.mark.parametrize("name", [name for name in TEXTS if name.endswith(".txt")])
def test_no_line_is_wider_than_the_page(name: str) -> None:
    words = TEXTS[name].split()
    width = int(words[words.index("--width") + 1]) if "--width" in words else 80
    if "--color" not in words:
        assert max(map(len, golden(name).splitlines())) <= width


def test_every_golden_belongs_to_a_case() -> None:
    assert {path.name for path in HERE.iterdir() if path.suffix not in (".py", "")} == {*TEXTS, *NUMBERS}


def parsed(line: str) -> Any:
    if line.startswith("{"):
        return json.loads(line)
    return [float(cell) if cell and cell[0] in "-0123456789" else cell for cell in line.split(",")]


def assert_same(made: Any, expected: Any, where: str) -> None:
    """Equal, numbers to within 1e-9 of each other; a new version of the package is no difference."""
    if isinstance(expected, dict):
        assert list(made) == list(expected), where
        for key in expected:
            if key != "tool_version":
                assert_same(made[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(made) == len(expected), where
        for place, (one, other) in enumerate(zip(made, expected, strict=True)):
            assert_same(one, other, f"{where}[{place}]")
    elif isinstance(expected, float) and where.split(".")[-1] != "difference":
        assert math.isclose(made, expected, rel_tol=1e-9, abs_tol=1e-12), where
    elif where.split(".")[-1] != "difference":
        assert made == expected, where


def differs(output: str, name: str) -> bool:
    """Whether the test of a golden fails: another processor rounds other last digits, which is no change."""
    try:
        if name in TEXTS:
            check_text(output, golden(name))
        else:
            check_numbers(output, golden(name), name)
    except (AssertionError, OSError, ValueError):
        return True
    return False


if __name__ == "__main__":
    outputs = {file: output_of(line) for file, line in {**TEXTS, **NUMBERS}.items()}
    changed = {file: output for file, output in outputs.items() if differs(output, file)}
    for file, output in changed.items():
        (HERE / file).write_text(output, encoding="utf-8")
    sys.stdout.write(f"{len(changed)} of {len(outputs)} goldens written; read the difference before you commit it\n")
