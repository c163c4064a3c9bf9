"""The answers to a quiz, from a JSON file: a filled-in sheet, a list, or an object of numbers and answers."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.containers.bounded_file import open_file, open_standard_input
from lstm_explain.readers.containers.strict_json import load_json

MAX_BYTES = 2**22
MAX_DIGITS = 18
SHEET_SCHEMA = "lstm-explain/quiz"
QUIZ_KEYS = ("seed", "level", "topic", "questions", "sizes")
SIZES = ("samples", "timesteps", "features", "units")
KIND_NAMES: dict[type, str] = {int: "a whole number", str: "text", dict: "an object"}
FIX_ANSWERS = 'Write {"seed": 0, "questions": 10, "answers": {"1": "b", "2": "640"}}, or fill in `answer` in an exported sheet'
FIX_SHEET = "Export it again"


class QuizAnswers(NamedTuple):
    """What a file of answers holds."""

    name: str
    """The file's name, safe to print."""
    about: dict[str, Any]
    """Which quiz it answers, as far as it tells: seed, level, topic, questions, sizes."""
    given: dict[int, str | None]
    """The answers by the numbers of the questions."""
    ids: dict[int, str]
    """The ids of the questions, where the file has them."""


def read_quiz_answers(name: str) -> QuizAnswers:
    """Read a file of answers; `-` is standard input.

    Raises:
        InputFileError: it cannot be read, or is not such JSON.
        RefusedError: it is larger than any sheet.
    """
    if not name:
        raise InputFileError("--answers ''", "this names no file", FIX_ANSWERS)
    safe_name = "--answers -" if name == "-" else printable(name)
    try:
        if name == "-":
            data = open_standard_input("--answers", "a file of answers").read(MAX_BYTES + 1)
        else:
            with open_file(name, FIX_ANSWERS) as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputFileError(safe_name, error.strerror or "it cannot be read") from None
    if len(data) > MAX_BYTES:
        raise RefusedError(safe_name, f"a file of answers has at most {MAX_BYTES} bytes", "Is this the right file?")
    return _read_content(_parse_answers(data, safe_name), safe_name)


def _parse_answers(data: bytes, name: str) -> Any:
    try:
        return load_json(data)
    except UnicodeDecodeError:
        problem = "this is not UTF-8 text"
    except json.JSONDecodeError as error:
        problem = f"this is not JSON from line {error.lineno}, column {error.colno} on"
    except RecursionError:
        problem = "this JSON is nested too deep"
    except ValueError as error:
        problem = f"this JSON cannot be used: {printable(str(error))}"
    raise InputFileError(name, problem, FIX_ANSWERS)


def _read_content(content: Any, name: str) -> QuizAnswers:
    if isinstance(content, list):
        return QuizAnswers(name, {}, _answers_from_list(content, name), {})
    if not isinstance(content, dict):
        raise InputFileError(name, "this is neither a list of answers nor an object", FIX_ANSWERS)
    if content.get("schema") == SHEET_SCHEMA or isinstance(content.get("questions"), list):
        return _read_sheet(content, name)
    if "answers" not in content:
        raise InputFileError(name, "it has no answers", FIX_ANSWERS)
    unknown = [key for key in content if key not in (*QUIZ_KEYS, "answers")]
    if unknown:
        raise InputFileError(name, f"{printable(unknown[0])} is not a key of a file of answers", FIX_ANSWERS)
    answers = content["answers"]
    by_number = _answers_from_list(answers, name) if isinstance(answers, list) else _answers_by_number(answers, name)
    return QuizAnswers(name, _quiz_settings(content, name), by_number, {})


def _read_sheet(content: dict[str, Any], name: str) -> QuizAnswers:
    """Read an exported sheet with the answers filled in."""
    about, questions = content.get("quiz", {}), content.get("questions")
    if not isinstance(about, dict) or not isinstance(questions, list):
        raise InputFileError(name, "this sheet has lost its questions, or which quiz it is", FIX_SHEET)
    answers: dict[int, str | None] = {}
    ids: dict[int, str] = {}
    for question in questions:
        number = question.get("number") if isinstance(question, dict) else None
        if not isinstance(number, int) or isinstance(number, bool) or number in answers:
            raise InputFileError(name, "a question of this sheet lacks its number", FIX_SHEET)
        answers[number] = _answer_text(question.get("answer"), number, name)
        if isinstance(question.get("id"), str):
            ids[number] = question["id"]
    return QuizAnswers(name, _quiz_settings(about, name), answers, ids)


def _answers_from_list(answers: list[Any], name: str) -> dict[int, str | None]:
    return {number: _answer_text(answer, number, name) for number, answer in enumerate(answers, 1)}


def _answers_by_number(answers: Any, name: str) -> dict[int, str | None]:
    if not isinstance(answers, dict):
        raise InputFileError(name, "its answers are neither a list nor an object", FIX_ANSWERS)
    by_number: dict[int, str | None] = {}
    for key, answer in answers.items():
        if not (key.isascii() and key.isdigit() and len(key) <= MAX_DIGITS) or int(key) in by_number:
            problem = f"{printable(key) or 'an empty key'} is not the number of one question"
            raise InputFileError(name, problem, FIX_ANSWERS)
        by_number[int(key)] = _answer_text(answer, int(key), name)
    return by_number


def _answer_text(value: Any, number: int, name: str) -> str | None:
    """Return an answer as text; null stays None, a number and a list of numbers are written out."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    if isinstance(value, list) and all(isinstance(item, int) and not isinstance(item, bool) for item in value):
        return f"({', '.join(map(str, value))})"
    problem = f"the answer to question {number} is neither text nor a number nor a list of numbers"
    raise InputFileError(name, problem, FIX_ANSWERS)


def _quiz_settings(content: dict[str, Any], name: str) -> dict[str, Any]:
    """Return which quiz it is, without what is null."""
    settings = {key: content[key] for key in QUIZ_KEYS if content.get(key) is not None}
    for key, value in settings.items():
        expected: type = {"topic": str, "sizes": dict}.get(key, int)
        if not isinstance(value, expected) or isinstance(value, bool):
            raise InputFileError(name, f"its {key} is not {KIND_NAMES[expected]}", FIX_ANSWERS)
    for key, size in settings.get("sizes", {}).items():
        if key not in SIZES or not isinstance(size, int) or isinstance(size, bool):
            raise InputFileError(name, f"its sizes are not whole numbers of {', '.join(SIZES)}", FIX_ANSWERS)
    return settings
