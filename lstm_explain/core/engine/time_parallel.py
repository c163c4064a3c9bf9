"""Segments of a long sequence, side by side: exact, and several times faster than one step after the other.

A timestep needs the one before it, so a single long sequence leaves nothing to do in parallel: each step is a handful of
numpy calls on a handful of numbers. But an LSTM forgets. After some timesteps its state no longer depends, to the last
bit, on the state that it started from. So the sequence is cut into segments, which are run as if they were samples:

1. Every segment but the first starts from a guess.
2. Each segment's last state becomes the state that the next one starts from, and all are run again: another sweep.
3. Once that changes none of these border states, each segment did start where the one before it ends. Then what was
   computed is the run of the sequence itself: that is a check, not an approximation.

A network that never forgets loses nothing: sweep k makes the first k segments right in any case, so after as many sweeps
as there are segments, that is after as many steps as the sequence has, all of them are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.engine.buffers import Buffers
from lstm_explain.core.engine.step import run_step, step_views

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.engine.step import EngineWeights

MIN_TIMESTEPS = 200
"""From how many timesteps on segments save more than handing states over costs."""
MAX_STEP_NUMBERS = 32
"""Up to how many numbers in a step, samples times units; above, arithmetic outweighs the calls, and sweeps repeat it."""
SEGMENT_TIMESTEPS = 25
"""About how many timesteps a segment has. It takes as many steps as the network needs to forget, however they are divided
into sweeps, and one sweep more to see it: so segments are short."""
MAX_SEGMENTS = 64
"""How many segments run side by side: enough to make the calls cheap, few enough for a small second copy of the rows."""


def should_split_time(rows: Buffers) -> bool:
    """Whether the rows hold few and long sequences."""
    return rows.timesteps >= MIN_TIMESTEPS and rows.samples * rows.units <= MAX_STEP_NUMBERS


def run_in_segments(weights: EngineWeights, rows: Buffers) -> int:
    """Run all timesteps in segments, in place, but for a few at the end; how many were run."""
    done = 0
    while rows.timesteps - done >= 2 * SEGMENT_TIMESTEPS:
        left = min(rows.timesteps - done, MAX_SEGMENTS * SEGMENT_TIMESTEPS)
        about = left // SEGMENT_TIMESTEPS
        count = min(range(about - about // 8, about + 1), key=lambda count: left % count)  # leaves few timesteps over
        _run_sweeps(weights, rows.timesteps_from(done), count, left // count)
        done += left // count * count
    return done


def _run_sweeps(weights: EngineWeights, rows: Buffers, count: int, length: int) -> None:
    """Run the first `count` segments of `length` timesteps, in place."""
    side = _segment_buffers(rows, count, length)
    views, borders = list(step_views(weights, side)), _border_states(side, rows.samples)
    for _ in range(count):
        for step in views:
            run_step(weights, step)
        if all((start == end).all() for start, end in borders):
            break
        for start, end in borders:
            start[...] = end
    for segments, sequence in _pair_segments(rows, side, count):
        sequence[...] = segments.transpose(2, 0, 1, 3)
    rows.hiddens[count * length] = side.hiddens[-1, :, -rows.samples :]
    rows.cells[count * length] = side.cells[-1, :, -rows.samples :]


def _segment_buffers(rows: Buffers, count: int, length: int) -> Buffers:
    """Rows of the segments, as if they were samples: column s*samples + n is segment s of sample n."""
    features = rows.step_inputs.shape[1] - rows.hidden - 1
    side = Buffers.empty(count * rows.samples, length, features, rows.hidden, rows.units, rows.outputs.dtype)
    read, sequence = next(_pair_segments(rows, side, count))
    read[:, rows.hidden :] = sequence[:, :, rows.hidden :].transpose(1, 2, 0, 3)
    for states, start in ((side.hiddens[0], rows.hiddens[0]), (side.cells[0], rows.cells[0])):
        states[...] = 0  # the guess
        states[:, : rows.samples] = start
    return side


def _border_states(side: Buffers, samples: int) -> list[tuple[Array, Array]]:
    """For h and for c: where the segments but the first start, and where those before them end."""
    return [(states[0, :, samples:], states[-1, :, :-samples]) for states in (side.hiddens, side.cells)]


def _pair_segments(rows: Buffers, side: Buffers, count: int) -> Iterator[tuple[Array, Array]]:
    """What is read and what is made, as segments [length, rows, count, samples] and cut [count, length, rows, samples]."""
    length = side.timesteps
    for segments, sequence in ((side.step_inputs, rows.step_inputs), (side.step_outputs, rows.step_outputs)):
        cut = sequence[: count * length].reshape(count, length, -1, rows.samples)
        yield segments.reshape(length, -1, count, rows.samples), cut
