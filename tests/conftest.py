"""How deep and how parallel a run of the tests is."""

from __future__ import annotations

import pytest
from hypothesis import is_hypothesis_test, settings

MIN_EXAMPLES = 5
"""A property that asks for no more examples than this gets all of them in every run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough",
        action="store_true",
        help="draw all examples that the property tests ask for; without it they draw a quarter",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--thorough"):
        for function in {item.function for item in items if isinstance(item, pytest.Function)}:
            if is_hypothesis_test(function):
                reduce_examples(function)


def reduce_examples(function: object) -> None:
    """Let a property test draw a quarter of its examples.

    Hypothesis has no public way to change the settings of a decorated test. Its own pytest plugin uses the same attribute.
    """
    full: settings = function._hypothesis_internal_use_settings  # type: ignore[attr-defined]
    examples = max(min(full.max_examples, MIN_EXAMPLES), full.max_examples // 4)
    function._hypothesis_internal_use_settings = settings(full, max_examples=examples)  # type: ignore[attr-defined]
