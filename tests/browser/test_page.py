"""What a reader does in the page: choose, walk by keyboard, change a number, read what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lstm_explain

if TYPE_CHECKING:
    from tests.browser.conftest import OpenPage


def test_a_poke_moves_no_other_unit_now_and_all_one_timestep_later(open_page: OpenPage) -> None:
    page = open_page(lstm_explain.seeded(), unit=4, step=3)
    page.get_by_label("h_3[4]", exact=True).fill("0.5")
    page.get_by_label("h_3[4]", exact=True).press("Enter")
    sentence = page.locator("#sentence").inner_text()
    assert sentence == (
        "h_3[4] = 0.5: 0 of 9 other units moved at timestep 3, 9 of 9 one timestep later, 9 of 9 two timesteps later."
    )
    moved = page.locator("#map-change td.moved")
    assert moved.count() == 1 + 10 * 7
    page.get_by_role("button", name="Undo all").click()
    assert page.locator("#sentence").inner_text().startswith("Nothing is changed.")
    assert not page.locator("#map-change").is_visible()


def test_arrow_keys_walk_a_map_that_is_one_tab_stop(open_page: OpenPage) -> None:
    page = open_page(lstm_explain.seeded(units=3, timesteps=4), unit=0, step=1)
    grid = page.get_by_role("grid", name="h, what each unit outputs")
    assert grid.locator("[tabindex='0']").count() == 1
    grid.locator("[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "End", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert page.evaluate("[lstmExplain.state.unit, lstmExplain.state.step]") == [1, 4]
    assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    assert grid.locator("[tabindex='0']").count() == 1


def test_the_address_holds_the_state(open_page: OpenPage) -> None:
    lstm = lstm_explain.seeded()
    page = open_page(lstm)
    page.evaluate("lstmExplain.set({unit: 7, step: 5, gate: 'f', edits: ['x_2[1]=1.5', 'f[3]=0']})")
    fragment = page.evaluate("location.hash")
    other = open_page(lstm, fragment)
    assert other.evaluate("lstmExplain.state") == page.evaluate("lstmExplain.state")
    assert other.evaluate("lstmExplain.state.edits") == ["x_2[1]=1.5", "f[3]=0"]


def test_an_address_of_something_that_does_not_exist_is_said(open_page: OpenPage) -> None:
    page = open_page(lstm_explain.seeded(), "#unit=99&step=banana&sample=-4&gate=q&direction=sideways&edit=h_3[99]=1")
    assert page.evaluate("lstmExplain.state") == {
        "sample": 0, "layer": 0, "direction": "forward", "unit": 9, "step": 1, "gate": "i", "edits": []
    }  # fmt: skip
    assert page.locator("#sentence").inner_text() == "h_3[99]=1: places of h count from 0 to 9"
