"""The network as a drawing of circles, one circle per unit: a single layer with what it reads and outputs, or a stack.

A line is at most `DIAGRAM_WIDTH` columns wide, whatever the sizes: units and layers in the middle are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.document.numbers import plural, thousands

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lstm_explain.core.gates import Direction
    from lstm_explain.core.spec import Spec

DIAGRAM_WIDTH = 80
MARGIN = 9
"""How many columns are left of a single layer, for what its lines are called."""
LAYER_WIDTH = 40
"""How many columns the circles of a single layer take."""
STACK_MARGIN = 20
STACK_WIDTH = 36
GAP = "  "
"""What is between the circles and the text on their right."""
ELLIPSIS = "..."
MAX_DRAWN_ROWS = 4
"""How many rows of circles a stack has: a row for each direction of each layer that is drawn."""


class Circles(NamedTuple):
    """A row of circles, and the columns of their middles."""

    text: str
    middles: tuple[int, ...]


def draw_circles(units: int, width: int) -> Circles:
    """Write `(0) (1) (2)`: all units where they fit into `width` columns, else the first ones, dots, and the last."""
    text, middles = "", []
    for label in _circle_labels(units, width):
        if label != ELLIPSIS:
            middles.append(len(text) + len(label) // 2)
        text += f"{label} "
    return Circles(text.rstrip(), tuple(middles))


def _circle_labels(units: int, width: int) -> list[str]:
    labels = [f"({unit})" for unit in range(min(units, width))]
    if len(labels) == units and sum(map(len, labels)) + units - 1 <= width:
        return labels
    end = f"{ELLIPSIS} ({units - 1})"
    while labels and sum(map(len, labels)) + len(labels) + len(end) > width:
        labels.pop()
    return [*labels, *end.split()]


# --- one layer --------------------------------------------------------------------------------------------------------


def draw_layer(spec: Spec) -> Iterator[str]:
    """Draw a single layer that reads forward: what comes in below, the circles, what comes out above."""
    circles = draw_circles(spec.units, LAYER_WIDTH)
    start = (LAYER_WIDTH - len(circles.text)) // 2
    middles = [start + middle for middle in circles.middles]
    stem = (middles[0] + middles[-1]) // 2
    reads = thousands(spec.features + spec.hidden)
    yield from _output_lines(spec, middles, stem)
    yield _layer_line("", " " * start + circles.text, "its own c_t" if spec.units == 1 else "each unit keeps its own c_t")
    yield _layer_line("", _write_at("▲", middles), "")
    yield _layer_line(
        "",
        _draw_bracket(middles, stem, ("└", "┴", "┘"), "┬"),
        f"{'it' if spec.units == 1 else 'every unit'} reads all {reads}",
    )
    yield _input_line(spec, MARGIN + stem)


def _output_lines(spec: Spec, middles: Sequence[int], stem: int) -> Iterator[str]:
    numbers = plural(spec.hidden, "number")
    if spec.projection is None:
        yield _layer_line("h_t out", _write_at("▲", middles), numbers if spec.units == 1 else f"{numbers}, one per unit")
        return
    yield _layer_line("h_t out", _write_at("▲", [stem]), f"{numbers}, mixed from all")
    sizes = f"{thousands(spec.units)} × {thousands(spec.projection)}"
    yield _layer_line("", _draw_bracket(middles, stem, ("┌", "┬", "┐"), "┴"), f"by a projection, {sizes}")


def _input_line(spec: Spec, stem: int) -> str:
    features = f"x_t: {plural(spec.features, 'number')}"
    left = f" in{features:>{stem - 7}}"
    previous = "the previous output" if spec.hidden == 1 or spec.projection else "all units' outputs"
    return f"{left} ".ljust(stem, "─") + f"┴─── h_{{t-1}}: {plural(spec.hidden, 'number')}, {previous}"


def _layer_line(label: str, drawing: str, text: str) -> str:
    return f" {label:{MARGIN - 1}}{drawing:{LAYER_WIDTH}}{GAP}{text}".rstrip()


def _write_at(mark: str, columns: Sequence[int]) -> str:
    line = [" "] * (max(columns) + 1)
    for column in columns:
        line[column] = mark
    return "".join(line)


def _draw_bracket(columns: Sequence[int], stem: int, ends: tuple[str, str, str], joint: str) -> str:
    """Draw a line that joins the columns, with `ends` at the first, the inner and the last, and `joint` where the stem is."""
    if len(columns) == 1:
        return _write_at("│", columns)
    first, inner, last = ends
    line = [" "] * columns[0] + ["─"] * (columns[-1] - columns[0] + 1)
    for column in columns:
        line[column] = inner
    line[columns[0]], line[columns[-1]] = first, last
    line[stem] = joint if line[stem] == "─" else "┼"
    return "".join(line)


# --- a stack of layers, or two directions -----------------------------------------------------------------------------


def draw_stack(spec: Spec) -> Iterator[str]:
    """Draw a row of circles for each layer and direction, the last layer above; layers in the middle are left out."""
    last = len(spec.layers) - 1
    top = spec.for_layer(last)
    both = ": h of both directions, next to each other" if top.bidirectional else ", one per unit"
    yield _stack_line(" out", "", f"▲ {plural(top.output, 'number')}{both}", "")
    drawn = _drawn_layers(spec)
    for position, layer in enumerate(drawn):
        if position and drawn[position - 1] != layer + 1:
            hidden = drawn[position - 1] - layer - 1
            yield _stack_line("", "", f"{ELLIPSIS} {plural(hidden, 'more layer')} {ELLIPSIS}", "")
        for number, direction in enumerate(spec.for_layer(layer).directions):
            yield _layer_row(spec, layer, direction, is_first=number == 0)
    yield _stack_line(" in", "", f"▲ x_t: {plural(spec.features, 'number')}", "")


def _drawn_layers(spec: Spec) -> list[int]:
    """The layers that are drawn, the last one first."""
    layers = list(range(len(spec.layers)))
    count = max(2, MAX_DRAWN_ROWS // max(len(layer.directions) for layer in spec.layers))
    return layers[::-1] if len(layers) <= count else [layers[-1], *layers[: count - 1][::-1]]


def _layer_row(spec: Spec, layer: int, direction: Direction, is_first: bool) -> str:
    layer_spec = spec.for_layer(layer)
    label = f" layer {layer}" if is_first else ""
    reads = f"reads {thousands(layer_spec.features)} + {thousands(layer_spec.hidden)}"
    direction_name = direction.value if layer_spec.bidirectional else ""
    return _stack_line(label, direction_name, draw_circles(layer_spec.units, STACK_WIDTH).text, reads)


def _stack_line(label: str, direction: str, drawing: str, text: str) -> str:
    return f"{label:10}{direction:{STACK_MARGIN - 10}}{drawing:{STACK_WIDTH}}{GAP}{text}".rstrip()
