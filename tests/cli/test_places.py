"""Which unit, timestep, sample, layer and direction: what there is not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

Call = Callable[..., subprocess.CompletedProcess[bytes]]
Refused = Callable[..., str]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("unit --unit 10", "--unit 10: there are 10 units, and they count from 0 to 9."),
        ("unit --unit -1", "--unit -1: there are 10 units, and they count from 0 to 9."),
        ("unit --unit 3 --units 3", "--unit 3: there are 3 units, and they count from 0 to 2."),
        ("unit --step 0", "--step 0: timesteps count from 1 to 10; h and c at 0 are the initial states."),
        ("unit --step -1", "--step -1: timesteps count from 1 to 10"),
        ("unit --step 11", "--step 11: timesteps count from 1 to 10"),
        ("unit --sample 1000", "--sample 1000: there are 1000 samples, and they count from 0 to 999."),
        ("unit --sample -1", "--sample -1: there are 1000 samples"),
        ("trace --sample 1000", "--sample 1000: there are 1000 samples, and they count from 0 to 999."),
        ("trace --sample -1", "--sample -1: there are 1000 samples"),
        ("trace --sample 1000 --format csv", "--sample 1000: there are 1000 samples"),
        ("trace --sample -1 --format jsonl", "--sample -1: there are 1000 samples"),
        ("trace --sample 1000 --format npz -o x.npz", "--sample 1000: there are 1000 samples"),
        ("unit --layer 1", "--layer 1: there "),
        ("unit --layer -1", "--layer -1: there "),
        ("trace --layer 1", "--layer 1: there "),
        ("trace --layer 2 --layers 2", "--layer 2: there are 2 layers, and they count from 0 to 1."),
        ("trace --layer 1 --all-samples", "--layer 1: there "),
        ("unit --direction backward", "--direction backward: this LSTM's layers read forward only. Add --bidirectional"),
        ("trace --direction backward", "--direction backward: this LSTM's layers read forward only. Add --bidirectional"),
        ("trace --direction backward --format csv", "--direction backward: this LSTM's layers read forward only."),
        ("trace --lengths 10,7 --samples 3", "--lengths 10,7: there are 2 lengths for 3 samples. Give one length"),
        ("trace --lengths 10,11 --timesteps 10", "--lengths 10,11: each length is a whole number from 1 to 10"),
        ("trace --lengths 10,0", "--lengths 10,0: "),
        ("trace --lengths 3,-1", "--lengths 3,-1: this is not a list of whole numbers such as 10,7,3."),
        ("unit --lengths ten", "--lengths ten: this is not a list of whole numbers such as 10,7,3."),
        ("trace --lengths 3,,1", "--lengths 3,,1: this is not a list of whole numbers"),
        ("trace --steps 0", "--steps 0: steps count from 1 to 10."),
        ("trace --steps 11", "--steps 11: steps count from 1 to 10."),
        ("trace --steps 5-11", "--steps 5-11: steps count from 1 to 10."),
        ("trace --steps 5-3", "--steps 5-3: the range 5-3 runs backwards."),
        ("trace --unit 10", "--unit 10: units count from 0 to 9."),
        ("trace --unit 0,7-10", "--unit 0,7-10: units count from 0 to 9."),
        ("trace --unit 9-7", "--unit 9-7: the range 9-7 runs backwards."),
        ("trace --unit 3,9-7", "--unit 3,9-7: the range 9-7 runs backwards."),
        ("trace --unit -1", "--unit -1: this is not a selection such as 3 or 0,3,7-9 or all."),
        ("trace --unit 0,,3", "--unit 0,,3: this is not a selection"),
        ("trace --unit 1-", "--unit 1-: this is not a selection"),
        ("trace --unit 1-2-3", "--unit 1-2-3: this is not a selection"),
        ("trace --unit 1.5", "--unit 1.5: this is not a selection"),
        ("trace --unit some", "--unit some: this is not a selection"),
        ("trace --unit ٣", "--unit ٣: this is not a selection"),
        ("trace --unit \x1b[2J", "--unit \\x1b[2J: this is not a selection"),
        ("equations --numbers --unit 10", "--unit 10: there are 10 units, and they count from 0 to 9."),
        ("equations --numbers --step 0", "--step 0: timesteps count from 1 to 10; h and c at 0 are the initial states."),
        ("equations --unit 0", "--unit 0: units and timesteps have numbers, and none are asked for. Add --numbers."),
        ("equations --step 1", "--step 1: units and timesteps have numbers, and none are asked for. Add --numbers."),
        ("equations --all --numbers", "--all --numbers: numbers are put into the equations of one notation."),
        ("equations --all --notation ng", "--all --notation ng: --all shows every notation. Leave one of the two out."),
        ("memory --unit 10", "--unit 10: units count from 0 to 9."),
        ("memory --unit 9-7", "--unit 9-7: the range 9-7 runs backwards."),
        ("memory --sample 1000", "--sample 1000: there are 1000 samples, and they count from 0 to 999."),
        ("memory --direction backward", "--direction backward: this LSTM's layers read forward only. Add --bidirectional"),
        ("memory --carry-state --bidirectional", "--carry-state --bidirectional: read backwards, a piece would start"),
        ("memory --carry-state --samples 1", "--carry-state: with one sample there is no border"),
    ],
)
def test_places_that_there_are_not(command: str, message: str, refused: Refused) -> None:
    assert message in refused(2, *command.split(" "))


def test_an_empty_selection(refused: Refused) -> None:
    assert refused(2, "trace", "--unit", "") == "--unit '': this is not a selection such as 3 or 0,3,7-9 or all."


@pytest.mark.parametrize("option", ["--unit", "--steps"])
@pytest.mark.parametrize("chosen", ["all", "1-9007199254740990"])
def test_a_selection_that_no_memory_holds(option: str, chosen: str, refused: Refused) -> None:
    size = {"--unit": "--units", "--steps": "--timesteps"}[option]
    assert refused(4, "trace", size, str(2**53 - 1), option, chosen).startswith(f"{option} {chosen}: these are 90071992547409")


def test_all_is_what_there_is_without_a_choice(call: Call) -> None:
    assert call("trace", "--unit", "all", "--steps", "all", "--json").stdout == call("trace", "--json").stdout


@pytest.mark.parametrize("command", ["unit", "trace"])
def test_the_last_of_everything_is_there(command: str, call: Call) -> None:
    places = ["--bidirectional", "--layers", "2", "--layer", "1", "--direction", "backward", "--sample", "999", "--unit", "9"]
    done = call(command, *places, *(["--step", "10"] if command == "unit" else ["--steps", "10"]), "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    found = json.loads(done.stdout)
    assert (found["sample"], found["layer"], found["direction"]) == (999, 1, "backward")
