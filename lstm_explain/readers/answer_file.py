"""The answers to a quiz, from a JSON file: a filled-in sheet, a list, or an object of numbers and answers."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.containers.bounded_file import open_file, open_standard_input

MAX_FILE_SIZE = 2**22
"""In bytes."""
MAX_DIGITS = 18
SHEET_SCHEMA = "lstm-explain/quiz"
FIX = 'Write {"seed": 0, "questions": 10, "answers": {"1": "b", "2": "640"}}, or fill in `answer` in an exported sheet'
SIZE_NAMES = ("samples", "timesteps", "features", "units")


class QuizAnswers(NamedTuple):
    """What a file of answers says."""

    name: str
    """The file's name, safe to print."""
    about: dict[str, Any]
    """Which quiz it answers, as far as it says so: seed, level, topic, questions, sizes."""
    given: dict[int, str | None]
    """The answers by the numbers of the questions."""
    ids: dict[int, str]
    """The ids of the questions, where they are said."""


def read_quiz_answers(name: str) -> QuizAnswers:
    """Read a file of answers; `-` is standard input.

    Raises:
        InputFileError: it cannot be read, or is no such JSON.
        RefusedError: it is larger than any sheet.
    """
    if not name:
        raise InputFileError("--answers ''", "this names no file", FIX)
    safe = "--answers -" if name == "-" else printable(name)
    try:
        if name == "-":
            data = open_standard_input("--answers", "a file of answers").read(MAX_FILE_SIZE + 1)
        else:
            with open_file(name, FIX) as file:
                data = file.read(MAX_FILE_SIZE + 1)
    except OSError as error:
        raise InputFileError(safe, error.strerror or "it cannot be read") from None
    if len(data) > MAX_FILE_SIZE:
        raise RefusedError(safe, f"a file of answers has at most {MAX_FILE_SIZE} bytes", "Is this the right file?")
    return _extract_answers(_parse_json(data, safe), safe)


def _parse_json(data: bytes, safe: str) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_reject_duplicate_keys, parse_constant=_reject_constant)
    except UnicodeDecodeError:
        raise InputFileError(safe, "this is not UTF-8 text", FIX) from None
    except json.JSONDecodeError as error:
        raise InputFileError(safe, f"this is no JSON from line {error.lineno}, column {error.colno} on", FIX) from None
    except RecursionError:
        raise InputFileError(safe, "this JSON is nested too deep", FIX) from None
    except ValueError as error:
        raise InputFileError(safe, f"this JSON cannot be used: {printable(str(error))}", FIX) from None


def _reject_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
        raise ValueError(f"the key {twice} stands twice in one object")
    return found


def _reject_constant(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _extract_answers(found: Any, safe: str) -> QuizAnswers:
    if isinstance(found, list):
        return QuizAnswers(safe, {}, _answers_from_list(found, safe), {})
    if not isinstance(found, dict):
        raise InputFileError(safe, "this is neither a list of answers nor an object", FIX)
    if found.get("schema") == SHEET_SCHEMA or isinstance(found.get("questions"), list):
        return _answers_from_sheet(found, safe)
    if "answers" not in found:
        raise InputFileError(safe, "there are no answers in it", FIX)
    unknown = [key for key in found if key not in ("seed", "level", "topic", "questions", "sizes", "answers")]
    if unknown:
        raise InputFileError(safe, f"there is no key {printable(unknown[0])} in a file of answers", FIX)
    answers = found["answers"]
    given = _answers_from_list(answers, safe) if isinstance(answers, list) else _answers_by_number(answers, safe)
    return QuizAnswers(safe, _validate_request(found, safe), given, {})


def _answers_from_sheet(found: dict[str, Any], safe: str) -> QuizAnswers:
    """A sheet as it was exported, with the answers filled in."""
    about, questions = found.get("quiz", {}), found.get("questions")
    if not isinstance(about, dict) or not isinstance(questions, list):
        raise InputFileError(safe, "this sheet has lost its questions, or which quiz it is", "Export it again")
    given: dict[int, str | None] = {}
    ids: dict[int, str] = {}
    for one in questions:
        number = one.get("number") if isinstance(one, dict) else None
        if not isinstance(number, int) or isinstance(number, bool) or number in given:
            raise InputFileError(safe, "a question of this sheet has no number of its own", "Export it again")
        given[number] = _answer_text(one.get("answer"), number, safe)
        if isinstance(one.get("id"), str):
            ids[number] = one["id"]
    return QuizAnswers(safe, _validate_request(about, safe), given, ids)


def _answers_from_list(answers: list[Any], safe: str) -> dict[int, str | None]:
    return {number: _answer_text(one, number, safe) for number, one in enumerate(answers, 1)}


def _answers_by_number(answers: Any, safe: str) -> dict[int, str | None]:
    if not isinstance(answers, dict):
        raise InputFileError(safe, "its answers are neither a list nor an object", FIX)
    given: dict[int, str | None] = {}
    for key, one in answers.items():
        if not (key.isascii() and key.isdigit() and len(key) <= MAX_DIGITS) or int(key) in given:
            raise InputFileError(safe, f"{printable(key) or 'an empty key'} is not the number of one question", FIX)
        given[int(key)] = _answer_text(one, int(key), safe)
    return given


def _answer_text(value: Any, number: int, safe: str) -> str | None:
    """An answer as text: null is none, a number and a list of numbers are written out."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    if isinstance(value, list) and all(isinstance(one, int) and not isinstance(one, bool) for one in value):
        return f"({', '.join(map(str, value))})"
    raise InputFileError(safe, f"the answer to question {number} is neither text nor a number nor a list of numbers", FIX)


def _validate_request(found: dict[str, Any], safe: str) -> dict[str, Any]:
    """Which quiz it is, with null left out."""
    about = {key: found[key] for key in ("seed", "level", "topic", "questions", "sizes") if found.get(key) is not None}
    for key, value in about.items():
        expected: type = {"topic": str, "sizes": dict}.get(key, int)
        if not isinstance(value, expected) or isinstance(value, bool):
            raise InputFileError(safe, f"its {key} is no {_TYPE_NAMES[expected]}", FIX)
    for key, size in about.get("sizes", {}).items():
        if key not in SIZE_NAMES or not isinstance(size, int) or isinstance(size, bool):
            raise InputFileError(safe, f"its sizes are not whole numbers of {', '.join(SIZE_NAMES)}", FIX)
    return about


_TYPE_NAMES: dict[type, str] = {int: "whole number", str: "text", dict: "object"}
