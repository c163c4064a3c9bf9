"""The explorer's application: Textual's pilot presses its keys, and what stands on the screen is read off it.

`python tests/explorer/test_app.py` writes the pictures of the screen anew; look at them before you commit.
"""

from __future__ import annotations

import asyncio
import html
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input, Static

import lstm_explain
from lstm_explain.apps.explorer import actions, heatmaps, keys, overlays, screen
from lstm_explain.apps.explorer.app import Explorer, OverlayScreen
from lstm_explain.apps.explorer.state import ExplorerState, list_commands
from lstm_explain.core.gates import Direction
from lstm_explain.topics.command_line import CliSource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

HERE = Path(__file__).parent
SIZE = (80, 24)


def played(
    state: ExplorerState, do: Callable[[Explorer, Any], Awaitable[None]], size: tuple[int, int] = SIZE, unicode: bool = True
) -> None:
    """Open the application at a state, and do something with it."""
    saved: list[str] = []

    def save(explorer: Explorer, name: str) -> str:
        saved.append(name)
        return f"Wrote {name}."

    async def run() -> None:
        app = Explorer(state, save, unicode)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await do(app, pilot)

    asyncio.run(run())


def founding(**options: Any) -> ExplorerState:
    return ExplorerState(lstm_explain.seeded(**options))


def shown(app: Explorer, name: str = "upper") -> str:
    return str(app.screen_stack[0].query_one(f"#{name}", Static).content)


def on_screen(app: Explorer) -> str:
    """All text of the screen, as a picture of it has it."""
    return "\n".join(text for _, _, text, _ in pieces(app.export_screenshot()))


def page(app: Explorer) -> str:
    assert isinstance(app.screen, OverlayScreen)
    return str(app.screen.query_one("#page", Static).content)


async def write(pilot: Pilot[None], key: str, text: str | None = None) -> None:
    """Press a key that asks, fill in the line, and press Enter; without a text what stands there is taken."""
    await pilot.press(key)
    if text is not None:
        pilot.app.query_one("#answer", Input).value = text
    await pilot.press("enter")
    await pilot.pause()


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pressed", "field", "value"),
    [
        (["right"], "step", 2),
        (["right", "right", "left"], "step", 2),
        (["left"], "step", 1),
        (["end"], "step", 10),
        (["end", "home"], "step", 1),
        (["down", "down"], "unit", 2),
        (["down", "up", "up"], "unit", 0),
        (["pagedown"], "unit", 9),
        (["pagedown", "pageup"], "unit", 0),
        (["n", "n"], "sample", 2),
        (["N"], "sample", 999),
        (["l"], "layer", 1),
        (["l", "l"], "layer", 0),
        (["d"], "direction", Direction.BACKWARD),
        (["v"], "maps", 1),
        (["v", "v", "v"], "maps", 0),
        (["space"], "playing", True),
        (["space", "space"], "playing", False),
    ],
)
def test_keys_that_look_elsewhere(pressed: list[str], field: str, value: Any) -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press(*pressed)
        assert getattr(app.state, field) == value
        title = shown(app).splitlines()[0]
        assert f"step {app.state.step} of 10, unit {app.state.unit} of 10" in title
        assert f"layer {app.state.layer} of 2, {app.state.direction.value}" in title

    played(founding(layers=2, bidirectional=True), do)


def test_the_founding_moment() -> None:
    """With the keys of the footer: h of one unit changed moves none of the others at its step, all of them at the next."""

    async def do(app: Explorer, pilot: Any) -> None:
        assert "Press h to change h_0[0]" in shown(app, "moved")
        await pilot.press("right", "right", "right", "down", "down", "down", "h")
        assert app.query_one("#asks").display
        assert "all units read it at step 4" in shown(app, "asks")
        assert app.query_one("#answer", Input).value == "h_3[3]=0.5798"
        await pilot.press("enter")
        said = " ".join(shown(app, "moved").split())
        assert said.startswith("h_3[3]=0.5798, was 0.0798. Other units that moved: 0 of 9 at step 3, 9 of 9 at step 4")
        await pilot.press("y")
        assert "h_3[3]" in page(app)
        assert "Set by hand: h_3[3]=0.5798" in " ".join(page(app).split())
        await pilot.press("escape", "u")
        assert app.state.edits == ()

    played(founding(), do)


