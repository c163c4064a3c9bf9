"""LSTMs that are written out in nodes: what is recognised in whatever form, and what is refused by name."""

from __future__ import annotations

import itertools
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, helper
from onnx.reference import ReferenceEvaluator

from lstm_explain.core.cell import step
from lstm_explain.core.gates import Direction, Gate
from lstm_explain.errors import LstmExplainError
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.identify.onnx import decomposed_layer, read_onnx, verify_cell
from lstm_explain.readers.identify.onnx.verify_cell import matches_reference
from tests.helpers.model_files import onnx_decomposed as files
from tests.helpers.model_files.onnx import model, tensors, weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.readers.identify.model_lstm import ModelLSTM

BUDGET = 2**28
LETTERS = {"i": Gate.INPUT, "f": Gate.FORGET, "g": Gate.CANDIDATE, "o": Gate.OUTPUT}
KNOWN_ORDERS = sorted(
    {
        "".join(next(letter for letter, gate in LETTERS.items() if gate is one) for one in convention.gate_order)
        for convention in CONVENTIONS.values()
        if not convention.gate_names and not convention.output_major
    }
)


def read_lstms(made: ModelProto, budget: int = BUDGET) -> tuple[ModelLSTM, ...]:
    return read_onnx(BytesIO(made.SerializeToString()), "m.onnx", budget)


def assert_refused(made: ModelProto, *parts: str) -> None:
    with pytest.raises(LstmExplainError) as caught:
        read_lstms(made)
    message = str(caught.value)
    assert caught.value.exit_code == 3, message
    assert message.isprintable()
    assert all(part in message for part in ("m.onnx", *parts)), message


def weights_of(lstm: ModelLSTM) -> LayerWeights:
    return lstm.weights.of(0, Direction.FORWARD)


def pack_weights(lstm: ModelLSTM, order: str) -> dict[str, Array]:
    """The weights of what was read, packed as the file has them."""
    layer = weights_of(lstm)
    columns = np.concatenate([np.arange(lstm.spec.units) + layer.columns(LETTERS[letter]).start for letter in order])
    arrays = {"K": layer.kernel[:, columns], "R": layer.recurrent_kernel[:, columns]}
    return arrays if layer.bias is None else {**arrays, "b": layer.bias[columns]}


def equal_weights(lstm: ModelLSTM, arrays: dict[str, Array], order: str = files.KERAS_ORDER) -> bool:
    read_out = pack_weights(lstm, order)
    return set(read_out) == set(arrays) and all(np.array_equal(read_out[name], arrays[name]) for name in arrays)


def run_cell(layer: LayerWeights, batch: Array, h: Array, c: Array) -> Array:
    """h of every timestep; [timesteps, samples, units]."""
    hidden = []
    for x in batch.transpose(1, 0, 2):
        made = step(layer, x, h, c)
        h, c = made.h, made.c
        hidden.append(h)
    return np.array(hidden)


# --- what is recognised -----------------------------------------------------------------------------------------------


