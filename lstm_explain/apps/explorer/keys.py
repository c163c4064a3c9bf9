"""The keys: one table that bindings, footer, palette and help are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.explorer.canvas import Canvas
from lstm_explain.render.layout import BOLD, DIM, Line

if TYPE_CHECKING:
    from collections.abc import Iterator


class Key(NamedTuple):
    """A key, and what it does."""

    keys: tuple[str, ...]
    """As Textual names them; the first is the one that is shown."""
    symbol: str
    label: str
    action: str
    help: str


KEYS = (
    Key(("right",), "→", "step", "act('step', 1)", "One timestep on."),
    Key(("left",), "←", "", "act('step', -1)", "One timestep back."),
    Key(("down",), "↓", "unit", "act('unit', 1)", "The next unit."),
    Key(("up",), "↑", "", "act('unit', -1)", "The unit above."),
    Key(("n",), "n", "sample", "act('sample', 1)", "The next sample."),
    Key(("l",), "l", "layer", "act('layer', 1)", "The next layer."),
    Key(("d",), "d", "way", "act('direction')", "The other direction, where the layer reads both ways."),
    Key(("space",), "space", "play", "act('play')", "Play the timesteps one after the other; again to stop."),
    Key(("v",), "v", "gates", "act('maps')", "Other heat maps: h and c, i and f, g and o."),
    Key(("z",), "z", "sizes", "ask('sizes')", "Change the sizes of the LSTM."),
    Key(("y",), "y", "why", "why", "Why: the arithmetic that made each number of this unit and step."),
    Key(("h",), "h", "", "ask('h')", "Change h of the timestep before: what the unit told all units."),
    Key(("c",), "c", "", "ask('c')", "Change c of the timestep before: what the unit remembers."),
    Key(("x",), "x", "set", "ask('x')", "Change a number of the input."),
    Key(("g",), "g", "gate", "ask('g')", "Hold a gate open or shut."),
    Key(("w",), "w", "weight", "ask('w')", "Change a weight: W of x, R of h, b the bias."),
    Key(("u",), "u", "undo", "act('undo')", "Take the last change back."),
    Key(("r",), "r", "reset", "act('reset')", "Take all changes back."),
    Key(("s",), "s", "save", "ask('save')", "Write what is seen to a file."),
    Key(("k",), "k", "command", "command", "The command lines that show this."),
    Key(("question_mark", "f1"), "?", "help", "help", "Help for the place where you are."),
    Key(("q",), "q", "quit", "leave", "Leave; the command lines that show this are printed."),
)
"""The keys in the footer; a key without a label shares that of the next."""
MORE = (
    Key(("N", "shift+n"), "N", "sample", "act('sample', -1)", "The sample before."),
    Key(("home",), "Home", "first", "act('first')", "The first timestep."),
    Key(("end",), "End", "last", "act('last')", "The last timestep."),
    Key(("pagedown",), "PgDn", "units", "act('unit', 10)", "Ten units on."),
    Key(("pageup",), "PgUp", "units", "act('unit', -10)", "Ten units back."),
)
"""Further keys, listed in the help only."""


class FooterKey(NamedTuple):
    """A key in the footer, and its position."""

    key: Key
    text: str
    x: int
    y: int


def layout_footer(width: int) -> list[FooterKey]:
    """The keys side by side, in as many rows as they need."""
    footer: list[FooterKey] = []
    x, y = 1, 0
    for group in _label_groups():
        if x > 1 and x + sum(len(_footer_text(key)) for key in group) + len(group) - 1 > width:
            x, y = 1, y + 1
        for key in group:
            footer.append(FooterKey(key, _footer_text(key), x, y))
            x += len(_footer_text(key)) + (key.symbol not in ARROWS or bool(key.label))
        x += 1
    return footer


ARROWS = "←→↑↓"


def _label_groups() -> Iterator[list[Key]]:
    """Keys that share a label."""
    group: list[Key] = []
    ordered = [KEYS[1], KEYS[0], KEYS[3], KEYS[2], *KEYS[4:]]  # the arrow to the left first
    for key in ordered:
        group.append(key)
        if key.label:
            yield group
            group = []


def label_of(key: Key) -> str:
    """The key's label, or the one that it shares."""
    return key.label or next(group[-1].label for group in _label_groups() if key in group)


def _footer_text(key: Key) -> str:
    return f"{key.symbol} {key.label}" if key.label else key.symbol


def draw_footer(width: int, unicode: bool = True) -> list[Line]:
    """The keys and what they do."""
    keys = layout_footer(width)
    canvas = Canvas(width, max(key.y for key in keys) + 1)
    for key in keys:
        name, _, label = key.text.partition(" ")
        end = canvas.write(key.x, key.y, name, BOLD)
        canvas.write(end + 1, key.y, label, DIM)
    return canvas.lines(unicode)


def key_at(width: int, x: int, y: int) -> Key | None:
    """The key at a position in the footer."""
    return next((item.key for item in layout_footer(width) if item.y == y and 0 <= x - item.x < len(item.text)), None)
