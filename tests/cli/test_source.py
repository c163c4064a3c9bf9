"""`--data`: a file of inputs by way of the command line, and what it contradicts."""

from __future__ import annotations

import io
import json
import os
import pickle
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain.topics.registry import LSTM_TOPICS

Done = subprocess.CompletedProcess[bytes]
Call = Callable[..., Done]
Refused = Callable[..., str]

COMMANDS = (*LSTM_TOPICS, "tour")


def saved(array: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def content(done: Done) -> Any:
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_sizes_come_from_the_file(command: str, call: Call) -> None:
    Path("x.npy").write_bytes(saved(np.ones((4, 3, 2))))
    Path("x.csv").write_text("a,b\n1,2\n3,4\n5,6\n", encoding="utf-8")
    for name, samples in (("x.npy", 4), ("x.csv", 1)):
        found = content(call(command, "--data", name, "--json"))
        assert [found["spec"][axis] for axis in ("samples", "timesteps", "features")] == [samples, 3, 2]
        assert found["source"]["inputs"]["kind"] == "data"
        assert found["source"]["inputs"]["name"] == name
    assert found["source"]["inputs"]["columns"] == ["a", "b"]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8", "<i4", ">i2", "u1", "g"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_of_every_type_and_layout_are_the_same_numbers(dtype: str, order: Any, call: Call) -> None:
    array = np.arange(24).reshape(2, 3, 4) % 5
    Path("x.npy").write_bytes(saved(np.asarray(array.astype(dtype), order=order)))
    found = content(call("trace", "--data", "x.npy", "--sample", "1", "--json"))
    lstm = lstm_explain.given(array.astype("f4"), name="x.npy")
    assert found["steps"] == lstm_explain.trace(lstm, 1).to_dict()["steps"]
    assert [step["x"] for step in found["steps"]] == array[1].tolist()


def test_two_axes_are_one_sample(call: Call) -> None:
    Path("x.npy").write_bytes(saved(np.ones((3, 2))))
    assert content(call("trace", "--data", "x.npy", "--json"))["spec"]["samples"] == 1


@pytest.mark.parametrize("view", ["table", "json", "markdown", "jsonl", "csv"])
def test_a_pipe_is_as_good_as_a_file(view: str, call: Call) -> None:
    text = b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n3,4\r\n"
    Path("x.csv").write_bytes(text)
    named = call("trace", "--data", "x.csv", "--format", view)
    piped = call("trace", "--data", "-", "--format", view, given=text)
    assert (named.returncode, piped.returncode) == (0, 0)
    text = piped.stdout.replace(b"--data -", b"--data x.csv").replace(b"standard input", b"x.csv")
    assert text.split() == named.stdout.split() != []


def test_columns_by_name_and_place(call: Call) -> None:
    Path("x.csv").write_text("date,open,close\n2024-01-01,1,2\n2024-01-02,3,4\n", encoding="utf-8")
    found = content(call("trace", "--data", "x.csv", "--columns", " close , 1 ", "--json"))
    assert [step["x"] for step in found["steps"]] == [[2, 1], [4, 3]]
    assert found["source"]["inputs"]["columns"] == ["close", "open"]


def test_nan_is_let_in_on_request(call: Call) -> None:
    Path("x.csv").write_text("1,2\n3,nan\n5,6\n", encoding="utf-8")
    found = content(call("trace", "--data", "x.csv", "--allow-nan", "--json"))
    assert {"path": "steps[1].x[1]", "value": "nan"} in found["nonfinite"]
    lines = call("trace", "--data", "x.csv", "--allow-nan", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line, parse_constant=pytest.fail)["type"] for line in lines] == [
        "header",
        "step",
        "step",
        "step",
        "end",
    ]


