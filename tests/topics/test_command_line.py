"""The command line that is printed is the one that would make the same LSTM: it is given back to the program's own parser."""

from __future__ import annotations

import inspect
import math
import shlex
import subprocess
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.cli.commands import COMMANDS, CommandGroup
from lstm_explain.cli.options import SourceOptions
from lstm_explain.cli.source import build_lstm, to_cli_source
from lstm_explain.errors import UsageError, argument
from lstm_explain.topics.command_line import (
    DEFAULT_MEMORY,
    CliSource,
    format_command,
    quote_word,
    spell_option,
    takes_lengths,
    wrap_command,
)
from lstm_explain.topics.registry import LSTM_TOPICS
from tests.helpers.mixed_stacks import MIXED, mixed_file
from tests.helpers.random_lstms import spec_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.lstm import LSTM


def parsed(line: str) -> dict[str, Any]:
    """What the program understands when the line is typed into a shell."""
    program, topic, *words = shlex.split(line)
    assert program == "lstm-explain"
    with CommandGroup().commands[topic].make_context(topic, words) as context:
        return dict(context.params)


def lstm_of(line: str) -> LSTM:
    values = parsed(line)
    options = SourceOptions(**{name: values[name] for name in SourceOptions._fields})
    return build_lstm(options, None, values.get("lengths"))


def options_of(line: str) -> SourceOptions:
    values = parsed(line)
    return SourceOptions(**{name: values[name] for name in SourceOptions._fields})


@st.composite
def seeded(draw: st.DrawFn) -> LSTM:
    """Of layers that differ in their units at most: no options tell of others, which come from files."""
    sizes = draw(spec_options(most_timesteps=12, most_features=6, most_units=12, unlike=False))
    if draw(st.sampled_from([False, False, True])):
        least = (sizes["projection"] or 0) + 1
        sizes["units"] = draw(st.lists(st.integers(least, least + 6), min_size=sizes["layers"], max_size=sizes["layers"]))
    lengths = draw(st.none() | st.lists(st.integers(1, sizes["timesteps"]), min_size=1, max_size=4))
    return lstm_explain.seeded(
        **{**sizes, "samples": draw(st.sampled_from([1, 7, 1000, 10**9])) if lengths is None else len(lengths)},
        init=draw(st.sampled_from(["keras", "pytorch"])),
        seed=draw(st.sampled_from([0, 1, 2**53 - 1])),
        lengths=lengths,
    )


@given(seeded(), st.sampled_from(LSTM_TOPICS))
@settings(max_examples=150, deadline=None)
def test_the_command_makes_the_same_lstm(lstm: LSTM, topic: str) -> None:
    again = lstm_of(format_command(topic, lstm.spec, lstm.provenance))
    assert (again.spec, again.seed, again.init) == (lstm.spec, lstm.seed, lstm.init)
    if takes_lengths(topic):
        assert again.provenance == lstm.provenance


def test_what_equals_a_default_is_left_out() -> None:
    lstm = lstm_explain.seeded()
    assert format_command("unit", lstm.spec, lstm.provenance) == "lstm-explain unit"
    assert format_command("unit", lstm.spec, lstm.provenance, unit=3, step=None) == "lstm-explain unit --unit 3"
    small = lstm_explain.seeded(units=3, bias=False, seed=5)
    assert format_command("shapes", small.spec, small.provenance) == "lstm-explain shapes --units 3 --no-bias --seed 5"


def test_a_stack_is_written_by_the_units_of_its_layers_where_they_differ() -> None:
    for units, words in (
        ((8, 4), "--units 8,4"),
        ((8, 8), "--units 8 --layers 2"),
        ((10, 10), "--layers 2"),
        ((8,), "--units 8"),
    ):
        lstm = lstm_explain.seeded(units=units)
        assert format_command("trace", lstm.spec, lstm.provenance) == f"lstm-explain trace {words}"


def test_options_of_every_kind_of_value() -> None:
    lstm = lstm_explain.seeded()
    line = format_command("trace", lstm.spec, lstm.provenance, unit=[0, 3], gates=True, all_samples=False, steps=range(2, 4))
    assert line == "lstm-explain trace --unit 0,3 --gates --steps 2,3"
    assert format_command("unit", lstm.spec, lstm.provenance, unit=0) == "lstm-explain unit --unit 0"
    many = format_command("tasks", lstm.spec, lstm.provenance, arguments=["many-to-one"], outputs=3)
    assert many == "lstm-explain tasks many-to-one --outputs 3"
    assert parsed(many)["task"] == "many-to-one"


def test_timesteps_beyond_the_longest_sample_are_named_even_where_they_are_the_default() -> None:
    padded = lstm_explain.seeded(lengths=[4, 2], samples=2, timesteps=10)
    assert format_command("trace", padded.spec, padded.provenance) == "lstm-explain trace --timesteps 10 --lengths 4,2"
    assert format_command("terms", padded.spec, padded.provenance) == "lstm-explain terms --samples 2"


