"""A framework that is missing is never passed over in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

MISSING = "lstm_explain.no_such_framework"


def test_a_missing_framework_skips_with_a_reason(framework: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LSTM_EXPLAIN_REQUIRE_ORACLES", raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"{MISSING} is not installed"):
        framework(MISSING)


def test_a_missing_framework_fails_where_it_is_required(
    framework: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LSTM_EXPLAIN_REQUIRE_ORACLES", "1")
    with pytest.raises(pytest.fail.Exception, match=f"{MISSING} is not installed"):
        framework(MISSING)


def test_an_installed_module_is_found_either_way(framework: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for required in ("0", "1"):
        monkeypatch.setenv("LSTM_EXPLAIN_REQUIRE_ORACLES", required)
        assert framework("lstm_explain").__name__ == "lstm_explain"
