"""`frameworks` as it is called: the program and its arrays, and what is refused."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

Call = Callable[..., subprocess.CompletedProcess[bytes]]
Refused = Callable[..., str]

FEW = ("--samples", "3", "--timesteps", "4", "--features", "2", "--units", "3")


def test_a_program_is_written_with_its_arrays(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    done = call("frameworks", "torch", "--code", *FEW, "-o", str(path))
    assert (done.returncode, done.stdout) == (0, b"")
    assert "torch.nn.LSTM(2, 3, batch_first=True)" in path.read_text("utf-8")
    with np.load(path.with_suffix(".npz")) as saved:
        assert list(saved)[:4] == ["x", "output", "h", "c"]
        assert saved["weight_ih_l0"].shape == (12, 2)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["program.npz", "program.py"]


def test_the_same_call_gives_the_same_bytes(call: Call, tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        call("frameworks", "keras", "--code", *FEW, "-o", str(tmp_path / f"{name}.py"))
        made.append([(tmp_path / f"{name}{suffix}").read_bytes() for suffix in (".py", ".npz")])
    assert made[0] == made[1]


def test_a_program_can_be_shown_in_every_view(call: Call) -> None:
    for view in ("table", "markdown", "json", "svg"):
        done = call("frameworks", "keras", "--code", *FEW, "--format", view)
        assert done.returncode == 0
        assert b"keras.layers.LSTM(3" in done.stdout.replace(b"&#160;", b" ")


@pytest.mark.parametrize("name", ["torch", "numpy", "pathlib"])
def test_a_program_is_not_named_like_what_it_imports(refused: Refused, tmp_path: Path, name: str) -> None:
    message = refused(2, "frameworks", "pytorch", "--code", *FEW, "-o", str(tmp_path / f"{name}.py"))
    assert f"would import itself in place of {name}. Choose another name." in message
    assert not list(tmp_path.iterdir())


def test_the_arrays_replace_no_file_that_is_read(refused: Refused, tmp_path: Path) -> None:
    batch = tmp_path / "run.npz"
    np.savez(batch, x=np.zeros((1, 2, 2), "float32"))
    before = batch.read_bytes()
    message = refused(2, "frameworks", "keras", "--code", "--data", f"{batch}#x", "-o", str(tmp_path / "run.py"))
    assert "the answer would replace the file that is read" in message
    assert batch.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--code",), "frameworks --code: a program is written in one framework. Name one of keras, pytorch,"),
        (("kears",), "frameworks kears: unknown framework. The nearest is keras."),
        (("",), "frameworks '': unknown framework."),
        (("openvino", "--code"), "frameworks openvino --code: OpenVINO is not run here"),
        (("keras", "--code", "--projection", "2"), "frameworks keras --code --projection 2: Keras has no projection"),
        (("keras", "-o", "program.py"), "-o program.py: unknown format"),
    ],
)
def test_what_is_refused(refused: Refused, arguments: tuple[str, ...], message: str) -> None:
    assert message in refused(2, "frameworks", *arguments, *FEW)


def test_a_folder_that_is_not_there(refused: Refused, tmp_path: Path) -> None:
    message = refused(5, "frameworks", "keras", "--code", *FEW, "-o", str(tmp_path / "none" / "program.py"))
    assert "there is no folder" in message
