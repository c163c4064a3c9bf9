"""A model file is known by what it holds; it is read alone, and nothing in it is run."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.errors import LstmExplainError, UsageError
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.model_file import read_model
from tests.helpers.model_files.arrays import (
    entry,
    keras_layer,
    npy,
    npy_header,
    npz,
    packed,
    pytorch_layer,
    safetensors,
    zipped,
)

if TYPE_CHECKING:
    from pathlib import Path

File = Callable[[str, bytes], str]


def refused(name: str, code: int = 3, convention: str | None = None, budget: int = 10**8) -> str:
    with pytest.raises(LstmExplainError) as raised:
        read_model(name, budget, convention)
    text = str(raised.value)
    assert raised.value.exit_code == code, text
    assert text.isprintable()
    return text


# --- what is known by its content -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m.npz", "m", "m.pt", "m.keras", "m.safetensors", "m.h5", "m.txt"])
def test_a_zip_archive_of_arrays_has_any_name(name: str, file: File) -> None:
    (lstm,) = read_model(file(name, npz(keras_layer())), 10**8)
    assert lstm.framework == "keras"


@pytest.mark.parametrize("name", ["m.safetensors", "m", "m.onnx", "m.npz", "m.pt"])
def test_safetensors_have_any_name(name: str, file: File) -> None:
    (lstm,) = read_model(file(name, packed(pytorch_layer())), 10**8)
    assert lstm.framework == "pytorch"


def test_a_convention_is_heeded(file: File) -> None:
    plain = {"W": np.ones((8, 3)), "R": np.ones((8, 2)), "B": np.ones(16)}
    for content in (npz(plain), packed(plain)):
        name = file("m", content)
        assert read_model(name, 10**8) == ()
        (lstm,) = read_model(name, 10**8, "onnx")
        assert (lstm.framework, lstm.spec.units, lstm.biases) == ("onnx", 2, 2)


# --- what is refused --------------------------------------------------------------------------------------------------


def test_there_must_be_a_regular_file(tmp_path: Path) -> None:
    assert "this file does not exist" in refused(str(tmp_path / "nosuch.pt"))
    assert "this is a folder. Name a model: .npz, .safetensors" in refused(str(tmp_path))
    assert "this is not a regular file" in refused("/dev/null")
    assert "this names no file" in refused("")
    assert "no file can have this name" in refused("a\0b")
    refused("x" * 5000)
    (tmp_path / "link").symlink_to("nowhere")
    assert "this file does not exist" in refused(str(tmp_path / "link"))


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("m.pt", b"", "the file is empty"),
        ("m", b"hello", "this is not a model file that we know"),
        ("m.npy", npy(np.ones(3)), "this is not a model file that we know"),
        ("m.pt", b"hello", "this is not a model file that we know"),
        ("m.pt", pickle.dumps({}), "this is a pickle, and reading it would run the program in it"),
        ("m.bin", pickle.dumps({}), "this is a pickle"),
        ("m", pickle.dumps({}), "this is a pickle"),
        ("m.npz", b"PK\x03\x04", "this zip archive cannot be read"),
        ("m.npz", zipped({"readme": b"x"}), "this zip archive contains no .npy array"),
        ("m.safetensors", b"hello", "announces"),
    ],
)
def test_other_files(name: str, content: bytes, found: str, file: File) -> None:
    assert found in refused(file(name, content))


def test_an_empty_archive(file: File) -> None:
    refused(file("m.npz", zipped({})))


@pytest.mark.parametrize("convention", ["", "nosuch", "PyTorch", "\x1b[31m", "[bold]"])
def test_there_must_be_such_a_convention(convention: str, file: File) -> None:
    message = refused(file("m.npz", npz(keras_layer())), 2, convention)
    assert message.endswith(f"the conventions are {', '.join(CONVENTIONS)}.")


def test_a_convention_is_checked_before_the_file() -> None:
    with pytest.raises(UsageError):
        read_model("nosuch", 10**8, "nosuch")


@pytest.mark.parametrize("budget", [0, 1, 100])
def test_a_budget_below_the_file(budget: int, file: File) -> None:
    for content in (npz(keras_layer()), packed(keras_layer())):
        refused(file("m", content), 4, budget=budget)


# --- files that mean harm ---------------------------------------------------------------------------------------------

WATCH = """
import json, sys, tracemalloc
import numpy as np
from lstm_explain.errors import LstmExplainError
from lstm_explain.readers import model_file
from lstm_explain.readers.containers import numpy_files
from lstm_explain.readers.containers import safetensors
from lstm_explain.readers.containers import zip_archive  # what comes after is the file's doing

