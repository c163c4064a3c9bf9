"""Keras files of layouts that the installed Keras does not write, and files that nobody honest would write.

What the installed Keras writes is read in tests/oracle/test_keras_files.py.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from lstm_explain.core.engine import forward
from lstm_explain.core.gates import Direction
from lstm_explain.core.spec import Spec
from lstm_explain.errors import InputFileError, LstmExplainError, MissingExtraError, RefusedError, UsageError
from lstm_explain.readers.identify.model_lstm import select_lstm
from lstm_explain.readers.model_file import read_model
from tests.fuzz import fuzz_keras_files as target
from tests.fuzz.mutations import fuzz
from tests.helpers.model_files.keras import FEATURES, UNITS, archive, arrays, hdf5, keras2, layer, legacy, sequential, stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.readers.identify.model_lstm import ModelLSTM

BUDGET = 10**7


def read(file: Callable[[str, bytes], str], content: bytes, name: str = "x.h5") -> tuple[ModelLSTM, ...]:
    return read_model(file(name, content), BUDGET)


def only(lstms: tuple[ModelLSTM, ...]) -> ModelLSTM:
    (one,) = lstms
    return one


def same(lstm: ModelLSTM, *parts: dict[str, Any]) -> bool:
    """Whether these are the numbers that were read, direction by direction."""
    read = lstm.weights.layers[0].values()
    return len(read) == len(parts) and all(
        all(np.array_equal(one, other) for one, other in zip(way.tensors().values(), part.values(), strict=True))
        for way, part in zip(read, parts, strict=True)
    )


# --- what older versions wrote ----------------------------------------------------------------------------------------

ONE, TWO = arrays(1), arrays(2)


@pytest.mark.parametrize("cell", ["lstm_cell", "lstm_cell_7", ""])
@pytest.mark.parametrize("whole", [True, False])
def test_a_layer_of_keras_2(file: Any, cell: str, whole: bool) -> None:
    config = sequential(layer("LSTM", "lstm_1")) if whole else None
    found = only(read(file, legacy({"lstm_1": keras2("lstm_1", ONE, cell)}, config)))
    assert found.name == "lstm_1"
    assert same(found, ONE)
    assert ("does not say its activations" in found.title) != whole


def test_a_sequential_of_keras_before_2_2_3_is_a_list(file: Any) -> None:
    config = {"class_name": "Sequential", "config": [layer("LSTM", "lstm_1", recurrent_activation="hard_sigmoid")]}
    with pytest.raises(InputFileError, match="lstm_1: it has recurrent_activation hard_sigmoid"):
        read(file, legacy({"lstm_1": keras2("lstm_1", ONE, "")}, config))


@pytest.mark.parametrize(("version", "told"), [("2.2.4", True), ("2.1.6-tf", True), ("2.3.1", False), ("2.15.0", False)])
def test_weights_alone_of_a_version_whose_default_was_another(file: Any, version: str, told: bool) -> None:
    found = only(read(file, legacy({"lstm_1": keras2("lstm_1", ONE, "")}, version=version)))
    assert (f"Keras {version} wrote it, whose own default was hard_sigmoid" in found.title) == told


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("cells", [("", ""), ("lstm_cell_1", "lstm_cell_2")])
def test_a_bidirectional_of_keras_2(file: Any, whole: bool, cells: tuple[str, str]) -> None:
    tensors = {
        **{f"bidirectional/{path}": array for path, array in keras2("forward_lstm", ONE, cells[0]).items()},
        **{f"bidirectional/{path}": array for path, array in keras2("backward_lstm", TWO, cells[1]).items()},
    }
    config = sequential(layer("Bidirectional", "bidirectional", layer=layer("LSTM", "lstm"), merge_mode="concat"))
    found = only(read(file, legacy({"bidirectional": tensors}, config if whole else None)))
    assert found.name == "bidirectional"
    assert found.spec.bidirectional
    assert same(found, ONE, TWO)


def test_a_nested_model_and_a_layer_with_a_slash_in_its_name(file: Any) -> None:
    layers = {"block/lstm": keras2("block/lstm", ONE), "inner": keras2("deep", TWO)}
    found = {one.name: one for one in read(file, legacy(layers))}
    assert set(found) == {"block/lstm", "inner/deep"}
    assert same(found["block/lstm"], ONE)
    config = sequential(layer("LSTM", "block/lstm"), {"class_name": "Functional", "config": {
        "name": "inner", "layers": [layer("LSTM", "deep", use_bias=True)]}})  # fmt: skip
    told = {one.name: one for one in read(file, legacy(layers, config))}
    assert set(told) == set(found)
    assert same(told["inner/deep"], TWO)
    assert "does not say" not in told["inner/deep"].title


def test_the_layers_are_listed_as_in_the_model(file: Any) -> None:
    names = ["zebra", "ape", "lstm_10", "lstm_9"]
    layers = {name: keras2(name, ONE) for name in sorted(names)}
    assert [one.name for one in read(file, legacy(layers, order=names))] == names


def test_time_distributed_of_tensorflow_2(file: Any) -> None:
    """It names the weights after the wrapper, so that the layer in it is found by being the only one."""
    config = sequential(layer("TimeDistributed", "timed", layer=layer("LSTM", "lstm")))
    found = only(read(file, legacy({"timed": keras2("timed", ONE)}, config)))
    assert found.name == "timed/lstm"
    assert found.title == "keras.layers.LSTM; inside TimeDistributed"


def test_keras_of_2_12_to_2_15(file: Any) -> None:
    """`.keras` before Keras 3: another name for the layers' group, and no names in the weights."""
    weights = stored({"_layer_checkpoint_dependencies/lstm/cell": ONE, "_layer_checkpoint_dependencies/lstm_1/cell": TWO})
    lstms = read(file, archive(sequential(layer("LSTM", "first"), layer("LSTM", "second")), weights), "x.keras")
    assert [one.name for one in lstms] == ["first", "second"]
    assert same(lstms[1], TWO)
    bare = read(file, weights)
    assert [one.name for one in bare] == ["lstm", "lstm_1"]
    assert "does not say its activations" in bare[0].title


