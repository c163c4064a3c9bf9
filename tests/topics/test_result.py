"""Results: the envelope of every JSON object, and the numbers that JSON cannot express."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.core.spec import Spec
from lstm_explain.library import seeded
from lstm_explain.topics.result import LSTMResult, Result, envelope_of_lstm, json_keys, replace_nonfinite


@json_keys("answer")
@dataclass(frozen=True)
class Example(LSTMResult):
    topic: ClassVar[str] = "example"
    spec: Spec
    source: dict[str, Any]
    answer: int


def test_the_envelope_comes_first() -> None:
    found = Example(Spec(), {"kind": "test"}, 1).to_dict()
    assert found == {
        "schema": "lstm-explain/example",
        "schema_version": 1,
        "tool_version": lstm_explain.__version__,
        "spec": Spec().to_dict(),
        "source": {"kind": "test"},
        "answer": 1,
        "nonfinite": [],
    }
    assert list(found)[:5] == list(envelope_of_lstm("example", Spec(), {}))
    assert list(found)[-1] == "nonfinite"


def test_each_nan_and_infinity_becomes_none_and_is_listed_in_order() -> None:
    found = replace_nonfinite({"a": math.nan, "b": [1.0, [math.inf, 2.0]], "c": {"d": {"e": [-math.inf]}}, "f": 1.0})
    assert found == {
        "a": None,
        "b": [1.0, [None, 2.0]],
        "c": {"d": {"e": [None]}},
        "f": 1.0,
        "nonfinite": [
            {"path": "a", "value": "nan"},
            {"path": "b[1][0]", "value": "inf"},
            {"path": "c.d.e[0]", "value": "-inf"},
        ],
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("xyz"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


def looked_up(value: Any, path: str) -> Any:
    for key in path.replace("]", "").replace("[", ".").split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


@given(st.dictionaries(st.sampled_from("abc"), JSON))
def test_whatever_is_found_can_be_written_as_json_and_looked_up(facts: dict[str, Any]) -> None:
    found = replace_nonfinite(facts)
    listed = found["nonfinite"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    for one in listed:
        assert str(looked_up(facts, one["path"])) == one["value"]
        assert looked_up(found, one["path"]) is None
    assert json.dumps(facts).replace("-Infinity", "NaN").replace("Infinity", "NaN").count("NaN") == len(listed)


def test_a_console_and_a_notebook_are_shown_it_by_the_presenter(monkeypatch: pytest.MonkeyPatch) -> None:
    explanation = lstm_explain.shapes(seeded(samples=1))
    monkeypatch.setattr(Result, "present", staticmethod(lambda shown, view: f"{view} of {shown.topic}"))
    assert explanation.__rich__() == "rich of shapes"
    assert explanation._repr_html_() == "html of shapes"


def test_without_a_presenter_the_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Result, "present", None)
    with pytest.raises(RuntimeError, match="import lstm_explain"):
        lstm_explain.shapes(seeded(samples=1)).__rich__()


def test_importing_the_package_sets_the_presenter() -> None:
    assert Result.present is not None
