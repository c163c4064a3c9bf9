"""The page as text: data, pictures, style and script in one file, which loads nothing."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.apps.report.page_data import build_page_data, choose_view, refuse_page
from lstm_explain.core.gates import Direction
from lstm_explain.document.numbers import plural
from lstm_explain.frameworks.registry import FRAMEWORKS
from lstm_explain.render.theme import DARK, LIGHT, to_hex
from lstm_explain.topics.intro import lstm_summary
from lstm_explain.topics.shapes import explain_shapes

if TYPE_CHECKING:
    from markupsafe import Markup

    from lstm_explain.core.lstm import LSTM
    from lstm_explain.topics.shapes import Shapes

DEFAULT_SAMPLES = 8
DEFAULT_MAX_PAGE = 5_000_000
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'"
"""Nothing is loaded and nothing is sent; the hashes of the page's own style and script are added."""
ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""Characters that could end a script element, or a line of one; inside JSON their escapes mean the same."""


class Report(NamedTuple):
    """A page. In a notebook it shows itself; `html` is the file."""

    html: str
    """The whole file."""
    samples: range
    """The samples that are in it."""

    def _repr_html_(self) -> str:
        from markupsafe import escape

        frame = 'style="width:100%;height:80vh;border:0" sandbox="allow-scripts"'
        return f'<iframe title="lstm-explain report" {frame} srcdoc="{escape(self.html)}"></iframe>'


def build_report(
    lstm: LSTM,
    *,
    sample: int = 0,
    layer: int = 0,
    direction: str = Direction.FORWARD,
    unit: int = 0,
    step: int | None = None,
    samples_in_page: int = DEFAULT_SAMPLES,
    max_page: int = DEFAULT_MAX_PAGE,
) -> Report:
    """Build the page in which an LSTM runs.

    Args:
        lstm: the LSTM. Numbers that are set by hand in it are changes that can be undone in the page.
        sample, layer, direction, unit, step: what the page shows first.
        samples_in_page: how many samples to choose from, beginning with `sample`. Fewer are taken if they do not fit.
        max_page: the largest page, in bytes.

    Raises:
        UsageError: there is no such sample, layer, direction, unit or timestep.
        RefusedError: the page is too large with one sample, or the run is larger than the memory budget.
    """
    view = choose_view(lstm, sample, layer, direction, unit, step)
    shapes = explain_shapes(lstm)
    wanted = min(samples_in_page, lstm.spec.samples - view.sample)
    count = wanted
    while True:
        html = _render(build_page_data(lstm, view, count), lstm, shapes, wanted)
        size = len(html.encode())
        if size <= max_page:
            return Report(html, range(view.sample, view.sample + count))
        if count == 1:
            raise refuse_page(size, max_page)
        count //= 2


def _render(data: dict[str, Any], lstm: LSTM, shapes: Shapes, wanted: int) -> str:
    from jinja2 import Environment
    from markupsafe import Markup

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_escape_controls)
    style, script = Markup(_palette() + _asset("page.css")), Markup(_asset("page.js"))
    return environment.from_string(_asset("page.html")).render(
        data=Markup(to_script_json(data)),
        policy=f"{POLICY}; style-src {_hash(style)}; script-src {_hash(script)}",
        style=style,
        script=script,
        spec=lstm.spec,
        summary=lstm_summary(shapes),
        shapes=shapes,
        counts=[(FRAMEWORKS[name].title, count) for name, count in shapes.frameworks.items()],
        left_out=_left_out(data, lstm, wanted),
        samples=data["samples"],
        version=data["version"],
    )


def _left_out(data: dict[str, Any], lstm: LSTM, wanted: int) -> list[str]:
    """What the page does not have, in sentences."""
    inside, total = len(data["samples"]), lstm.spec.samples
    if inside == total:
        return []
    reason = "more would make the page too large" if inside < wanted else "--samples-in-page adds more"
    return [f"{plural(inside, 'sample')} of {total:,} {'is' if inside == 1 else 'are'} in this page; {reason}."]


def _escape_controls(value: object) -> object:
    """Write the control characters of a name as escapes; markup, which is ours, stays as it is."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in value)


def to_script_json(data: object) -> str:
    """JSON for a script element: no character of it can end the element."""
    return json.dumps(data, ensure_ascii=True, allow_nan=False).translate(ESCAPES)


def _palette() -> str:
    """The colours of both themes as CSS: the reader's system chooses, unless the page was told which to use."""
    light, dark = (
        "".join(
            f"--{name}:{to_hex(color)};"
            for name, color in {
                "paper": theme.background,
                "ink": theme.text,
                "below": theme.below,
                "above": theme.above,
                "gate": theme.gate,
                **theme.symbols,
            }.items()
        )
        for theme in (LIGHT, DARK)
    )
    return (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}\n:root[data-theme=light]{{color-scheme:light}}\n"
    )


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _hash(content: Markup) -> str:
    """The source expression that allows this inline text alone; source: Content Security Policy Level 3."""
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