# --- cuDNN's own layout -----------------------------------------------------------------------------------------------


def cudnn_run(tensors: dict[str, Any], inputs: Any) -> Any:
    """What cuDNN computes with the arrays of a `CuDNNLSTM`, from its documentation: W x + R h + b_W + b_R for each gate, in
    the order i f c o, of matrices W [units, features] and R [units, units] that stand in memory row by row."""
    kernel, recurrent, bias = tensors.values()
    features, units = len(kernel), len(recurrent)
    w = [np.ascontiguousarray(part).reshape(units, features) for part in np.split(kernel, 4, axis=1)]
    r = [np.ascontiguousarray(part).reshape(units, units) for part in np.split(recurrent, 4, axis=1)]
    b = bias.reshape(2, 4, units)
    hidden = cell = np.zeros((len(inputs), units))
    outputs = []
    for step in range(inputs.shape[1]):
        sums = [inputs[:, step] @ w[gate].T + hidden @ r[gate].T + b[0, gate] + b[1, gate] for gate in range(4)]
        i, f, o = (1 / (1 + np.exp(-sums[gate])) for gate in (0, 1, 3))
        cell = f * cell + i * np.tanh(sums[2])
        hidden = o * np.tanh(cell)
        outputs.append(hidden)
    return np.stack(outputs, axis=1)


def cudnn(seed: int) -> dict[str, Any]:
    return {**arrays(seed), "bias": np.random.default_rng(seed + 90).normal(0, 0.5, 8 * UNITS).astype("f4")}


@pytest.mark.parametrize("whole", [True, False])
def test_cudnn_lstm(file: Any, whole: bool) -> None:
    tensors = cudnn(3)
    config = sequential(layer("CuDNNLSTM", "cu_dnnlstm_1")) if whole else None
    found = only(read(file, legacy({"cu_dnnlstm_1": keras2("cu_dnnlstm_1", tensors, "")}, config, "2.2.4")))
    assert found.title.startswith("keras.layers.CuDNNLSTM")
    assert "activation" not in found.title
    assert found.biases == 2
    inputs = np.random.default_rng(5).normal(size=(3, 6, FEATURES)).astype("f4")
    record = forward(Spec.from_options(3, 6, FEATURES, UNITS), found.weights, inputs)
    assert np.max(np.abs(record.output - cudnn_run(tensors, inputs))) <= 2e-6


