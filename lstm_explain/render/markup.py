"""Laid-out lines as markup: SVG figures, and HTML for notebooks. A style sheet follows the reader's light or dark background.

Every number and symbol has a class such as `above7` or `symbol-h`; the style sheet holds the rules of those that occur, once
for each theme.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.render.layout import layout_lines, width_of
from lstm_explain.render.theme import DARK, LIGHT, color_symbols, heat_colors, heat_share, to_hex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lstm_explain.document.blocks import Document
    from lstm_explain.render.layout import Line, Span, Style
    from lstm_explain.render.theme import Theme

HEAT_LEVELS = 10
"""How many strengths of a colour there are, so that a page needs few rules."""
FONT = 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace'
COLUMN_WIDTH, LINE_HEIGHT, FONT_SIZE, MARGIN = 8.4, 18, 14, 12
"""Pixels; a character of the fonts above is 0.6 of its height wide."""
DARK_NOTEBOOK = ':is(body[data-jp-theme-light="false"], body.vscode-dark, html[theme="dark"]) '
"""How JupyterLab, VS Code and Colab say that their page is dark."""
UNKNOWN_NOTEBOOK = "body:not([data-jp-theme-light]):not([class*=vscode-]) "
"""A page that says nothing: the system's setting decides."""


class MarkedSpan(NamedTuple):
    """A span with the class of its style sheet rules."""

    span: Span
    css_class: str


def to_svg(document: Document, width: int, title: str) -> str:
    """Draw a document as a figure that follows the reader's theme. The same document gives the same bytes."""
    return lines_to_svg(layout_lines(document, width, True), width, title)


def lines_to_svg(page: Iterable[Line], width: int, title: str) -> str:
    """Draw lines; `title` is the figure's accessible name."""
    lines, styles = _mark(page)
    sheet = _svg_rules(LIGHT, styles) + "@media (prefers-color-scheme: dark) {\n" + _svg_rules(DARK, styles) + "}\n"
    size = f"{width * COLUMN_WIDTH + 2 * MARGIN:g} {len(lines) * LINE_HEIGHT + 2 * MARGIN}"
    body = "\n".join(text for number, line in enumerate(lines) for text in _svg_line(line, MARGIN + number * LINE_HEIGHT))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img" xml:space="preserve">\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>\n{sheet}text {{ font: {FONT_SIZE}px {FONT}; white-space: pre; }}\n{_font_rules('')}</style>\n"
        f'<rect class="page" width="100%" height="100%"/>\n{body}\n</svg>\n'
    )


def to_html(document: Document, width: int = 100) -> str:
    """Write a document as an escaped block of preformatted HTML that follows the notebook's theme."""
    lines, styles = _mark(layout_lines(document, width, True))
    scope = ".lstm-explain "
    sheet = (
        f".lstm-explain pre {{ font-family: {FONT}; line-height: 1.25; white-space: pre; }}\n{_font_rules(scope)}"
        + _html_rules(LIGHT, styles, scope)
        + _html_rules(DARK, styles, DARK_NOTEBOOK + scope)
        + f"@media (prefers-color-scheme: dark) {{\n{_html_rules(DARK, styles, UNKNOWN_NOTEBOOK + scope)}}}\n"
    )
    body = "\n".join("".join(map(_html_span, line)) for line in lines)
    return f'<div class="lstm-explain"><style>\n{sheet}</style><pre>{body}\n</pre></div>'


# --- classes ----------------------------------------------------------------------------------------------------------


def _mark(page: Iterable[Line]) -> tuple[list[list[MarkedSpan]], dict[str, Style]]:
    """Give each span its class, and return the styles of the classes with a colour too."""
    styles: dict[str, Style] = {}
    lines = [[MarkedSpan(span, _css_class(span.style, styles)) for span in color_symbols(line) if span.text] for line in page]
    return lines, dict(sorted(styles.items()))


def _css_class(style: Style, styles: dict[str, Style]) -> str:
    names = [name for name in ("bold", "dim", "italic", "reverse", "underline") if getattr(style, name)]
    level = _heat_level(style)
    color = ""
    if level:
        color = f"{'gate' if style.gate else 'above' if level > 0 else 'below'}{abs(level)}"
    elif style.symbol:
        color = f"symbol-{style.symbol}"
    if color:
        styles[color] = style._replace(tint=level / HEAT_LEVELS)
        names.append(color)
    return " ".join(names)


def _heat_level(style: Style) -> int:
    return round(heat_share(style) * HEAT_LEVELS)


def _rules(theme: Theme, styles: dict[str, Style], rule: Callable[[str, str | None, str], str]) -> str:
    """Return the rules of all classes; `rule` is called with a class, the colour of its background if any, and of its text."""
    text = []
    for name, style in styles.items():
        heat = heat_colors(style, theme)
        paper = None if heat is None else to_hex(heat[0])
        text.append(rule(name, paper, to_hex(theme.symbols[style.symbol] if heat is None else heat[1])))
    return "".join(text)


def _font_rules(scope: str) -> str:
    dim, under = "opacity: 0.65;", "text-decoration: underline;"
    return (
        f"{scope}.bold {{ font-weight: bold; }}\n{scope}.italic {{ font-style: italic; }}\n"
        f"{scope}.dim {{ {dim} }}\n{scope}.underline {{ {under} }}\n"
    )


# --- SVG --------------------------------------------------------------------------------------------------------------


def _svg_rules(theme: Theme, styles: dict[str, Style]) -> str:
    text, background = to_hex(theme.text), to_hex(theme.background)
    page = f".page {{ fill: {background}; }}\ntext {{ fill: {text}; }}\n"
    reverse = f"rect.reverse {{ fill: {text}; }}\ntext.reverse {{ fill: {background}; }}\n"
    return page + reverse + _rules(theme, styles, _svg_rule)


def _svg_rule(name: str, paper: str | None, ink: str) -> str:
    return ("" if paper is None else f"rect.{name} {{ fill: {paper}; }}\n") + f"text.{name} {{ fill: {ink}; }}\n"


def _svg_line(line: list[MarkedSpan], top: int) -> Iterable[str]:
    column = 0
    for span, css_class in line:
        width, left = width_of(span.text), f"{MARGIN + column * COLUMN_WIDTH:g}"
        mark = f' class="{css_class}"' if css_class else ""
        if _heat_level(span.style) or span.style.reverse:
            yield f'<rect{mark} x="{left}" y="{top}" width="{width * COLUMN_WIDTH:g}" height="{LINE_HEIGHT}"/>'
        if span.text.strip():
            length = f'textLength="{width * COLUMN_WIDTH:g}" lengthAdjust="spacingAndGlyphs"'
            yield f'<text{mark} x="{left}" y="{top + LINE_HEIGHT * 0.75:g}" {length}>{escape(span.text)}</text>'
        column += width


# --- HTML -------------------------------------------------------------------------------------------------------------


def _html_rules(theme: Theme, styles: dict[str, Style], scope: str) -> str:
    text, background = to_hex(theme.text), to_hex(theme.background)
    reverse = f"{scope}.reverse {{ color: {background}; background: {text}; }}\n"
    return reverse + _rules(theme, styles, lambda name, paper, ink: _html_rule(scope, name, paper, ink))


def _html_rule(scope: str, name: str, paper: str | None, ink: str) -> str:
    background = "" if paper is None else f" background: {paper};"
    return f"{scope}.{name} {{ color: {ink};{background} }}\n"


def _html_span(marked: MarkedSpan) -> str:
    text = escape(marked.span.text)
    return f'<span class="{marked.css_class}">{text}</span>' if marked.css_class else text
