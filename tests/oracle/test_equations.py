"""The equations as the frameworks print them themselves; and, computed with the frameworks' own weights, their output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.core.cell import sigmoid
from lstm_explain.core.equations import evaluate, symbols_in
from lstm_explain.library import seeded
from lstm_explain.topics.equations import explain_equations
from lstm_explain.topics.result import to_plain

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.topics.equations import WrittenNotation

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")]

SAMPLES, TIMESTEPS, FEATURES, UNITS = 4, 6, 3, 5


def written(notation: str, **options: Any) -> WrittenNotation:
    lstm = seeded(samples=SAMPLES, timesteps=TIMESTEPS, features=FEATURES, units=UNITS, **options)
    return explain_equations(lstm, notation).notations[0]


def computed(one: WrittenNotation, weights: dict[str, Array], batch: Array) -> Array:
    """The hidden state at every timestep, from weights by the texts of their signs; [samples, timesteps, units]."""
    signs = {name.key: name.sign.text for name in one.symbols}
    bound = {key: weights[text] for key, text in signs.items() if text in weights}
    h = c = np.zeros((batch.shape[0], UNITS))
    course = []
    for t in range(batch.shape[1]):
        arrays = {**bound, "input": batch[:, t], "hidden_before": h, "cell_before": c}
        waiting = list(one.equations)
        while waiting:
            ready = next(equation for equation in waiting if reads(equation) <= set(arrays))
            arrays[ready.left.key] = evaluate(ready.right, arrays)
            waiting.remove(ready)
        h, c = arrays["hidden"], arrays["cell"]
        course.append(h)
    return np.stack(course, axis=1)


def reads(equation: Any) -> set[str]:
    """The quantities that an equation needs; vectors that it joins itself are not among them."""
    return {name.key for name in symbols_in(equation.right) if not name.key.startswith("joined_vector")}


def batch_of(seed: int = 0) -> Array:
    numbers: Array = np.random.default_rng(seed).normal(size=(SAMPLES, TIMESTEPS, FEATURES))
    return numbers


def tight(text: str) -> str:
    return re.sub(r"[\s{}]", "", text)


def test_pytorch_prints_these_equations(torch: Any) -> None:
    printed = [tight(line.strip().removesuffix("\\\\")) for line in torch.nn.LSTM.__doc__.splitlines() if " = " in line]
    for equation in to_plain(written("pytorch"))["equations"]:
        assert tight(equation["latex"]) in printed


def test_onnx_prints_these_equations(onnx: Any) -> None:
    doc = onnx.defs.get_schema("LSTM").doc
    printed = {re.sub(r"\s", "", line.removeprefix("* ")) for line in doc.splitlines() if line.startswith("* ")}
    for equation in to_plain(written("onnx", peepholes=True))["equations"]:
        assert equation["text"].replace(" ", "") in printed


def test_with_pytorchs_own_weights_they_are_its_output(torch: Any) -> None:
    torch.manual_seed(0)
    module = torch.nn.LSTM(FEATURES, UNITS, batch_first=True, dtype=torch.float64)
    order = {"ih": "i", "hh": "h"}
    gates = re.search(r"\(W_ii\|W_i(\w)\|W_i(\w)\|W_i(\w)\)", torch.nn.LSTM.__doc__)
    assert gates is not None
    weights = {}
    for name, parameter in module.named_parameters():
        kind, read = name.split("_")[:2]
        letter = {"weight": "W", "bias": "b"}[kind]
        for gate, part in zip(("i", *gates.groups()), np.split(parameter.detach().numpy(), 4), strict=True):
            weights[f"{letter}_{order[read]}{gate}"] = part
    assert len(weights) == 16
    batch = batch_of()
    with torch.no_grad():
        theirs, _ = module(torch.tensor(batch))
    assert np.max(np.abs(computed(written("pytorch"), weights, batch) - theirs.numpy())) <= 1e-12


def test_with_onnx_weights_they_are_the_operators_output(onnx: Any, onnxruntime: Any) -> None:
    numbers, helper = np.random.default_rng(1), onnx.helper
    shapes = {"W": (1, 4 * UNITS, FEATURES), "R": (1, 4 * UNITS, UNITS), "B": (1, 8 * UNITS), "P": (1, 3 * UNITS)}
    given = {name: numbers.normal(size=shape).astype(np.float32) * np.float32(0.5) for name, shape in shapes.items()}
    doc = onnx.defs.get_schema("LSTM").doc
    orders = {name: re.search(rf"`{name}\[(\w+)\]`", doc) for name in ("W", "R", "Wb", "Rb", "P")}
    stored = {"W": given["W"][0], "R": given["R"][0], "P": given["P"][0]}
    stored |= dict(zip(("Wb", "Rb"), np.split(given["B"][0], 2), strict=True))
    weights: dict[str, Array] = {}
    for name, order in orders.items():
        assert order is not None
        for gate, part in zip(order[1], np.split(stored[name], len(order[1])), strict=True):
            weights[f"({name}{gate}^T)" if part.ndim == 2 else f"{name}{gate}"] = part.astype(np.float64).T
    batch = batch_of()
    inputs = ["X", "W", "R", "B", "", "", "", "P"]
    node = helper.make_node("LSTM", inputs, ["Y"], hidden_size=UNITS)
    value_info, kind = helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [node],
        "lstm",
        [value_info("X", kind, (TIMESTEPS, SAMPLES, FEATURES))],
        [value_info("Y", kind, (TIMESTEPS, 1, SAMPLES, UNITS))],
        [onnx.numpy_helper.from_array(array, name) for name, array in given.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (theirs,) = session.run(None, {"X": batch.transpose(1, 0, 2).astype(np.float32)})
    ours = computed(written("onnx", peepholes=True), weights, batch)
    assert np.max(np.abs(ours - theirs[:, 0].transpose(1, 0, 2))) <= 2e-6


def test_keras_equations_are_python_that_computes_its_output(keras: Any) -> None:
    """They are run as they stand, with the layer's own weights under their names."""
    keras.utils.set_random_seed(0)
    layer = keras.layers.LSTM(UNITS, return_sequences=True, bias_initializer="random_normal")
    batch = batch_of().astype(np.float32)
    theirs = np.asarray(layer(batch))
    names_of = [variable.name for variable in layer.weights]
    assert names_of == ["kernel", "recurrent_kernel", "bias"]
    scope: dict[str, Any] = dict(zip(names_of, map(np.asarray, layer.get_weights()), strict=True))
    scope |= {"sigmoid": sigmoid, "tanh": np.tanh, "h": np.zeros((SAMPLES, UNITS)), "c": np.zeros((SAMPLES, UNITS))}
    lines = [equation["text"] for equation in to_plain(written("keras"))["equations"]]
    for t in range(TIMESTEPS):
        scope |= {"inputs": batch[:, t], "h_tm1": scope["h"], "c_tm1": scope["c"]}
        exec("\n".join(lines), scope)
        assert np.max(np.abs(scope["h"] - theirs[:, t])) <= 2e-6


