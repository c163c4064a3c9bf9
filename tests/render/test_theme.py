"""Themes: readable on dark and light, symbols found in text, and the terminal's wish followed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.document.blocks import Cell, Column, NextStep, NextSteps, Paragraph, Preformatted, SideBySide, Table
from lstm_explain.render.layout import Span, Style, layout_lines
from lstm_explain.render.markup import to_html, to_svg
from lstm_explain.render.terminal import to_terminal
from lstm_explain.render.theme import DARK, LIGHT, THEMES, Theme, color_symbols, contrast, detect_theme, heat_colors

WCAG_TEXT = 4.5
"""The contrast that WCAG 2.2 AA asks of text."""


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_symbols_and_text_are_readable(theme: Theme) -> None:
    assert contrast(theme.text, theme.background) >= WCAG_TEXT
    assert set(theme.symbols) == set("ifgohc")
    assert all(contrast(color, theme.background) >= WCAG_TEXT for color in theme.symbols.values())
    assert len(set(theme.symbols.values())) == len(theme.symbols)


@pytest.mark.property
@given(st.sampled_from(sorted(THEMES)), st.floats(-1, 1), st.booleans())
def test_numbers_are_readable_on_every_shade(name: str, tint: float, gate: bool) -> None:
    colors = heat_colors(Style(tint=abs(tint) if gate else tint, gate=gate), THEMES["dark" if name == "dark" else "light"])
    assert colors is None or contrast(*colors) >= WCAG_TEXT


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_zero_has_the_background_and_gates_a_scale_of_their_own(theme: Theme) -> None:
    assert heat_colors(Style(tint=0.0), theme) is None
    assert heat_colors(Style(tint=0.8), theme) != heat_colors(Style(tint=0.8, gate=True), theme)


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("h_t = o × tanh(c_t)", "h o c"),
        ("h_{t-1}, c_3[7] and c", "h c c"),
        ("i, f and o are gates; g is the candidate.", "i f o g"),
        ("lstm-explain trace -o run.npz", ""),
        ("an output of size 1, i.e. one number from unit b", ""),
        ("f(Wx + b)", ""),
        ("(h, c)", "h c"),
    ],
)
def test_symbols_are_told_from_words(text: str, symbols: str) -> None:
    spans = list(color_symbols([Span(text)]))
    assert "".join(span.text for span in spans) == text
    assert [span.style.symbol for span in spans if span.style.symbol] == symbols.split()


def test_code_and_numbers_keep_their_style() -> None:
    page = (Preformatted(("h, c = cell(x)",), "python"), Table((Column("h"),), ((Cell("h", tint=1.0),),), ruled=False))
    assert not any(span.style.symbol for line in layout_lines(page, 80, True) for span in color_symbols(line))


@pytest.mark.parametrize(
    ("environment", "theme"),
    [
        ({}, "dark"),
        ({"COLORFGBG": "0;15"}, "light"),
        ({"COLORFGBG": "15;default;0"}, "dark"),
        ({"LSTM_EXPLAIN_THEME": "Light", "COLORFGBG": "15;0"}, "light"),
        ({"LSTM_EXPLAIN_THEME": "solarized"}, "dark"),
    ],
)
def test_the_terminal_says_what_its_background_is(
    environment: dict[str, str], theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LSTM_EXPLAIN_THEME", "COLORFGBG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert detect_theme() == theme


def test_themes_differ_in_colours_only() -> None:
    page = (Paragraph("h_t = o × tanh(c_t)"), Table((Column("a"),), ((Cell("0.5", tint=0.5),),)))
    dark, light = (to_terminal(page, 80, "truecolor", True, theme) for theme in ("dark", "light"))
    assert dark != light
    assert re.sub(r"\x1b\[[0-9;]*m", "", dark) == re.sub(r"\x1b\[[0-9;]*m", "", light)


def test_a_figure_and_a_notebook_follow_the_theme_of_the_reader() -> None:
    page = (Paragraph("h_t"), Table((Column("a"),), ((Cell("0.5", tint=0.5),),)))
    figure, cell = to_svg(page, 40, "a figure"), to_html(page)
    for text in (figure, cell):
        assert "prefers-color-scheme: dark" in text
        assert "symbol-h" in text
        assert "above5" in text
    assert "terminal" not in figure
    assert not re.findall(r"<rect x", to_svg((Table((Column("a"),), ((Cell("0.04", tint=0.045),),)),), 40, "a figure"))
    assert 'body[data-jp-theme-light="false"]' in cell


def lines(block: NextSteps | SideBySide, width: int) -> list[str]:
    return to_terminal((block,), width, None, unicode=True).splitlines()


def test_next_steps_are_below_each_other_with_their_reasons() -> None:
    steps = NextSteps((NextStep("lstm-explain tour", "a guided tour"), NextStep("lstm-explain explore")))
    assert lines(steps, 80) == ["Next: lstm-explain tour     a guided tour", "      lstm-explain explore"]
    assert lines(steps, 30) == ["Next: lstm-explain tour", "        a guided tour", "      lstm-explain explore"]


def test_parts_are_next_to_each_other_only_where_both_fit() -> None:
    parts = SideBySide(((Paragraph("left"),), (Paragraph("right"), Paragraph("below"))))
    assert lines(parts, 40) == ["left    right", "        below"]
    assert lines(parts, 12) == ["left", "", "right", "below"]


def test_prose_is_at_most_a_hundred_columns_wide() -> None:
    assert max(map(len, to_terminal((Paragraph("word " * 100),), 200, None, True).splitlines())) <= 100
