"""Segments of a long sequence, side by side: exact, and several times faster than one step after the other.

A timestep needs the one before it, so a single long sequence leaves nothing to do in parallel: each step is a handful of
numpy calls on a handful of numbers. But an LSTM forgets. After some timesteps its state no longer depends, to the last
bit, on the state that it started from. So the sequence is cut into segments, which are run as if they were samples:

1. Every segment but the first starts from a guess.
2. Each segment's last state becomes the state that the next one starts from, and all are run again: another sweep.
3. Once that changes no such border state any more, each segment did start where the one before it ends. Then what was
   computed is the run of the sequence itself: that is a check, not an approximation.

A network that never forgets loses nothing: sweep k makes the first k segments right in any case, so after as many sweeps
as there are segments, that is after as many steps as the sequence has, all of them are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.rows import Rows
from lstm_explain.core.steps import steps, take

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.steps import Packed

LEAST_TIMESTEPS = 200
"""From how many timesteps on segments save more than handing states over costs."""
MOST_NUMBERS = 32
"""Up to how many numbers in a step, samples times units; above, arithmetic outweighs the calls, and sweeps repeat it."""
LENGTH = 25
"""About how many timesteps a segment has. It takes as many steps as the network needs to forget, however they are divided
into sweeps, and one sweep more to see it: so segments are short."""
MOST_SEGMENTS = 64
"""How many segments run side by side: enough to make the calls cheap, few enough for a small second copy of the rows."""


def worth_segments(rows: Rows) -> bool:
    """Whether the rows hold few and long sequences."""
    return rows.timesteps >= LEAST_TIMESTEPS and rows.samples * rows.units <= MOST_NUMBERS


def run_in_segments(weights: Packed, rows: Rows) -> int:
    """Run all timesteps in segments, in place, but for a few at the end; how many were run."""
    done = 0
    while rows.timesteps - done >= 2 * LENGTH:
        left = min(rows.timesteps - done, MOST_SEGMENTS * LENGTH)
        about = left // LENGTH
        count = min(range(about - about // 8, about + 1), key=lambda count: left % count)  # leaves few timesteps over
        _sweep(weights, rows.timesteps_from(done), count, left // count)
        done += left // count * count
    return done


def _sweep(weights: Packed, rows: Rows, count: int, length: int) -> None:
    """Run the first `count` segments of `length` timesteps, in place."""
    side = _side_by_side(rows, count, length)
    views, borders = list(steps(weights, side)), _borders(side, rows.samples)
    for _ in range(count):
        for step in views:
            take(weights, step)
        if all((start == end).all() for start, end in borders):
            break
        for start, end in borders:
            start[...] = end
    for segments, sequence in _paired(rows, side, count):
        sequence[...] = segments.transpose(2, 0, 1, 3)
    rows.hiddens[count * length] = side.hiddens[-1, :, -rows.samples :]
    rows.cells[count * length] = side.cells[-1, :, -rows.samples :]


def _side_by_side(rows: Rows, count: int, length: int) -> Rows:
    """Rows of the segments, as if they were samples: column s*samples + n is segment s of sample n."""
    features = rows.steps_read.shape[1] - rows.hidden - 1
    side = Rows.empty(count * rows.samples, length, features, rows.hidden, rows.units, rows.made.dtype)
    read, sequence = next(_paired(rows, side, count))
    read[:, rows.hidden :] = sequence[:, :, rows.hidden :].transpose(1, 2, 0, 3)
    for states, start in ((side.hiddens[0], rows.hiddens[0]), (side.cells[0], rows.cells[0])):
        states[...] = 0  # the guess
        states[:, : rows.samples] = start
    return side


def _borders(side: Rows, samples: int) -> list[tuple[Array, Array]]:
    """For h and for c: where the segments but the first start, and where those before them end."""
    return [(states[0, :, samples:], states[-1, :, :-samples]) for states in (side.hiddens, side.cells)]


def _paired(rows: Rows, side: Rows, count: int) -> Iterator[tuple[Array, Array]]:
    """What is read and what is made, as segments [length, rows, count, samples] and cut [count, length, rows, samples]."""
    length = side.timesteps
    for segments, sequence in ((side.steps_read, rows.steps_read), (side.steps_made, rows.steps_made)):
        cut = sequence[: count * length].reshape(count, length, -1, rows.samples)
        yield segments.reshape(length, -1, count, rows.samples), cut
