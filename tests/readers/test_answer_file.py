"""Files of answers, well-formed and hostile: read, or refused in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.errors import InputFileError, LstmExplainError, RefusedError
from lstm_explain.readers.answer_file import MAX_BYTES, QuizAnswers, read_quiz_answers

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, data: bytes) -> QuizAnswers:
    (folder / "a.json").write_bytes(data)
    return read_quiz_answers(str(folder / "a.json"))


@pytest.mark.parametrize(
    ("text", "given_"),
    [
        ('["b", 640, [3, 4], null, 6.0]', {1: "b", 2: "640", 3: "(3, 4)", 4: None, 5: "6.0"}),
        ('{"answers": {"2": "c", "1": []}}', {2: "c", 1: "()"}),
        ('{"answers": ["b"]}', {1: "b"}),
        ('\ufeff["b"]', {1: "b"}),
        ("[]", {}),
        ('{"schema": "lstm-explain/quiz", "quiz": {}, "questions": [{"number": 3, "answer": "d"}]}', {3: "d"}),
        ('{"questions": [{"number": 1}]}', {1: None}),
    ],
)
def test_answers_are_read(tmp_path: Path, text: str, given_: dict[int, str | None]) -> None:
    assert read(tmp_path, text.encode()).given == given_


def test_which_quiz_it_is(tmp_path: Path) -> None:
    found = read(
        tmp_path, b'{"seed": 3, "level": null, "topic": "unit", "questions": 4, "sizes": {"units": 2}, "answers": []}'
    )
    assert found.about == {"seed": 3, "topic": "unit", "questions": 4, "sizes": {"units": 2}}
    sheet = b'{"quiz": {"seed": 3}, "questions": [{"number": 1, "id": "x-1", "answer": 7}], "key": "whatever"}'
    assert read(tmp_path, sheet)[1:] == ({"seed": 3}, {1: "7"}, {1: "x-1"})


HOSTILE = {
    b"": "this is not JSON from line 1, column 1 on",
    b"[1,]": "this is not JSON from line 1, column ",
    b"\xff\xfe[": "this is not UTF-8 text",
    b"[" * 100_000: "this JSON is nested too deep",
    b'{"answers": ' * 100_000: "this JSON is nested too deep",
    b"[" + b"9" * 5000 + b"]": "this JSON cannot be used: ",
    b"[NaN]": "this JSON cannot be used: NaN is not JSON",
    b'{"answers": [], "answers": []}': "this JSON cannot be used: the key answers appears twice in one object",
    b'{"\\u001b[2J": 1, "\\u001b[2J": 2}': "appears twice in one object",
    b"7": "this is neither a list of answers nor an object",
    b'"b"': "this is neither a list of answers nor an object",
    b"null": "this is neither a list of answers nor an object",
    b"{}": "it has no answers",
    b'{"answers": 7}': "its answers are neither a list nor an object",
    b'{"answers": [], "\\u001b[2J": 1}': "is not a key of a file of answers",
    b'{"answers": {"first": "b"}}': "first is not the number of one question",
    b'{"answers": {"": "b"}}': "an empty key is not the number of one question",
    b'{"answers": {"1": "b", "01": "c"}}': "01 is not the number of one question",
    b'{"answers": {"-1": "b"}}': "-1 is not the number of one question",
    b'{"answers": {"' + b"1" * 4000 + b'": "b"}}': "is not the number of one question",
    b'{"answers": {"1": true}}': "the answer to question 1 is neither text nor a number nor a list of numbers",
    b'[{"a": 1}]': "the answer to question 1 is neither text nor a number nor a list of numbers",
    b'[[1, "2"]]': "the answer to question 1 is neither text nor a number nor a list of numbers",
    b'{"seed": "0", "answers": []}': "its seed is not a whole number",
    b'{"seed": true, "answers": []}': "its seed is not a whole number",
    b'{"topic": 1, "answers": []}': "its topic is not text",
    b'{"sizes": [], "answers": []}': "its sizes is not an object",
    b'{"sizes": {"layers": 1}, "answers": []}': "its sizes are not whole numbers of samples, timesteps, features, units",
    b'{"sizes": {"units": 1.5}, "answers": []}': "its sizes are not whole numbers of",
    b'{"schema": "lstm-explain/quiz"}': "this sheet has lost its questions, or which quiz it is",
    b'{"schema": "lstm-explain/quiz", "quiz": [], "questions": []}': "this sheet has lost its questions, or which quiz it is",
    b'{"questions": [7]}': "a question of this sheet lacks its number",
    b'{"questions": [{"number": 1}, {"number": 1}]}': "a question of this sheet lacks its number",
    b'{"questions": [{"number": true}]}': "a question of this sheet lacks its number",
}


@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: repr(data[:30]))
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputFileError) as error:
        read(tmp_path, data)
    assert HOSTILE[data] in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 700


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=f"a file of answers has at most {MAX_BYTES} bytes"):
        read(tmp_path, b" " * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    ("name", "found"), [("", "this names no file"), ("nosuch.json", "this file does not exist"), (".", "this is a folder")]
)
def test_what_is_no_file(name: str, found: str) -> None:
    with pytest.raises(InputFileError, match=found):
        read_quiz_answers(name)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    data=st.binary(max_size=60) | st.text(alphabet='{}[]":,0123456789abnulltrue.- seedanwrquio', max_size=60).map(str.encode)
)
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    try:
        found = read(tmp_path_factory.getbasetemp(), data)
    except LstmExplainError:
        return
    assert all(value is None or isinstance(value, str) for value in found.given.values())