def test_bidirectional_cudnn_lstm(file: Any) -> None:
    config = sequential(layer("Bidirectional", "both", layer=layer("CuDNNLSTM", "cu"), merge_mode="concat"))
    one, two = cudnn(3), cudnn(4)
    layers = {"both": {**keras2("both/forward_cu", one, ""), **keras2("both/backward_cu", two, "")}}
    found = only(read(file, legacy(layers, config)))
    assert found.biases == 2
    inputs = np.random.default_rng(5).normal(size=(3, 6, FEATURES)).astype("f4")
    record = forward(Spec.from_options(3, 6, FEATURES, UNITS, bidirectional=True), found.weights, inputs)
    theirs = [cudnn_run(one, inputs), cudnn_run(two, inputs[:, ::-1])[:, ::-1]]
    assert np.max(np.abs(record.output - np.concatenate(theirs, axis=-1))) <= 2e-6


# --- what is no LSTM, or none that is explained -----------------------------------------------------------------------

PEEPHOLES = {**ONE, "input_gate_peephole_weights": np.ones(UNITS, "f4")}
UNFIT = {
    "is a GRU": stored({"layers/gru/cell": arrays(gates=3)}),
    "is a simple recurrent layer": stored({"layers/simple_rnn/cell": arrays(gates=1)}),
    "is not an LSTM": stored({"layers/lstm/cell": {**ONE, "kernel": np.ones((3, 8), "f4")}}),
    "has a bias of [7] for 16 neurons": stored({"layers/lstm/cell": {**ONE, "bias": np.ones(7, "f4")}}),
    "has a kernel of 4 axes": stored({"layers/conv_lstm2d/cell": {name: np.ones((3, 3, 1, 4), "f4") for name in "01"}}),
    "has no recurrent_kernel": stored({"layers/lstm/cell": {"kernel": ONE["kernel"]}}),
    "has 4 arrays in its cell": stored({"layers/rnn/cell": PEEPHOLES}),
    "has a cell called own_cell, whose class": stored({"layers/rnn/cell": ONE}, {"layers/rnn/cell": "own_cell"}),
    "has input_gate_peephole_weights beside": legacy({"rnn": keras2("rnn", PEEPHOLES)}),
    "has 4 units forward and 5 backward": stored(
        {"layers/bidirectional/forward_layer/cell": ONE, "layers/bidirectional/backward_layer/cell": arrays(units=5)}
    ),
    "has no weights of its backward direction": legacy(
        {"both": keras2("both/forward_lstm", ONE)}, sequential(layer("Bidirectional", "both", layer=layer("LSTM", "lstm")))
    ),
    "it is in the config, and the file has no weights": legacy({}, sequential(layer("LSTM", "lstm"))),
    "has activation linear": legacy({"a": keras2("a", ONE)}, sequential(layer("LSTM", "a", activation="linear"))),
    "has activation a custom function or object": legacy(
        {"a": keras2("a", ONE)}, sequential(layer("LSTM", "a", activation={"class_name": ["x"], "config": [1]}))
    ),
    "has dtype int8_from_float32": legacy(
        {"a": keras2("a", ONE)},
        sequential(
            layer(
                "LSTM", "a", dtype={"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8", "source_name": "float32"}}
            )
        ),
    ),
    "has merge_mode ave": legacy(
        {"both": keras2("both/forward_lstm", ONE)},
        sequential(layer("Bidirectional", "both", layer=layer("LSTM", "lstm"), merge_mode="ave")),
    ),
}


@pytest.mark.parametrize("reason", UNFIT)
def test_what_is_not_explained_is_said_by_name(file: Any, reason: str) -> None:
    with pytest.raises(InputFileError) as caught:
        read(file, UNFIT[reason])
    assert reason in str(caught.value)


