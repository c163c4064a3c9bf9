"""What frameworks that are installed say, word for word, and that they do what the glossary says of them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.frameworks.glossary import ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.frameworks.glossary.entry import Usage

pytestmark = pytest.mark.oracle

USAGES = [(entry.word, usage) for entry in ENTRIES for usage in entry.usages]
DOCSTRINGS = [pair for pair in USAGES if pair[1].source.kind == "docstring"]
OPERATORS = [pair for pair in USAGES if pair[1].source.kind == "operator"]


def named(pair: Any) -> str:
    return f"{pair[0]}: {pair[1].source.location}: {pair[1].quote[:20]}"


def flat(text: str) -> str:
    """The text without line breaks, and without the marks of comments."""
    return " ".join(text.replace("//", " ").split())


def docstring(place: str) -> str:
    """The docstring of the object of a dotted name."""
    module, *names = place.split(".")
    found: Any = import_module(module)
    for name in names:
        module = f"{module}.{name}"
        found = getattr(found, name) if hasattr(found, name) else import_module(module)
    return str(found.__doc__)


@pytest.mark.parametrize("pair", DOCSTRINGS, ids=named)
def test_the_docstring_says_so(pair: tuple[str, Usage], framework: Callable[[str], Any]) -> None:
    _, usage = pair
    framework(usage.source.location.partition(".")[0])
    assert usage.quote in flat(docstring(usage.source.location))


@pytest.mark.parametrize("pair", OPERATORS, ids=named)
def test_the_operator_says_so(pair: tuple[str, Usage], onnx: Any) -> None:
    _, usage = pair
    if usage.source.location.endswith("Nodes"):
        text = (Path(onnx.__file__).parent / "onnx.proto").read_text("utf-8").partition("\n// Nodes\n")[2]
    else:
        schema = onnx.defs.get_schema("LSTM")
        parts = [*schema.inputs, *schema.outputs, *schema.attributes.values()]
        text = "\n".join([schema.doc, *(part.description for part in parts)])
    assert usage.quote in flat(text)


def test_a_quotation_that_is_not_there_fails(framework: Callable[[str], Any]) -> None:
    framework("torch")
    assert "number of neurons" not in flat(docstring("torch.nn.LSTM"))


def test_the_memory_state_of_keras_is_h_and_its_carry_state_c(keras: Any) -> None:
    layer = keras.layers.LSTM(4, return_sequences=True, return_state=True)
    batch = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    sequence, memory, carry = map(np.asarray, layer(batch))
    np.testing.assert_array_equal(memory, sequence[:, -1])
    assert np.abs(carry - memory).max() > 0.01


def test_the_cell_of_keras_takes_two_states(keras: Any) -> None:
    assert list(keras.layers.LSTMCell(4).state_size) == [4, 4]


def test_units_of_keras_is_the_output_of_one_direction(keras: Any) -> None:
    batch = np.zeros((3, 5, 2), "float32")
    assert keras.layers.LSTM(4)(batch).shape == (3, 4)
    assert keras.layers.Bidirectional(keras.layers.LSTM(4))(batch).shape == (3, 8)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_with_a_projection_hidden_size_is_no_longer_the_size_of_h(torch: Any) -> None:
    _, (hidden, cell) = torch.nn.LSTM(5, 10, proj_size=3)(torch.zeros(7, 2, 5))
    assert (hidden.shape[-1], cell.shape[-1]) == (3, 10)


def test_the_elements_of_h_n_are_samples(torch: Any) -> None:
    output, (hidden, _) = torch.nn.LSTM(5, 10, batch_first=True)(torch.zeros(2, 7, 5))
    assert (tuple(output.shape), tuple(hidden.shape)) == ((2, 7, 10), (1, 2, 10))