@pytest.mark.parametrize(
    ("key", "begins"), [("h", "h_0[0]="), ("c", "c_0[0]="), ("x", "x_1[0]="), ("g", "f_1[0]=0"), ("w", "W_f[0,0]=")]
)
def test_each_change_is_offered_and_made_undone_and_reset(key: str, begins: str) -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press(key)
        assert app.query_one("#answer", Input).value.startswith(begins)
        assert shown(app, "asks")
        await pilot.press("enter")
        assert [str(one).startswith(begins) for one in app.state.edits] == [True]
        assert "1 change" in shown(app).splitlines()[0]
        await pilot.press("u")
        assert app.state.edits == ()
        await pilot.press(key, "enter", "r")
        assert app.state.edits == ()
        assert "All as it was" in shown(app, "moved")

    played(founding(), do)


@pytest.mark.slow
def test_what_is_typed_is_taken_and_no_key_acts_meanwhile() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press("h")
        app.query_one("#answer", Input).value = ""
        await pilot.press("c", "underscore", "2", "left_square_bracket", "1", "right_square_bracket", "equals_sign", "3", "q")
        assert app.query_one("#answer", Input).value == "c_2[1]=3q"
        assert app.state.step == 1
        await pilot.press("left", "right", "backspace", "enter")
        assert [str(one) for one in app.state.edits] == ["c_2[1]=3"]

    played(founding(), do)


@pytest.mark.parametrize("text", ["", "h_99[0]=1", "nonsense", "h_1[0]=nan", "\x1b[31mred", "[bold]x[/bold]", "é" * 300])
def test_a_wrong_answer_is_said_in_the_place_of_what_moved(text: str) -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        await write(pilot, "h", text)
        assert app.state.edits == ()
        assert app.state.message
        assert shown(app, "moved").strip()
        assert "\x1b" not in shown(app, "moved")
        if len(app.screen_stack) > 1:  # what does not fit into two lines has a page of its own
            assert app.state.message.split(".")[-2].strip() in " ".join(page(app).split())
            await pilot.press("escape")
        assert not app.query_one("#answer").display
        await pilot.press("right")
        assert app.state.step == 2
        assert "Press h" in shown(app, "moved")

    played(founding(), do)


def test_escape_leaves_a_line_unanswered() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press("z", "escape")
        assert not app.query_one("#answer").display
        assert app.query_one("#moved").display
        await pilot.press("right")
        assert (app.state.step, app.state.past) == (2, ())

    played(founding(), do)


def test_other_sizes_without_leaving() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        await write(pilot, "z", "units=4 timesteps=20 features=2 layers=2")
        assert "step 1 of 20 · unit 0 of 4" in shown(app)
        await write(pilot, "z", "units=0")
        assert "units=0: a layer needs at least one unit" in shown(app, "moved")
        assert app.state.lstm.spec.units == 4
        await pilot.press("u")
        assert app.state.lstm.spec.units == 10

    played(founding(), do)


def test_what_cannot_be_run_is_said_and_the_screen_stays() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        was = app.state
        app.act(was.evolve(lstm=lstm_explain.seeded(timesteps=10**9)))
        await pilot.pause()
        assert app.state.lstm is was.lstm
        assert "--max-memory" in app.state.message
        assert "--max-memory" in page(app), "it takes more than two lines"

    played(founding(), do)


def test_playing_goes_on_by_itself_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstm_explain.apps.explorer.app.PLAYBACK_INTERVAL", 0.01)

    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press("space")
        for _ in range(200):
            await pilot.pause(0.01)
            if not app.state.playing:
                break
        assert (app.state.step, app.state.playing) == (10, False)

    played(founding(), do)


