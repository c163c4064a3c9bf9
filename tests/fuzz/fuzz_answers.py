"""Damaged files of answers to a quiz: lists, objects by number, and sheets as they are exported and filled in."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from lstm_explain.readers.answer_file import read_quiz_answers
from tests.fuzz.mutations import main

SHORT = [
    ["b", 640, None, [2, 3, 4], 0.5, "a \u2026"],
    {"seed": 0, "level": 2, "topic": "shapes", "questions": 10, "answers": {"1": "b", "2": "640", "10": [1, 2]}},
    {"sizes": {"samples": 2, "timesteps": 3, "features": 4, "units": 5}, "answers": ["a", -1, 1e-300]},
]
SHEET = {
    "schema": "lstm-explain/quiz",
    "quiz": {"seed": 7, "level": None, "topic": None, "questions": 2, "sizes": {"units": 4}},
    "questions": [
        {"number": 1, "id": "gates-0f3a", "kind": "choice", "choices": [{"letter": "a", "text": "3"}], "answer": "a"},
        {"number": 2, "id": "shape-77b1", "kind": "shape", "choices": [], "answer": [2, 3, 4]},
    ],
}
FILES = [json.dumps(one, ensure_ascii=False).encode() for one in (*SHORT, SHEET)]
WRITTEN = [*FILES, b"\xef\xbb\xbf" + FILES[0], json.dumps(SHEET, indent=2).encode()]


def answers(data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        read_quiz_answers(file.name)


def nested_answers(data: bytes) -> None:
    """Within a sheet, where an answer stands."""
    answers(b'{"questions": [{"number": 1, "id": "a", "answer": ' + data + b"}]}")


if __name__ == "__main__":
    main((WRITTEN, answers), ([b'"b"', b"null", b"[1, 2, 3]", b"-1.5e-7", b"640"], nested_answers))