def test_infinity_on_request_is_no_reason_for_warnings(run: Call) -> None:
    Path("x.csv").write_text("1,2\ninf,3\n", encoding="utf-8")
    done = run("trace", "--data", "x.csv", "--allow-nan", "--json")
    assert (done.returncode, done.stderr) == (0, b"")


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("missing.csv", None, "missing.csv: this file does not exist."),
        (".", None, ".: this is a folder. Name a .npy, .npz or .csv file, or - for CSV on standard input."),
        ("/dev/zero", None, "/dev/zero: this is not a regular file."),
        ("", None, "--data '': this names no file."),
        ("x.csv", b"", "x.csv: the file is empty."),
        ("x.csv", b"a,b\n", "x.csv: no row of numbers follows its header."),
        ("x.csv", b"a,b\n1,2\n3\n", "x.csv: line 3 has 1 cell, and line 1 has 2."),
        ("x.csv", b"d,b\nmon,2\ntue,3\n", "x.csv: line 2, column 0 (d): 'mon' is not a number. Leave column 0 out"),
        ("x.csv", b"a,b\n1,\n", "x.csv: line 2, column 1 (b): the cell is empty."),
        ("x.csv", b"a,b\n1,nan\n", "x.csv: timestep 1, feature 1 (b) is nan."),
        ("x.csv", b"1,2\n-inf,2\n", "x.csv: timestep 2, feature 0 is -inf."),
        ("x.csv", b"1,2\n1e300,2\n", "x.csv: timestep 2, feature 0 is 1e+300, which is beyond float32."),
        ("x.csv", b"1,2\n\xff,2\n", "x.csv: line 2 is not UTF-8 text."),
        ("x.csv", b"1,2\n3,4\0\n", "x.csv: line 2, column 1: '4\\x00' is not a number."),
        ("x.csv", b"1;2\n3;x\n", "x.csv: line 2, column 1: 'x' is not a number."),
        ("x.csv", b"1,5;2\n", "'1,5' is not a number. It seems to have a decimal comma: add --decimal ,."),
        ("x.npz", b"PK\x03\x04", "x.npz: this zip archive cannot be read: File is not a zip file."),
        ("x.npy", saved(np.ones((2, 2)))[:-1], "x.npy: its header announces 32 bytes of numbers, and 31 follow."),
        ("x.npy", saved(np.array([[None]])), "x.npy: it holds Python objects"),
        ("x.npy", saved(np.array([[True]])), "x.npy: its numbers are of type bool."),
        ("x.npy", saved(np.array([[1j]])), "x.npy: its numbers are of type complex128."),
        ("x.npy", saved(np.ones((2, 0, 3))), "x.npy: it holds no numbers: its shape is [2, 0, 3]."),
        ("x.npy", saved(np.full((2, 3, 1), np.inf)), "x.npy: sample 0, timestep 1, feature 0 is inf."),
        ("\x1b[31mx[bold].csv", b"", "\\x1b[31mx[bold].csv: the file is empty."),
        ("a\nb.csv", b"", "a\\nb.csv: the file is empty."),
    ],
)
def test_files_that_are_refused(command: str, name: str, data: bytes | None, message: str, refused: Refused) -> None:
    if data is not None:
        Path(name).write_bytes(data)
    assert message in refused(3, command, "--data", name)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((50,), "x.npy as (samples, timesteps, features): the array is float64[50]."),
        ((2, 3, 4, 5), "x.npy as (samples, timesteps, features): the array is float64[2, 3, 4, 5]."),
        ((), "x.npy as (samples, timesteps, features): the array is float64[]."),
    ],
)
def test_another_number_of_axes(command: str, shape: tuple[int, ...], message: str, refused: Refused) -> None:
    Path("x.npy").write_bytes(saved(np.ones(shape)))
    assert message in refused(2, command, "--data", "x.npy")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("axis", "size"), [("samples", 4), ("timesteps", 3), ("features", 2)])
def test_a_size_that_contradicts_the_file_stands_beside_the_files_own(
    command: str, axis: str, size: int, call: Call, refused: Refused
) -> None:
    Path("x.npy").write_bytes(saved(np.ones((4, 3, 2))))
    assert (
        refused(2, command, "--data", "x.npy", f"--{axis}", "7") == f"--{axis} 7: x.npy has {axis}={size}. Leave out --{axis}."
    )
    assert call(command, "--data", "x.npy", f"--{axis}", str(size)).returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_fewer_timesteps_than_rows_need_a_window(command: str, call: Call, refused: Refused) -> None:
    Path("x.csv").write_text("a;b\n" + "1,5;2\n" * 9, encoding="utf-8")
    options = ("--columns", "a", "--decimal", ",")
    message = refused(2, command, "--data", "x.csv", "--timesteps", "4", *options)
    cut = "lstm-explain window x.csv --columns a --decimal , --timesteps 4 -o windows.npy"
    assert message == (
        "--timesteps 4: x.csv is one sample of 9 timesteps, one for each row. "
        f"To cut it into samples: {cut}, and then --data windows.npy. To read it whole, leave out --timesteps."
    )
    assert call(*shlex.split(cut)[1:]).returncode == 0
    spec = content(call(command, "--data", "windows.npy", "--timesteps", "4", "--json"))["spec"]
    assert (spec["samples"], spec["timesteps"], spec["features"]) == (6, 4, 1)


