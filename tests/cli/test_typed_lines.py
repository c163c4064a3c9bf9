"""What people type: lines without a command, help, arguments without an option, and the names of other programs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lstm_explain.cli import foreign_names
from lstm_explain.cli.commands import BARE_HINT, COMMANDS, TABLE_HINT, complete_line
from lstm_explain.cli.positionals import DATA_SUFFIXES, MODEL_SUFFIXES, file_role
from lstm_explain.readers.foreign_formats import FORMATS
from lstm_explain.topics.registry import LSTM_TOPICS
from tests.helpers.model_files.arrays import keras_layer, packed

Call = Callable[..., subprocess.CompletedProcess[bytes]]
Refused = Callable[..., str]

ALREADY_HERE = {"--version", "-V", "--help", "-h"}


# --- no command -------------------------------------------------------------------------------------------------------


def test_without_a_command_the_sizes_are_asked_of_shapes(call: Call) -> None:
    for options in (["--units", "3"], ["--hidden-size=3", "--json"], ["--units", "3", "--layers", "2", "--ascii"], ["--json"]):
        done, named = call(*options), call("shapes", *options)
        assert (done.returncode, done.stdout, done.stderr) == (0, named.stdout, b"")
        assert done.stdout


def test_without_anything_shapes_is_shown_and_help_is_named(call: Call) -> None:
    done = call()
    assert (done.returncode, done.stdout) == (0, call("shapes").stdout)
    assert done.stderr.decode() == f"{BARE_HINT}\n"
    for command in ("tour", "--help"):
        assert f"lstm-explain {command} " in BARE_HINT
    assert len(BARE_HINT) <= 100


def test_options_may_stand_before_the_command(call: Call, refused: Refused) -> None:
    assert call("--units", "3", "trace", "--json").stdout == call("trace", "--units", "3", "--json").stdout
    assert refused(2, "--units", "trcae").startswith("--units trcae: a size is a whole number")


def test_without_a_command_errors_are_those_of_shapes(refused: Refused) -> None:
    assert "No such option: --untis" in refused(2, "--untis", "3")
    assert refused(2, "--units", "0").startswith("--units 0: a layer needs at least one unit")


@pytest.mark.parametrize("words", [["help"], ["-h"]])
def test_help_is_a_command_too(words: list[str], call: Call) -> None:
    assert call(*words).stdout == call("--help").stdout != b""


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_of_a_command(command: str, call: Call) -> None:
    asked = call(command, "--help").stdout
    assert asked.startswith(f"Usage: lstm-explain {command} ".encode())
    assert call("help", command).stdout == asked
    assert call(command, "help").stdout == asked


def test_help_of_what_is_not_a_command(refused: Refused) -> None:
    assert refused(2, "help", "shapse") == "No such command 'shapse'. Did you mean 'shapes'?"
    assert refused(2, "help", "plot").startswith("plot: unknown command.")
    assert refused(2, "hlep") == "No such command 'hlep'."


def test_version_has_a_short_name(call: Call, refused: Refused) -> None:
    assert call("-V").stdout == call("--version").stdout != b""
    assert "No such option: -v" in refused(2, "-v")


# --- files ------------------------------------------------------------------------------------------------------------


def write_model(name: str = "model.safetensors") -> str:
    Path(name).write_bytes(packed(keras_layer(3, 2, module="low/")))
    return name


def test_a_model_file_alone_lists_its_layers(call: Call) -> None:
    name = write_model()
    assert call(name, "--json").stdout == call("model", name, "--json").stdout != b""
    shutil.copy(name, "weights")  # no suffix, but it exists
    assert call("weights", "--json").stdout == call("model", "weights", "--json").stdout != b""


@pytest.mark.parametrize("command", LSTM_TOPICS)
def test_a_file_needs_no_option(command: str, call: Call) -> None:
    name = write_model()
    np.save("x.npy", np.ones((2, 4, 3), "float32"))
    done, named = call(command, name, "--json"), call(command, "--model", name, "--json")
    assert (done.returncode, done.stdout) == (0, named.stdout)
    done, named = call(command, "x.npy", "--json"), call(command, "--data", "x.npy", "--json")
    assert (done.returncode, done.stdout) == (0, named.stdout)
    done = call(command, "x.npy", f"{name}#low", "--json")
    assert done.stdout == call(command, "--data", "x.npy", "--model", f"{name}#low", "--json").stdout != b""


def test_files_and_words_may_be_mixed(call: Call) -> None:
    np.save("x.npy", np.ones((2, 4, 3), "float32"))
    for line, named in (
        ("tasks x.npy many-to-one", "tasks many-to-one --data x.npy"),
        ("tasks many-to-one x.npy", "tasks many-to-one --data x.npy"),
        ("terms hidden x.npy state", "terms hidden state --data x.npy"),
        ("unit x.npy 3", "unit --unit 3 --data x.npy"),
        ("frameworks x.npy keras", "frameworks keras --data x.npy"),
        ("shapes keras x.npy", "shapes --framework keras --data x.npy"),
        ("shapes tf.keras", "shapes --framework keras"),
    ):
        done = call(*line.split(), "--json")
        assert (done.returncode, done.stdout) == (0, call(*named.split(), "--json").stdout), line


def test_a_table_alone_is_read_by_shapes_which_names_window(call: Call) -> None:
    Path("my.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    done = call("my.csv", "--units", "3")
    assert (done.returncode, done.stdout) == (0, call("shapes", "--data", "my.csv", "--units", "3").stdout)
    assert done.stderr.decode() == f"{TABLE_HINT}\n"
    assert call("window", "my.csv", "--timesteps", "1").returncode == 0
    table = Path("my.csv").read_bytes()
    assert call("shapes", "-", "--json", given=table).stdout == call("shapes", "--data", "-", "--json", given=table).stdout


def test_files_that_cannot_be_read_so(refused: Refused) -> None:
    np.savez("x.npz", x=np.ones((2, 4, 3)))
    np.save("x.npy", np.ones((2, 4, 3)))
    problem = "an .npz archive can hold the weights of a model or the inputs. Write --model x.npz or --data x.npz."
    assert refused(2, "shapes", "x.npz") == f"x.npz: {problem}"
    assert refused(2, "shapes", "x.npy", "--data", "y.npy") == "x.npy and --data: both mean --data. Leave out one of the two."
    assert refused(2, "shapes", "x.npy", "y.npy") == "y.npy and --data: both mean --data. Leave out one of the two."
    assert refused(3, "x.npz").endswith("If it has inputs: lstm-explain shapes --data x.npz.")
    assert refused(3, "modle.pt") == "modle.pt: this file does not exist."
    assert refused(3, "shapes", "modle.pt") == "modle.pt: this file does not exist."
    assert refused(3, "nowhere.csv") == "nowhere.csv: this file does not exist."
    assert "unknown framework" in refused(2, "shapes", "model.ptt")
    Path("x.parquet").write_bytes(b"PAR1\x15\x04")
    assert "this is a Parquet file" in refused(3, "x.parquet")
    assert "this is a Parquet file" in refused(3, "shapes", "x.parquet")
    assert "unexpected extra argument (x.csv)" in refused(2, "schema", "trace", "x.csv")


def test_what_looks_like_a_file() -> None:
    assert {file_role(f"a{suffix}") for suffix in MODEL_SUFFIXES} == {"model"}
    assert {file_role(f"a{suffix.upper()}#x") for suffix in DATA_SUFFIXES} == {"data"}
    assert {file_role(f"a{suffix}") for foreign in FORMATS for suffix in foreign.suffixes} <= {"data", "model"}
    assert {file_role(word) for word in ("3", "0,3", "cell", "nn.LSTM", "tf.keras", "h.2", "", "a/b")} == {None}
    Path("tf.keras").touch()
    Path("cell").touch()
    Path("a").mkdir()
    Path("a/b").touch()
    assert [file_role(word) for word in ("tf.keras", "cell", "./cell", "a", "a/b")] == ["model", None, "model", None, "model"]


# --- arguments without an option --------------------------------------------------------------------------------------

SELECTED = {
    "unit 3": "unit --unit 3",
    "unit 3 --step 4": "unit --unit 3 --step 4",
    "influence 3": "influence --unit 3",
    "trace 3": "trace --unit 3",
    "trace 0,3": "trace --unit 0,3",
    "trace 0 3": "trace --unit 0,3",
    "trace 7-9": "trace --unit 7-9",
    "memory 0,3": "memory --unit 0,3",
    "equations keras": "equations --notation keras",
    "shapes pytorch": "shapes --framework pytorch",
    "tour 3": "tour --chapter 3",
    "tour sharing 4": "tour --chapter sharing --chapter 4",
}


@pytest.mark.parametrize("line", SELECTED)
def test_the_first_argument_selects(line: str, call: Call) -> None:
    done, named = call(*line.split(), "--json"), call(*SELECTED[line].split(), "--json")
    assert (done.returncode, done.stdout) == (0, named.stdout)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("unit 10", "--unit 10: there are 10 units, and they count from 0 to 9."),
        ("unit three", "Invalid value for '--unit': three must be a whole number"),
        ("unit 3 --unit 3", "3 and --unit: both mean --unit. Leave out one of the two."),
        ("unit 3 4", "Got unexpected extra argument (4)"),
        ("influence 3 4", "Got unexpected extra argument (4)"),
        ("trace 0 x", "--unit 0,x: this is not a selection such as 3 or 0,3,7-9 or all."),
        ("tour 7", "--chapter 7: unknown chapter."),
        ("tour sharng", "--chapter sharng: unknown chapter. Did you mean sharing?"),
        ("equations kears", "--notation kears: unknown notation. The nearest is keras. The notations are pytorch, keras"),
        ("shapes kears", "--framework kears: unknown framework"),
        ("shapes 10", "10: a size needs the name of its option. For units, write --units 10."),
        ("64,32", "64,32: a size needs the name of its option. For units, write --units 64,32."),
        ("10 5", "10: a size needs the name of its option."),
        ("shapes trace", "--framework trace: unknown framework"),
        ("quiz cells --export json", "--topic cells: no question is about this topic."),
    ],
)
def test_an_argument_that_selects_nothing(line: str, message: str, refused: Refused) -> None:
    assert refused(2, *line.split()).startswith(message)


def test_usage_names_the_arguments(call: Call) -> None:
    for command, usage in (
        ("unit", "[OPTIONS] [UNIT] [FILE]..."),
        ("tour", "[OPTIONS] [CHAPTER]... [FILE]..."),
        ("equations", "[OPTIONS] [NOTATION] [FILE]..."),
        ("quiz", "[OPTIONS] [TOPIC]"),
        ("schema", "[OPTIONS] TOPIC"),
    ):
        assert (
            call(command, "--help", COLUMNS="80").stdout.decode().splitlines()[0] == f"Usage: lstm-explain {command} {usage}"
        )


# --- names of other programs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(foreign_names.COMMANDS))
def test_a_command_of_other_programs_says_what_there_is_instead(name: str, refused: Refused) -> None:
    if name in COMMANDS:
        pytest.fail(f"{name} is a command: take it out of the table")
    message = refused(2, name)
    problem, fix = foreign_names.COMMANDS[name]
    assert message == f"{name}: {problem}. {fix}."
    named = {words.split()[0].strip(",;") for words in fix.split("lstm-explain ")[1:]}
    assert named
    assert named <= {*COMMANDS, *ALREADY_HERE, "--install-completion"}
    assert refused(2, name.upper().replace("-", "_")).endswith(f": {problem}. {fix}.")


@pytest.mark.parametrize("name", sorted(foreign_names.OPTIONS))
def test_an_option_of_other_programs_says_what_there_is_instead(name: str, refused: Refused) -> None:
    problem, fix = foreign_names.OPTIONS[name]
    assert refused(2, "trace", name) == f"{name}: {problem}. {fix}."


def test_near_misses_of_names_of_other_programs(refused: Refused) -> None:
    assert refused(2, "summery").startswith("summery: unknown command. lstm-explain shapes lists")
    assert refused(2, "shape") == "No such command 'shape'. Did you mean 'shapes'?"
    assert refused(2, "influense") == "No such command 'influense'. Did you mean 'influence'?"
    assert refused(2, "xyzzy") == "No such command 'xyzzy'."
    assert "No such option: --plto" in refused(2, "trace", "--plto")
    assert refused(2, "pl\x1bot").startswith("pl\\x1bot: unknown command")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["-"], ["shapes", "-"]),
        (["--", "trace"], ["trace", "--"]),
        (["trace", "help", "me"], ["trace", "help", "me"]),
        (["--install-completion"], ["--install-completion"]),
        (["xyzzy"], ["xyzzy"]),
    ],
)
def test_lines_are_completed(words: list[str], line: list[str]) -> None:
    assert complete_line(words, {"--install-completion"})[0] == line


# --- everyday names of values -----------------------------------------------------------------------------------------


def test_tensorflow_is_keras(call: Call, refused: Refused) -> None:
    for name, framework in {
        "tf": "keras",
        "TensorFlow": "keras",
        "tf.keras": "keras",
        "torch": "pytorch",
        "tf1": "tensorflow1",
        "tensorflow1": "tensorflow1",
    }.items():
        done = call("frameworks", name, "--json")
        assert [entry["framework"] for entry in json.loads(done.stdout)["frameworks"]] == [framework]
    assert call("shapes", "--framework", "tf", "--json").stdout == call("shapes", "--framework", "keras", "--json").stdout
    assert "The nearest" in refused(2, "frameworks", "tensorflwo")


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("seq2seq", "encoder-decoder"),
        ("Sequence-to-Sequence", "encoder-decoder"),
        ("encoder_decoder", "encoder-decoder"),
        ("translation", "encoder-decoder"),
        ("many2one", "many-to-one"),
        ("many_to_one", "many-to-one"),
        ("classification", "many-to-one"),
        ("tagging", "many-to-many"),
        ("captioning", "one-to-many"),
        ("1-to-1", "one-to-one"),
    ],
)
def test_tasks_have_everyday_names(name: str, task: str, call: Call) -> None:
    assert call("tasks", name, "--json").stdout == call("tasks", task, "--json").stdout != b""


def test_near_misses_of_tasks(refused: Refused) -> None:
    assert refused(2, "tasks", "seq2sqe").startswith("tasks seq2sqe: unknown task. Did you mean encoder-decoder? There are")
    assert refused(2, "tasks", "many-to-won").startswith("tasks many-to-won: unknown task. Did you mean many-to-one?")
    assert refused(2, "tasks", "xyzzy").startswith("tasks xyzzy: unknown task. There are one-to-one")
    assert refused(2, "tasks", "").startswith("tasks '': unknown task.")


@pytest.mark.parametrize(
    ("name", "notation"),
    [
        ("olah", "colah"),
        ("Christopher Olah", "colah"),
        ("andrew-ng", "ng"),
        ("deep-learning-book", "goodfellow"),
        ("torch", "pytorch"),
        ("tf", "keras"),
        ("onnxruntime", "onnx"),
    ],
)
def test_notations_have_everyday_names(name: str, notation: str, call: Call) -> None:
    named = call("equations", "--notation", notation, "--json").stdout
    assert call("equations", "--notation", name, "--json").stdout == named != b""


def test_near_misses_of_notations(refused: Refused) -> None:
    assert refused(2, "equations", "--notation", "ola").startswith("--notation ola: unknown notation. The nearest is colah.")
    assert refused(2, "equations", "--notation", "").startswith("--notation '': unknown notation. The notations are pytorch,")


def test_completing_a_line_reads_no_file() -> None:
    os.mkfifo("pipe.csv")
    assert complete_line(["pipe.csv"], ())[0] == ["shapes", "pipe.csv"]