def test_what_is_not_explained_is_left_out_beside_what_is(file: Any) -> None:
    found = only(read(file, stored({"layers/gru/cell": arrays(gates=3), "layers/lstm/cell": ONE}, {"layers/lstm": "mine"})))
    assert found.name == "mine"
    assert [one.name for one in found.unsupported] == ["gru"]
    with pytest.raises(InputFileError, match=r"^m.h5#gru: it is a GRU: "):
        select_lstm((found,), "gru", "m.h5")


def test_an_lstm_that_is_not_explained_is_told_of_by_name_beside_one_that_is(file: Any) -> None:
    layers = [layer("LSTM", "odd", activation="relu"), layer("LSTM", "lost"), layer("LSTM", "fit")]
    content = legacy({"odd": keras2("odd", ONE), "fit": keras2("fit", ONE)}, sequential(*layers))
    found = only(read(file, content))
    assert found.name == "fit"
    assert [(one.name, one.reason) for one in found.unsupported] == [
        ("odd", "it has activation relu; only tanh is explained"),
        ("lost", "it is in the config, and the file has no weights of it"),
    ]
    assert select_lstm((found,), None, "m.h5") is found
    with pytest.raises(InputFileError, match=r"^m.h5#odd: it has activation relu; only tanh is explained"):
        select_lstm((found,), "odd", "m.h5")
    with pytest.raises(InputFileError, match=r"^m.h5#lost: .* Save the whole model"):
        select_lstm((found,), "fit+lost", "m.h5")


def test_a_layer_that_goes_backwards_reads_from_the_end(file: Any) -> None:
    content = legacy({"back": keras2("back", ONE)}, sequential(layer("LSTM", "back", go_backwards=True)))
    found = only(read(file, content))
    assert (found.reverse, found.reads) == (True, "from the end")
    assert "go_backwards" in found.title


def test_two_layers_of_one_name_are_told_apart_by_their_path(file: Any) -> None:
    lstms = read(file, stored({"a/cell": ONE, "b/cell": TWO}, {"a": "same", "b": "same"}))
    assert [one.name for one in lstms] == ["a/cell/vars", "b/cell/vars"]


def test_a_class_of_the_users_own_is_noted(file: Any) -> None:
    config = sequential({**layer("LSTM", "a"), "registered_name": "Mine>LSTM"})
    assert "a class LSTM of the user's own" in only(read(file, legacy({"a": keras2("a", ONE)}, config))).title


def test_merge_mode_none_is_noted(file: Any) -> None:
    config = sequential(layer("Bidirectional", "both", layer=layer("LSTM", "lstm"), merge_mode=None))
    layers = {"both": {**keras2("both/forward_lstm", ONE), **keras2("both/backward_lstm", TWO)}}
    assert "merge_mode None" in only(read(file, legacy(layers, config))).title


@pytest.mark.parametrize("kind", ["<f2", "<f4", "<f8", ">f4", ">f8"])
def test_floating_point_types(file: Any, kind: str) -> None:
    tensors = {name: array.astype(kind) for name, array in ONE.items()}
    found = only(read(file, stored({"layers/lstm/cell": tensors})))
    assert found.spec.dtype == ("float64" if kind.endswith("8") else "float32")
    assert same(found, tensors)


def kernel_of_type(kind: Any, words: Any) -> bytes:
    """A good file whose kernel is of a type of HDF5 that numpy has not, given as its bytes."""

    def change(_: Any, group: Any) -> None:
        del group["0"]
        space = h5py.h5s.create_simple((FEATURES, 4 * UNITS))
        made = h5py.h5d.create(group.id, b"0", kind, space)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, words, kind)

    return cell_and(change)


