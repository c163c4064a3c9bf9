"""The pictures in the pages are what the program draws. Draw them again: python tests/docs/test_pictures.py"""

from __future__ import annotations

import re
from pathlib import Path

from lstm_explain import seeded
from lstm_explain.apps.explorer import screen
from lstm_explain.apps.explorer.actions import apply_edits, select_unit_and_step
from lstm_explain.apps.explorer.state import ExplorerState
from lstm_explain.apps.explorer.view_model import build_view_model
from lstm_explain.render.markup import lines_to_svg

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIDTH, HEIGHT = 80, 24


def explorer() -> str:
    """The explorer after `h_3[3]=0.6`, at timestep 4 of unit 3."""
    state = apply_edits(select_unit_and_step(ExplorerState(seeded()), 3, 4), "h_3[3]=0.6")
    return lines_to_svg(screen.draw_screen(build_view_model(state), WIDTH, HEIGHT), WIDTH, "lstm-explain explore")


def words(svg: str) -> list[str]:
    """The texts of a picture."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_the_picture_of_the_explorer_is_what_it_draws() -> None:
    shown, kept = words(explorer()), words((DOCS / "explore.svg").read_text(encoding="utf-8"))
    assert len(shown) > 200
    assert shown == kept


if __name__ == "__main__":
    (DOCS / "explore.svg").write_text(explorer(), encoding="utf-8")
