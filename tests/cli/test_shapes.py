"""`shapes --framework` as it is called: every view, a model file, what is refused, and what plain `shapes` does not load."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

import lstm_explain
from lstm_explain.frameworks.registry import CALLS
from tests.helpers.framework_weights import state_dict

if TYPE_CHECKING:
    from pathlib import Path

Call = Callable[..., subprocess.CompletedProcess[bytes]]
Refused = Callable[..., str]

FEW = ("--samples", "3", "--timesteps", "4", "--features", "2", "--units", "3")
LOADED = """
import atexit, json, sys
from lstm_explain.cli.main import main
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
main()
"""


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("view", ["table", "markdown", "json", "svg"])
def test_every_framework_is_shown_in_every_view(call: Call, name: str, view: str) -> None:
    done = call("shapes", "--framework", name, *FEW, "--bidirectional", "--lengths", "4,2,3", "--format", view)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout


@pytest.mark.parametrize("name", CALLS)
def test_in_ascii_and_on_narrow_and_wide_pages(call: Call, name: str) -> None:
    for width in (80, 160):
        done = call("shapes", "--framework", name, *FEW, "--layers", "2", "--ascii", "--width", str(width))
        assert done.stdout.isascii()
        assert max(map(len, done.stdout.decode().splitlines())) <= width


def test_a_model_file_is_told_in_another_framework(call: Call, tmp_path: Path) -> None:
    lstm = lstm_explain.seeded(features=2, units=3, layers=2, bidirectional=True)
    np.savez(tmp_path / "model.npz", **state_dict(lstm.weights))  # type: ignore[arg-type]
    done = call("shapes", "--model", str(tmp_path / "model.npz"), "--framework", "keras", "--return-state", "--json")
    found = json.loads(done.stdout)["framework"]
    assert [one["shape"] for one in found["weights"]][:3] == [[2, 12], [3, 12], [12]]
    assert {one["difference"] for one in found["states"]} == {0}


def test_data_with_nan_is_compared_too(call: Call, tmp_path: Path) -> None:
    (tmp_path / "gap.csv").write_text("1,2\nnan,4\n5,6\n", "utf-8")
    done = call(
        "shapes", "--data", str(tmp_path / "gap.csv"), "--allow-nan", "--framework", "onnx", "--bidirectional", "--json"
    )
    found = json.loads(done.stdout)
    assert {one["difference"] for one in found["framework"]["states"]} == {0}
    assert found["framework"]["mistaken"][0]["difference"] is None
    assert found["nonfinite"] == [{"path": "framework.mistaken[0].difference", "value": "nan"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--framework", "keras", "--batch-first"), "--framework keras --batch-first: Keras always has samples first."),
        (("--framework", "nosuch"), "--framework nosuch: unknown framework."),
        (("--framework", ""), "--framework '': unknown framework."),
        (("--framework", "\x1b[2J"), "--framework \\x1b[2J: unknown framework."),
        (("--framework", "x" * 1000), "x...: unknown framework."),
        (("--framework", "onnx", "--layout", "-1"), "--framework onnx --layout -1: the layouts are 0 and 1."),
        (
            ("--framework", "onnx", "--layout", str(10**30)),
            f"--framework onnx --layout {10**30}: the layouts are 0 and 1.",
        ),
        (("--framework", "torch", "--peepholes"), "--framework pytorch --peepholes: PyTorch has no peepholes."),
        (("--layout", "0"), "--layout 0: this option describes a framework's call, so a framework is needed."),
        (("--framework", "torch", "--lengths", "3,0"), "each length is a whole number from 1"),
    ],
)
def test_what_is_refused(refused: Refused, arguments: tuple[str, ...], message: str) -> None:
    assert message in refused(2, "shapes", *arguments)


@pytest.mark.parametrize("view", ["table", "json"])
def test_plain_shapes_loads_nothing_of_it(view: str) -> None:
    def modules(*arguments: str) -> set[str]:
        line = [sys.executable, "-c", LOADED, "shapes", "--format", view, *FEW, *arguments]
        done = subprocess.run(line, capture_output=True, check=True, timeout=60)
        return set(json.loads(done.stderr.splitlines()[-1]))

    own = {f"lstm_explain.{one}" for one in ("topics.shapes.framework_call", "topics.frameworks", "frameworks.registry")}
    assert not modules() & own
    assert modules("--framework", "keras") >= own
