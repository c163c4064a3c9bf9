"""What accessibility rules, a keyboard, a small screen, dark colours and paper ask of the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

import lstm_explain

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import OpenPage

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LSTMS: dict[str, dict[str, Any]] = {
    "founding": {},
    "stack": {"samples": 2, "units": (4, 3), "timesteps": 4, "bidirectional": True},
    "projection": {"samples": 2, "units": 40, "timesteps": 30, "projection": 3, "peepholes": True},
}


def violations(page: Page) -> list[str]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1000])
@pytest.mark.parametrize("name", LSTMS)
def test_axe_finds_nothing(name: str, width: int, scheme: str, open_page: OpenPage) -> None:
    context = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    page = open_page(lstm_explain.seeded(**LSTMS[name]), "", context)
    assert violations(page) == []
    page.evaluate("lstmExplain.set({edits: ['h_1[0]=0.75', 'W_f[0,1]=-2']})")
    assert violations(page) == []


@pytest.mark.parametrize("width", [320, 400, 1000, 1600])
@pytest.mark.parametrize("name", LSTMS)
def test_the_page_does_not_scroll_sideways(name: str, width: int, open_page: OpenPage) -> None:
    page = open_page(lstm_explain.seeded(**LSTMS[name]), "", {"viewport": {"width": width, "height": 800}})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_field_is_reached_with_the_keyboard_and_nothing_traps_it(open_page: OpenPage) -> None:
    page = open_page(lstm_explain.seeded(samples=2, units=2, timesteps=3, features=1))
    visited = []
    for _ in range(200):
        page.keyboard.press("Tab")
        visited.append(page.evaluate("document.activeElement === document.body ? '' : document.activeElement.outerHTML"))
        if not visited[-1]:
            break
    assert visited.pop() == ""
    stops = " ".join(visited)
    for part in ('name="sample"', 'name="unit"', 'name="edit"', 'data-key="x_2[0]"', 'id="copy"', 'role="gridcell"'):
        assert part in stops
    assert sum('role="gridcell"' in stop for stop in visited) == 5


def test_two_pages_are_printed(open_page: OpenPage) -> None:
    for sizes in (LSTMS["founding"], LSTMS["stack"]):
        document = open_page(lstm_explain.seeded(**sizes)).pdf(format="A4")
        assert len(re.findall(rb"/Type\s*/Page\b", document)) == 2


def test_the_reader_chooses_the_colours(open_page: OpenPage) -> None:
    page = open_page(lstm_explain.seeded(samples=1), "", {"color_scheme": "light"})
    color = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(color) == "rgb(255, 255, 255)"
    page.get_by_label("Colours").select_option("dark")
    assert page.evaluate(color) == "rgb(30, 30, 30)"
    assert violations(page) == []
