"""A network, unrolled and drawn: a column for each timestep, what is read below, what is made above."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.core.network import FREE_LENGTH, FROM_ONE, TO_ONE

if TYPE_CHECKING:
    from lstm_explain.core.network import NetworkPlan
    from lstm_explain.core.spec import Spec

BOX, GAP = 10, 5
"""The width of a box, and of the arrow between two."""
MIDDLE = BOX // 2
MAX_COLUMNS, MAX_COLUMNS_PER_HALF = 5, 2
"""More timesteps than this are drawn with the middle left out; of an encoder and a decoder, beside each other, fewer are."""
DOTS = "···"
MAX_WIDTH = 76
MAX_DIGITS = 6
"""A timestep's number with more digits than this is written as a letter."""

Y, Y_ARROW, DENSE, H_ARROW, LSTM = 0, 1, 2, 5, 6
"""The lines of the drawing, from the top: the outputs, an arrow, the dense layer, an arrow, the LSTM."""


class TimestepColumn(NamedTuple):
    """A timestep of an LSTM, and where its box begins."""

    t: int
    left: int
    letter: str
    """What its number is called where it is too long to write: T, or S for a step of an output of free length."""

    @property
    def middle(self) -> int:
        return self.left + MIDDLE

    @property
    def number(self) -> str:
        text = str(self.t)
        return text if len(text) <= MAX_DIGITS else self.letter


