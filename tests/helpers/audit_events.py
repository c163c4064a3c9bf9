"""What a program hears of its own audit events while it reads files of models or inputs."""

from __future__ import annotations

import json
import subprocess
import sys

READ_MODEL = "from lstm_explain.readers.model_file import read_model; read_model(name, 2**26)"
READ_INPUTS = "from lstm_explain.readers.input_file import read_inputs; read_inputs(name, None, 10**6)"

WATCH = """
import json, sys
from lstm_explain.errors import LstmExplainError

reading, warm_up = compile(sys.argv[1], "reading", "exec"), int(sys.argv[2])
names = sys.argv[3:]

def read(name):
    try:
        exec(reading, {"name": name})
    except LstmExplainError as error:
        assert str(error).isprintable()

for name in names[:warm_up]:  # the first read of each kind may load codecs and libraries
    read(name)
events = []
sys.addaudithook(lambda event, given: events.append((event, str(given[0]) if given else "")))
for name in names:
    read(name)
heard = [event for event in events if event[0] != "exec" or 'file "reading"' not in event[1]]
compile("1", "proof", "eval")
open("/dev/null").close()
assert {"compile", "open"} <= {event for event, _ in events[len(heard):]}, "the hook hears nothing"
print(json.dumps(heard))
"""


def reading_events(names: list[str], reading: str = READ_MODEL, warm_up: int = 2) -> list[tuple[str, str]]:
    """Read files in another process after the first few of them; return each event with its first argument.

    Args:
        names: the files.
        reading: the statements that read the file `name`.
        warm_up: how many of the files are read once before anything is heard.
    """
    command = [sys.executable, "-c", WATCH, reading, str(warm_up), *names]
    process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (process.returncode, process.stderr) == (0, "")
    return [(event, argument) for event, argument in json.loads(process.stdout)]
