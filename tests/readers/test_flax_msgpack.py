"""Flax's files: what is read out of them, and what hostile ones are told."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import Direction
from lstm_explain.errors import InputFileError, LstmExplainError, MissingExtraError
from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.flax_msgpack import read_msgpack
from lstm_explain.readers.model_file import read_model
from tests.fuzz.fuzz_flax_msgpack import read_flax_msgpack
from tests.fuzz.mutations import fuzz
from tests.helpers.audit_events import reading_events
from tests.helpers.model_files import flax as files

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.identify.model_lstm import ModelLSTM

BUDGET = 2**26


def read(tree: Any, budget: int = BUDGET) -> dict[str, Array]:
    return read_msgpack(
        BytesIO(tree if isinstance(tree, bytes) else files.packed(tree)), MemoryBudget("m.msgpack", budget)
    ).arrays


@pytest.fixture
def found(file: Callable[[str, bytes], str]) -> Callable[[Any], tuple[ModelLSTM, ...]]:
    return lambda tree: read_model(file("m.msgpack", files.packed(tree)), BUDGET)


# --- what is read -----------------------------------------------------------------------------------------------------


def test_maps_are_flattened() -> None:
    tree = {"params": {"a": {"kernel": files.array(np.eye(2))}, "b": files.array([1.0])}, "step": 7, "none": None}
    assert {name: array.tolist() for name, array in read(tree).items()} == {
        "params/a/kernel": [[1.0, 0.0], [0.0, 1.0]],
        "params/b": [1.0],
    }


@given(
    values=st.lists(st.floats(-1e4, 1e4, width=16), min_size=1, max_size=20),
    kind=st.sampled_from(["float16", "float32", "float64"]),
)
@settings(max_examples=50, deadline=None)
def test_types(values: list[float], kind: str) -> None:
    array = read({"x": files.array(values, kind)})["x"]
    assert array.dtype == ("float64" if kind == "float64" else "float32")
    assert np.array_equal(array, np.array(values, kind))


def test_bfloat16_is_read_exactly() -> None:
    array = read({"x": files.array([1.0, -2.5, 3.140625, 0.0], "bfloat16")})["x"]
    assert array.dtype == np.float32
    assert array.tolist() == [1.0, -2.5, 3.140625, 0.0]


def test_what_is_no_floating_point_array_is_left_out() -> None:
    scalar = msgpack.ExtType(3, msgpack.packb(((), "float32", bytes(4))))
    pair = msgpack.ExtType(2, msgpack.packb((1.0, 2.0)))
    tree = {
        "n": files.array([1, 2], "int32"),
        "s": scalar,
        "z": pair,
        "f": 0.5,
        "t": "text",
        "o": files.forged((1,), "object", b"x"),
    }
    tree |= {"other": msgpack.ExtType(99, b"whatever"), "u": files.array([True], "bool"), "x": files.array([0.5])}
    assert list(read(tree)) == ["x"]


def test_an_array_in_pieces_is_whole_again() -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for pieces in (1, 2, 5):
        assert np.array_equal(read({"big": files.chunked(array, pieces)})["big"], array)


def test_a_scalar_array() -> None:
    assert read({"x": files.array(np.float32(2))})["x"].shape == ()


def test_places_in_lists_are_names() -> None:
    assert list(read({"opt": {"0": {"mu": files.array([1.0])}, 1: {"mu": files.array([1.0])}}})) == ["opt/0/mu", "opt/1/mu"]


@pytest.mark.parametrize(
    ("tree", "name", "framework", "title"),
    [
        ({"params": {"LSTMCell_0": files.cell(files.weights())}}, "params/LSTMCell_0", "flax-linen", "flax.linen.LSTMCell"),
        ({"rnn": {"cell": files.cell(files.weights(), forget="if_")}}, "rnn/cell", "flax-nnx", "flax.nnx.LSTMCell"),
        ({"cell": files.packed_cell(files.weights())}, "cell", "flax-nnx-optimized", "flax.nnx.OptimizedLSTMCell"),
        (files.cell(files.weights()), "lstm", "flax-linen", "flax.linen.LSTMCell"),
    ],
)
def test_cells(found: Callable[[Any], tuple[ModelLSTM, ...]], tree: Any, name: str, framework: str, title: str) -> None:
    (one,) = found(tree)
    assert (one.name, one.framework, one.title, one.biases) == (name, framework, title, 1)
    ours = one.weights.of(0, Direction.FORWARD).tensors()
    expected = files.weights()
    assert set(ours) == set(expected)
    assert all(np.array_equal(ours[key], expected[key]) for key in ours)


def test_two_cells_stay_two(found: Callable[[Any], tuple[ModelLSTM, ...]]) -> None:
    tree = {"params": {"OptimizedLSTMCell_0": files.cell(files.weights()), "OptimizedLSTMCell_1": files.cell(files.weights())}}
    assert [one.name for one in found(tree)] == ["params/OptimizedLSTMCell_0", "params/OptimizedLSTMCell_1"]


def gru() -> dict[str, Any]:
    return {f"{source}{gate}": {"kernel": files.array(np.ones((2, 2)))} for source in "ih" for gate in "rzn"}


def packed_gru() -> dict[str, Any]:
    return {"dense_i": {"kernel": files.array(np.ones((3, 6)))}, "dense_h": {"kernel": files.array(np.ones((2, 6)))}}


@pytest.mark.parametrize("make", [gru, packed_gru])
def test_a_gru_is_named(found: Callable[[Any], tuple[ModelLSTM, ...]], make: Callable[[], Any]) -> None:
    with pytest.raises(InputFileError, match=r"params/GRUCell_0: it is a GRU.*only LSTMs are explained"):
        found({"params": {"GRUCell_0": make()}})
    assert found({"params": {"GRUCell_0": make(), "LSTMCell_0": files.cell(files.weights())}})


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgpack", None)
    with pytest.raises(MissingExtraError, match="needs msgpack"):
        read({})


# --- hostile files ----------------------------------------------------------------------------------------------------


def deep(depth: int, leaf: bytes = b"\xc0") -> bytes:
    return b"\x81\xa1a" * depth + leaf


def leaf_of(content: bytes) -> bytes:
    """A map with one leaf of type 1 that holds any bytes."""
    return files.packed({"x": msgpack.ExtType(1, content)})


FLOATS = np.zeros(4, np.float32).tobytes()
PIECES = {"__msgpack_chunked_array__": True, "shape": {"0": 4}, "chunks": {"0": files.array(np.zeros(4))}}
HOSTILE: dict[str, tuple[Any, int, str]] = {
    "empty": (b"", 3, "this is not a Flax file"),
    "text": (b"hello", 3, "this is not a Flax file"),
    "noise": (b"\xc1" * 50, 3, "this is not a Flax file"),
    "a number": (b"\x07", 3, "it is not a map of names"),
    "a list": (b"\x93\x01\x02\x03", 3, "it is not a map of names"),
    "cut": (files.valid()[0][:-20], 3, "this is not a Flax file"),
    "more": (files.valid()[0] + b"\x00", 3, "this is not a Flax file"),
    "not UTF-8": (b"\x81\xa2\xff\xfe\x01", 3, "this is not a Flax file"),
    "a name twice": (b"\x82\xa1a\x01\xa1a\x02", 3, "a name appears twice in one map"),
    "a path twice": ({"a/b": files.array([1.0]), "a": {"b": files.array([1.0])}}, 3, "the array a/b appears twice"),
    "a map as a name": (b"\x81\x80\x01", 3, "this is not a Flax file"),
    "bytes as a name": (b"\x81\xc4\x01a\xc0", 3, "a name in it is of type bytes"),
    "deep": (deep(100), 3, "nested more than 64 deep"),
    "deeper": (deep(100_000), 3, "this is not a Flax file"),
    "deep lists": (b"\x91" * 100_000, 3, "this is not a Flax file"),
    "huge map": (b"\xdf\xff\xff\xff\xff", 3, "this is not a Flax file"),
    "huge list": (b"\xdd\xff\xff\xff\xff", 3, "this is not a Flax file"),
    "huge text": (b"\x81\xdb\xff\xff\xff\xffa", 3, "this is not a Flax file"),
    "huge leaf": (b"\x81\xa1a\xc9\xff\xff\xff\xff\x01a", 3, "this is not a Flax file"),
    "a long name": ({"x" * 20_000: 1}, 3, "this is not a Flax file"),
    "small maps": (
        msgpack.packb({f"{row}": {f"{n}": {} for n in range(60)} for row in range(60)}),
        4,
        "its maps take more than the memory budget",
    ),
    "negative": ({"x": files.forged((-1, 4), "float32", FLOATS)}, 3, "x announces the shape [-1, 4], which no array has"),
    "huge": ({"x": files.forged((2**40, 2**40), "float32", FLOATS)}, 3, "and holds 16"),
    "too large": ({"x": files.forged((2**63, 2), "float32", FLOATS)}, 3, "which no array has"),
    "too few bytes": ({"x": files.forged((5,), "float32", FLOATS)}, 3, "x of the shape [5] announces 20 bytes, and holds 16"),
    "a broken sum": ({"x": files.forged((2.5,), "float32", FLOATS)}, 3, "which no array has"),
    "true": ({"x": files.forged((True, 4), "float32", FLOATS)}, 3, "which no array has"),
    "many axes": ({"x": files.forged((1,) * 40, "float32", FLOATS)}, 3, "this is not a Flax file"),
    "no shape": ({"x": files.forged(None, "float32", FLOATS)}, 3, "not written as shape, type and bytes"),
    "no bytes": ({"x": files.forged((4,), "float32", 7)}, 3, "not written as shape, type and bytes"),
    "no type": ({"x": files.forged((4,), 7, FLOATS)}, 3, "not written as shape, type and bytes"),
    "two parts": (leaf_of(msgpack.packb(((4,), "float32"))), 3, "not written as shape, type and bytes"),
    "lists in a leaf": (leaf_of(msgpack.packb(([[1], [1], [1]], "float32", FLOATS))), 3, "an array holds lists"),
    "a deep leaf": (leaf_of(b"\x91" * 100_000), 3, "this is not a Flax file"),
    "a leaf in a leaf": (leaf_of(msgpack.packb(msgpack.ExtType(1, b"x"))), 3, "this is not a Flax file"),
    "an empty leaf": (leaf_of(b""), 3, "this is not a Flax file"),
    "pieces of nothing": ({"x": {"__msgpack_chunked_array__": True}}, 3, "the pieces of x are not in order"),
    "a piece is missing": ({"x": {**PIECES, "chunks": {"1": files.array([1.0])}}}, 3, "the pieces of x are not in order"),
    "too few pieces": ({"x": {**PIECES, "shape": {"0": 5}}}, 3, "announces 5 numbers, and its pieces hold 4"),
    "a shape of maps": ({"x": {**PIECES, "shape": {"0": {}}}}, 3, "which no array has"),
    "escape codes": ({"\x1b[31m</script>\n": files.forged((5,), "float32", FLOATS)}, 3, "\\x1b[31m</script>\\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str) -> None:
    tree, code, reason = HOSTILE[name]
    data = tree if isinstance(tree, bytes) else files.packed(tree)
    with pytest.raises(LstmExplainError) as caught:
        read(data, 6 * len(data) + 10**6)
    message = str(caught.value)
    assert caught.value.exit_code == code, message
    assert message.isprintable()
    assert all(part in message for part in ("m.msgpack", reason)), message


def test_the_file_must_fit_the_budget() -> None:
    data = files.packed({"x": files.array(np.zeros(1000))})
    with pytest.raises(LstmExplainError, match="reading 4,023 bytes of weights takes 24,138 bytes of memory") as caught:
        read(data, 5 * len(data))
    assert caught.value.exit_code == 4
    assert read(data, 8 * len(data))


MEASURE = """
import json, pathlib, re, sys
from lstm_explain.errors import LstmExplainError
from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.flax_msgpack import read_msgpack
budget, files = int(sys.argv[1]), sys.argv[2:]
def read(name):
    with open(name, "rb") as file:
        try:
            read_msgpack(file, MemoryBudget(name, budget)).arrays
        except LstmExplainError:
            pass