@pytest.mark.parametrize("order", ["<", ">"])
def test_bfloat16_as_a_floating_point_type(file: Any, order: str) -> None:
    """The upper halves of float32 numbers. A reader that looks at the size alone takes them for float16."""
    kind = h5py.h5t.IEEE_F16LE.copy() if order == "<" else h5py.h5t.IEEE_F16BE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_ebias(127)
    words = (ONE["kernel"].view("u4") >> np.uint32(16)).astype(f"{order}u2")
    found = only(read(file, kernel_of_type(kind, words)))
    kernel = next(iter(found.weights.layers[0].values())).kernel
    assert np.array_equal(kernel, (ONE["kernel"].view("u4") & np.uint32(0xFFFF0000)).view("f4"))


def test_a_sign_elsewhere_is_a_type_of_its_own(file: Any) -> None:
    standard = bytes([0x11, 0x20, 31, 0, 4, 0, 0, 0])
    with pytest.raises(InputFileError, match="in an unknown format"):
        read(file, GOOD.replace(standard, standard.replace(bytes([31]), bytes([0]))))


def test_a_name_that_stands_twice_in_a_group(file: Any) -> None:
    content = stored({"layers/lstm/cell": ONE, "layers/lstn/cell": TWO})
    assert content.count(b"lstn\0") == 1
    with pytest.raises(InputFileError, match="lstm appears twice in layers"):
        read(file, content.replace(b"lstn\0", b"lstm\0"))


def test_a_floating_point_type_of_its_own_is_refused(file: Any) -> None:
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_ebias(126)
    with pytest.raises(InputFileError, match="in an unknown format"):
        read(file, kernel_of_type(kind, ONE["kernel"]))


def test_types_that_are_no_floating_point_numbers(file: Any) -> None:
    for tensors in (
        {name: array.astype("i4") for name, array in ONE.items()},
        {name: array > 0 for name, array in ONE.items()},
    ):
        with pytest.raises(InputFileError, match="only floating-point numbers are read"):
            read(file, stored({"layers/lstm/cell": tensors}))


# --- configs that nobody honest writes --------------------------------------------------------------------------------

GOOD = stored({"layers/lstm/cell": ONE})
CONFIGS = {
    "the key class_name appears twice in one object": '{"class_name": "LSTM", "class_name": "GRU"}',
    "NaN is not JSON": '{"class_name": NaN}',
    "-Infinity is not JSON": '{"a": -Infinity}',
    "integer string conversion": '{"a": ' + "9" * 5000 + "}",
    "nested too deeply": '{"config": ' + "[" * 20_000 + "]" * 20_000 + "}",
    "is not a JSON object": "[1, 2]",
    "cannot be read as JSON": "{",
    "models in each other": json.dumps(0),
    "more than 10000 LSTM layers": json.dumps(sequential(*[{"class_name": "LSTM"}] * 10_001)),
    "whose name is not a text": json.dumps(sequential({"class_name": "LSTM", "config": {"name": {"a": 1}}})),
}
_deep: dict[str, Any] = layer("LSTM", "lstm")
for _ in range(40):
    _deep = sequential(_deep)
CONFIGS["models in each other"] = json.dumps(_deep)


@pytest.mark.parametrize("reason", CONFIGS)
def test_a_config_that_is_no_config(file: Any, reason: str) -> None:
    for content, name in (
        (archive(CONFIGS[reason], GOOD), "x.keras"),
        (hdf5(lambda one: one.attrs.__setitem__("model_config", CONFIGS[reason])), "x.h5"),
    ):
        with pytest.raises((InputFileError, RefusedError)) as caught:
            read(file, content, name)
        assert reason in str(caught.value)


@pytest.mark.parametrize(
    "config",
    [
        {}, {"config": {"layers": 5}}, {"config": {"layers": [None, 1, "LSTM", [], {}]}}, {"class_name": ["LSTM"]},
        sequential({"class_name": "LSTM"}), sequential({"class_name": "LSTM", "config": "x"}),
        sequential({"class_name": "Bidirectional", "config": {"layer": 3, "backward_layer": "x"}}),
        sequential({"class_name": "Bidirectional", "config": {"layer": layer("LSTM", "a"), "backward_layer": {}}}),
        sequential({"class_name": "RNN", "config": {"cell": {"class_name": "StackedRNNCells", "config": {"cells": 9}}}}),
        sequential({"class_name": "RNN", "config": {"cell": [1]}}),
    ],
)  # fmt: skip
def test_a_config_of_the_wrong_types_says_nothing_or_no(file: Any, config: Any) -> None:
    try:
        said = only(read(file, archive(config, GOOD), "x.keras")).name
    except InputFileError as error:
        said = error.found
    assert said.isprintable()


