"""What to try next, at the end of a page: commands that run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import CompletedProcess


@pytest.mark.parametrize(
    ("line", "topics"),
    [
        ("trace", ["trace", "unit", "memory"]),
        ("trace --gates --layers 2 --bidirectional --layer 1 --direction backward --sample 3", ["unit", "memory"]),
        ("trace --units 64,32 --layer 1 --unit 3,7 --steps 2-4", ["trace", "unit", "memory"]),
        ("trace --projection 3 --edit h_2[0]=0.5", ["trace", "unit", "memory"]),
        ("trace --lengths 4,2 --sample 1", ["trace", "unit", "memory"]),
        ("unit 3", ["unit", "influence", "trace"]),
        ("unit 1 --step 2 --peepholes --lengths 4,2 --sample 1", ["equations", "influence", "trace"]),
        ("unit 0 --units 1 --timesteps 1 --edit h_1[0]=0.5", ["unit", "trace"]),
        ("unit 1 --layers 2 --bidirectional --layer 1 --direction backward --projection 3", ["unit", "influence", "trace"]),
        ("influence 3", ["influence", "influence", "influence"]),
        ("influence --units 1 --timesteps 1", ["influence", "influence", "influence"]),
        ("influence --units 64,32 --layer 1 --lengths 4,2 --sample 1 --poke 31", ["influence", "influence"]),
        ("memory", ["memory", "trace", "influence"]),
        ("memory --timesteps 1", ["memory", "trace", "influence"]),
        ("memory --carry-state", ["memory", "trace", "influence"]),
        ("memory --carry-state --sample 4 --no-bias", ["trace", "influence"]),
        ("memory --lengths 4,2 --sample 1 --bidirectional --direction backward", ["trace", "influence"]),
        ("terms --units 64,32", ["terms", "terms", "shapes"]),
        ("terms cell --layers 2 --no-bias", ["terms", "terms", "shapes"]),
        ("tasks --seed 3", ["tasks", "trace", "shapes"]),
        ("tasks encoder-decoder --sample 2 --outputs 3 --bidirectional", ["tasks", "trace", "shapes"]),
        ("equations --notation ng --layers 2 --layer 1", ["equations", "equations", "equations"]),
        ("equations --numbers --unit 3 --sample 2", ["unit", "equations", "equations"]),
        ("equations --all --peepholes", ["equations", "equations"]),
        ("frameworks --projection 3", ["frameworks", "shapes"]),
        ("frameworks keras --dtype float64 --bidirectional", ["shapes", "equations", "frameworks"]),
        ("frameworks haiku", ["frameworks", "frameworks"]),
        ("convert pytorch keras --units 3 --features 2", ["frameworks", "convert"]),
    ],
)
def test_the_next_commands_run(line: str, topics: list[str], call: Callable[..., CompletedProcess[bytes]]) -> None:
    page = call(*shlex.split(line), "--width", "300").stdout.decode()
    lines = page[page.index("Next: ") :].removeprefix("Next: ").splitlines()[: len(topics)]
    commands = [shlex.split(line.strip().partition("  ")[0])[1:] for line in lines]
    assert [command[0] for command in commands] == topics
    for command in commands:
        done = call(*command)
        assert (done.returncode, done.stderr) == (0, b"")