def test_a_line_to_answer_stops_playing() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press("space", "h")
        assert not app.state.playing

    played(founding(), do)


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "title"), [("y", "Why: unit 0 at step 1"), ("question_mark", "Help: explore"), ("f1", "Help: explore")]
)
@pytest.mark.parametrize("close", ["escape", "q", "enter"])
def test_a_page_opens_scrolls_and_closes(key: str, title: str, close: str) -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press(key)
        assert page(app).startswith(title)
        scroll = app.screen.query_one("VerticalScroll")
        assert scroll.max_scroll_y > 0
        await pilot.press("down", "pagedown", "right", "n", "h")
        await pilot.pause(0.1)
        await pilot.wait_for_animation()
        assert scroll.scroll_y > 0
        assert (app.state.step, app.state.sample) == (1, 0), "the keys below do nothing while a page is open"
        await pilot.press(close)
        assert len(app.screen_stack) == 1
        await pilot.press("right")
        assert app.state.step == 2

    played(founding(), do)


def test_help_is_for_the_place_where_one_is() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press("y", "question_mark")
        assert page(app).startswith("Help: why")
        await pilot.press("escape")
        assert page(app).startswith("Why")
        await pilot.press("escape")
        assert len(app.screen_stack) == 1

    played(founding(), do)


def test_the_page_of_help_tells_every_key() -> None:
    text = repr(overlays.help_page("explore"))
    for key in (*keys.KEYS, *keys.MORE):
        assert key.help in text
        assert repr(key.symbol) in text


def test_the_page_of_explore_has_the_same_keys_and_edits() -> None:
    text = (HERE.parents[2] / "docs/commands/explore.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|$", text, re.MULTILINE)
    assert [row for row in told if not row[0].startswith("-")] == [
        *((key.symbol, key.help) for key in (*keys.KEYS, *keys.MORE)),
        *overlays.EDIT_EXAMPLES,
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{}, {"layers": 2, "bidirectional": True}, {"projection": 4, "peepholes": True}, {"bias": False, "units": 1}]
)
def test_why_is_asked_of_any_layer(options: dict[str, Any]) -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        for pressed in (["y"], ["escape", "l", "d", "end", "y"], ["escape", "h", "enter", "y"]):
            await pilot.press(*pressed)
            assert f"at step {app.state.step}" in page(app)
            assert (app.state.direction.value in page(app).splitlines()[0]) is app.state.lstm.spec.bidirectional
            assert "Timestep" in page(app)

    played(founding(**options), do)


@pytest.fixture
def over_unlike_layers(tmp_path: Path, typed_source: Callable[[CliSource | None], None]) -> ExplorerState:
    from tests.helpers.mixed_stacks import mixed_file  # not above: as a script, this file is run without pytest's path

    file = tmp_path / "mixed.h5"
    file.write_bytes(mixed_file())
    typed_source(CliSource(model="mixed.h5#a+b+c"))
    return ExplorerState(lstm_explain.from_model(str(file), "a+b+c", samples=3, timesteps=4))