def test_code_in_a_config_is_text(file: Any) -> None:
    evil = {"class_name": "Lambda", "module": "os", "config": {"name": "system", "function": ["4wEAAAA=", None, None]}}
    found = only(read(file, archive(sequential(evil, layer("LSTM", "lstm")), GOOD), "x.keras"))
    assert found.name == "lstm"


def test_names_are_safe_to_print(file: Any) -> None:
    name = "\x1b[2J</script>\u202e"
    with pytest.raises(InputFileError) as caught:
        read(file, stored({"layers/lstm/cell": arrays(gates=3)}, {"layers/lstm": name}))
    assert str(caught.value).isprintable()


# --- archives ---------------------------------------------------------------------------------------------------------


def test_an_archive_without_weights_is_refused(file: Any) -> None:
    content = archive(sequential(), GOOD).replace(b"model.weights.h5", b"other.weights.h5")
    with pytest.raises(InputFileError, match=r"it has no model\.weights\.h5"):
        read(file, content, "x.keras")


def test_sizes_above_the_budget_are_refused_before_they_are_read(file: Any) -> None:
    tensors = arrays(features=400, units=400)
    for content, name in (
        (archive(sequential(), stored({"a/cell": tensors})), "x.keras"),
        (stored({"a/cell": tensors}), "x.h5"),
    ):
        path = file(name, content)
        with pytest.raises(RefusedError, match="--max-memory"):
            read_model(path, 3 * 10**6)
        assert len(read_model(path, 10**8)) == 1
    with pytest.raises(RefusedError, match=r"reading model\.weights\.h5 takes"):
        read_model(file("x.keras", archive(sequential(), stored({"a/cell": tensors}))), 8 * 10**6)


def test_another_convention_is_refused(file: Any) -> None:
    for content, name in ((GOOD, "x.h5"), (archive(sequential(), GOOD), "x.keras")):
        path = file(name, content)
        with pytest.raises(UsageError, match="--convention pytorch"):
            read_model(path, BUDGET, "pytorch")
        assert len(read_model(path, BUDGET, "keras")) == 1