def test_only_a_table_is_cut(call: Call, refused: Refused) -> None:
    np.save("one.npy", np.ones((1, 9, 2)))
    np.save("table.npy", np.ones((9, 2)))
    Path("x.csv").write_text("1,2\n" * 9, encoding="utf-8")
    assert refused(2, "trace", "--data", "one.npy", "--timesteps", "4").endswith("has timesteps=9. Leave out --timesteps.")
    assert "lstm-explain window table.npy --timesteps 4 -o" in refused(2, "trace", "--data", "table.npy", "--timesteps", "4")
    assert "Leave out --timesteps." in refused(2, "trace", "--data", "x.csv", "--timesteps", "10")
    assert call("trace", "--data", "x.csv", "--timesteps", "9").returncode == 0
    assert "or cut the rows into samples with `window` first" in refused(2, "trace", "--data", "x.csv", "--samples", "3")


@pytest.mark.parametrize("name", ["x\x1b[1m.csv", "x" * 200 + ".csv"])
def test_a_name_that_cannot_be_printed_is_not_in_the_command(name: str, refused: Refused) -> None:
    Path(name).write_text("1,2\n" * 9, encoding="utf-8")
    message = refused(2, "trace", "--data", name, "--timesteps", "4")
    assert "lstm-explain window FILE --timesteps 4 -o windows.npy" in message


def test_the_library_names_window_too() -> None:
    with pytest.raises(lstm_explain.LstmExplainError) as caught:
        lstm_explain.given(np.ones((9, 2)), timesteps=4)
    expected = "timesteps=4: array has timesteps=9. Leave out timesteps, or cut the rows into samples with `window` first."
    assert str(caught.value) == expected


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "  "])
def test_what_separates_cells_is_found_out(separator: str, call: Call) -> None:
    Path("x.csv").write_text(f"a{separator}b\n1{separator}2.5\n3{separator}-4\n", encoding="utf-8")
    explained = content(call("trace", "--data", "x.csv", "--json"))
    assert explained["source"]["inputs"]["columns"] == ["a", "b"]
    assert [step["x"] for step in explained["steps"]] == [[1, 2.5], [3, -4]]
    named = {"\t": "tab", "  ": "space"}.get(separator, separator)
    assert content(call("trace", "--data", "x.csv", "--delimiter", named, "--json")) == explained
    piped = content(call("trace", "--data", "-", "--json", given=Path("x.csv").read_bytes()))
    assert piped["steps"] == explained["steps"]


def test_decimal_commas_on_request(call: Call, refused: Refused) -> None:
    Path("x.csv").write_text('\ufeffa;b\n"1.234,5";2\n-1,5;3\n', encoding="utf-8")
    explained = content(call("trace", "--data", "x.csv", "--decimal", ",", "--json"))
    assert [step["x"] for step in explained["steps"]] == [[1234.5, 2], [-1.5, 3]]
    assert "add --decimal ,." in refused(3, "trace", "--data", "x.csv")
    assert "Invalid value for '--decimal'" in refused(2, "trace", "--data", "x.csv", "--decimal", "x")
    assert refused(2, "trace", "--decimal", ",") == "--decimal ,: this option needs --data."
    np.save("x.npy", np.ones((2, 2)))
    assert "--decimal ,: this is for CSV files alone" in refused(2, "trace", "--data", "x.npy", "--decimal", ",")


@pytest.mark.parametrize("command", [("trace", "--data", "x.parquet"), ("window", "x.parquet")])
def test_a_foreign_format_is_named_with_a_line_that_converts_it(command: tuple[str, ...], refused: Refused) -> None:
    Path("x.parquet").write_bytes(b"PAR1\x15\x04")
    convert = "python -c \"import pandas; pandas.read_parquet('x.parquet').to_csv('x.csv', index=False)\""
    assert refused(3, *command) == f"x.parquet: this is a Parquet file, not a .npy, .npz or .csv file. Convert it: {convert}."


