"""Every size option with every kind of value that there is no such size for."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.topics.integers import parse_integer
from lstm_explain.topics.registry import LSTM_TOPICS

Call = Callable[..., subprocess.CompletedProcess[bytes]]
Refused = Callable[..., str]

COMMANDS = (*LSTM_TOPICS, "tour")
SIZES = ("samples", "timesteps", "features", "units", "layers", "projection")
LARGEST = 2**53 - 1
HUGE = "9" * 60


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("value", ["0", "-1", "-" + HUGE])
def test_a_size_below_one(command: str, size: str, value: str, refused: Refused) -> None:
    message = refused(2, command, f"--{size}", value)
    assert message.startswith(f"--{size} {value}: ")
    assert "at least one " in message
    assert "Give 1 or more." in message


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("value", [str(LARGEST + 1), HUGE])
def test_a_size_beyond_the_largest(command: str, size: str, value: str, refused: Refused) -> None:
    assert refused(2, command, f"--{size}", value).startswith(f"--{size} {value}: sizes above {LARGEST} (2**53 - 1)")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("value", ["nan", "inf", "", " ", "ten", "1.5", "0x10", "1;2"])
def test_a_size_that_is_no_whole_number(command: str, size: str, value: str, refused: Refused) -> None:
    message = refused(2, command, f"--{size}", value)
    assert f"--{size}" in message
    assert (value or "''") in message
    assert "whole number" in message or "is not a valid int" in message


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "value",
    ["1kk", "1e-3", "1.5e0", "1.0", ".5k", "1e", "e3", "1e999999999", "1__000", "_1", "1KiB", "1b", "1 000", "1.000.000", "١"],
)
def test_the_near_misses_of_a_size(size: str, value: str, refused: Refused) -> None:
    message = refused(2, "shapes", f"--{size}", value)
    assert f"--{size}" in message
    assert value in message
    assert "whole number" in message


@pytest.mark.parametrize("size", [size for size in SIZES if size != "units"])
@pytest.mark.parametrize("value", ["1,00", "0,003", "1000,000", "1,000,00", ",000", "1,", "64,32", "1,000k,"])
def test_commas_that_separate_no_thousands(size: str, value: str, refused: Refused) -> None:
    assert f"{value} must be a whole number, such as 1000, 1,000, 1k or 1e3" in refused(2, "shapes", f"--{size}", value)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1,000", 1000),
        ("12,345,678", 12345678),
        ("1_000", 1000),
        ("1k", 1000),
        ("1K", 1000),
        ("2M", 2 * 10**6),
        ("1.5k", 1500),
        ("1e3", 1000),
        ("1E+3", 1000),
        ("2.5e3", 2500),
        (" 1000 ", 1000),
        ("+1000", 1000),
        ("0010", 10),
        ("1,000k", 10**6),
    ],
)
def test_ways_to_spell_a_size(value: str, number: int, call: Call) -> None:
    assert call("shapes", "--samples", value, "--json").stdout == call("shapes", "--samples", str(number), "--json").stdout


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("size", SIZES[:4])
def test_every_size_has_every_spelling(command: str, size: str, call: Call) -> None:
    for value in ("0.01k", "1e1"):
        assert json.loads(call(command, f"--{size}", value, "--json").stdout)["spec"][size] == 10


@given(st.integers(-(10**20), 10**20), st.sampled_from(["{:d}", "{:,d}", "{:_d}", " {:d} "]))
def test_a_number_is_read_as_python_writes_it(number: int, layout: str) -> None:
    assert parse_integer(layout.format(number)) == number


@given(st.text("0123456789,._+-ekKmM ", max_size=12))
def test_what_is_read_as_a_size_is_that_number(text: str) -> None:
    try:
        number = parse_integer(text)
    except ValueError:
        return
    factors = {"k": 10**3, "m": 10**6}
    digits = text.strip().replace(",", "").replace("_", "").lower()
    factor = factors.get(digits[-1:], 1)
    assert Decimal(digits.rstrip("km")) * factor == number


@pytest.mark.parametrize(
    "options",
    [
        ("trace", "--sample", "999,999,999", "--samples", "1,000,000,000"),
        ("trace", "--sample", "0.1k", "--seed", "1_000", "--lengths", "1e1,7,3", "--sample", "2"),
        ("trace", "--lengths", "1,000,500"),
        ("unit", "--unit", "1,023", "--units", "1_024", "--step", "1e1"),
        ("tasks", "--outputs", "1k"),
    ],
)
def test_every_whole_number_can_be_spelled_so(options: tuple[str, ...], call: Call) -> None:
    done = call(*options, "--json")
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("value", ["9,007,199,254,740,992", "1e99", "9007199254740.992k"])
def test_a_size_beyond_the_largest_by_any_spelling(value: str, refused: Refused) -> None:
    assert f"sizes above {LARGEST} (2**53 - 1)" in refused(2, "shapes", "--samples", value)


def test_lengths_of_thousands(call: Call) -> None:
    assert json.loads(call("trace", "--lengths", "1,000,500", "--json").stdout)["spec"]["timesteps"] == 1000


@pytest.mark.parametrize("size", SIZES)
def test_a_size_of_more_digits_than_python_reads(size: str, call: Call) -> None:
    done = call("shapes", f"--{size}", "9" * 5000)
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("size", ["samples", "timesteps", "features", "units", "layers", "projection"])
def test_a_size_of_one(command: str, size: str, call: Call) -> None:
    done = call(command, f"--{size}", "1", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["spec"][size] == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_everything_of_one(command: str, call: Call) -> None:
    sizes = [part for size in SIZES[:4] for part in (f"--{size}", "1")]
    for view in ("table", "json", "markdown", "svg"):
        done = call(command, *sizes, "--format", view)
        assert (done.returncode, done.stderr) == (0, b"")


def test_any_number_of_samples_costs_what_one_costs(call: Call) -> None:
    for command in COMMANDS:
        assert call(command, "--samples", str(LARGEST), "--json").returncode == 0
    done = call("trace", "--samples", str(LARGEST), "--sample", str(LARGEST - 1), "--json")
    assert json.loads(done.stdout)["sample"] == LARGEST - 1


@pytest.mark.parametrize("size", ["timesteps", "features", "units"])
def test_shapes_of_a_run_that_fits_nowhere_are_computed(size: str, call: Call) -> None:
    done = call("shapes", f"--{size}", str(LARGEST), "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["spec"][size] == LARGEST


RUNS = [("unit",), ("trace",), ("trace", "--all-samples"), ("trace", "--format", "csv")]
RUNS += [("influence",), ("influence", "--mean"), ("memory",), ("memory", "--carry-state"), ("equations",)]
TOO_LARGE = [
    *((command, "features", value) for command in RUNS for value in (str(10**9), str(LARGEST))),
    *((command, size, value) for command in RUNS for size in ("timesteps", "units") for value in (str(10**9), str(LARGEST))),
]


@pytest.mark.parametrize(("command", "size", "value"), TOO_LARGE)
def test_a_run_that_fits_nowhere_is_refused(command: tuple[str, ...], size: str, value: str, refused: Refused) -> None:
    message = refused(4, *command, f"--{size}", value)
    assert f"{value} {size}" in message.replace(",", "")
    assert "bytes of memory, and the budget is 1,073,741,824. Ask for less, or raise --max-memory." in message


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("projection", ["10", "11", str(LARGEST)])
def test_a_projection_that_is_not_smaller(command: str, projection: str, refused: Refused) -> None:
    message = refused(2, command, "--projection", projection)
    assert message.startswith(
        f"--projection {projection}: a projection must be smaller than the number of units, which is 10."
    )


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("seed", ["-1", str(2**53), HUGE])
def test_a_seed_out_of_range(command: str, seed: str, refused: Refused) -> None:
    assert refused(2, command, "--seed", seed) == f"--seed {seed}: a seed is a whole number from 0 to 2**53 - 1."


def test_the_largest_seed(call: Call) -> None:
    assert json.loads(call("trace", "--seed", str(LARGEST), "--json").stdout)["source"]["weights"]["seed"] == LARGEST


# --- memory -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("size", ["", "x", "-1", "1.5GiB", "1e9", "KiB", "1PB", "1 0", "9" * 19, "nan", "1G", "\x1b[31m1"])
def test_a_memory_size_that_is_none(command: str, size: str, refused: Refused) -> None:
    message = refused(2, command, "--max-memory", size)
    printed = {"": "''", "\x1b[31m1": r"\x1b[31m1"}.get(size, size)
    assert message == f"--max-memory {printed}: this is not a size such as 500MB, 1GiB or a number of bytes."


@pytest.mark.parametrize("command", [("unit",), ("trace",), ("trace", "--json"), ("trace", "--all-samples")])
@pytest.mark.parametrize(("size", "number"), [("0", 0), ("1KiB", 1024), ("0GB", 0), ("2kb", 2000)])
def test_a_budget_too_small_for_one_sample(command: tuple[str, ...], size: str, number: int, refused: Refused) -> None:
    message = refused(4, *command, "--max-memory", size)
    assert f"bytes of memory, and the budget is {number:,}." in message
    assert "--max-memory" in message


def test_shapes_computes_what_the_budget_does_not_let_it_run(call: Call) -> None:
    small, large = (json.loads(call("shapes", "--json", "--max-memory", size).stdout) for size in ("1KiB", "1GiB"))
    assert [one["shape"] for one in small["tensors"]] == [one["shape"] for one in large["tensors"]]
    assert small != large


@pytest.mark.parametrize("size", ["1 GiB", "1gib", "1073741824", "1073741824B", " 1GiB "])
def test_ways_to_spell_a_memory_size(size: str, call: Call) -> None:
    assert call("trace", "--json", "--max-memory", size).stdout == call("trace", "--json").stdout