@pytest.mark.parametrize(
    "line",
    [
        'lstm-explain unit --data "my file.csv" --units 4 --seed 7',
        'lstm-explain unit --data "my file.csv" --columns b,a --skip-rows 1 --delimiter ";" --allow-nan',
        'lstm-explain unit --data "my file.csv" --max-memory 100MB --dtype float64',
        'lstm-explain trace --data "arrays.npz#it\'s x" --lengths 2,3',
        'lstm-explain trace --model "sub dir/w.npz" --samples 3 --timesteps 4 --seed 9',
        'lstm-explain trace --model "sub dir/w.npz#lstm" --data "arrays.npz#it\'s x" --seed 9',
        'lstm-explain tasks --model "sub dir/w.npz" --dtype float64 --lengths 2,3',
    ],
)
def test_files_are_named_as_they_were_typed(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed_source: Callable[[CliSource | None], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my file.csv").write_text("a,b\n1,2\n3,4\n" if "skip" not in line else "a;b\na;b\n1;2\n3;4\n", encoding="utf-8")
    arrays: dict[str, Any] = {"it's x": np.ones((2, 3, 5), "f4"), "y": np.ones(3)}
    np.savez("arrays.npz", **arrays)
    Path("sub dir").mkdir()
    made = np.random.default_rng(0).normal(size=(5, 8)).astype("f4")
    recurrent, bias = made[:2], made[0]
    weights: dict[str, Any] = {"lstm/kernel": made, "lstm/recurrent_kernel": recurrent, "lstm/bias": bias}
    np.savez("sub dir/w.npz", **weights)
    line = f"{line} --convention keras" if "--model" in line else line
    lstm = lstm_of(line)
    topic = shlex.split(line)[1]
    typed_source(to_cli_source(options_of(line)))
    printed = format_command(topic, lstm.spec, lstm.provenance)
    assert options_of(printed) == options_of(line)
    assert lstm_of(printed).provenance == lstm.provenance
    assert lstm_of(printed).spec == lstm.spec


@pytest.mark.parametrize("more", ["--samples 3 --timesteps 4", "--dtype float64 --lengths 4,2,3", "--data x.npy --seed 9"])
def test_a_stack_of_layers_that_differ_is_named_by_its_file(
    more: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed_source: Callable[[CliSource | None], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mixed.h5").write_bytes(mixed_file())
    np.save("x.npy", np.ones((2, 3, 2), "float32"))
    line = f"lstm-explain trace --model 'mixed.h5#a+b+c' {more}"
    lstm = lstm_of(line)
    assert lstm.spec.layers == MIXED
    for source in (to_cli_source(options_of(line)), None):
        typed_source(source)
        printed = format_command("trace", lstm.spec, lstm.provenance)
        assert lstm_of(printed).provenance == lstm.provenance
        assert lstm_of(printed).spec == lstm.spec


def test_without_the_files_places_their_names_are_those_of_the_answer() -> None:
    lstm = lstm_explain.given(np.ones((2, 3, 4)), name="week.npy", units=3)
    assert format_command("unit", lstm.spec, lstm.provenance) == "lstm-explain unit --data week.npy --units 3"
    weights = {"kind": "model", "file": "m.pt", "layer": "a.lstm", "framework": "pytorch", "title": "PyTorch"}
    origin = {**lstm.provenance, "weights": weights}
    line = format_command("unit", lstm.spec, origin)
    assert line == "lstm-explain unit --model m.pt#a.lstm --data week.npy --dtype float32"


@given(seeded(), st.integers(20, 100))
@settings(max_examples=60, deadline=None)
def test_a_command_in_several_lines_is_the_same_to_a_shell(lstm: LSTM, width: int) -> None:
    line = format_command("unit", lstm.spec, lstm.provenance, unit=0, step=1)
    lines = wrap_command(line, width)
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == shlex.split(line)
    assert all(len(one) <= max(width, 60) for one in lines)
    assert all(one.endswith(" \\") for one in lines[:-1])


@pytest.mark.parametrize(("framework", "named"), [("equinox", True), ("coreml", True), ("keras", False), ("pytorch", False)])
def test_a_model_whose_names_do_not_tell_the_framework_is_named_with_it(framework: str, named: bool) -> None:
    lstm = lstm_explain.seeded()
    weights = {"kind": "model", "file": "w.npz", "layer": "lstm", "framework": framework}
    command = format_command("trace", lstm.spec, {**lstm.provenance, "weights": weights})
    assert (f"--convention {framework}" in command) is named


def test_a_short_command_stays_in_one_line() -> None:
    line = 'lstm-explain unit --data "a b.csv" --unit 3'
    assert wrap_command(line) == (line,)
    assert wrap_command("lstm-explain tasks many-to-one --units 3", 30) == ("lstm-explain tasks many-to-one \\", "  --units 3")


def test_every_field_is_an_option_and_the_defaults_are_the_options_own() -> None:
    for name, default in CliSource()._asdict().items():
        option = SourceOptions._field_defaults[name]
        assert default == option or (name, option) == ("seed", 0)
    assert SourceOptions._field_defaults["max_memory"] == DEFAULT_MEMORY


def test_which_topics_have_lengths_is_what_their_commands_say() -> None:
    without = []
    for topic in LSTM_TOPICS:
        assert topic in COMMANDS
        names = {one.name for one in CommandGroup().commands[topic].params}
        if "lengths" not in names:
            without.append(topic)
    assert set(without) == {topic for topic in LSTM_TOPICS if not takes_lengths(topic)}


# --- arguments in errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "option", "spelled"),
    [
        (argument("units"), "--units", "units"),
        (argument("units", 0), "--units 0", "units=0"),
        (argument("steps_out", 3), "--steps-out 3", "steps_out=3"),
        (argument("bias", False), "--no-bias", "bias=False"),
        (argument("bidirectional", True), "--bidirectional", "bidirectional=True"),
        (argument("every", True), "--all", "every=True"),
        (argument("by", math.nan), "--by nan", "by=nan"),
        (argument("init", "a b"), "--init a b", "init='a b'"),
        (argument("init", ""), "--init ''", "init=''"),
        (argument("init", "\x1b[1m"), r"--init \x1b[1m", r"init='\x1b[1m'"),
        (argument("lengths", (1, 2)), "--lengths 1,2", "lengths=[1, 2]"),
        (argument("lengths", range(9)), "--lengths 0,1,2,3,4,5,6,7,...", "lengths=[0, 1, 2, 3, 4, 5, 6, 7, '...']"),
        (argument("written_by", "x"), "convert x", "written_by='x'"),
    ],
)
def test_an_error_is_spelled_by_its_door(field: str, option: str, spelled: str) -> None:
    error = UsageError(field, f"see {field}", f"Leave out {field}")
    assert error.message(spell_option) == f"{option}: see {option}. Leave out {option}."
    assert str(error) == f"{spelled}: see {spelled}. Leave out {spelled}."
    assert (error.asked, error.fix) == (spelled, f"Leave out {spelled}")


@given(st.text())
def test_any_text_in_an_error_is_printable(text: str) -> None:
    error = UsageError(argument("init", text), "unknown")
    assert str(error).isprintable()
    assert error.message(spell_option).isprintable()


# --- quotes -----------------------------------------------------------------------------------------------------------

PLAIN = ("unit", "--step", "0,3,7-9", "week.npy", "m.pt#a.lstm", "run-1/x_y.npz#x", "1.5", "--by=0.1", "a@b+c:d%")
DOUBLE = (
    "h_3[3]=0.6",
    "a b.csv",
    "",
    "#x",
    "a'b",
    "it's (1).csv",
    "a;b",
    "a&b",
    "a|b",
    "a*b",
    "~x",
    "a<b>c",
    "{t, h}",
    "\u00e9",
)
SINGLE = ("a$b", 'a"b', "a`b", "a!b", "a\\b")


@pytest.mark.parametrize("word", [*PLAIN, *DOUBLE, *SINGLE])
def test_a_shell_reads_a_quoted_word_as_it_was(word: str) -> None:
    line = quote_word(word, windows=False)
    assert shlex.split(line) == [word]
    done = subprocess.run(["/bin/sh", "-c", f"printf %s {line}"], capture_output=True, check=True)
    assert done.stdout.decode() == word


def test_double_quotes_are_used_where_every_shell_reads_them_alike() -> None:
    assert [quote_word(word, windows=False) for word in PLAIN] == list(PLAIN)
    assert [quote_word(word, windows=False) for word in DOUBLE] == [f'"{word}"' for word in DOUBLE]
    assert {quote_word(word, windows=False)[0] for word in SINGLE} == {"'"}


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n")))
def test_any_word_survives_its_quotes(word: str) -> None:
    assert shlex.split(quote_word(word, windows=False)) == [word]


def test_on_windows_no_single_quotes_are_printed() -> None:
    """cmd.exe does not know them."""
    plain, quoted = (
        ("C:\\data\\week.npy", "model.pt#a", "0,3"),
        ("C:\\my data\\week.npy", "h_3[3]=0.6", "it's.csv", "a$b"),
    )
    assert [quote_word(word, windows=True) for word in plain] == list(plain)
    assert [quote_word(word, windows=True) for word in quoted] == [f'"{word}"' for word in quoted]
    assert quote_word(quoted[0], windows=True) == subprocess.list2cmdline(quoted[:1])
    line = 'lstm-explain unit --data "C:\\my data\\x.npy" ' + "--unit 3 " * 20
    assert wrap_command(line, 40, windows=True) == (line,)


def test_no_command_in_help_has_single_quotes() -> None:
    for name in COMMANDS:
        text = inspect.getdoc(getattr(import_module(f"lstm_explain.cli.{name}"), name)) or ""
        assert not [line for line in text.splitlines() if line.strip().startswith("lstm-explain") and "'" in line]