@given(
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(2, 4)),
    order=st.sampled_from(KNOWN_ORDERS),
    flips=st.lists(st.booleans(), max_size=9),
    cut=st.sampled_from(["split", "sizes", "slices", "computed"]),
    hoisted=st.booleans(),
    casts=st.integers(0, 3),
    folded_start=st.booleans(),
    bias=st.booleans(),
    backwards=st.sampled_from(["", "index", "slice", "sequence", "twice"]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_every_way_to_write_it_out(
    sizes: tuple[int, int, int], order: str, flips: list[bool], cut: str, hoisted: bool, casts: int, folded_start: bool,
    bias: bool, backwards: str, seed: int,
) -> None:  # fmt: skip
    """The weights are read bit by bit, and what the file computes is what we compute of them."""
    features, units, timesteps = sizes
    arrays = files.kernels(features, units, seed, bias)
    way = files.Way(
        order, tuple(flips), cut, hoisted, casts=casts, folded_start=folded_start, backwards=backwards
    )  # fmt: skip
    made = files.unrolled(arrays, way, timesteps)
    (lstm,) = read_lstms(made)
    assert equal_weights(lstm, arrays, order)
    assert lstm.title == f"LSTM written out in {timesteps} timesteps"
    assert lstm.reverse == (backwards not in ("", "twice"))
    assert (lstm.spec.features, lstm.spec.units, lstm.biases, lstm.initial) == (features, units, int(bias), None)
    assert CONVENTIONS[lstm.framework].gate_order == tuple(LETTERS[letter] for letter in order)
    assert len(lstm.notes) == 1
    assert "of its timesteps, computed by ONNX's reference evaluator" in lstm.notes[0]
    assert len(lstm.notes[0]) < 190  # longer ones are cut where they are shown
    batch = np.random.default_rng(seed).normal(size=(2, timesteps, features)).astype(np.float32)
    (theirs,) = ReferenceEvaluator(made).run(["Y"], {"X": batch})
    turned = batch[:, ::-1] if lstm.reverse else batch
    zeros = np.zeros((2, units), np.float32)
    assert np.max(np.abs(run_cell(weights_of(lstm), turned, zeros, zeros) - theirs)) < 2e-6


@given(
    features=st.integers(1, 4),
    units=st.integers(1, 4),
    kind=st.sampled_from(["Loop", "Scan"]),
    cut=st.sampled_from(["split", "sizes"]),
    bias=st.booleans(),
    gemm=st.booleans(),
    flips=st.lists(st.booleans(), max_size=5),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=30, deadline=None)
def test_the_body_of_a_loop(
    features: int, units: int, kind: str, cut: str, bias: bool, gemm: bool, flips: list[bool], seed: int
) -> None:
    arrays = files.kernels(features, units, seed, bias)
    gemm = gemm and kind == "Scan"
    made = files.in_a_loop(arrays, files.Way(flips=tuple(flips), cut=cut, gemm=gemm), kind)
    (lstm,) = read_lstms(made)
    assert equal_weights(lstm, arrays)
    assert (lstm.name, lstm.title) == ("loop/body", f"LSTM written out in the body of a {kind}")
    assert lstm.framework == ("pytorch" if gemm else "keras")
    assert (lstm.reverse, lstm.initial, len(lstm.notes)) == (False, None, 1)
    batch = np.random.default_rng(seed).normal(size=(2, 3, features)).astype(np.float32)
    theirs = ReferenceEvaluator(made).run(["Y"], {"X": batch})[0].reshape(3, 2, units)  # it joins what a Loop stacks
    zeros = np.zeros((2, units), np.float32)
    assert np.max(np.abs(run_cell(weights_of(lstm), batch, zeros, zeros) - theirs)) < 2e-6


def test_a_scan_from_the_end() -> None:
    (lstm,) = read_lstms(files.in_a_loop(files.kernels(), files.Way(backwards="scan"), "Scan"))
    assert lstm.reverse


def test_weights_are_named_and_have_the_shape_that_they_have_in_the_file() -> None:
    (lstm,) = read_lstms(files.unrolled(files.kernels()))
    assert lstm.tensors == {"K": (3, 8), "R": (2, 8), "b": (8,)}
    (lstm,) = read_lstms(files.unrolled(files.kernels(), files.Way(gemm=True)))
    assert lstm.tensors == {"K_turned": (8, 3), "R_turned": (8, 2), "b": (8,)}


@pytest.mark.parametrize("square", [False, True])
def test_one_timestep(square: bool) -> None:
    """What reads h is told from the sizes, or from what is constant."""
    arrays = files.kernels(2 if square else 3, 2)
    (lstm,) = read_lstms(files.unrolled(arrays, timesteps=1))
    assert equal_weights(lstm, arrays)
    assert lstm.title == "LSTM written out in 1 timestep"
    assert not lstm.reverse


def test_states_that_it_starts_from() -> None:
    arrays = files.kernels()
    made = files.unrolled(arrays, h="h_0", c="c_0")
    states = {"h_0": np.full((1, 2), 0.25, np.float32), "c_0": np.full((3, 2), -0.5, np.float32)}
    made.graph.initializer.extend(tensors(states))
    (lstm,) = read_lstms(made)
    assert lstm.initial is not None
    assert np.array_equal(lstm.initial.hidden, np.full((1, 1, 2), 0.25))
    assert np.array_equal(lstm.initial.cell, np.full((1, 1, 2), -0.5))
    (lstm,) = read_lstms(files.unrolled(arrays, h="H", c="C"))
    assert lstm.initial is None
    assert any("starts from states that the model computes" in note for note in lstm.caveats)


def two_layers(second: files.Way) -> ModelProto:
    """The second layer reads what the first emits, timestep by timestep."""
    first, above = files.kernels(), files.kernels(2, 2, 1)
    made = files.unrolled(first, second)
    nodes, held = list(made.graph.node), list(made.graph.initializer)
    other = files.unrolled(above, files.Way())
    for node in other.graph.node:
        if node.op_type not in ("Shape", "Slice", "Concat", "ConstantOfShape", "Cast", "Constant", "Transpose", "Gather"):
            renamed = [
                f"t{name[1]}_h" if name.endswith("_read") else name if name == "zeros" else f"up_{name}" for name in node.input
            ]
            nodes.append(
                helper.make_node(node.op_type, renamed, [f"up_{name}" for name in node.output], name=f"up_{node.name}")
            )
            nodes[-1].attribute.extend(node.attribute)
    held += tensors({f"up_{name}": array for name, array in above.items()})
    held += tensors({"up_nought": np.array([0], np.int64)})
    return model(helper.make_graph(nodes, "two", made.graph.input, made.graph.output, held))


def test_a_layer_above_another() -> None:
    below, above = read_lstms(two_layers(files.Way()))
    assert equal_weights(below, files.kernels())
    assert equal_weights(above, files.kernels(2, 2, 1))
    assert (above.reverse, len(above.notes)) == (False, 1)


def test_the_same_weights_twice_are_one_layer() -> None:
    made = files.unrolled(files.kernels())
    again = [node for node in files.unrolled(files.kernels()).graph.node if any(name.startswith("t") for name in node.output)]
    for node in again:
        node.input[:] = [f"again_{name}" if name.startswith("t") else name for name in node.input]
        node.output[:] = [f"again_{name}" for name in node.output]
        node.name = f"again_{node.name}"
    made.graph.node.extend(again)
    assert [one.name for one in read_lstms(made)] == ["n_t0_h"]


def test_what_tensorflow_exports_has_a_node() -> None:
    """Its states are zeros that are made for each sample; of two directions, they are joined."""
    for ways, turned in itertools.product((1, 2), (False, True)):
        (lstm,) = read_lstms(files.after_tensorflow(weights(ways=ways), ways, turned))
        assert (lstm.name, lstm.initial, lstm.spec.bidirectional) == ("LSTM__33", None, ways == 2)
        assert lstm.reverse == (turned and ways == 1)
        assert [note for note in lstm.notes if "reverses the sequence" in note] == list(lstm.notes)
        assert len(lstm.notes) == int(turned and ways == 1)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gate", "squash"), [("HardSigmoid", "Tanh"), ("Sigmoid", "Relu"), ("Sigmoid", "Softsign")])
def test_other_activations_are_named(gate: str, squash: str) -> None:
    made = files.unrolled(files.kernels(), files.Way(gate=gate, squash=squash))
    assert_refused(
        made, "m.onnx#n_t0_h", f"its activations are {gate}, {squash}, {squash}; only Sigmoid, Tanh, Tanh are explained"
    )


def test_an_order_that_nobody_writes() -> None:
    order = next("".join(one) for one in itertools.permutations("ifgo") if "".join(one) not in KNOWN_ORDERS)
    assert_refused(files.unrolled(files.kernels(), files.Way(order)), "its gates are in the order")


def test_a_recurrent_kernel_that_is_not_there() -> None:
    made = files.unrolled(files.kernels(), files.Way(folded_start=True), timesteps=1)
    assert_refused(made, "its recurrent kernel is not in the file")


def masked(graph: Any) -> None:
    """The states are kept where a mask says so, as Keras exports a layer with a mask."""
    for node in graph.node:
        if any(name.startswith("t1_") for name in node.output):
            node.input[:] = [{"t0_h": "kept_h", "t0_c": "kept_c"}.get(name, name) for name in node.input]
    nodes = [helper.make_node("Where", ["mask", f"t0_{one}", "zeros"], [f"kept_{one}"]) for one in "hc"]
    graph.node.extend(nodes)


def peepholes(graph: Any) -> None:
    for node in graph.node:
        if list(node.output) == ["t1_z"]:
            node.output[0] = "t1_less"
    graph.node.append(helper.make_node("Add", ["t1_less", "looked"], ["t1_z"]))
    graph.node.append(helper.make_node("Concat", ["t0_c"] * 4, ["looked"], axis=1))


def given_weights(graph: Any) -> None:
    """The kernel is only known when the model runs."""
    kept = [one for one in graph.initializer if one.name != "K"]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    graph.input.append(helper.make_tensor_value_info("K", 1, None))


def scaled(graph: Any) -> None:
    """One number is added where no LSTM has one: only running it tells."""
    for node in graph.node:
        if list(node.output) == ["t1_z"] and "b" in node.input:
            node.input[:] = [name if name != "b" else "b_more" for name in node.input]
    graph.initializer.extend(tensors({"b_more": np.full(8, 0.5, np.float32)}))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (masked, "the c that it reads is not the output of the previous timestep, as where timesteps are masked"),
        (peepholes, "its gates read more than x @ K + h @ R + b"),
        (given_weights, "its gates read more than x @ K + h @ R + b with constant weights"),
    ],
)
def test_other_cells_are_refused_by_name(change: Callable[[Any], None], reason: str) -> None:
    made = files.unrolled(files.kernels())
    change(made.graph)
    assert_refused(made, "m.onnx#n_t", reason)