def test_without_pyfive_the_extra_is_named(file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyfive", None)
    with pytest.raises(MissingExtraError, match=r"pyfive.*lstm-explain\[models\]"):
        read(file, GOOD)


# --- HDF5 that leads elsewhere ----------------------------------------------------------------------------------------


def cell_and(change: Callable[[Any, Any], None]) -> bytes:
    """A good file in which something is changed; `change` is given the file, and the group of the cell's arrays."""

    def build(one: Any) -> None:
        group = one.create_group("layers/lstm/cell/vars")
        for number, array in enumerate(ONE.values()):
            group[str(number)] = array
        change(one, group)

    return hdf5(build)


def kernel_as(**options: Any) -> bytes:
    """The same with another kernel, as `create_dataset` makes it."""

    def change(_: Any, group: Any) -> None:
        del group["0"]
        group.create_dataset("0", **options)

    return cell_and(change)


def linked(link: Any) -> bytes:
    return cell_and(lambda one, _: one.__setitem__("link", link))


def virtual(_: Any, group: Any) -> None:
    del group["0"]
    layout = h5py.VirtualLayout(shape=(3, 16), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(3, 16))
    group.create_virtual_dataset("0", layout)


def deep(one: Any, _: Any) -> None:
    for _ in range(100):
        one = one.create_group("g")


def again(one: Any, _: Any) -> None:
    for number in range(40):
        one[f"again{number}"] = one["layers"]


def referring(one: Any, group: Any) -> None:
    del group["0"]
    group.create_dataset("0", data=[[one.ref] * 16] * 3, dtype=h5py.ref_dtype)


HUGE = {"shape": (2**40, 16), "dtype": "f4"}
HOSTILE: dict[str, tuple[bytes, type[LstmExplainError]]] = {
    "an external link": (linked(h5py.ExternalLink("/etc/passwd", "/x")), RefusedError),
    "a soft link": (linked(h5py.SoftLink("/layers")), RefusedError),
    "a soft link that loops": (linked(h5py.SoftLink("/link")), RefusedError),
    "a hard link that loops": (cell_and(lambda one, group: group.__setitem__("up", one["layers"])), RefusedError),
    "many hard links": (cell_and(again), RefusedError),
    "groups without end": (cell_and(deep), RefusedError),
    "external storage": (kernel_as(shape=(3, 16), dtype="f4", external=[("/etc/passwd", 0, 192)]), RefusedError),
    "a virtual dataset": (cell_and(virtual), RefusedError),
    "compressed numbers": (kernel_as(data=ONE["kernel"], compression="gzip"), InputFileError),
    "chunks of a huge array": (kernel_as(**HUGE, chunks=(1, 16)), InputFileError),
    "a huge array that was never written": (kernel_as(**HUGE), InputFileError),
    "references": (cell_and(referring), InputFileError),
    "a new kind of file": (hdf5(lambda one: one.create_group("a"), libver="latest"), InputFileError),
    "a new kind of group": (cell_and(lambda one, _: one.create_group("a", track_order=True)), InputFileError),
    "a named type": (cell_and(lambda one, _: one.__setitem__("type", np.dtype("f4"))), InputFileError),
    "a list of configs": (hdf5(lambda one: one.attrs.__setitem__("model_config", [b"{}", b"{}"])), InputFileError),
}
WORDS = {
    "an external link": "leads to another file",
    "a soft link": "is a soft link",
    "a hard link that loops": "appears elsewhere in it too",
    "groups without end": "64 levels",
    "external storage": "are in another file",
    "a virtual dataset": "in another file or dataset",
    "compressed numbers": "compressed or filtered",
    "chunks of a huge array": "in chunks",
    "a huge array that was never written": "never written",
    "references": "references to other objects",
    "a new kind of file": "newer kind",
    "a new kind of group": "newer kind",
}


def outcome(path: str) -> tuple[str, int]:
    """What is said when a file is read, and how much memory it took at most."""
    tracemalloc.start()
    try:
        said = f"read {len(read_model(path, BUDGET))}"
    except LstmExplainError as error:
        said = str(error)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return said, peak


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_leads_elsewhere_is_refused_in_one_line(file: Any, kind: str) -> None:
    content, error = HOSTILE[kind]
    with pytest.raises(error) as caught:
        read(file, content)
    assert str(caught.value).isprintable()
    assert WORDS.get(kind, "") in str(caught.value)
    assert caught.value.exit_code in (3, 4)


def forged() -> dict[str, bytes]:
    """Files whose structures lie: places and sizes that a careless reader would follow."""
    named = stored({"layers/lstm/cell": ONE}, {"layers/lstm": "mine"})
    found = {}
    for mark in (b"TREE", b"HEAP", b"SNOD", b"GCOL"):
        place = named.index(mark)
        for at in (5, 6, 8, 16, 24, 32):
            for value in (0, 2**16 - 1, 2**31, 2**40, 2**64 - 1):
                changed = bytearray(named)
                changed[place + at : place + at + 8] = struct.pack("<Q", value)
                found[f"{mark.decode()} {at} {value}"] = bytes(changed)
    return found


def test_forged_structures_are_refused_or_harmless(file: Any) -> None:
    for kind, content in forged().items():
        said, peak = outcome(file("x.h5", content))
        assert said.isprintable(), kind
        assert peak < BUDGET, kind


def test_short_names_behind_a_long_path(file: Any) -> None:
    """Each object has a path of its own, which may be far longer than what the file takes to name it."""

    def build(one: Any) -> None:
        for _ in range(20):
            one = one.create_group("n" * 1000)
        for number in range(100):
            one.create_group(str(number))

    said, peak = outcome(file("x.h5", hdf5(build)))
    assert "its names take more than a sixteenth of the memory budget" in said
    assert peak < BUDGET


@pytest.mark.slow
def test_a_tree_whose_branches_are_one(file: Any) -> None:
    """A node of a group's index may name the same node below it thousands of times, and that one another."""
    tree = GOOD.index(b"TREE")
    content, below = bytearray(GOOD), tree
    for level in (1, 2, 3):
        node = b"TREE" + struct.pack("<BBHQQ", 0, level, 5000, 2**64 - 1, 2**64 - 1) + struct.pack("<QQ", 0, below) * 5001
        below = len(content)
        content += node
    content = content.replace(struct.pack("<Q", tree), struct.pack("<Q", below))
    said, peak = outcome(file("x.h5", bytes(content)))
    assert "point back into each other" in said
    assert peak < BUDGET


@pytest.mark.parametrize("count", [2**20, 2**40, 2**63])
def test_a_list_of_names_without_end(file: Any, count: int) -> None:
    """It is left out: the order of the layers is all that is lost."""
    content = legacy({name: keras2(name, ONE) for name in ("a", "b", "c")})
    place = content.index(struct.pack("<Q", 3), content.index(b"layer_names"))
    forged = content[:place] + struct.pack("<Q", count) + content[place + 8 :]
    said, peak = outcome(file("x.h5", forged))
    assert said == "read 3"
    assert peak < BUDGET


CHILD = """
import sys
from lstm_explain.errors import LstmExplainError
from lstm_explain.readers.model_file import read_model
for name in sys.argv[2:]:
    try:
        read_model(name, 10**7)
    except LstmExplainError as error:
        str(error)
if sys.argv[1] == "watch":
    events = []
    sys.addaudithook(lambda event, given: events.append((event, str(given[0]) if given else "")))
    for name in sys.argv[2:]:
        try:
            read_model(name, 10**7)
            print("read", name)
        except LstmExplainError as error:
            print("refused", error.exit_code, name)
    for event, given in list(events):
        print("EVENT", event, given)
else:
    print("optimised" if not __debug__ else "checked")
"""


@pytest.fixture
def corpus(file: Any) -> list[str]:
    names = [file(f"{place}.h5", content) for place, (content, _) in enumerate(HOSTILE.values())]
    evil = layer("Lambda", "evil", function=["4wEAAAA=", None, None])
    return [*names, file("good.h5", GOOD), file("x.keras", archive(sequential(evil, layer("LSTM", "lstm")), GOOD))]


@pytest.mark.slow
def test_no_other_file_is_opened_and_nothing_is_run(corpus: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", CHILD, "watch", *corpus], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    events = [line.split(" ", 2)[1:] for line in lines if line.startswith("EVENT")]
    assert {given for event, given in events if event == "open"} == set(corpus)
    assert {event for event, _ in events} <= {"open", "array.__new__", "builtins.id"}, "an event that nobody has judged"
    assert sum(line.startswith("read") for line in lines) == 2


@pytest.mark.slow
def test_asserts_are_not_what_keeps_us_safe(corpus: list[str]) -> None:
    """Under `python -O` those of pyfive are gone."""
    command = [sys.executable, "-O", "-W", "error", "-c", CHILD, "quiet", *corpus]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "optimised\n", "")


def test_the_directions_are_in_order(file: Any) -> None:
    parts = {"layers/bidirectional/backward_layer/cell": TWO, "layers/bidirectional/forward_layer/cell": ONE}
    found = only(read(file, stored(parts, {"layers/bidirectional": "both"})))
    assert tuple(found.weights.layers[0]) == (Direction.FORWARD, Direction.BACKWARD)
    assert same(found, ONE, TWO)
    assert found.name == "both"


@pytest.mark.slow
def test_fuzz() -> None:
    assert fuzz(target.HDF5, target.damaged_hdf5, 1, 1) > 10
    assert fuzz(target.ARCHIVES, target.damaged_archives, 1, 1) > 10
    assert fuzz(target.CONFIGS, target.damaged_configs, 1, 1) > 10