@pytest.mark.slow
def test_through_layers_that_are_not_alike(over_unlike_layers: ExplorerState) -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press("d", "end", "pagedown")
        assert "layer 0 of 3 · backward · step 4 of 4 · unit 5 of 6" in shown(app)
        assert "x (2) + h (6) = (8) ► 4 gates (6) ► c (6), h (6)" in shown(app)
        await write(pilot, "c", "1")
        assert "0.backward:c_5[5]=1" in shown(app, "moved")
        await pilot.press("y")
        assert "layer 0, backward" in page(app).splitlines()[0]
        await pilot.press("escape", "l")
        assert "layer 1 of 3 · step 4 of 4 · unit 3 of 4" in shown(app)
        assert "x (12) + h (4) = (16) ► 4 gates (4) ► c (4), h (4)" in shown(app)
        assert "bias" not in shown(app), "this layer has none"
        assert "Layer 1 reads forward only." in shown(app, "moved")
        await pilot.press("w")
        assert "bias" not in shown(app, "asks")
        await pilot.press("enter")
        assert "2 changes, the last 1:W_f[0,3]=" in shown(app, "moved")
        await pilot.press("y")
        assert page(app).splitlines()[0] == "Why: unit 3 at step 4, sample 0, layer 1"
        text = " ".join(page(app).split())
        assert "x_4 is what layer 0 put out at timestep 4, both directions joined" in text
        await pilot.press("escape", "l", "y")
        text = " ".join(page(app).split())
        assert "x_4 is what layer 1 put out at timestep 4;" in text
        await pilot.press("escape", "d")
        assert shown(app, "moved").startswith("Layer 2 reads forward only.")
        await write(pilot, "z", "units=5")
        assert "the weights come from a model file" in shown(app, "moved")
        await write(pilot, "z", "timesteps=6")
        await pilot.press("end")
        assert "layer 2 of 3 · step 6 of 6 · unit 2 of 3" in shown(app)
        await pilot.press("k")
        text = " ".join(page(app).split())
        edits = '--edit "0.backward:c_5[5]=1" --edit "1:W_f[0,3]='
        assert f"lstm-explain explore --model mixed.h5#a+b+c --samples 3 --timesteps 6 {edits}" in text
        assert "--layer 2 --unit 2 --step 6" in text

    played(over_unlike_layers, do, (100, 34))


def test_of_unlike_layers_a_change_of_any_is_measured_by_influence(over_unlike_layers: ExplorerState) -> None:
    for layer, edit, place in (
        (0, "0.backward:c_5[5]=1", "--direction backward --unit 5 --step 4"),
        (2, "2:h_1[2]=0", "--layer 2 --unit 2 --step 2"),
    ):
        found = [one.line for one in list_commands(actions.apply_edits(over_unlike_layers.evolve(layer=layer), edit))]
        assert found[-1] == f"lstm-explain influence --model mixed.h5#a+b+c --samples 3 --timesteps 4 {place}"


@pytest.mark.slow
def test_the_palette_has_every_key_and_runs_it() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        commands = list(app.get_system_commands(app.screen))
        assert [one.help for one in commands] == [key.help for key in (*keys.KEYS, *keys.MORE)]
        assert all(not one.title.startswith(" ") for one in commands)
        await pilot.press("ctrl+p")
        await pilot.pause(0.3)
        await pilot.press(*"last")
        await pilot.pause(0.5)
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert app.state.step == 10

    played(founding(), do)


# --- the mouse --------------------------------------------------------------------------------------------------------


def test_a_click_on_a_circle_or_a_number_chooses_it() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        window = heatmaps.fit_viewport(app.state, SIZE[0], screen.heatmap_rows(*SIZE))
        await pilot.click(
            "#upper", offset=(window.column(4, window.label, heatmaps.CIRCLE_WIDTH) + 1, screen.HEADER_ROWS + 1 + 3)
        )
        assert (app.state.unit, app.state.step) == (3, 4)
        await pilot.click("#upper", offset=(window.column(7, window.maps_at[1], window.cell), screen.HEADER_ROWS + 1 + 9))
        assert (app.state.unit, app.state.step) == (9, 7)
        await pilot.click("#upper", offset=(0, 0))
        await pilot.click("#upper", offset=(0, 20))
        assert (app.state.unit, app.state.step) == (9, 7)

    played(founding(), do)


def test_a_click_on_a_key_presses_it() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        for one in keys.layout_footer(SIZE[0]):
            if one.key.symbol in ("→", "n"):
                await pilot.click("#keys", offset=(one.x, one.y))
        assert (app.state.step, app.state.sample) == (2, 1)
        help_key = next(one for one in keys.layout_footer(SIZE[0]) if one.key.symbol == "?")
        await pilot.click("#keys", offset=(help_key.x + 2, help_key.y))
        await pilot.pause()
        assert page(app).startswith("Help")

    played(founding(), do)


