"""The explorer's panels: never wider than asked, as high as promised, and the numbers that they show are the scene's."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.apps.explorer import actions, cell_panel, heatmaps, keys, screen
from lstm_explain.apps.explorer.canvas import Canvas, fit_number
from lstm_explain.apps.explorer.state import HEATMAP_PAIRS, ExplorerState
from lstm_explain.apps.explorer.view_model import build_view_model
from lstm_explain.core.gates import GATES, LETTERS, Direction
from lstm_explain.core.spec import LAYER_OPTIONS

if TYPE_CHECKING:
    from lstm_explain.render.layout import Line

few = settings(max_examples=60, deadline=None)
EDITS = [
    "h_1[0]=0.5",
    "c_2[0]=-1234567.5",
    "c_1[0]=1e30",
    "x_1[0]=-54321",
    "W_f[0,0]=1e9",
    "b_o[0]=-1",
    "o_2[0]=0",
    "h_2[0]=-17.5",
]


def written(lines: list[Line]) -> list[str]:
    return ["".join(span.text for span in line) for line in lines]


@st.composite
def states(draw: st.DrawFn, /, most_units: int = 12, most_steps: int = 15, **fixed: Any) -> ExplorerState:
    from tests.helpers.mixed_stacks import stacks  # not above: as a script, this file is run without pytest's path

    units, samples, timesteps = draw(st.integers(1, most_units)), draw(st.integers(1, 3)), draw(st.integers(1, most_steps))
    options = {
        "samples": samples,
        "timesteps": timesteps,
        "features": draw(st.integers(1, 4)),
        "units": units,
        "layers": draw(st.integers(1, 2)),
        "bidirectional": draw(st.booleans()),
        "projection": draw(st.none() | st.integers(1, units - 1)) if units > 1 else None,
        "bias": draw(st.booleans()),
        "peepholes": draw(st.booleans()),
        "stack": draw(st.just(()) | stacks(most_units, **{name: fixed[name] for name in LAYER_OPTIONS if name in fixed})),
        "dtype": draw(st.sampled_from(["float32", "float64"])),
        "lengths": draw(st.none() | st.lists(st.integers(1, timesteps), min_size=samples, max_size=samples)),
        **fixed,
    }
    lstm = lstm_explain.seeded(**options)
    state = ExplorerState(lstm, maps=draw(st.integers(0, 2)), playing=draw(st.booleans()))
    state = state.evolve(sample=draw(st.integers(0, samples - 1)), layer=draw(st.integers(0, len(lstm.spec.layers) - 1)))
    spec = state.layer_spec
    state = state.evolve(direction=draw(st.sampled_from(spec.directions)), unit=draw(st.integers(0, spec.units - 1)))
    state = state.evolve(step=draw(st.integers(1, state.length)))
    for text in draw(st.lists(st.sampled_from(EDITS), max_size=3)):
        after = actions.apply_edits(state, text)
        state = after if not after.message else state
    return state.evolve(message=draw(st.sampled_from(["", "A word. " * 40, "x" * 300])))


WIDTHS, HEIGHTS = st.integers(screen.MIN_SIZE[0], 200), st.integers(screen.MIN_SIZE[1], 70)


@given(states(), WIDTHS, HEIGHTS)
@few
def test_the_screen_is_as_large_as_promised(state: ExplorerState, width: int, height: int) -> None:
    seen = build_view_model(state)
    upper, said, footer = (
        screen.draw_upper(seen, width, height),
        screen.message_lines(seen, width),
        keys.draw_footer(width),
    )
    lines = [*upper, *said, *footer]
    assert {len(line) for line in written(lines)} == {width}
    assert len(said) == screen.MESSAGE_ROWS
    enough = screen.HEADER_ROWS + 2 + 1 + cell_panel.PANEL_HEIGHT + screen.MESSAGE_ROWS + len(footer)
    assert len(lines) == max(height, enough)
    assert written(screen.draw_screen(seen, width, height)) == written(lines)


@given(states(), WIDTHS, st.integers(2, 50))
@few
def test_each_panel_is_as_large_as_promised(state: ExplorerState, width: int, height: int) -> None:
    seen = build_view_model(state)
    window = heatmaps.fit_viewport(state, width, height)
    panels = {
        "over_time": (heatmaps.draw_heatmaps(seen, width, height), width, height),
        "diagram": (
            cell_panel.draw_diagram(seen),
            cell_panel.DIAGRAM_WIDTH,
            cell_panel.PANEL_HEIGHT,
        ),
        "arithmetic": (cell_panel.draw_arithmetic(seen, width - 46), width - 46, cell_panel.PANEL_HEIGHT),
        "title": (screen.title_line(state, width), width, 1),
        "shapes": (screen.shapes_line(seen, width), width, 1),
        "caption": (screen.caption_line(seen, window, width), width, 1),
        "moved": (screen.message_lines(seen, width), width, screen.MESSAGE_ROWS),
    }
    for name, (lines, wide, high) in panels.items():
        assert {len(line) for line in written(lines)} == {wide}, name
        assert len(lines) == high, name


@given(states(), WIDTHS, HEIGHTS)
@few
def test_in_ascii_nothing_moves(state: ExplorerState, width: int, height: int) -> None:
    seen = build_view_model(state)
    pairs = [
        (screen.draw_upper(seen, width, height), screen.draw_upper(seen, width, height, unicode=False)),
        (screen.message_lines(seen, width), screen.message_lines(seen, width, unicode=False)),
        (keys.draw_footer(width), keys.draw_footer(width, unicode=False)),
    ]
    for usual, plain in pairs:
        for one, other in zip(written(usual), written(plain), strict=True):
            assert other.isascii()
            assert len(other) == len(one)
            for character, spelled in zip(one, other, strict=True):
                assert spelled == character or not character.isascii()
                assert spelled != "?" or character == "?", f"{character} has no spelling in ASCII"


@given(st.floats(allow_nan=True, width=64), st.integers(6, 12), st.integers(0, 4))
@few
def test_a_number_never_loses_a_digit_before_its_point(value: float, room: int, places: int) -> None:
    text = fit_number(room, value, places)
    assert len(text) <= room or room < 7
    if value == value and abs(value) < 10**5:
        decimals = len(text.partition(".")[2])
        assert float(text) == pytest.approx(value, abs=0.51 * 10**-decimals)
    elif abs(value) < 1e300:
        assert float(text) == pytest.approx(value, rel=0.51)


# --- the numbers that are shown ---------------------------------------------------------------------------------------


def tables(state: ExplorerState) -> tuple[list[str], list[str]]:
    seen = build_view_model(state)
    return written(cell_panel.draw_diagram(seen)), written(cell_panel.draw_arithmetic(seen, 60))


@given(states())
@few
def test_the_diagram_shows_the_numbers_of_the_scene(state: ExplorerState) -> None:
    seen, (rows, _) = build_view_model(state), tables(state)
    t, unit, before = state.step, state.unit, state.before_step

    def number(letter: str, step: int = t, place: int = unit) -> str:
        return fit_number(7, seen.number(letter, step, place), 4).strip()

    under = {LETTERS[gate]: rows[4][x - 4 : x + 3].strip() for gate, x in cell_panel.GATE_COLUMNS.items()}
    assert under == {letter: number(letter) for letter in "ifgo"}
    f, i, g = (seen.number(letter, t, unit) for letter in "fig")
    assert rows[1][:7].strip() == number("c", before)
    assert rows[1][12:19].strip() == fit_number(7, f * seen.number("c", before, unit), 4).strip()
    assert rows[1][22:29].strip() == fit_number(7, i * g, 4).strip()
    assert rows[1][37:44].strip() == number("c")
    projected = state.layer_spec.projection is not None
    emitted = seen.unit_output(t, unit) if projected else seen.number("h", t, unit)
    assert rows[3][37:44].strip() == fit_number(7, emitted, 4).strip()
    for name, length, start in ((f"x_{t}", seen.record.input.shape[2], 0), (f"h_{before}", seen.record.hidden.shape[2], 36)):
        told = rows[5][start:].split("─")[0].strip()
        assert told.startswith((f"{name} ({length})", f"{name[0]} ({length})")), (
            "the length is told, the step where there is room"
        )
    assert rows[2][37:].startswith("m_" if projected else "h_")


@given(states())
@few
def test_the_arithmetic_shows_the_numbers_of_the_scene(state: ExplorerState) -> None:
    seen, (_, rows) = build_view_model(state), tables(state)
    spec = state.layer_spec
    fields = ["of_x", "of_h", *(["other"] if spec.bias or spec.peepholes else []), "total", "value"]
    fields += ["was"] if state.edits else []
    for row, sums in zip(rows[1:5], seen.sums(state.step, state.unit), strict=True):
        assert row[0] == LETTERS[sums.gate]
        cells = [row[2 + 8 * place : 10 + 8 * place].strip() for place in range(len(fields))]
        assert cells == [fit_number(7, getattr(sums, field), 4).strip() for field in fields]
        assert not row[2 + 8 * len(fields) :].strip()
    titles = rows[0].split()
    assert titles[0] == f"W·x_{state.step}"
    assert titles[1] == f"R·h_{state.before_step}"
    assert len(titles) == len(fields)


@given(states(), st.integers(14, 60))
@few
def test_with_less_room_columns_are_left_out_and_never_cut(state: ExplorerState, width: int) -> None:
    seen, rows = build_view_model(state), written(cell_panel.draw_arithmetic(build_view_model(state), width))
    values = [fit_number(6, sums.value, 3).strip() for sums in seen.sums(state.step, state.unit)]
    values += [fit_number(7, sums.value, 4).strip() for sums in seen.sums(state.step, state.unit)]
    for row in rows[1:5]:
        assert any(cell in values for cell in row.split()[1:])
    named = {edit.name for edit in state.edits if (edit.step, edit.position) == (state.step, state.unit)}
    if not named & {"h", "c"}:  # else that is what is told, where there is no room for both
        total = fit_number(10, seen.computed_cell(state.step, state.unit), 4).strip()
        assert total in re.findall(r"[-+.\w]+", rows[5].replace("tanh(c", " ")), "c, whole"


@given(states(projection=None), WIDTHS, HEIGHTS)
@few
def test_the_maps_show_the_numbers_of_the_scene(state: ExplorerState, width: int, height: int) -> None:
    seen, window = build_view_model(state), heatmaps.fit_viewport(state, width, height)
    rows = written(heatmaps.draw_heatmaps(seen, width, height))
    for band in range(window.bands):
        pair = HEATMAP_PAIRS[(state.maps + band) % len(HEATMAP_PAIRS)]
        for letter, start in zip(pair, window.maps_at, strict=True):
            assert rows[band * window.band_rows][start - 1] == letter
            for step in range(window.first_step, window.first_step + window.steps):
                for row in range(window.units):
                    column = window.column(step, start, window.cell)
                    cell = rows[band * window.band_rows + row + 1][column : column + window.cell]
                    check_cell(cell, float(seen.values(letter)[step - 1, window.first_unit + row]), window, seen, letter)


def check_cell(cell: str, value: float, window: heatmaps.Viewport, seen: Any, letter: str) -> None:
    scale = heatmaps.scale_of(seen, letter)
    if window.decimals == 0 and not math.isfinite(value):
        assert cell == " ?"
    elif window.decimals == 0:
        digit = min(9, int(10 * abs(value) / scale))
        assert cell == (f"{'-' if value < 0 else '+'}{digit}" if digit else " 0")
    else:
        decimals = len(cell.partition(".")[2]) if "e" not in cell else 0
        assert (cell.strip() == "·") is math.isnan(value)
        assert math.isnan(value) or float(cell) == pytest.approx(
            value, abs=0.51 * 10**-decimals, rel=0.51 if "e" in cell else 0
        )


def caption(state: ExplorerState, width: int) -> str:
    return written(screen.caption_line(build_view_model(state), heatmaps.fit_viewport(state, width, 11), width))[0].rstrip()


def test_the_caption_says_what_the_numbers_stand_for() -> None:
    state = ExplorerState(lstm_explain.seeded())
    assert caption(state, 80).endswith("  digit: tenths")
    assert caption(state, 140).endswith("  darkest: 1")
    large = actions.apply_edits(state, "c_3[2]=3.2")
    assert caption(large, 80).endswith("  digit: tenths of 1, of c 3.2")
    assert caption(large, 140).endswith("  darkest: 1, of c 3.2")
    assert caption(actions.next_heatmaps(large), 80).endswith("  digit: tenths")


def test_the_caption_says_which_part_is_seen() -> None:
    assert "units 0 to 9 of 30, steps 1 to 12 of 50" in caption(ExplorerState(lstm_explain.seeded(units=30, timesteps=50)), 80)


# --- words ------------------------------------------------------------------------------------------------------------


def told(state: ExplorerState) -> str:
    return " ".join(" ".join(written(screen.message_lines(build_view_model(state), 120))).split())


def test_what_moved_is_counted() -> None:
    """What the explorer is for: nobody else at the step itself, everybody at the next."""
    state = actions.apply_edits(ExplorerState(lstm_explain.seeded(), unit=3, step=4), "h_3[3]=0.5798")
    was = build_view_model(state).number("h", 3, 3, base=True)
    assert told(state).startswith(f"h_3[3]=0.5798, was {was:.4f}. Other units that moved: 0 of 9 at step 3, 9 of 9 at step 4")
    assert told(state).endswith("and on to step 10.")


def test_before_anything_is_changed_the_first_key_is_told() -> None:
    state = ExplorerState(lstm_explain.seeded(), unit=3, step=4)
    assert told(state).startswith("Press h to change h_3[3], what unit 3 told the others")
    backward = ExplorerState(lstm_explain.seeded(bidirectional=True), direction=Direction.BACKWARD, unit=3, step=4)
    assert "h_5[3]" in told(backward)


def test_backwards_what_moved_is_counted_in_the_order_of_reading() -> None:
    state = actions.apply_edits(
        ExplorerState(lstm_explain.seeded(bidirectional=True), direction=Direction.BACKWARD), "0.backward:h_6[3]=1"
    )
    assert "Other units that moved: 0 of 9 at step 6, 9 of 9 at step 5, 9 of 9 at step 4, and on to step 1." in told(state)


def test_a_change_elsewhere_counts_all_units() -> None:
    state = actions.apply_edits(ExplorerState(lstm_explain.seeded(layers=2), layer=1), "h_3[3]=1")
    assert "Units that moved: 10 of 10 at step 3" in told(state), "layer 1 reads h of layer 0 at the same step"
    assert "No unit of this layer moved." in told(actions.apply_edits(state.evolve(edits=(), layer=0), "1:h_3[3]=1"))


@given(states())
@few
def test_counts_are_those_of_the_scene(state: ExplorerState) -> None:
    """Every `n of m at step t` in the words is counted again."""
    seen = build_view_model(state)
    for count, of, step in re.findall(r"(\d+) of (\d+) at step (\d+)", told(state.evolve(message=""))):
        moved = seen.moved_units[int(step) - 1]
        if "Other units" not in told(state.evolve(message="")):
            assert (int(count), int(of)) == (int(moved.sum()), state.layer_spec.units)
        else:
            assert int(count) <= int(moved.sum())
            assert int(of) < state.layer_spec.units


def test_the_title_says_where_one_is() -> None:
    state = ExplorerState(lstm_explain.seeded(layers=2, bidirectional=True), sample=7, layer=1, unit=3, step=4)
    assert written(screen.title_line(state, 100))[0].split("·")[:5] == [
        " sample 7 of 1,000 ",
        " layer 1 of 2 ",
        " forward ",
        " step 4 of 10 ",
        " unit 3 of 10" + written(screen.title_line(state, 100))[0].split("·")[4][13:],
    ]
    assert "nothing changed" in written(screen.title_line(state, 100))[0]
    assert "2 changes" in written(screen.title_line(actions.apply_edits(state, "h_1[0]=1 h_2[0]=1"), 100))[0]
    assert "playing" in written(screen.title_line(actions.toggle_playing(state), 100))[0]


@pytest.mark.parametrize(
    "options", [{}, {"layers": 2, "bidirectional": True}, {"projection": 4}, {"peepholes": True, "bias": False}]
)
def test_the_shapes_are_those_of_the_layer(options: dict[str, Any]) -> None:
    state = ExplorerState(lstm_explain.seeded(**options), layer=options.get("layers", 1) - 1)
    text = written(screen.shapes_line(build_view_model(state), 160))[0]
    weights = state.lstm.weights.of(state.layer, Direction.FORWARD)
    x, h = weights.kernel.shape[0], weights.recurrent_kernel.shape[0]
    assert f"x ({x}) and h ({h}) joined: ({x + h})" in text
    assert f"{len(GATES)} gates: (10) each ► c (10), h ({h})" in text
    assert f" {sum(array.size for array in weights.tensors().values()):,} parameters" in text


@pytest.mark.parametrize(("layer", "way"), [(0, "forward"), (0, "backward"), (1, "forward"), (2, "forward")])
def test_of_unlike_layers_every_panel_is_of_the_layer_that_is_looked_at(layer: int, way: str) -> None:
    from tests.helpers.mixed_stacks import MIXED

    lstm = lstm_explain.seeded(samples=3, timesteps=4, features=2, stack=MIXED, dtype="float64")
    one, state = MIXED[layer], ExplorerState(lstm, layer=layer, direction=Direction(way), unit=MIXED[layer].units - 1, step=3)
    seen, weights = build_view_model(state), lstm.weights.of(layer, Direction(way))
    x, units = weights.kernel.shape[0], one.units
    assert f"unit {units - 1} of {units}" in written(screen.title_line(state, 120))[0]
    assert (way in written(screen.title_line(state, 120))[0]) is one.bidirectional
    assert (
        f"x ({x}) and h ({units}) joined: ({x + units}) ► 4 gates: ({units}) each" in written(screen.shapes_line(seen, 160))[0]
    )
    shown = "\n".join(written(screen.draw_upper(seen, 120, 40)))
    assert f"x_3 ({x})" in shown or f"x ({x})" in shown
    assert f"h_{state.before_step} ({units})" in shown
    assert [f"u{unit}" in shown for unit in range(8)] == [unit < units for unit in range(8)]
    table = written(cell_panel.draw_arithmetic(seen, 60))
    assert ("bias" in table[0]) is one.bias
    for sums, row in zip(seen.sums(3, units - 1), table[1:], strict=False):
        numbers = [float(number) for number in row.split()[1:]]
        assert sum(numbers[:-2]) == pytest.approx(sums.total, abs=3e-4)
        gate = lstm.run().of(layer, Direction(way)).gate(sums.gate)[0, 2, units - 1]
        assert numbers[-1] == pytest.approx(gate, abs=1e-4)


# --- what is chosen by a click ----------------------------------------------------------------------------------------


@given(states(most_units=60, most_steps=80), WIDTHS, HEIGHTS)
@few
def test_a_click_chooses_what_is_drawn_there(state: ExplorerState, width: int, height: int) -> None:
    window = heatmaps.fit_viewport(state, width, height)
    assert window.first_unit <= state.unit < window.first_unit + window.units
    assert window.first_step <= state.step < window.first_step + window.steps
    assert max(window.maps_at) + window.steps * window.cell <= width or window.steps == 1
    for step in range(window.first_step, window.first_step + window.steps):
        for unit in range(window.first_unit, window.first_unit + window.units):
            y = 1 + unit - window.first_unit
            places = [window.column(step, window.label, heatmaps.CIRCLE_WIDTH) + one for one in range(heatmaps.CIRCLE_WIDTH)]
            for start in window.maps_at:
                places += [window.column(step, start, window.cell) + one for one in range(window.cell)]
            assert {window.at(x, y) for x in places} == {(unit, step)}
    assert window.at(0, 0) is None
    assert window.at(0, 1) is None
    assert window.at(-1, 1) is None
    assert window.at(window.label, window.bands * window.band_rows) is None
    assert window.at(window.label + window.steps * heatmaps.CIRCLE_WIDTH, 1) is None
    assert window.at(max(window.maps_at) + window.steps * window.cell, 1) is None


def test_in_a_lower_pair_of_maps_too() -> None:
    state = ExplorerState(lstm_explain.seeded(units=3))
    window = heatmaps.fit_viewport(state, 120, 12)
    assert window.bands == 3
    assert window.at(window.maps_at[0], window.band_rows + 1) == (0, 1)
    assert window.at(window.label, window.band_rows + 1) is None, "there are no circles beside it"


@given(WIDTHS)
@few
def test_a_click_on_a_key_presses_the_key_that_is_drawn_there(width: int) -> None:
    rows = written(keys.draw_footer(width))
    found: set[str] = set()
    for y, row in enumerate(rows):
        pressed = [keys.key_at(width, x, y) for x in range(len(row))]
        for key, character in zip(pressed, row, strict=True):
            if key is None:
                assert character == " "
            else:
                found.add(key.symbol)
                assert row[pressed.index(key) :].startswith(f"{key.symbol} {key.label}".rstrip())
    assert found == {key.symbol for key in keys.KEYS}
    assert keys.key_at(width, 1, len(rows)) is None
    assert keys.key_at(width, -1, 0) is None


def test_every_key_has_a_label_and_no_key_is_taken_twice() -> None:
    every = (*keys.KEYS, *keys.MORE)
    assert all(keys.label_of(key) for key in every)
    assert {keys.label_of(key) for key in keys.KEYS if key.symbol in "hcx"} == {"set"}
    names = [name for key in every for name in key.keys]
    assert len(names) == len(set(names))


# --- only what is visible ---------------------------------------------------------------------------------------------


def test_of_a_large_layer_only_what_is_visible_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """1000 steps of 512 units have a million and a half cells; what is written is bounded by the screen."""
    state = ExplorerState(lstm_explain.seeded(samples=1, timesteps=1000, units=512), unit=300, step=700)
    seen, puts = build_view_model(state), []
    put = Canvas.write

    def counted(self: Canvas, x: int, y: int, text: str, *look: Any) -> int:
        puts.append(len(text))
        return put(self, x, y, text, *look)

    monkeypatch.setattr(Canvas, "write", counted)
    screen.draw_upper(seen, 120, 40)
    assert sum(puts) < 2 * 120 * 40
    assert len(puts) < 120 * 40


# --- the whole screen, pinned -----------------------------------------------------------------------------------------

HERE = Path(__file__).parent
GOLDENS = {"screen-80.txt": (80, 24, True), "screen-140.txt": (140, 40, True), "screen-80-ascii.txt": (80, 24, False)}


def pinned(width: int, height: int, unicode: bool) -> str:
    """The founding moment, in float64 so that another processor's last bits stay far behind the last digit shown."""
    state = actions.apply_edits(ExplorerState(lstm_explain.seeded(dtype="float64"), unit=3, step=4), "h_3[3]=0.6")
    seen = build_view_model(state)
    lines = [
        *screen.draw_upper(seen, width, height, unicode),
        *screen.message_lines(seen, width, unicode),
    ]
    return "".join(f"{line.rstrip()}\n" for line in written([*lines, *keys.draw_footer(width, unicode)]))


@pytest.mark.parametrize("name", GOLDENS)
def test_the_screen_as_it_was(name: str) -> None:
    assert pinned(*GOLDENS[name]) == (HERE / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    for name, asked in GOLDENS.items():
        (HERE / name).write_text(pinned(*asked), encoding="utf-8")
    sys.stdout.write(f"{len(GOLDENS)} goldens written; read the difference before you commit it\n")