def read(name):
    try:
        for one in model_file.read_model(name, 10**7):
            one.spec, one.provenance("x")
    except LstmExplainError as error:
        assert str(error).isprintable(), name
        assert error.exit_code in (3, 4), name
    else:
        assert "good" in name, name

for warm in sys.argv[1:3]:  # the first read of each kind loads codecs, libraries and numpy's own modules
    read(warm)
events = []
sys.addaudithook(lambda event, given: events.append((event, str(given[0]) if given else "")))
tracemalloc.start()
for name in sys.argv[3:]:
    read(name)
most = tracemalloc.get_traced_memory()[1]
heard = list(events)
compile("1", "proof", "eval")
open("/dev/null").close()
assert {"compile", "open"} <= {event for event, _ in events[len(heard):]}, "the hook hears nothing"
print(json.dumps([most, heard]))
"""


class Call:
    def __reduce__(self) -> Any:
        return print, ("run",)


def hostile() -> dict[str, bytes]:
    layer = {f"{name}.npy": npy(array) for name, array in keras_layer().items()}
    objects = npy_header("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n") + pickle.dumps(Call())
    terabytes = npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}\n")
    imports = npy_header("{'descr': __import__('antigravity'), 'fortran_order': False, 'shape': (1,)}")
    escape = "\x1b]0;x\x07\u202e[link=file:///etc/passwd]</script>"
    gru = {f"{escape}/kernel": np.ones((3, 12)), f"{escape}/recurrent_kernel": np.ones((4, 12))}
    huge = json.dumps({"x": entry("F32", [2**40, 2**20], 0, 2**62)}).encode()
    return {
        "objects.npz": zipped({**layer, "lstm/bias.npy": objects}),
        "terabytes.npz": zipped({**layer, "lstm/bias.npy": terabytes}, zipfile.ZIP_DEFLATED),
        "imports.npz": zipped({**layer, "lstm/bias.npy": imports}),
        "bomb.npz": zipped({"lstm/kernel.npy": npy(np.zeros(10**7))}, zipfile.ZIP_DEFLATED),
        "escaped.npz": zipped({"../../../tmp/x.npy": b"x", "/etc/passwd.npy": b"x"}),
        "names.npz": npz(gru),
        "many.npz": zipped({f"{place}.npy": b"" for place in range(10_001)}),
        "pickle.pt": pickle.dumps(Call()),
        "pickle": pickle.dumps(Call()),
        "names.safetensors": packed(gru),
        "deep.safetensors": safetensors(b'{"a":' * 10_000),
        "wide.safetensors": safetensors(b'{"a":[' + b"{}," * 10**5 + b"{}]}"),
        "huge.safetensors": safetensors(huge, bytes(4)),
        "long.safetensors": (2**63).to_bytes(8, "little") + b"{",
        "script.html": b"<script>alert(1)</script>",
    }


@pytest.mark.slow
def test_reading_touches_nothing_but_the_file(file: File) -> None:
    good = [file("good.npz", npz(keras_layer())), file("good.safetensors", packed(pytorch_layer()))]
    corpus = [*good, *(file(name, content) for name, content in hostile().items())]
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *good, *corpus], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    most, heard = json.loads(done.stdout)
    assert most <= 10**7
    opened = {given for event, given in heard if event == "open"}
    assert opened == set(corpus)
    assert not {event for event, _ in heard} - {"open", "compile", "array.__new__"}, "an event that nobody has judged"


def test_names_from_a_file_never_reach_a_message_raw(file: File) -> None:
    message = refused(file("m.npz", hostile()["names.npz"]))
    assert "is a GRU" in message
    assert r"\x1b]0;x\x07\u202e[link=" in message