def most():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])
read(files[0])
before = most()
for name in files[1:]:
    read(name)
print(json.dumps(most() - before))
"""


def bombs(size: int) -> list[bytes]:
    """Files of about so many bytes whose small pieces take far more memory."""
    wide = b"\xdf" + (size // 3).to_bytes(4, "big") + b"\xa1a\xc0" * (size // 3)
    nested = b"\xde\x04\x00" + (b"\xa1a\xc0" * 1023 + b"\xa1b\xde\x04\x00") * (size // 3074)
    lists = b"\xdf" + (size // 261).to_bytes(4, "big") + (b"\xa1a\xdc\x01\x00" + b"\x80" * 256) * (size // 261)
    halves = [files.packed({f"{n}": files.array(np.zeros(size // 8, "f2"), "float16") for n in range(4)})]
    return [wide, nested, lists, b"\x90" * size, *halves]


@pytest.mark.slow
def test_memory_stays_within_the_budget(file: Callable[[str, bytes], str]) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("this system does not say how much memory a program took")
    budget = 2**25
    made = [tree if isinstance(tree, bytes) else files.packed(tree) for tree, _, _ in HOSTILE.values()] + bombs(budget // 7)
    names = [file(f"{place}.msgpack", data) for place, data in enumerate([files.valid()[0], *made])]
    run = [sys.executable, "-c", MEASURE, str(budget), *names]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) < budget + 2**22


@pytest.mark.slow
def test_reading_touches_nothing_but_the_file(file: Callable[[str, bytes], str]) -> None:
    made = [tree if isinstance(tree, bytes) else files.packed(tree) for tree, _, _ in HOSTILE.values()]
    names = [file(f"{place}.msgpack", data) for place, data in enumerate([*files.valid(), *made])]
    heard = reading_events(names)
    assert {given for event, given in heard if event == "open"} == set(names)
    assert {event for event, _ in heard} <= {"open"}, "an event that nobody has judged"


@pytest.mark.slow
def test_fuzz() -> None:
    assert fuzz(files.valid(), read_flax_msgpack, 1, 1) > 10