@pytest.mark.parametrize("notation", ["ng", "colah", "goodfellow"])
def test_papers_equations_with_pytorchs_weights_are_its_output(torch: Any, notation: str) -> None:
    """A third party's numbers: PyTorch's, cut and joined here, by the letters that these writers use."""
    torch.manual_seed(1)
    module = torch.nn.LSTM(FEATURES, UNITS, batch_first=True, dtype=torch.float64)
    named = {name: parameter.detach().numpy() for name, parameter in module.named_parameters()}
    letters = {"ng": "ufco", "colah": "ifCo", "goodfellow": ["^g", "^f", "", "^o"]}[notation]
    weights: dict[str, Array] = {}
    cut = {name: np.split(array, 4) for name, array in named.items()}
    for place, letter in enumerate(letters):
        w, r = cut["weight_ih_l0"][place], cut["weight_hh_l0"][place]
        bias = cut["bias_ih_l0"][place] + cut["bias_hh_l0"][place]
        if notation == "goodfellow":
            weights |= {f"U_i,j{letter}": w, f"W_i,j{letter}": r, f"b_i{letter}": bias}
        else:
            weights |= {f"W_{letter}": np.concatenate([r, w], axis=1), f"b_{letter}": bias}
    one, batch = written(notation), batch_of(2)
    joined = {"joined_vector"} & {name.key for name in one.symbols}
    assert bool(joined) is (notation != "goodfellow")
    with torch.no_grad():
        theirs, _ = module(torch.tensor(batch))
    ours = computed(one, weights, batch)
    assert np.max(np.abs(ours - theirs.numpy())) <= 1e-12
