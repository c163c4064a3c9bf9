"""How long a key takes in the explorer: `python tests/bench/explorer.py`.

Two times for each key: the action and the drawing of all panels, without Textual; and in the application, painting included.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import lstm_explain
from lstm_explain.apps.explorer import actions, keys, prompts, screen
from lstm_explain.apps.explorer.app import Explorer
from lstm_explain.apps.explorer.state import ExplorerState
from lstm_explain.apps.explorer.view_model import build_view_model

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 15
SIZES: dict[str, dict[str, Any]] = {
    "founding sizes": {},
    "1000 steps of 512 units": {"samples": 1, "timesteps": 1000, "units": 512},
}
SCREENS = ((80, 24), (140, 40))
KEYS = ("right", "down", "v", "n", "c", "u")


def done(state: ExplorerState, key: str) -> ExplorerState:
    """The state after a key; `c` asks, and what is offered is taken."""
    acts: dict[str, Callable[[ExplorerState], ExplorerState]] = {
        "right": lambda one: actions.move_step(one, 1 if one.step < one.length else -one.length),
        "down": lambda one: actions.move_unit(one, 1 if one.unit < one.lstm.spec.units - 1 else -one.lstm.spec.units),
        "v": actions.next_heatmaps,
        "n": lambda one: actions.move_sample(one, 1),
        "c": lambda one: prompts.apply_answer(one, "c", prompts.prompt_for(one, "c").answer),
        "u": actions.undo_change,
    }
    return acts[key](state)


def drawn(state: ExplorerState, width: int, height: int) -> None:
    seen = build_view_model(state)
    screen.draw_upper(seen, width, height)
    screen.message_lines(seen, width)
    keys.draw_footer(width)


def alone(state: ExplorerState, key: str, size: tuple[int, int]) -> float:
    """Milliseconds of an action and of drawing what it makes; the median."""
    times = []
    for _ in range(ROUNDS):
        before = state if key != "u" else done(state, "c")
        started = time.perf_counter()
        state = done(before, key)
        drawn(state, *size)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


async def piloted(state: ExplorerState, size: tuple[int, int]) -> dict[str, float]:
    """Milliseconds from a key until the screen is painted; the median."""
    app, found = Explorer(state, lambda *_: ""), {}
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for key in KEYS:
            times = [await pressed(app, pilot, key) for _ in range(ROUNDS)]
            found[key] = 1000 * statistics.median(times)
    return found


async def pressed(app: Explorer, pilot: Any, key: str) -> float:
    if key == "u" and not app.state.past:
        await pilot.press("c", "enter")
    began = time.perf_counter()
    if key == "c":
        app.act(done(app.state, key))
    else:
        await app.run_action({one.keys[0]: one.action for one in keys.KEYS}[key])
    app.screen._update_timer.resume()
    app.screen._on_timer_update()
    return time.perf_counter() - began


def main() -> None:
    row = "{:<26}{:<10}{:<8}{:>18}{:>18}\n"
    sys.stdout.write(row.format("LSTM", "screen", "key", "act, draw: ms", "with Textual: ms"))
    for name, sizes in SIZES.items():
        state = ExplorerState(lstm_explain.seeded(**sizes))
        drawn(state, *SCREENS[0])  # weights and numpy made ready
        for size in SCREENS:
            with_textual = asyncio.run(piloted(state, size))
            for key in KEYS:
                times = (f"{alone(state, key, size):.1f}", f"{with_textual[key]:.1f}")
                sys.stdout.write(row.format(name, f"{size[0]}x{size[1]}", key, *times))


if __name__ == "__main__":
    main()
