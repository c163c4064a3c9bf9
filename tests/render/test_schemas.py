"""The schemas and the tables of the JSON page are those that the types and docstrings of the results make."""

import json

import jsonschema
import pytest

from lstm_explain.topics.result import Result
from tests.helpers import schemas
from tests.helpers.schemas import keys, records_in

ADVICE = "is not what the results' types say: run `python -m tests.helpers.schemas`"
DESCRIBED = schemas.json_results()


@pytest.mark.parametrize("name", schemas.schema_files())
def test_a_schema_is_what_the_types_say(name: str) -> None:
    text = schemas.schema_files()[name]
    assert (schemas.SCHEMAS / f"{name}.json").read_text("utf-8") == text, f"{name}.json {ADVICE}"
    jsonschema.Draft202012Validator.check_schema(json.loads(text))


def test_the_page_is_what_the_types_say() -> None:
    assert schemas.PAGE.read_text("utf-8") == schemas.page(), f"docs/json-format.md {ADVICE}"


@pytest.mark.parametrize("kind", DESCRIBED, ids=lambda kind: kind.topic)
def test_every_key_has_a_meaning(kind: type[Result]) -> None:
    waiting: list[type] = [kind]
    for described in waiting:
        for key in keys(described):
            assert key.meaning, f"the key {key.name} of {described.__qualname__} has no docstring"
            assert key.meaning.endswith("."), (
                f"the docstring of {key.name} in {described.__qualname__} does not end with a full stop"
            )
            waiting += [inner for inner in records_in(key.kind) if inner not in waiting]
