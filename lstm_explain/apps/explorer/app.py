"""The application: Textual shows the panels and turns keys and clicks into actions. It holds one state, and nothing else."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from lstm_explain.apps.explorer import actions, keys, overlays, prompts, screen
from lstm_explain.apps.explorer.state import list_commands
from lstm_explain.apps.explorer.view_model import build_view_model
from lstm_explain.errors import LstmExplainError
from lstm_explain.render.layout import layout_lines
from lstm_explain.render.sparkline import to_ascii
from lstm_explain.render.terminal import to_rich_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import ComposeResult
    from textual.events import Click
    from textual.screen import Screen
    from textual.timer import Timer

    from lstm_explain.apps.explorer.state import ExplorerState
    from lstm_explain.document.blocks import Document
    from lstm_explain.render.layout import Line
    from lstm_explain.render.theme import ThemeName

PLAYBACK_INTERVAL = 0.4
"""Seconds between two timesteps while playing."""
STATE_ACTIONS: dict[str, Callable[..., ExplorerState]] = {
    "step": actions.move_step,
    "first": lambda state: actions.select_step(state, 1),
    "last": lambda state: actions.select_step(state, state.length),
    "unit": actions.move_unit,
    "sample": actions.move_sample,
    "layer": actions.move_layer,
    "direction": actions.switch_direction,
    "maps": actions.next_heatmaps,
    "play": actions.toggle_playing,
    "undo": actions.undo_change,
    "reset": actions.reset_changes,
}
"""The actions that only make a new state, by the name that `keys` has for them."""


class Explorer(App[None]):
    """The explorer over one LSTM."""

    TITLE = "lstm-explain explore"
    AUTO_FOCUS = None  # the line to answer takes the keys only while it is shown
    CSS = """
    Screen { layout: vertical; background: $background; }
    #upper { height: 1fr; }
    #moved { height: 2; }
    #asks { height: 1; display: none; }
    #answer { height: 1; border: none; padding: 0; display: none; background: $surface; }
    #answer:focus { border: none; }
    #keys { height: auto; }
    Page { align: center middle; }
    Page VerticalScroll { width: 100%; height: 100%; background: $background; padding: 0 1; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar = [
        *(Binding(",".join(key.keys), key.action, key.help, show=False) for key in (*keys.KEYS, *keys.MORE)),
        Binding("escape", "never_mind", "Leave the line unanswered", show=False),
        Binding("ctrl+c", "interrupt", "Leave at once", show=False, priority=True),  # Textual would advise another key
        Binding("ctrl+z", "suspend_process", "Suspend", show=False),
    ]

    def __init__(
        self, state: ExplorerState, save: Callable[[Explorer, str], str], unicode: bool = True, theme: ThemeName = "dark"
    ) -> None:
        """Open at a state.

        Args:
            state: where to begin.
            save: writes the screen or its numbers to a file of this name; returns a message.
            unicode: whether the terminal has more than ASCII.
            theme: the background that the colours are chosen for.
        """
        super().__init__()
        self.state, self._save, self.unicode, self.theme_name = state, save, unicode, theme
        self._prompted: str | None = None
        self._playback: Timer | None = None
        self.ended_by: signal.Signals | None = None
        """The signal that ended it, if one did; Ctrl-C is SIGINT."""

    def compose(self) -> ComposeResult:
        yield Static(id="upper")
        yield Static(id="moved")
        yield Static(id="asks")
        yield Input(id="answer", select_on_focus=False)
        yield Static(id="keys")

    def on_mount(self) -> None:
        self._playback = self.set_interval(PLAYBACK_INTERVAL, self._tick, pause=True)
        for kind in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, RuntimeError, ValueError):  # not on Windows, nor outside the main thread
                asyncio.get_running_loop().add_signal_handler(kind, self._end_by, kind)

    def on_ready(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    # --- drawing ------------------------------------------------------------------------------------------------------

    def act(self, state: ExplorerState) -> None:
        """Go to another state and draw it; if it cannot be run, stay and show the error."""
        try:
            build_view_model(state)
        except LstmExplainError as error:
            state = self.state.evolve(message=error.message(actions.spell_in_explorer), playing=False)
        self.state = state
        if not screen.fits_message_rows(state.message, self.size.width):
            self._open_page(overlays.message_page(state.message), "message")
        if self._playback is not None:
            (self._playback.resume if state.playing else self._playback.pause)()
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        widgets = self.screen_stack[0].query(Static) if self.screen_stack else ()
        panels = {widget.id: widget for widget in widgets}
        if not panels or width == 0:
            return  # too early
        upper, moved, footer = (panels[name] for name in ("upper", "moved", "keys"))
        footer.update(to_textual(keys.draw_footer(width, self.unicode), self.theme_name))
        if width < screen.MIN_SIZE[0] or height < screen.MIN_SIZE[1]:
            upper.update(
                f"{screen.MIN_SIZE[0]} columns and {screen.MIN_SIZE[1]} rows are needed; there are {width} and {height}."
            )
            return
        view = build_view_model(self.state)
        upper.update(to_textual(screen.draw_upper(view, width, height, self.unicode), self.theme_name))
        moved.update(to_textual(screen.message_lines(view, width, self.unicode), self.theme_name))

    # --- keys ---------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys to an open prompt or page."""
        return not (action in ACTIONS and self._is_covered) and super().check_action(action, parameters)

    @property
    def _is_covered(self) -> bool:
        """Whether a prompt or a page takes the keys and the mouse."""
        return self._prompted is not None or len(self.screen_stack) > 1

    def action_act(self, name: str, *arguments: int) -> None:
        """Go to the state that an action of the table makes of this one."""
        self.act(STATE_ACTIONS[name](self.state, *arguments))

    def _tick(self) -> None:
        self.act(actions.advance_playback(self.state))

    def action_command(self) -> None:
        self._open_page(overlays.commands_page(list_commands(self.state)), "commands")

    def action_why(self) -> None:
        self._open_page(overlays.arithmetic_page(self.state), "why")

    def action_help(self) -> None:
        self._open_page(overlays.help_page("explore"), "help")

    def _open_page(self, document: Document, topic: str) -> None:
        self.push_screen(OverlayScreen(document, topic, self.unicode, self.theme_name))

    def action_leave(self) -> None:
        self.exit()

    def action_interrupt(self) -> None:
        self._end_by(signal.SIGINT)

    def _end_by(self, kind: signal.Signals) -> None:
        self.ended_by = kind
        self.exit()

    # --- lines to answer ----------------------------------------------------------------------------------------------

    def action_ask(self, about: str) -> None:
        """Show a line to fill in."""
        self.act(self.state.evolve(playing=False))
        prompt = prompts.prompt_for(self.state, about)
        self._prompted = about
        line = self.query_one("#answer", Input)
        line.value = prompt.answer
        self.query_one("#asks", Static).update(
            Text(prompt.question if self.unicode else to_ascii(prompt.question), no_wrap=True)
        )
        self._show_line(True)
        self.set_focus(line)  # at once: `line.focus()` would wait, and the keys typed meanwhile be lost
        line.cursor_position = len(prompt.answer)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        about, self._prompted = self._prompted, None
        self._show_line(False)
        if about == "save":
            self._save_as(event.value.strip())
        elif about is not None:
            self.act(prompts.apply_answer(self.state, about, event.value))

    def action_never_mind(self) -> None:
        if self._prompted is not None:
            self._prompted = None
            self._show_line(False)
            self.act(self.state.evolve())

    def _show_line(self, visible: bool) -> None:
        for name in ("#asks", "#answer"):
            self.query_one(name).display = visible
        self.query_one("#moved").display = not visible
        if not visible:
            self.set_focus(None)

    def _save_as(self, name: str) -> None:
        try:
            message = self._save(self, name) if name else "Nothing was written: no file was named."
        except LstmExplainError as error:
            message = error.message(actions.spell_in_explorer).removeprefix("-o ")
        self.act(self.state.evolve(message=message))

    # --- the mouse ----------------------------------------------------------------------------------------------------

    async def on_click(self, event: Click) -> None:
        if self._is_covered or event.widget is None:
            return
        width, height = self.size
        if event.widget.id == "keys":
            key = keys.key_at(width, event.x, event.y)
            if key is not None:
                await self.run_action(key.action)
        elif event.widget.id == "upper":
            selection = screen.unit_and_step_at(self.state, width, height, event.x, event.y)
            if selection is not None:
                self.act(actions.select_unit_and_step(self.state, *selection))

    def on_mouse_scroll_down(self) -> None:
        self._scroll(1)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-1)

    def _scroll(self, by: int) -> None:
        if not self._is_covered:
            self.act(actions.move_unit(self.state, by))

    # --- the palette --------------------------------------------------------------------------------------------------

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002 - Textual's signature
        """Every key, by what it does."""
        for key in (*keys.KEYS, *keys.MORE):
            yield SystemCommand(f"{keys.label_of(key)} ({key.symbol})", key.help, self._runs(key.action))

    def _runs(self, action: str) -> Callable[[], None]:
        def run() -> None:
            self.call_later(self.run_action, action)

        return run


