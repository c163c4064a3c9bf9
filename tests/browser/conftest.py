"""A browser without network, and pages opened in it. Without Playwright or Chromium its tests are skipped, unless
LSTM_EXPLAIN_REQUIRE_BROWSER=1 asks for them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Dialog, Page

    from lstm_explain.core.lstm import LSTM

    OpenPage = Callable[..., Page]

REQUIRED = os.environ.get("LSTM_EXPLAIN_REQUIRE_BROWSER") == "1"
FOLDER = os.path.dirname(__file__)  # noqa: PTH120


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if str(item.path).startswith(FOLDER):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright."""
    executable = os.environ.get("LSTM_EXPLAIN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if REQUIRED:
        assert executable, "there is no chromium: apt-get install chromium"
    else:
        pytest.importorskip("playwright")
        if executable is None:
            pytest.skip("there is no chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[OpenPage]:
    """Open the report of an LSTM in a page without network; at the end, nothing was requested and nothing was reported."""
    from lstm_explain import report

    contexts: list[BrowserContext] = []
    requests: list[str] = []
    problems: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        problems.append(dialog.message)
        dialog.dismiss()

    def opened(lstm: LSTM, fragment: str = "", context: dict[str, Any] | None = None, **options: Any) -> Page:
        file = tmp_path / f"lstm{len(contexts)}.html"
        file.write_text(report(lstm, **options).html, "utf-8")
        made = browser.new_context(offline=True, **{"viewport": {"width": 1000, "height": 800}, **(context or {})})
        contexts.append(made)
        page = made.new_page()
        page.set_default_timeout(10_000)
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", dismiss)
        page.goto(f"{file.as_uri()}{fragment}")
        page.wait_for_function("window.lstmExplain")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []
    assert [url for url in requests if not url.startswith("file:")] == []
    assert len(requests) == len(contexts)