def test_a_sample_that_the_file_has_not(refused: Refused) -> None:
    Path("x.csv").write_text("1,2\n", encoding="utf-8")
    assert "--sample 1: there " in refused(2, "trace", "--data", "x.csv", "--sample", "1")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("volume", "--columns volume: x.csv has no such column; the columns are a\\x1b, b."),
        ("2", "--columns 2: x.csv has no such column"),
        ("b,1", "--columns b,1: column 1 of x.csv is asked for twice."),
        ("\x1b[2J", "--columns \\x1b[2J: x.csv has no such column"),
        ("", "x.csv has no such column"),
    ],
)
def test_columns_that_there_are_not(command: str, columns: str, message: str, refused: Refused) -> None:
    Path("x.csv").write_text("a\x1b,b\n1,2\n", encoding="utf-8")
    assert message in refused(2, command, "--data", "x.csv", "--columns", columns)


def test_columns_without_a_file_to_choose_of(refused: Refused) -> None:
    assert refused(2, "trace", "--columns", "a\x1b") == "--columns a\\x1b: this option needs --data."


@pytest.mark.parametrize("command", COMMANDS)
def test_a_csv_file_over_the_budget(command: str, refused: Refused) -> None:
    Path("x.csv").write_text("1.000000000000,2.000000000000\n" * 1000, encoding="utf-8")
    message = refused(4, command, "--data", "x.csv", "--max-memory", "1KB")
    assert message == "x.csv: the text is larger than the memory budget of 1000 bytes. Raise --max-memory."


def test_a_pipe_over_the_budget(refused: Refused) -> None:
    assert "standard input: the text is larger" in refused(
        4, "trace", "--data", "-", "--max-memory", "9", given=b"1.0000000,2.0\n" * 9
    )


# --- as a process of its own ------------------------------------------------------------------------------------------


class Touch:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("touched"),)


def test_a_pickle_is_not_run(run: Call, refused: Refused, tmp_path: Path) -> None:
    Path("x.npy").write_bytes(saved(np.array([[Touch()]], dtype=object)))
    Path("x.csv").write_bytes(pickle.dumps(Touch()))
    refused(3, "shapes", "--data", "x.npy", runner=run)
    refused(3, "shapes", "--data", "x.csv", runner=run)
    assert not (tmp_path / "touched").exists()


def test_a_fifo_is_refused_at_once(run: Call, refused: Refused) -> None:
    os.mkfifo("x.csv")
    assert "x.csv: this is not a regular file." in refused(3, "trace", "--data", "x.csv", runner=run, timeout=20)


def test_terabytes_announced_by_a_small_file_are_not_asked_for(run: Call, refused: Refused) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000)}\n"
    Path("x.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    assert "announces 4000000000000 bytes of numbers, and 0 follow" in refused(3, "trace", "--data", "x.npy", runner=run)


def test_standard_input_closed_a_terminal_or_a_pipe(run: Call, refused: Refused) -> None:
    assert json.loads(run("trace", "--data", "-", "--json", input=b"1,2\n").stdout)["spec"]["features"] == 2
    assert "standard input: the file is empty" in refused(3, "trace", "--data", "-", runner=run)
    closed = subprocess.run(
        ["sh", "-c", 'exec "$0" -m lstm_explain trace --data - <&-', sys.executable], capture_output=True, check=False
    )
    assert (closed.returncode, closed.stdout) == (3, b"")
    assert closed.stderr == b"Error: --data -: standard input is closed. Pipe a CSV file into it.\n"
    keyboard, screen = os.openpty()
    try:
        assert "standard input is a terminal" in refused(3, "trace", "--data", "-", runner=run, stdin=screen, timeout=20)
    finally:
        os.close(keyboard)
        os.close(screen)


def test_an_array_in_a_pipe(run: Call, refused: Refused) -> None:
    message = refused(3, "trace", "--data", "-", runner=run, input=saved(np.ones((3, 2))))
    assert message.startswith("standard input: only CSV can be piped in, and this is a .npy array.")


@pytest.mark.parametrize("topic", LSTM_TOPICS)
def test_infinite_inputs_bring_no_warnings(topic: str, call: Call, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,inf\n-inf,nan\n", encoding="utf-8")
    done = call(topic, "--data", "x.csv", "--allow-nan")
    assert (done.returncode, done.stderr) == (0, b"")
