"""The page as a file: how large it is, what it leaves out, and that nothing in it can end a script."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain.apps.report.page import to_script_json
from lstm_explain.errors import RefusedError, UsageError

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x00\x1b[31m\u202e\u2028"


def data_of(html: str) -> dict[str, Any]:
    """What the page's script reads."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def unpack(tensor: dict[str, Any]) -> np.ndarray[Any, Any]:
    return np.frombuffer(b64decode(tensor["data"]), np.dtype(tensor["dtype"]).newbyteorder("<")).reshape(tensor["shape"])


def test_weights_and_inputs_are_in_the_page_to_the_last_bit() -> None:
    lstm = lstm_explain.seeded(samples=5, units=3)
    data = data_of(lstm_explain.report(lstm, sample=1).html)
    assert data["samples"] == [1, 2, 3, 4]
    np.testing.assert_array_equal(unpack(data["inputs"]), lstm.inputs_for(1, 5))
    for name, tensor in lstm.weights.of(0, lstm.spec.directions[0]).tensors().items():
        packed = unpack(data["layers"][0]["forward"]["weights"][name])
        assert packed.dtype == tensor.dtype
        np.testing.assert_array_equal(packed, tensor)


def test_the_policy_allows_the_pages_own_script_and_style_alone() -> None:
    html = lstm_explain.report(lstm_explain.seeded()).html
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    directives = policy[1].replace("&#39;", "'")
    assert directives.startswith("default-src 'none'; ")
    for element, directive in (("style", "style-src"), ('script type="module"', "script-src")):
        (text,) = re.findall(rf"<{element}>(.*?)</{element.split()[0]}>", html, re.DOTALL)
        assert f"{directive} 'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in directives
    assert not re.search(r"(?:src|href)=|url\(|@import|https?://(?!www\.w3\.org/)", html)


def test_names_are_text() -> None:
    lstm = lstm_explain.given(np.zeros((2, 3, 1), np.float32), name=HOSTILE, columns=[HOSTILE])
    html = lstm_explain.report(lstm).html
    assert html.count("<script") == 2
    assert "<img" not in html
    assert not any(ord(character) < 32 and character != "\n" for character in html)
    assert data_of(html)["source"]["inputs"]["name"] == HOSTILE


def test_json_in_a_script_cannot_end_it() -> None:
    text = to_script_json({HOSTILE: [HOSTILE]})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {HOSTILE: [HOSTILE]}


def test_the_founding_page_is_small() -> None:
    assert len(lstm_explain.report(lstm_explain.seeded()).html) < 400_000


def test_a_large_page_is_within_its_reach() -> None:
    lstm = lstm_explain.seeded(samples=8, timesteps=100, units=64)
    page = lstm_explain.report(lstm)
    assert len(page.html) < 4_000_000
    assert page.samples == range(8)


def test_samples_that_do_not_fit_are_left_out_and_the_page_says_so() -> None:
    lstm = lstm_explain.seeded(samples=8, timesteps=100, units=16)
    size = len(lstm_explain.report(lstm, samples_in_page=2).html.encode())
    page = lstm_explain.report(lstm, max_page=size + 5_000)
    assert page.samples == range(2)
    assert "2 samples of 8 are in this page; more would make the page too large." in page.html
    with pytest.raises(RefusedError, match=r"a page of one sample takes [\d,]+ bytes, and the limit is 1,000"):
        lstm_explain.report(lstm, max_page=1000)


def test_changes_of_the_lstm_are_changes_in_the_page() -> None:
    from lstm_explain.core.edits import parse_edit

    lstm = lstm_explain.seeded(samples=2, units=2)
    changed = lstm.with_edits([parse_edit("W_f[2,1]=9")])
    plain, data = (data_of(lstm_explain.report(one).html) for one in (lstm, changed))
    assert data["edits"] == ["W_f[2,1]=9"]
    assert data["layers"] == plain["layers"]
    assert data["run"] == plain["run"]


@pytest.mark.parametrize("choice", [{"unit": 10}, {"step": 11}, {"sample": 1000}, {"layer": 1}, {"direction": "backward"}])
def test_what_does_not_exist_is_not_shown(choice: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        lstm_explain.report(lstm_explain.seeded(), **choice)


def test_infinite_inputs_make_a_page() -> None:
    inputs = np.full((1, 3, 2), np.inf, np.float32)
    assert lstm_explain.report(lstm_explain.given(inputs, units=2)).samples == range(1)


def test_a_notebook_shows_the_page_in_a_frame() -> None:
    text = lstm_explain.report(lstm_explain.seeded(samples=1))._repr_html_()
    assert text.startswith("<iframe ")
    assert "<script" not in text
