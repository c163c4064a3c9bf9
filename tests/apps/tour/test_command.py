"""`lstm-explain tour` by way of the command line: views, pauses, chapters, and what it refuses."""

from __future__ import annotations

import json
import shlex
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from lstm_explain.apps.tour.tour import CHAPTERS
from lstm_explain.cli.main import app
from lstm_explain.errors import UsageError
from tests.helpers.mixed_stacks import mixed_file

SMALL = ("--samples", "3", "--timesteps", "4", "--features", "2", "--units", "3")
SCHEMA = json.loads((resources.files("lstm_explain.render") / "schemas/tour.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["tour", *arguments], prog_name="lstm-explain")


def printed(*arguments: str) -> str:
    done = call(*arguments)
    assert done.exit_code == 0, done.exception
    return done.stdout


def refused(*arguments: str) -> str:
    error = call(*arguments).exception
    assert isinstance(error, UsageError)
    return str(error)


def test_into_a_pipe_it_is_printed_straight_through() -> None:
    text = printed(*SMALL)
    assert text == printed(*SMALL, "--no-pause")
    for chapter in CHAPTERS:
        assert f"\n{chapter.number} {chapter.title}\n" in text
    assert text.count("Question: ") == text.count("Answer: ") == text.count("These commands show more:") == len(CHAPTERS)
    assert "Enter" not in text


def test_at_the_founding_sizes_it_can_be_read_in_one_sitting() -> None:
    lines = printed("--width", "80").splitlines()
    assert 120 <= len(lines) <= 195
    assert all(len(line) <= 80 for line in lines)


def test_every_command_that_it_names_runs() -> None:
    text = printed(*SMALL, "--lengths", "4,1,3", "--sample", "2", "--seed", "7")
    lines = [line for line in text.replace("\\\n", "").splitlines() if line.startswith("lstm-explain ")]
    assert len(lines) >= len(CHAPTERS)
    for line in lines:
        assert CliRunner().invoke(app, shlex.split(line)[1:]).exit_code == 0, line
        assert "--seed 7" in line


def test_over_layers_that_are_not_alike() -> None:
    Path("mixed.h5").write_bytes(mixed_file())
    model = ("--model", "mixed.h5#a+b+c", "--samples", "3", "--timesteps", "4")
    text = printed(*model)
    lines = [line for line in text.replace("\\\n", "").splitlines() if line.startswith("lstm-explain ")]
    assert len(lines) >= len(CHAPTERS)
    for line in lines:
        assert "--model mixed.h5#a+b+c" in line
        assert CliRunner().invoke(app, shlex.split(line)[1:]).exit_code == 0, line
    made: Any = json.loads(printed(*model, "--json"))
    jsonschema.Draft202012Validator(SCHEMA).validate(made)
    assert [one["units"] for one in made["spec"]["stack"]] == [6, 4, 3]
    assert made["spec"]["units"] is None
    assert printed(*model, "--ascii").isascii()
    assert printed(*model, "--format", "markdown").startswith("# tour: 6 questions about LSTM units")


def test_its_commands_name_the_files_as_they_were_given() -> None:
    Path("some where").mkdir()
    np.save("some where/x.npy", np.ones((2, 3, 4), "f4"))
    text = printed("--data", "some where/x.npy", "--chapter", "2", "--units", "2")
    assert 'lstm-explain unit --data "some where/x.npy" --units 2 --unit 1 --step 3' in text


@pytest.mark.parametrize("options", [(), ("--timesteps", "1"), ("--units", "1"), ("--max-memory", "1"), ("--chapter", "3")])
def test_json_fits_its_schema(options: tuple[str, ...]) -> None:
    made: Any = json.loads(printed("--json", *options))
    jsonschema.Draft202012Validator(SCHEMA).validate(made)
    assert made["schema"] == "lstm-explain/tour"
    text = " ".join(printed(*options).split())
    for chapter in made["chapters"]:
        assert f"Question: {' '.join(chapter['question'].split())}" in text
        assert all(claim in text for claim in chapter["claims"])
        assert all(command in text for command in chapter["commands"])


def test_the_schema_can_fail() -> None:
    made: Any = json.loads(printed("--json", "--chapter", "3"))
    del made["chapters"][0]["evidence"]["statements"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(made)


def test_markdown_is_a_hand_out() -> None:
    printed(*SMALL, "-o", "handout.md")
    text = Path("handout.md").read_text(encoding="utf-8")
    assert text.startswith("# tour: 6 questions about LSTM units")
    assert "## 3 Are units independent, or do they share?" in text
    assert "```sh\nlstm-explain influence" in text
    assert printed(*SMALL, "--format", "svg").startswith("<svg")


@pytest.mark.parametrize("form", ["jsonl", "csv", "npz"])
def test_rows_do_not_fit(form: str) -> None:
    assert "The formats that fit are table, markdown, json, svg" in refused("--format", form)


def test_chapters_may_be_chosen_in_any_order() -> None:
    text = printed(*SMALL, "--chapter", "words", "--chapter", "1", "--chapter", "6")
    assert text.index("6 What do the words mean?") < text.index("1 What is a circle?")
    assert text.count("Question: ") == 2
    assert "The chapters are 1 circles, 2 unit, 3 sharing" in refused("--chapter", "7")


def test_to_wait_needs_a_terminal() -> None:
    message = refused("--pause")
    assert "standard input and standard output are not terminals" in message
    assert "Leave --pause out to have the tour printed straight through" in message


@pytest.mark.parametrize("options", [("-o", "x.txt"), ("--json",), ("--format", "markdown")])
def test_to_wait_needs_a_table_on_the_screen(options: tuple[str, ...]) -> None:
    assert "can wait" in refused("--pause", *options)
    assert not Path("x.txt").exists()


def test_only_ascii_where_that_is_asked_for() -> None:
    assert printed(*SMALL, "--ascii").isascii()


def test_its_help_loads_no_numpy() -> None:
    import subprocess

    code = "import sys, lstm_explain.cli.tour; assert not {'numpy', 'rich', 'lstm_explain.tour'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_samples_and_lengths_are_checked() -> None:
    assert "there are 3 samples" in refused(*SMALL, "--sample", "3")
    assert "there are 2 lengths for 3 samples" in refused(*SMALL, "--lengths", "1,2")
