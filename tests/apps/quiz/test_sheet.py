"""A sheet goes out and comes back: exported, filled in, graded."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from lstm_explain.apps.quiz.generate import LEVELS, QuizRequest, generate_questions
from lstm_explain.apps.quiz.sheet import build_sheet, grade_sheet, key_document, questions_document, repeat_command
from lstm_explain.render import markdown
from lstm_explain.render.json_text import to_json_text

if TYPE_CHECKING:
    from lstm_explain.topics.result import Result

SCHEMAS = resources.files("lstm_explain.render") / "schemas"
MIXED = build_sheet(QuizRequest(3, None, None, 12))


def validated(answer: Result) -> Any:
    found = json.loads(to_json_text(answer))
    schema = json.loads((SCHEMAS / f"{answer.topic}.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(found)
    return found


def test_the_json_fits_its_schema() -> None:
    found = validated(MIXED)
    assert list(found)[3:] == ["quiz", "questions", "key", "nonfinite"]
    assert found["quiz"] == {"seed": 3, "level": None, "topic": None, "questions": 12, "sizes": {}}
    assert [one["number"] for one in found["questions"]] == [one["number"] for one in found["key"]] == list(range(1, 13))
    assert all(one["answer"] is None for one in found["questions"])
    validated(grade_sheet(MIXED, {1: "b", 2: "what?", 3: None}))
    sized = build_sheet(QuizRequest(1, 1, "shapes", 2, (("samples", 3), ("units", 4))))
    assert validated(sized)["quiz"]["sizes"] == {"samples": 3, "units": 4}


def test_the_schemas_can_refuse() -> None:
    for answer in (MIXED, grade_sheet(MIXED, {})):
        found = json.loads(to_json_text(answer))
        found["quiz"]["seed"] = -1
        schema = json.loads((SCHEMAS / f"{answer.topic}.json").read_text("utf-8"))
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate(found)


def test_the_questions_do_not_tell_the_answers() -> None:
    """But for the choices, among which the right one stands: neither on the sheet nor in `questions` is there a key."""
    paper = markdown.to_markdown(questions_document(MIXED))
    for _, question in MIXED.numbered_questions:
        assert question.explanation not in paper
        assert question.command not in paper
        assert question.hint not in paper
    for one in json.loads(to_json_text(MIXED))["questions"]:
        assert set(one) == {"number", "id", "level", "topic", "text", "kind", "choices", "answered_by", "hint", "answer"}


def test_the_key_has_every_answer() -> None:
    key = markdown.to_markdown(key_document(MIXED))
    for number, question in MIXED.numbered_questions:
        assert f"Question {number}: {question.right[:4]}" in key
        assert question.command in key
    assert repeat_command(MIXED.request) in key


def test_the_command_line_that_asks_the_same_questions() -> None:
    assert repeat_command(QuizRequest(5, 2, "unit", 7, (("units", 3),))) == (
        "lstm-explain quiz --seed 5 --questions 7 --level 2 --topic unit --units 3"
    )


@pytest.mark.parametrize("level", [None, *LEVELS])
def test_a_sheet_filled_in_with_its_key_has_a_full_score(level: int | None) -> None:
    made_ = build_sheet(QuizRequest(8, level, None, 15))
    key = made_.to_dict()["key"]
    full = grade_sheet(made_, {one["number"]: one["answer"] for one in key}).to_dict()
    assert (full["points"], full["of"]) == (15, 15)
    assert full["counts"] == {"right": 15, "wrong": 0, "unreadable": 0, "missing": 0}
    in_words = grade_sheet(made_, {one["number"]: one["in_words"] for one in key}).to_dict()
    assert in_words["points"] == 15


def test_all_kinds_of_answers_are_told_apart() -> None:
    questions = generate_questions(QuizRequest(8, 1, None, 4))
    wrong = "999999" if questions[1].kind != "choice" else "abcd"[questions[1].answer[0] - 1]
    found = grade_sheet(build_sheet(QuizRequest(8, 1, None, 4)), {1: questions[0].right, 2: wrong, 3: "\x1b[0m"}).to_dict()
    assert [one["outcome"] for one in found["answers"]] == ["right", "wrong", "unreadable", "missing"]
    assert found["counts"] == {"right": 1, "wrong": 1, "unreadable": 1, "missing": 1}
    assert [one["given"] for one in found["answers"]][2:] == ["\x1b[0m", None]