class OverlayScreen(ModalScreen[None]):
    """A page of text over the whole screen."""

    BINDINGS: ClassVar = [
        Binding("escape,q,y,enter", "close", "Close", show=False),
        Binding("question_mark,f1", "help", "Help", show=False),
    ]

    def __init__(self, document: Document, topic: str, unicode: bool, theme: ThemeName) -> None:
        """Show a document about a topic of the help."""
        super().__init__()
        self._document, self._topic, self._unicode, self._theme = document, topic, unicode, theme

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(id="page")

    def on_mount(self) -> None:
        self._draw()
        self.query_one(VerticalScroll).focus()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = max(20, self.app.size.width - 4)
        self.query_one("#page", Static).update(to_textual(layout_lines(self._document, width, self._unicode), self._theme))

    def action_close(self) -> None:
        self.dismiss()

    def action_help(self) -> None:
        if self._topic == "why":
            self.app.push_screen(OverlayScreen(overlays.help_page(self._topic), "help", self._unicode, self._theme))


ACTIONS = {key.action.partition("(")[0] for key in (*keys.KEYS, *keys.MORE)}


def to_textual(page: Iterable[Line], theme: ThemeName) -> Text:
    """Lines as Textual shows them: without the final newline, which would take an extra row."""
    text = to_rich_text(page, theme)
    text.right_crop(1)
    return text
