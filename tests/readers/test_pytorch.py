"""`.pt` files: a state dict is read wherever it lies, and nothing else is followed, allocated or opened."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from lstm_explain.errors import InputFileError, LstmExplainError, RefusedError
from lstm_explain.readers.containers import safe_pickle
from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.pytorch import read_pytorch
from lstm_explain.readers.model_file import read_model
from tests.fuzz.fuzz_torch_zip import ARCHIVES, PROGRAMS, damaged_archives, damaged_pickles
from tests.fuzz.mutations import fuzz
from tests.helpers.audit_events import reading_events
from tests.helpers.model_files import pytorch as files

File = Callable[[str, bytes], str]

BUDGET = 10**7
TENSORS, MEMBERS = files.lstm()
STATE = files.table(TENSORS)
NUMBERS = np.arange(24, dtype=np.float32)
ONE = {"data/0": NUMBERS.tobytes()}
WHOLE = files.storage(24)


def read(data: bytes, budget: int = BUDGET) -> dict[str, Any]:
    return read_pytorch(io.BytesIO(data), MemoryBudget("x.pt", budget)).arrays


def one(tensor: bytes, members: dict[str, bytes] | None = None) -> Any:
    """The only tensor of a file."""
    lstms = read(files.archive(files.table({"one": tensor}), ONE if members is None else members))
    assert list(lstms) == ["one"]
    return lstms["one"]


def refused(data: bytes, kind: type[LstmExplainError], *words: str, budget: int = BUDGET) -> None:
    with pytest.raises(LstmExplainError) as caught:
        read(data, budget)
    assert type(caught.value) is kind, caught.value
    message = str(caught.value)
    assert message.startswith("x.pt: ")
    assert message.isprintable(), "one line, safe to print"
    for word in words:
        assert word in message


# --- what is read -----------------------------------------------------------------------------------------------------


def test_a_state_dict() -> None:
    members = {name: np.arange(len(data) // 4, dtype=np.float32).tobytes() for name, data in MEMBERS.items()}
    lstms = read(files.archive(STATE, members))
    assert {name: array.shape for name, array in lstms.items()} == {
        "weight_ih_l0": (8, 3),
        "weight_hh_l0": (8, 2),
        "bias_ih_l0": (8,),
        "bias_hh_l0": (8,),
    }
    np.testing.assert_array_equal(lstms["weight_ih_l0"], NUMBERS.reshape(8, 3))
    assert all(array.dtype == np.float32 and array.flags.c_contiguous for array in lstms.values())


ORDERED = files.call(files.ORDERED_DICT)
NESTED = [
    (ORDERED + STATE[1:], ""),
    (ORDERED + STATE[1:] + files.EMPTY_DICT + files.text("_metadata") + ORDERED + b"sb", ""),
    (files.table({"state_dict": files.table({"model": STATE})}), "state_dict.model."),
    (files.listed(files.whole(7), STATE), "1."),
    (files.group(STATE, files.NONE), "0."),
    (files.EMPTY_DICT + files.whole(3) + STATE + b"s", "3."),
    (files.EMPTY_DICT + files.NONE + STATE + b"s", "None."),
    (files.table({f"module.{name}": tensor for name, tensor in TENSORS.items()}), "module."),
    (
        files.table(
            {
                name: files.call(files.PARAMETER, tensor, files.TRUE, files.call(files.ORDERED_DICT))
                for name, tensor in TENSORS.items()
            }
        ),
        "",
    ),
]


@pytest.mark.parametrize(("body", "prefix"), NESTED)
def test_a_state_dict_wherever_it_lies(body: bytes, prefix: str) -> None:
    assert set(read(files.archive(body, MEMBERS))) == {prefix + name for name in TENSORS}


def test_dicts_that_lie_in_two_places_are_read_in_both() -> None:
    body = files.EMPTY_DICT + files.text("model") + STATE + b"\x94s" + files.text("average") + b"h\0s"
    assert len(read(files.archive(body, MEMBERS))) == 2 * len(TENSORS)


BESIDE = {
    "a number": files.whole(2**70),
    "negative": files.whole(-5),
    "loss": files.number(float("nan")),
    "betas": files.group(files.number(0.9), files.number(0.999)),
    "yes": files.TRUE,
    "text": files.text("</script>"),
    "nothing": files.NONE,
    "milestones": files.call("collections Counter", files.EMPTY_DICT),
    "size": files.call("torch Size", files.group(files.whole(3))),
    "device": files.call("torch device", files.text("cuda"), files.whole(0)),
    "dtype": files.named("torch bfloat16"),
    "set": files.call("__builtin__ set", files.listed(files.whole(1))),
    "bytes": files.call("_codecs encode", files.text("abc"), files.text("latin1")),
    "best": files.call(
        "numpy._core.multiarray scalar",
        files.call("numpy dtype", files.text("f8"), files.FALSE, files.TRUE) + files.group(files.whole(3)) + b"b",
        files.call("_codecs encode", files.text("12345678"), files.text("latin1")),
    ),
    "steps": files.tensor(files.storage(3, "9", "Long"), (3,), (1,)),
    "empty": files.EMPTY_LIST,
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_stands_beside_the_weights_is_left_out(name: str) -> None:
    assert set(read(files.archive(files.table({name: BESIDE[name], **TENSORS}), MEMBERS))) == set(TENSORS)


def test_keys_that_are_no_names_lead_to_nothing() -> None:
    body = files.EMPTY_DICT + files.group(files.whole(1)) + STATE + b"s"
    assert read(files.archive(body, MEMBERS)) == {}


def test_protocol_4_is_read_too() -> None:
    def short(value: str) -> bytes:
        return b"\x8c" + bytes([len(value)]) + value.encode()

    body = STATE
    for name in (files.ORDERED_DICT, files.TENSOR, "torch FloatStorage"):
        module, last = name.split()
        body = body.replace(files.named(name), short(module) + short(last) + b"\x93")
    for name in TENSORS:
        body = body.replace(files.text(name), short(name) + b"\x94")
    body = b"\x80\x04\x95" + struct.pack("<Q", len(body) + 1) + body
    assert set(read(files.archive(body, MEMBERS))) == set(TENSORS)


def test_compressed_archives_are_read_too() -> None:
    assert set(read(files.archive(STATE, MEMBERS, zipfile.ZIP_DEFLATED))) == set(TENSORS)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize(("kind", "dtype"), [("Half", "f2"), ("Float", "f4"), ("Double", "f8")])
def test_types_and_orders_of_bytes(kind: str, dtype: str, order: str) -> None:
    values = np.array([0.1, -2.5, 3e4, np.inf], ("<" if order == "little" else ">") + dtype)
    members = {"data/0": values.tobytes(), "byteorder": order.encode()}
    found = one(files.tensor(files.storage(4, kind=kind), (4,), (1,)), members)
    assert found.dtype == (np.float64 if dtype == "f8" else np.float32)
    np.testing.assert_array_equal(found, values.astype(found.dtype))


@pytest.mark.parametrize("order", ["little", "big"])
def test_bfloat16_is_the_upper_half_of_float32(order: Any) -> None:
    values = np.array([1.0, -2.5, 2.0**127, -0.0, np.inf, np.nan, 2.0**-133], np.float32)
    halves = b"".join(int(bits >> 16).to_bytes(2, order) for bits in values.view(np.uint32))
    found = one(files.tensor(files.storage(7, kind="BFloat16"), (7,), (1,)), {"data/0": halves, "byteorder": order.encode()})
    np.testing.assert_array_equal(found, values)


def test_a_file_that_names_no_order_of_bytes_is_little_endian() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("data.pkl", files.program(files.table({"one": files.tensor(WHOLE, (24,), (1,))})))
        file.writestr("data/0", NUMBERS.tobytes())
    np.testing.assert_array_equal(read(stream.getvalue())["one"], NUMBERS)


@pytest.mark.parametrize(
    ("sizes", "strides", "offset"),
    [
        ((24,), (1,), 0),
        ((4, 6), (6, 1), 0),
        ((6, 4), (1, 6), 0),
        ((2, 3), (1, 2), 18),
        ((3,), (8,), 7),
        ((2, 3, 4), (4, 8, 1), 0),
        ((5, 2), (0, 1), 22),
        ((4, 4), (1, 1), 3),
        ((), (), 23),
        ((1, 24), (99, 1), 0),
        ((0, 5), (5, 1), 0),
        ((0, 2**40), (1, 1), 24),
    ],
)
def test_views(sizes: tuple[int, ...], strides: tuple[int, ...], offset: int) -> None:
    """As torch has them: transposed, cut out, expanded, overlapping, with one number or none."""
    found = one(files.tensor(WHOLE, sizes, strides, offset))
    expected = np.lib.stride_tricks.as_strided(NUMBERS[offset:], sizes, [4 * stride for stride in strides])
    assert found.shape == sizes
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected)


def test_tensors_may_share_a_storage() -> None:
    first, second = files.tensor(WHOLE, (4, 3), (3, 1)), files.tensor(WHOLE, (12,), (1,), 12)
    lstms = read(files.archive(files.table({"weight_ih": first, "bias_ih": second, "bias_hh": second}), ONE))
    np.testing.assert_array_equal(lstms["weight_ih"].ravel(), NUMBERS[:12])
    np.testing.assert_array_equal(lstms["bias_hh"], NUMBERS[12:])
    lstms["bias_ih"][:] = 0
    assert lstms["bias_hh"].all(), "arrays are copies"


def test_where_names_tell_what_they_are_no_other_tensor_is_read() -> None:
    other = files.tensor(files.storage(10**6, "huge"), (10**6,), (1,))
    members = {**MEMBERS, "data/huge": bytes(4 * 10**6)}
    assert set(read(files.archive(files.table({"embedding.weight": other, **TENSORS}), members), 10**6)) == set(TENSORS)


def test_where_no_name_tells_all_are_read_that_may_be_weights() -> None:
    found = {"kernel": (4, 6), "image": (2, 3, 2, 2), "bias": (24,)}
    body = {
        name: files.tensor(WHOLE, sizes, tuple(np.cumprod([1, *sizes[:0:-1]])[::-1].tolist())) for name, sizes in found.items()
    }
    assert set(read(files.archive(files.table(body), ONE))) == {"kernel", "bias"}


# --- what is refused --------------------------------------------------------------------------------------------------

CALLS = {
    "posix system": "posix.system",
    "os system": "os.system",
    "nt system": "nt.system",
    "subprocess Popen": "subprocess.Popen",
    "builtins eval": "builtins.eval",
    "__builtin__ exec": "__builtin__.exec",
    "builtins getattr": "builtins.getattr",
    "builtins __import__": "builtins.__import__",
    "builtins object": "builtins.object",
    "importlib import_module": "importlib.import_module",
    "webbrowser open": "webbrowser.open",
    "runpy _run_code": "runpy._run_code",
    "pickle loads": "pickle.loads",
    "torch load": "torch.load",
    "torch.storage _load_from_bytes": "torch.storage._load_from_bytes",
    "torch.hub load": "torch.hub.load",
    "torch.nn.modules.rnn LSTM": "torch.nn.modules.rnn.LSTM",
    "torch._utils _rebuild_qtensor": "torch._utils._rebuild_qtensor",
    "torch QInt8Storage": "torch.QInt8Storage",
    "numpy.core.multiarray _reconstruct": "numpy.core.multiarray._reconstruct",
    "numpy.f2py.crackfortran getlincoef": "numpy.f2py.crackfortran.getlincoef",
    "collections defaultdict": "collections.defaultdict",
    "collections OrderedDict.__init__": "collections.OrderedDict.__init__",
    "torch._utils _rebuild_tensor_v2.__globals__": "__globals__",
    "torch  FloatStorage": "torch",
    "Torch FloatStorage": "Torch.FloatStorage",
    "__main__ Net": "__main__.Net",
}


@pytest.mark.parametrize("way", ["GLOBAL", "STACK_GLOBAL"])
@pytest.mark.parametrize("name", CALLS)
def test_names_of_code_are_refused_by_name(name: str, way: str) -> None:
    module, _, last = name.partition(" ")
    asked = files.named(name) if way == "GLOBAL" else files.text(module) + files.text(last) + b"\x93"
    for body in (asked + files.group(files.text("echo run")) + b"R", files.table({"x": asked, **TENSORS})):
        refused(files.archive(body, MEMBERS), RefusedError, CALLS[name], "torch.save(model.state_dict(), file)")


def test_opcodes_that_a_state_dict_does_not_need_are_refused_by_name() -> None:
    named = files.named(files.ORDERED_DICT)
    bodies = {
        "NEWOBJ": named + files.EMPTY_TUPLE + b"\x81",
        "NEWOBJ_EX": named + files.EMPTY_TUPLE + files.EMPTY_DICT + b"\x92",
        "INST": b"(S'echo run'\nios\nsystem\n",
        "OBJ": b"(" + named + files.text("x") + b"o",
        "EXT1": b"\x82\x01",
        "EXT2": b"\x83\x01\x00",
        "EXT4": b"\x84\x01\x00\x00\x00",
        "PERSID": b"Pstorage\n",
        "STRING": b"S'\\q'\n",
        "UNICODE": b"Vtext\n",
        "INT": b"I12\n",
        "LONG": b"L12L\n",
        "LONG4": b"\x8b\x01\x00\x00\x00\x01",
        "FLOAT": b"F1.5\n",
        "PUT": b"Np0\n",
        "DICT": b"(d",
        "LIST": b"(l",
        "DUP": b"N2",
        "POP": b"NN0",
        "POP_MARK": b"N(1",
        "EMPTY_SET": b"\x8f",
        "BYTEARRAY8": b"\x96" + bytes(8),
        "NEXT_BUFFER": b"\x97",
        "READONLY_BUFFER": b"\x97\x98",
    }
    for opcode, body in bodies.items():
        expected = "NEXT_BUFFER" if opcode == "READONLY_BUFFER" else "STRING" if opcode == "INST" else opcode
        refused(files.archive(body), RefusedError, f"the opcode {expected}")


def test_a_tensor_that_is_negated_only_when_it_is_used() -> None:
    marked = LSTM_TENSOR[:-2] + files.table({"neg": files.TRUE}) + LSTM_TENSOR[-2:]
    refused(files.archive(marked, ONE), RefusedError, "conjugates or negates", "torch.save(model.state_dict(), file)")


def test_the_opcodes_that_are_followed_are_those_of_a_state_dict() -> None:
    """A list to compare with: whoever adds to it should think first."""
    tables = (safe_pickle.PUSH_OPCODES, safe_pickle.OPERATIONS, safe_pickle.MARK_OPERATIONS)
    followed = {"MARK", *safe_pickle.NO_OP_OPCODES, *safe_pickle.MEMO_WRITES, *safe_pickle.MEMO_READS}.union(*tables)
    assert len(followed) == 36
    assert not followed & {"NEWOBJ", "NEWOBJ_EX", "INST", "OBJ", "EXT1", "EXT2", "EXT4", "PERSID", "POP", "DUP"}


def test_only_the_names_of_values_are_known() -> None:
    modules = {name.split()[0] for name in safe_pickle.ALLOWED_GLOBALS}
    assert modules == {
        *("__builtin__", "builtins", "_codecs", "collections", "numpy", "numpy.core.multiarray", "numpy._core.multiarray"),
        *("torch", "torch._utils"),
    }


LSTM_TENSOR = files.tensor(WHOLE, (24,), (1,))
MALFORMED = {
    "a key is set on a tensor": LSTM_TENSOR + files.text("a") + files.whole(1) + b"s",
    "keys are set on a tensor": LSTM_TENSOR + b"(" + files.text("a") + files.whole(1) + b"u",
    "a key is set on a list": files.EMPTY_LIST + files.whole(10**9) + files.whole(1) + b"s",
    "a key is set on a tuple": files.EMPTY_TUPLE + files.whole(0) + files.whole(1) + b"s",
    "a key is set on a name": files.named(files.TENSOR) + files.text("__code__") + files.whole(1) + b"s",
    "a key is set on what is left out": BESIDE["milestones"] + files.text("a") + files.whole(1) + b"s",
    "a key is set on a storage": WHOLE + files.whole(0) + files.whole(1) + b"s",
    "something is appended to a dict": files.EMPTY_DICT + files.whole(1) + b"a",
    "something is appended to a tensor": LSTM_TENSOR + b"(" + files.whole(1) + b"e",
    "something is appended to a name": files.named("torch Size") + files.whole(1) + b"a",
    "a state is set on a tensor": LSTM_TENSOR + files.EMPTY_DICT + b"b",
    "a state is set on a name": files.named(files.ORDERED_DICT) + files.EMPTY_DICT + b"b",
    "a string is called": files.text("os.system") + files.EMPTY_TUPLE + b"R",
    "a tensor is called": LSTM_TENSOR + files.EMPTY_TUPLE + b"R",
    "a storage's name is called": files.named("torch FloatStorage") + files.group(files.whole(3)) + b"R",
    "arguments are a list": files.named(files.ORDERED_DICT) + files.EMPTY_LIST + b"R",
    "an ordered dict of pairs": files.call(files.ORDERED_DICT, files.EMPTY_LIST),
    "a parameter of a dict": files.call(files.PARAMETER, files.EMPTY_DICT, files.TRUE, files.NONE),
    "a parameter of nothing": files.call(files.PARAMETER),
    "a tensor of too few arguments": files.call(files.TENSOR, WHOLE, files.whole(0)),
    "a tensor of a tensor": files.tensor(LSTM_TENSOR, (1,), (1,)),
    "a name is made of numbers": files.whole(1) + files.whole(2) + b"\x93",
    "a name is made of a list": files.EMPTY_LIST + files.text("x") + b"\x93",
    "a key without a value": b"}(" + files.text("a") + b"u",
    "no mark": files.text("a") + b"t",
    "no values": b"\x86",
    "no dict below the pairs": b"(u",
    "a memo that was not written": b"h\x05",
    "a memo of nothing": b"q\x00",
    "two results": files.NONE + files.NONE,
    "a mark is left": b"(" + files.NONE,
    "no result": b"",
    "an unknown opcode": b"\xff",
    "an end before the end": b"N.N",
    "text that is not UTF-8": b"X\x02\x00\x00\x00\xff\xfe",
    "text that is longer than the file": b"X\xff\xff\xff\x7fab",
    "text that is longer than memory": b"\x8d" + b"\xff" * 8,
    "a name that is not ASCII": "cos\nsystèm\n".encode(),
    "a storage that is a number": files.whole(3) + b"Q",
    "a storage of four parts": files.group(files.text("storage"), files.text("0"), files.text("cpu"), files.whole(4)) + b"Q",
    "another kind of persistent id": files.group(files.text("module"), *[files.NONE] * 4) + b"Q",
    "a storage of a name that is none": files.storage(1).replace(b"torch\nFloatStorage", b"torch\nSize"),
    "a storage of negative size": files.storage(-1),
    "a storage of 2**70 numbers": files.storage(2**70),
    "a storage with a key of great length": files.storage(1, "0" * 101),
    "a negative offset": files.tensor(WHOLE, (3,), (1,), -1),
    "a negative stride": files.tensor(WHOLE, (3,), (-1,), 10),
    "a negative size": files.tensor(WHOLE, (-3,), (1,)),
    "a size of 2**70": files.tensor(WHOLE, (2**70,), (0,)),
    "a stride of 2**70": files.tensor(WHOLE, (1,), (2**70,)),
    "a size that is True": LSTM_TENSOR.replace(files.group(files.whole(24)), files.group(files.TRUE)),
    "sizes that are a list": LSTM_TENSOR.replace(files.group(files.whole(24)), files.listed(files.whole(24))),
    "fewer strides than sizes": files.tensor(WHOLE, (4, 6), (1,)),
    "33 axes": files.tensor(WHOLE, (1,) * 33, (1,) * 33),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_programs(case: str) -> None:
    refused(files.archive(MALFORMED[case], ONE), InputFileError, "its pickle is malformed a")


def test_what_is_wrong_is_said() -> None:
    refused(files.archive(MALFORMED["a key without a value"]), InputFileError, "at byte 10: a key without a value")
    refused(files.archive(MALFORMED["an unknown opcode"]), InputFileError, "after byte 0: ")
    refused(files.archive(MALFORMED["a key is set on a list"]), InputFileError, "a list where only a dict is allowed")


def test_a_program_that_is_cut_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = files.program(STATE)
    for length in range(len(whole)):
        monkeypatch.setattr(files, "program", lambda _, length=length: whole[:length])
        refused(files.archive(b"", MEMBERS), InputFileError, "malformed")


def test_an_archive_that_is_cut_anywhere() -> None:
    data = files.archive(STATE, MEMBERS)
    for length in range(0, len(data), 7):
        refused(data[:length], InputFileError)


FORGED: dict[str, tuple[bytes, dict[str, bytes], str]] = {
    "reaches one beyond": (files.tensor(WHOLE, (4, 6), (6, 1), 1), ONE, "reaches to number 24 of 24"),
    "far beyond": (files.tensor(WHOLE, (2,), (2**61,)), ONE, "reaches to number"),
    "starts beyond": (files.tensor(WHOLE, (1,), (1,), 24), ONE, "reaches to number 24 of 24"),
    "the member is shorter": (LSTM_TENSOR, {"data/0": bytes(92)}, "holds 92 bytes and not 96"),
    "the member is longer": (LSTM_TENSOR, {"data/0": bytes(100)}, "holds 100 bytes and not 96"),
    "of wider numbers": (files.tensor(files.storage(24, kind="Double"), (24,), (1,)), ONE, "holds 96 bytes and not 192"),
    "a member is missing": (LSTM_TENSOR, {}, "missing from the archive"),
    "another file": (files.tensor(files.storage(24, "../../../etc/passwd"), (24,), (1,)), ONE, "missing from the archive"),
    "an absolute path": (files.tensor(files.storage(24, "/etc/passwd"), (24,), (1,)), ONE, "missing from the archive"),
    "a huge storage": (files.tensor(files.storage(2**60), (24,), (1,)), ONE, "holds 96 bytes and not"),
    "no numbers, huge axes": (files.tensor(WHOLE, (0, 2**61), (1, 1)), ONE, "more than any array"),
    "an unknown order of bytes": (LSTM_TENSOR, {**ONE, "byteorder": b"middle"}, "byteorder names neither of the byte orders"),
    "a long order of bytes": (LSTM_TENSOR, {**ONE, "byteorder": bytes(10**6)}, "byteorder names neither of the byte orders"),
    "two pickles": (LSTM_TENSOR, {**ONE, "data.pkl/data.pkl": b"N."}, "it holds 2 members data.pkl"),
    "a name of lone surrogates": (files.table({"\udcff": LSTM_TENSOR}), ONE, "not Unicode text"),
    "a name without end": (files.table({"x" * 1001: LSTM_TENSOR}), ONE, "too long"),
}


@pytest.mark.parametrize("case", FORGED)
def test_forged_archives(case: str) -> None:
    tensor, members, words = FORGED[case]
    refused(files.archive(files.table({"one": tensor}), members), InputFileError, words)


def test_a_name_that_stands_for_two_tensors() -> None:
    other = files.tensor(WHOLE, (3,), (1,))
    refused(
        files.archive(files.table({"a": files.table({"b": LSTM_TENSOR}), "a.b": other}), ONE), InputFileError, "a.b", "twice"
    )


# --- time and memory --------------------------------------------------------------------------------------------------


def test_nesting() -> None:
    def nested(depth: int) -> bytes:
        return (b"}" + files.text("a")) * depth + STATE + b"s" * depth

    assert len(read(files.archive(nested(100), MEMBERS))) == len(TENSORS)
    refused(files.archive(nested(101), MEMBERS), RefusedError, "nested more than 100 deep")


DEEP = 100_000
BOMBS = {
    "deep lists": b"]" * DEEP + b"a" * (DEEP - 1),
    "deep tuples": b")" + b"\x85" * DEEP,
    "deep dicts": (b"}" + b"J\0\0\0\0") * DEEP + b"N" + b"s" * DEEP,
    "deep marks": b"(" * DEEP + b"t" * DEEP,
    "a list that holds itself": b"]\x94h\0a",
    "a dict that holds itself": b"}\x94" + files.text("a") + b"h\0s",
    "lists that hold the one before twice": b"](]\x94" + b"".join(b"](h%ch%ce\x94" % (n, n) for n in range(90)) + b"e",
    "tuples that hold the one before twice": b"](]\x94" + b"".join(b"h%ch%c\x86\x94" % (n, n) for n in range(90)) + b"e",
    "more opcodes than any": b"]" * (safe_pickle.MAX_OPCODES + 1),
    "more tensors than any": b"](" + LSTM_TENSOR + b"\x94" + b"h\0" * 20_001 + b"e",
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BOMBS)
def test_bombs(case: str) -> None:
    start = time.perf_counter()
    refused(files.archive(BOMBS[case], ONE), RefusedError, budget=2**30)
    assert time.perf_counter() - start < 30


LONG = files.text("x" * 10**6) + b"\x94"
SHORT = {
    "a long text in many places": b"](" + LONG + b"h\0" * 50_000 + b"e",
    "a long key of many lists": b"}(" + LONG + b"N" + b"h\0]" * 50_000 + b"u",
    "a long name": LONG + b"h\0\x93",
    "long axes": b"]("
    + files.group(*[files.whole(1)] * 50_000)
    + b"\x94"
    + files.named("torch Size")
    + b"\x94"
    + b"h\1h\0R" * 50_000
    + b"e",
}


@pytest.mark.parametrize("case", SHORT)
def test_what_is_short_to_say_is_short_to_follow(case: str) -> None:
    """Long values that the memo repeats: none is copied, compared or walked each time."""
    start = time.perf_counter()
    with contextlib.suppress(InputFileError, RefusedError):
        read(files.archive(SHORT[case]), 2**30)
    assert time.perf_counter() - start < 10


def peak_of(call: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        with contextlib.suppress(InputFileError, RefusedError):
            call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    "opcodes", [b"}", b"]", b"(", b"}\x94", b"(}\x94", b"ctorch\nSize\n", b"\x8c\x02ab", b"\x8c\x04\xf0\x9f\x98\x80"]
)
def test_the_memory_of_an_opcode(opcodes: bytes) -> None:
    times = 50_000
    body = b"\x80\x04" + opcodes * times + b"."
    number = times * (1 if opcodes[:1] in (b"c", b"\x8c") else len(opcodes))
    peak = peak_of(lambda: safe_pickle.interpret_pickle(body, "x", 2**40))
    assert peak < safe_pickle.OPCODE_BYTES * number


@pytest.mark.slow
@pytest.mark.parametrize(
    "opcode", [b"}", b"]\x94", b"J\xff\xff\xff\x7f", b"\x8c\x04\xf0\x9f\x98\x80", b"\x8a\xff" + b"\x7f" * 255]
)
def test_hostile_pickles_stay_within_the_budget(opcode: bytes) -> None:
    data, budget = files.archive(opcode * (2**19 // len(opcode)), None, zipfile.ZIP_DEFLATED), 20 * 2**20
    assert peak_of(lambda: read(data, budget)) < budget


def test_walking_stays_within_the_budget() -> None:
    """Lists that hold each other, and long names: little in the file, much to walk."""
    wide = b"](]\x94" + b"".join(b"](" + b"h%c" % n * 1000 + b"e\x94" for n in range(20)) + b"e"
    tensors = b"}(" + LSTM_TENSOR + b"\x94" + b"".join(files.text(f"{n}") + b"h\0" for n in range(1000)) + b"u"
    named = files.EMPTY_DICT + files.text("x" * 990) + tensors.replace(LSTM_TENSOR, files.text("t") + LSTM_TENSOR) + b"s"
    for body in (wide, named):
        assert peak_of(partial(read, files.archive(body, ONE))) < BUDGET
    refused(files.archive(named, ONE), RefusedError, "its names alone take more than 3,333,333 bytes")


@pytest.mark.slow
def test_a_bomb_of_zeros_is_refused_before_it_is_unpacked() -> None:
    body = files.table({"one": files.tensor(files.storage(10**8), (10,), (1,))})
    data = files.archive(body, {"data/0": bytes(4 * 10**8)}, zipfile.ZIP_DEFLATED)
    assert len(data) < 10**6
    assert peak_of(lambda: refused(data, RefusedError, "800,000,040", "--max-memory")) < 10**6


def test_many_large_members_for_small_tensors_are_refused_before_they_are_unpacked() -> None:
    tensors = {str(n): files.tensor(files.storage(10**6, str(n)), (1,), (1,)) for n in range(4)}
    members = {f"data/{n}": bytes(4 * 10**6) for n in range(4)}
    refused(files.archive(files.table(tensors), members, zipfile.ZIP_DEFLATED), RefusedError, "16,000,000 bytes")


def test_an_expanded_tensor_is_refused_before_it_is_made() -> None:
    data = files.archive(files.table({"weight_ih_l0": files.tensor(WHOLE, (10**5, 10**6), (0, 0))}), ONE)
    assert peak_of(lambda: refused(data, RefusedError, "1,200,000,000,000 bytes")) < 10**6


def test_a_large_pickle_is_refused_before_it_is_read() -> None:
    data = files.archive(b"N" * (2**26 + 1), None, zipfile.ZIP_DEFLATED)
    assert peak_of(lambda: refused(data, RefusedError, "its pickle holds", budget=2**40)) < 10**7
    small = files.archive(b"N" * 10**6, None, zipfile.ZIP_DEFLATED)
    refused(small, RefusedError, "reading its pickle of 1,000,003 bytes", "--max-memory", budget=10**6)


@pytest.mark.parametrize(("kind", "size"), [("Half", 2), ("BFloat16", 2), ("Float", 4), ("Double", 8)])
def test_the_least_budget_that_suffices_is_kept(kind: str, size: int, file: File) -> None:
    tensors, members = files.lstm(200, 300, kind, size)
    data = files.archive(files.table(tensors), members)
    name = file("x.pt", data)
    with pytest.raises(RefusedError, match="bytes of memory") as caught:
        read_model(name, 10**6)
    least = int(str(caught.value).split(" takes ")[1].split(" bytes")[0].replace(",", ""))
    read_model(name, least)
    slack = 2**18  # what Python itself takes
    assert peak_of(lambda: read_model(name, least)) < least + slack


def test_a_budget_of_nothing() -> None:
    for budget in (0, 1, 1000):
        refused(files.archive(STATE, MEMBERS), RefusedError, "--max-memory", budget=budget)


# --- names from outside, and what else a file may try -----------------------------------------------------------------

NAMES = [
    "\x1b[31mred\x1b[0m",
    "</script><script>alert(1)</script>",
    "[bold]x[/]",
    "\u202egnp.exe",
    "a\nb",
    "=cmd|' /C calc'!A0",
    "\0",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_kept_as_they_are_and_shown_safely(name: str, file: File) -> None:
    named = {f"{name}.{key}": tensor for key, tensor in TENSORS.items()}
    assert set(read(files.archive(files.table(named), MEMBERS))) == set(named)
    refused(files.archive(files.table({name: files.tensor(WHOLE, (25,), (1,))}), ONE), InputFileError)
    asked = name.replace("\n", "")
    refused(files.archive(files.text(asked) + files.text(asked) + b"\x93"), RefusedError)
    refused(files.archive(files.table({"one": files.tensor(files.storage(24, name), (24,), (1,))})), InputFileError)


@pytest.mark.slow
def test_reading_touches_nothing_but_the_file(file: File) -> None:
    bodies = [body for case, body in MALFORMED.items()]
    bodies += [files.named(name) + files.group(files.text("echo run > /tmp/run")) + b"R" for name in CALLS]
    bodies += [body for case, body in BOMBS.items() if "opcodes" not in case]
    good = file("good.pt", files.archive(STATE, MEMBERS))
    corpus = [file(f"{number}.pt", files.archive(body, ONE)) for number, body in enumerate(bodies)]
    corpus += [
        file(f"forged{number}.pt", files.archive(body, members)) for number, (body, members, _) in enumerate(FORGED.values())
    ]
    heard = reading_events([good, *corpus])
    assert {given for event, given in heard if event == "open"} == {good, *corpus}
    assert {event for event, _ in heard} == {"open"}, "an event that nobody has judged"


@pytest.mark.slow
def test_fuzz() -> None:
    assert fuzz(ARCHIVES, damaged_archives, 0.5, 1) > 10
    assert fuzz(PROGRAMS, damaged_pickles, 0.5, 1) > 10


def test_a_file_of_the_old_format_is_refused(file: File) -> None:
    name = file("x.pt", files.program(files.whole(0x1950A86A20F9469CFC6C)))
    with pytest.raises(InputFileError, match="this is a pickle, and reading it would run the program in it"):
        read_model(name, BUDGET)


def test_the_way_from_a_file_to_an_lstm(file: File) -> None:
    (lstm,) = read_model(file("x.pt", files.archive(files.table({"net.lstm": STATE}), MEMBERS)), BUDGET)
    assert (lstm.name, lstm.framework, lstm.spec.units, lstm.spec.features) == ("net.lstm", "pytorch", 2, 3)
    name = file("empty.pt", files.archive(files.EMPTY_DICT))
    assert read_model(name, BUDGET) == ()


def test_a_gru_is_refused_by_name(file: File) -> None:
    rows = {"weight_ih_l0": (6, 4), "weight_hh_l0": (6, 2)}
    body = files.table({key: files.tensor(WHOLE, sizes, (sizes[1], 1)) for key, sizes in rows.items()})
    name = file("gru.pt", files.archive(body, ONE))
    with pytest.raises(InputFileError, match="is a GRU"):
        read_model(name, BUDGET)