# --- the screen -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 20), (200, 60)])
def test_the_screen_is_full_and_nothing_is_cut(size: tuple[int, int]) -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        upper, moved, footer = (app.query_one(f"#{name}") for name in ("upper", "moved", "keys"))
        footer_rows = len(keys.draw_footer(size[0]))
        assert (moved.size.height, footer.size.height) == (screen.MESSAGE_ROWS, footer_rows)
        assert upper.size.height == size[1] - screen.MESSAGE_ROWS - footer_rows
        lines = shown(app).rstrip("\n").splitlines()
        assert len(lines) == upper.size.height
        assert {len(line) for line in lines} == {size[0]}
        assert on_screen(app).endswith("quit")
        assert "q quit" in shown(app, "keys").splitlines()[footer_rows - 1]

    played(founding(), do, size)


@pytest.mark.slow
def test_another_size_of_the_terminal() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        for size in ((120, 40), (80, 24), (60, 20)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.1)
            assert {len(line) for line in shown(app).rstrip("\n").splitlines()} == {size[0]}
        for size in ((59, 24), (80, 19), (20, 5), (1, 1)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.1)
            assert shown(app) == f"60 columns and 20 rows are needed; there are {size[0]} and {size[1]}."
        await pilot.press("right", "y", "escape", "question_mark", "escape", "h", "escape")
        await pilot.resize_terminal(80, 24)
        await pilot.pause(0.1)
        assert "step 2 of 10" in shown(app)

    played(founding(), do, (80, 24))


def test_a_page_fits_another_size_too() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press("question_mark")
        for width in (120, 60):
            await pilot.resize_terminal(width, 24)
            await pilot.pause(0.1)
            assert max(map(len, page(app).splitlines())) <= width - 4

    played(founding(), do)


def test_in_ascii_every_screen_is_ascii() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        for name in ("upper", "moved", "keys"):
            assert shown(app, name).isascii()
        await pilot.press("h")
        assert shown(app, "asks").isascii()
        await pilot.press("escape", "y")
        assert page(app).isascii()
        await pilot.press("escape", "question_mark")
        assert page(app).isascii()

    played(founding(peepholes=True), do, unicode=False)


def test_without_colour_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press("right", "h", "enter")
        greys = {value for *_, styles in pieces(app.export_screenshot()) for value in re.findall(r"#\w{6}", styles)}
        assert greys
        for color in greys:
            red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
            assert max(red, green, blue) - min(red, green, blue) <= 16, f"{color} is a colour"
        assert "◆" in shown(app)

    played(founding(), do)


# --- leaving and saving -----------------------------------------------------------------------------------------------


def test_k_says_the_command_lines() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press("right", "down", "k")
        text = page(app)
        assert "lstm-explain explore --unit 1 --step 2" in text
        assert "lstm-explain unit --unit 1 --step 2" in text
        await pilot.press("escape", "right")
        assert app.state.step == 3

    played(founding(), do)


def test_a_file_is_saved_under_the_name_that_is_written() -> None:
    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press("s")
        assert app.query_one("#answer", Input).value == "unit-0-step-1.svg"
        await pilot.press("enter")
        assert "Wrote unit-0-step-1.svg." in shown(app, "moved")
        await write(pilot, "s", "")
        assert "Nothing was written" in shown(app, "moved")

    played(founding(), do)


@pytest.mark.parametrize(("pressed", "interrupted"), [(["q"], False), (["ctrl+q"], False), (["ctrl+c"], True)])
@pytest.mark.parametrize("before", [[], ["h"], ["y"], ["question_mark"], ["ctrl+p"]])
def test_leaving(pressed: list[str], interrupted: bool, before: list[str]) -> None:
    """Wherever one is, Ctrl-C leaves at once; q only where it does not close a page or stand in a line."""

    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press(*before)
        await pilot.pause(0.1)
        await pilot.press(*pressed)
        left = pressed != ["q"] or not before
        assert app._exit is left
        assert (app.ended_by is signal.SIGINT) is interrupted

    played(founding(), do)


# --- the commands that are printed ------------------------------------------------------------------------------------