def test_a_timestep_with_other_weights_is_another_layer() -> None:
    """Nothing is called one layer that has two biases."""
    made = files.unrolled(files.kernels(), timesteps=4)
    scaled(made.graph)
    assert all("4 timesteps" not in one.title for one in read_lstms(made))


def test_states_that_a_loop_does_not_hand_on() -> None:
    made = files.in_a_loop(files.kernels())
    (body,) = (node.attribute[0].g for node in made.graph.node if node.op_type == "Loop")
    for node in body.node:
        if list(node.output) == ["c_out"]:
            node.input[0] = "c_old"
    assert_refused(made, "its states do not pass unchanged from timestep to timestep")


def test_what_does_not_compute_the_same_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decomposed_layer, "matches_reference", lambda *given: False)
    assert_refused(files.unrolled(files.kernels()), "its nodes do not compute what our own cell does")


def test_the_proof_tells_gates_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights with any two gates exchanged, or a bias that is off by a thousandth, are not what the nodes compute."""
    seen: list[tuple[Any, ...]] = []

    def noted(*given: Any) -> bool:
        seen.append(given)
        return matches_reference(*given)

    monkeypatch.setattr(decomposed_layer, "matches_reference", noted)
    assert read_lstms(files.unrolled(files.kernels(4, 3), files.Way(cut="computed", hoisted=True)))
    one, layer, constants = seen[0]
    assert matches_reference(one, layer, constants)
    for order in itertools.permutations(range(4)):
        columns = np.concatenate([np.arange(3) + 3 * place for place in order])
        turned = layer._replace(
            kernel=layer.kernel[:, columns], recurrent_kernel=layer.recurrent_kernel[:, columns], bias=layer.bias[columns]
        )
        assert matches_reference(one, turned, constants) == (order == (0, 1, 2, 3))
    assert not matches_reference(one, layer._replace(bias=layer.bias + np.float32(1e-3)), constants)


def test_a_long_sequence_that_is_multiplied_whole_is_proved_at_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_cell, "MAX_NUMBERS", 64)
    for backwards in ("", "index"):
        (lstm,) = read_lstms(files.unrolled(files.kernels(), files.Way(hoisted=True, backwards=backwards), 12))
        assert "one of its timesteps, computed" in lstm.notes[0]
    monkeypatch.setattr(verify_cell, "MAX_NUMBERS", 8)
    assert_refused(files.unrolled(files.kernels(), files.Way(hoisted=True), 12), "its nodes do not compute")


# --- hostile files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", files.HOSTILE)
def test_hostile_graphs_end_soon_and_in_our_own_words(kind: str) -> None:
    began = time.monotonic()
    lstms: tuple[ModelLSTM, ...] = ()
    message = ""
    try:
        lstms = read_lstms(files.HOSTILE[kind](), 2**26)
    except LstmExplainError as error:
        message = str(error)
    assert all(equal_weights(one, files.kernels()) for one in lstms)  # some of it may be an LSTM all the same
    assert message.isprintable()
    assert time.monotonic() - began < 10


@pytest.mark.slow
def test_a_hundred_thousand_nodes() -> None:
    began = time.monotonic()
    made = files.unrolled(files.kernels(), files.Way(cut="split"), 6_000)
    assert len(made.graph.node) > 100_000
    (lstm,) = read_lstms(made, 2**30)
    assert lstm.title == "LSTM written out in 6000 timesteps"
    assert time.monotonic() - began < 60


def test_many_cells_of_which_none_follows_another() -> None:
    made = files.unrolled(files.kernels(), files.Way(cut="split"), 600)
    for node in made.graph.node:
        if node.op_type in ("MatMul", "Mul"):
            node.input[:] = ["zeros" if name.endswith("_c") or name[-2:] == "_h" else name for name in node.input]
    (lstm,) = read_lstms(made, 2**30)
    assert lstm.title == "LSTM written out in 1 timestep"
