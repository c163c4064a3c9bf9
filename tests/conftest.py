"""How deep and how parallel a run of the tests is: the option --thorough, the marker `slow`, the number of workers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lstm_explain.topics.command_line import CliSource

settings.register_profile(
    "any machine", suppress_health_check=[HealthCheck.too_slow]
)  # a busy machine is not a fault of a test
settings.load_profile("any machine")

MIN_EXAMPLES = 5
"""A property that asks for no more examples than this gets all of them in every run."""
THREAD_LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
"""How many threads BLAS and the frameworks may use. Workers that share the processors wait for each other's threads."""
PROCESS_FIXTURES = {"run", "open_session"}
"""Fixtures that start the program as a process. Tests that use them are slow."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough",
        action="store_true",
        help="draw all examples that the property tests ask for; the default is a quarter of them",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run folders on all processors, and a file or a single test in this process, where starting workers costs more."""
    paths = [Path(argument.partition("::")[0]) for argument in config.args]
    if all(path.is_file() for path in paths):
        return 0
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")  # the workers inherit it
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    functions = [item for item in items if isinstance(item, pytest.Function)]
    for item in functions:
        if PROCESS_FIXTURES & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)
        if is_hypothesis_test(item.function):
            item.add_marker(pytest.mark.property)
    if not config.getoption("--thorough"):
        for function in {item.function for item in functions}:
            if is_hypothesis_test(function):
                reduce_examples(function)


def reduce_examples(function: object) -> None:
    """Let a property test draw a quarter of its examples.

    Hypothesis has no public way to change the settings of a decorated test. Its own pytest plugin uses the same attribute.
    """
    full: settings = function._hypothesis_internal_use_settings  # type: ignore[attr-defined]
    examples = max(min(full.max_examples, MIN_EXAMPLES), full.max_examples // 4)
    function._hypothesis_internal_use_settings = settings(full, max_examples=examples)  # type: ignore[attr-defined]


@pytest.fixture
def typed_source() -> Iterator[Callable[[CliSource | None], None]]:
    """A function that says what the command line was given, as long as the test runs."""
    from lstm_explain.topics.command_line import TYPED_SOURCE

    def set_source(source: CliSource | None) -> None:
        TYPED_SOURCE.set(source)

    token = TYPED_SOURCE.set(None)
    yield set_source
    TYPED_SOURCE.reset(token)
