"""What a program hears of its own audit events while it reads model files."""

from __future__ import annotations

import json
import subprocess
import sys

WATCH = """
import json, sys
from lstm_explain.errors import LstmExplainError
from lstm_explain.readers.model_file import read_model

def read(name):
    try:
        read_model(name, 2**26)
    except LstmExplainError as error:
        assert str(error).isprintable()

for name in sys.argv[1:3]:  # the first read may load codecs and libraries
    read(name)
events = []
sys.addaudithook(lambda event, given: events.append((event, str(given[0]) if given else "")))
for name in sys.argv[3:]:
    read(name)
heard = list(events)
compile("1", "proof", "eval")
assert "compile" in {event for event, _ in events[len(heard):]}, "the hook hears nothing"
print(json.dumps(heard))
"""


def reading_events(names: list[str]) -> list[tuple[str, str]]:
    """Read files in another process after the first two of them; return each event with its first argument."""
    command = [sys.executable, "-c", WATCH, *names[:2], *names]
    process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (process.returncode, process.stderr) == (0, "")
    return [(event, argument) for event, argument in json.loads(process.stdout)]