def test_the_commands_know_the_place_and_the_changes() -> None:
    state = ExplorerState(lstm_explain.seeded(layers=2, bidirectional=True, units=6))
    state = actions.apply_edits(
        state.evolve(sample=7, layer=1, direction=Direction.BACKWARD, unit=3, step=4), "1.backward:h_5[2]=0.5"
    )
    sizes, place = "--units 6 --layers 2 --bidirectional", "--sample 7 --layer 1 --direction backward"
    edit = '--edit "1.backward:h_5[2]=0.5"'
    assert [one.line for one in list_commands(state)] == [
        f"lstm-explain explore {sizes} {edit} {place} --unit 3 --step 4",
        f"lstm-explain unit {sizes} {edit} {place} --unit 3 --step 4",
        f"lstm-explain influence {sizes} {place} --unit 2 --step 4",
    ]


@pytest.mark.parametrize(
    ("edit", "reads"),
    [("h_3[2]=1", 4), ("c_3[2]=1", 4), ("h_0[2]=1", 1), ("h_10[2]=1", None), ("f_3[2]=1", None), ("x_3[0]=1", None)],
)
def test_influence_is_asked_at_the_step_that_reads_the_change(edit: str, reads: int | None) -> None:
    found = [one.line for one in list_commands(actions.apply_edits(founding(), edit))]
    measured = [line for line in found if line.startswith("lstm-explain influence")]
    assert measured == ([] if reads is None else [f"lstm-explain influence --unit 2 --step {reads}"])


# --- pictures ---------------------------------------------------------------------------------------------------------

PICTURES = {"explore-80x24.svg": (80, 24), "explore-140x40.svg": (140, 40)}


def pieces(svg: str) -> list[tuple[str, str, str, str]]:
    """What a picture shows, whatever its ids are called: place, text and style of each piece, and each coloured field."""
    looks = dict(re.findall(r"\.[\w-]*-(r\d+)\s*\{([^}]*)\}", svg))
    found = []
    for match in re.finditer(r'<rect fill="([^"]+)" x="([^"]+)" y="([^"]+)" width="([^"]+)"', svg):
        fill, x, y, width = match.groups()
        found.append((y, x, "", f"field {fill}, {width} wide"))
    for match in re.finditer(r'<text class="[\w-]*-(r\d+)" x="([^"]+)" y="([^"]+)"[^>]*>(.*?)</text>', svg, re.DOTALL):
        name, x, y, text = match.groups()
        found.append((y, x, html.unescape(text).replace("\xa0", " "), " ".join(sorted(looks[name].strip(" ;").split(";")))))
    return found


def picture(size: tuple[int, int]) -> str:
    """The founding moment as Textual shows it; in float64, so that no processor's last bits are seen."""
    found: list[str] = []

    async def do(app: Explorer, pilot: Any) -> None:
        await pilot.press("h", "enter")
        await pilot.pause(0.2)
        found.append(app.export_screenshot())

    played(founding(dtype="float64").evolve(unit=3, step=4), do, size)
    return re.sub(r"terminal-\d+-", "terminal-", found[0])


@pytest.mark.parametrize("name", PICTURES)
def test_the_screen_looks_as_it_did(name: str) -> None:
    assert pieces(picture(PICTURES[name])) == pieces((HERE / name).read_text(encoding="utf-8"))


def test_a_picture_has_pieces_to_compare() -> None:
    found = pieces((HERE / "explore-80x24.svg").read_text(encoding="utf-8"))
    texts = " ".join(text for *_, text, _ in found)
    assert len(found) > 200
    assert "9 of 9 at step" in texts
    assert "◆" in texts
    assert any(style.startswith("field") for *_, style in found)
    assert any("bold" in style for *_, style in found)
    assert any("underline" in style for *_, style in found)


if __name__ == "__main__":
    for name, size in PICTURES.items():
        (HERE / name).write_text(picture(size), encoding="utf-8")
    sys.stdout.write(f"{len(PICTURES)} pictures written; look at them before you commit\n")
