"""A progress bar on standard error while blocks of samples go by; nothing where standard error is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstm_explain.core.record import Block


def with_progress(blocks: Iterable[Block], samples: int) -> Iterator[Block]:
    """Pass the blocks on, and show how many of the samples they held so far.

    The first block is run at once, so that a run that is refused says so before anything is written.
    """
    rest = iter(blocks)
    started = chain([next(rest)], rest)
    if sys.stderr is None or not sys.stderr.isatty() or samples == 1:
        return started
    return _show_bar(started, samples)


def _show_bar(blocks: Iterable[Block], samples: int) -> Iterator[Block]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("samples"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=samples)
        for block in blocks:
            yield block
            progress.advance(task, len(block.samples))