class DrawingCanvas:
    """Lines of characters that are written to anywhere."""

    def __init__(self) -> None:
        self._lines: dict[int, list[str]] = {}

    def write(self, line: int, left: int, text: str) -> None:
        row = self._lines.setdefault(line, [])
        row.extend(" " * (left + len(text) - len(row)))
        row[left : left + len(text)] = text

    def center(self, line: int, middle: int, text: str) -> None:
        self.write(line, max(0, middle - len(text) // 2), text)

    def lines(self) -> tuple[str, ...]:
        return tuple("".join(self._lines.get(line, [])).rstrip() for line in range(max(self._lines) + 1))


def draw_network(plan: NetworkPlan) -> tuple[str, ...]:
    """Draw a network."""
    canvas = DrawingCanvas()
    if plan.decoder is not None:
        return _draw_encoder_decoder(canvas, plan)
    columns = _place_columns(plan.spec.timesteps, 0, MAX_COLUMNS, "S" if plan.task in FREE_LENGTH else "T")
    texts = _box_lines("LSTM", plan.spec)
    _draw_lstm(canvas, columns, texts, plan.spec.has_backward)
    _draw_inputs(canvas, columns, "x_1" if plan.task in FROM_ONE else "", LSTM + len(texts) + 2)
    if plan.task in TO_ONE:
        _draw_last_dense(canvas, columns, plan.spec.for_layer(len(plan.spec.layers) - 1).bidirectional)
    else:
        _draw_dense_per_step(canvas, columns)
    return canvas.lines()


def _draw_encoder_decoder(canvas: DrawingCanvas, plan: NetworkPlan) -> tuple[str, ...]:
    """An encoder, and to its right the decoder."""
    encoder = _place_columns(plan.spec.timesteps, 0, MAX_COLUMNS_PER_HALF, "T")
    decoder = _place_columns(plan.dense_source.timesteps, encoder[-1].left + BOX + GAP, MAX_COLUMNS_PER_HALF, "S")
    texts = _box_lines("encoder", plan.spec)
    below = LSTM + len(texts) + 2
    _draw_lstm(canvas, encoder, texts, plan.spec.has_backward)
    written = _box_lines("decoder", plan.dense_source)
    _draw_lstm(canvas, decoder, [*written, *[""] * (len(texts) - len(written))], False)
    _draw_handover(canvas, encoder, plan.spec.has_backward)
    _draw_inputs(canvas, encoder, "", below)
    _draw_inputs(canvas, decoder, "last h", below)
    _draw_dense_per_step(canvas, decoder)
    return canvas.lines()


def _draw_handover(canvas: DrawingCanvas, encoder: list[TimestepColumn], both: bool) -> None:
    """The arrow from the encoder's last state to the decoder; the backward direction ends at the first timestep."""
    first, last = encoder[0], encoder[-1]
    gap = last.left + BOX
    if not both or first is last:
        canvas.write(LSTM + 1, gap, "═h,c►")
        return
    turn = gap + 2
    label = f" h_{first.number}, c_{first.number} backward "
    canvas.write(H_ARROW, first.middle, f"╔{label:═^{turn - first.middle - 1}}╗")
    canvas.write(LSTM, turn, "║")
    canvas.write(LSTM + 1, turn, "╚═►")
    canvas.write(LSTM + 2, gap, "═h,c►")


def _place_columns(timesteps: int, left: int, most: int, letter: str) -> list[TimestepColumn]:
    shown = [*range(1, timesteps + 1)] if timesteps <= most else [*range(1, max(2, most - 1)), timesteps]
    columns = []
    for index, t in enumerate(shown):
        if index:
            left += BOX + GAP if t == shown[index - 1] + 1 else BOX + 2 * GAP + len(DOTS) + 2
        columns.append(TimestepColumn(t, left, letter))
    return columns


def _box_lines(name: str, spec: Spec) -> list[str]:
    """The lines of text in a box."""
    stack = [f"{len(spec.layers)} layers" if spec.layers_differ else f"× {len(spec.layers)}"] if len(spec.layers) > 1 else []
    return [name, *(["forward", "backward"] if spec.has_backward else []), *stack]


def _draw_box(canvas: DrawingCanvas, line: int, left: int, texts: list[str]) -> None:
    inner = BOX - 2
    canvas.write(line, left, f"┌{'─' * inner}┐")
    for index, text in enumerate(texts, start=1):
        canvas.write(line + index, left, f"│{text:^{inner}}│")
    canvas.write(line + len(texts) + 1, left, f"└{'─' * inner}┘")


def _draw_lstm(canvas: DrawingCanvas, columns: list[TimestepColumn], texts: list[str], both: bool) -> None:
    """The boxes, and the arrows that carry h and c from one to the next."""
    arrows = {LSTM + 2: "─h,c►", LSTM + 3: "◄h,c─"} if both else {LSTM + 1: "─h,c►"}
    for column in columns:
        _draw_box(canvas, LSTM, column.left, texts)
    for before, after in pairwise(columns):
        start = before.left + BOX
        for line, arrow in arrows.items():
            elided = after.left - start > GAP
            canvas.write(line, start, f"{arrow} {DOTS} {arrow}" if elided else arrow)


def _gap_centers(columns: list[TimestepColumn]) -> list[int]:
    """The middles of the places where timesteps are left out."""
    pairs = pairwise(columns)
    return [(before.left + BOX + after.left) // 2 for before, after in pairs if after.left - before.left > BOX + GAP]


def _draw_inputs(canvas: DrawingCanvas, columns: list[TimestepColumn], what: str, line: int) -> None:
    """What each timestep reads: its own x, or the same at all."""
    for column in columns:
        canvas.center(line, column.middle, "▲")
        canvas.center(line + 1, column.middle, what or f"x_{column.number}")
    for middle in _gap_centers(columns):
        canvas.center(line + 1, middle, DOTS)


def _draw_dense_per_step(canvas: DrawingCanvas, columns: list[TimestepColumn]) -> None:
    for column in columns:
        _draw_dense(canvas, column, f"y_{column.number}")
        _draw_hidden(canvas, column, f"h_{column.number}")
    for middle in _gap_centers(columns):
        canvas.center(Y, middle, DOTS)


def _draw_hidden(canvas: DrawingCanvas, column: TimestepColumn, label: str) -> None:
    """What a timestep passes to the dense layer: right of the arrow, or left of it where the page ends."""
    if column.middle + len(f"▲ {label}") <= MAX_WIDTH:
        canvas.write(H_ARROW, column.middle, f"▲ {label}")
    else:
        canvas.write(H_ARROW, column.middle - len(f"{label} "), f"{label} ▲")


def _draw_dense(canvas: DrawingCanvas, column: TimestepColumn, label: str) -> None:
    canvas.center(Y, column.middle, label)
    canvas.center(Y_ARROW, column.middle, "▲")
    _draw_box(canvas, DENSE, column.left, ["Dense"])


def _draw_last_dense(canvas: DrawingCanvas, columns: list[TimestepColumn], both: bool) -> None:
    """One dense layer, above the last timestep. Of two directions it reads what each ends with: backward at the first."""
    first, last = columns[0], columns[-1]
    _draw_dense(canvas, last, "y")
    if not both or first is last:
        _draw_hidden(canvas, last, f"h_{last.number}")
        return
    _draw_hidden(canvas, last, f"h_{last.number} forward")
    canvas.write(DENSE + 1, first.middle, f"┌{'─' * (last.left - first.middle - 2)}►")
    canvas.write(DENSE + 2, first.middle, "│")
    canvas.write(H_ARROW, first.middle, f"│ h_{first.number} backward")
