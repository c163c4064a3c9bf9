"""A `torch.nn.LSTM`, saved as named arrays and read back by us, makes its own outputs; a wrong order of its gates is named."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import GATES
from lstm_explain.library import from_model
from lstm_explain.topics.verify import explain_verify
from tests.helpers.model_files.arrays import npz

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lstm_explain.core.lstm import LSTM

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")]

Array = np.ndarray[Any, Any]
TOLERANCE = {"float64": 1e-12, "float32": 2e-6}
ORDERS = list(permutations(GATES))
few = settings(max_examples=3, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def save_file(framework: Callable[[str], Any]) -> Callable[[dict[str, Array], str], None]:
    saved: Callable[[dict[str, Array], str], None] = framework("safetensors.numpy").save_file
    return saved


def module(torch: Any, seed: int, dtype: str, **options: Any) -> Any:
    torch.manual_seed(seed)
    return torch.nn.LSTM(4, 5, batch_first=True, dtype=getattr(torch, dtype), **options)


def inputs_of(seed: int, dtype: str) -> Array:
    return np.random.default_rng(seed).normal(size=(3, 6, 4)).astype(dtype)


def run(torch: Any, lstm: Any, inputs: Array) -> tuple[Array, Array, Array]:
    with torch.no_grad():
        output, (hidden, cell) = lstm(torch.tensor(inputs))
    return output.numpy(), hidden.numpy(), cell.numpy()


def state_of(lstm: Any, prefix: str = "") -> dict[str, Array]:
    return {f"{prefix}{name}": tensor.numpy().copy() for name, tensor in lstm.state_dict().items()}


def assert_same(lstm: LSTM, theirs: tuple[Array, Array, Array], tolerance: float) -> None:
    record = lstm.run()
    for ours, other in zip((record.output, record.last_hidden, record.last_cell), theirs, strict=True):
        assert ours.shape == other.shape
        assert np.max(np.abs(ours - other)) <= tolerance


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("projection", [0, 3])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
@given(seed=st.integers(0, 999))
@few
def test_every_lstm_of_torch(
    torch: Any,
    save_file: Any,
    tmp_path_factory: pytest.TempPathFactory,
    layers: int,
    bidirectional: bool,
    projection: int,
    bias: bool,
    dtype: str,
    seed: int,
) -> None:
    theirs = module(torch, seed, dtype, num_layers=layers, bidirectional=bidirectional, proj_size=projection, bias=bias)
    inputs, folder = inputs_of(seed, dtype), tmp_path_factory.mktemp("models")
    named = {**state_of(theirs, "encoder.rnn."), "head.weight": np.ones((2, 3), dtype)}
    save_file(named, str(folder / "m.safetensors"))
    (folder / "m.npz").write_bytes(npz(named))
    made = run(torch, theirs, inputs)
    for name in ("m.safetensors", "m.npz"):
        ours = from_model(str(folder / name), "rnn", array=inputs)
        assert (
            len(ours.spec.layers),
            ours.spec.bidirectional,
            ours.spec.bias,
            ours.spec.projection or 0,
            ours.spec.dtype,
        ) == (*(layers, bidirectional, bias, projection, dtype),)
        assert_same(ours, made, TOLERANCE[dtype])
        verify = explain_verify(ours, made[0], TOLERANCE[dtype])
        assert verify.agrees
        assert verify.difference == np.max(np.abs(ours.run().output.astype("f8") - made[0].astype("f8")))


def test_a_cell_of_torch(torch: Any, tmp_path: Path) -> None:
    torch.manual_seed(1)
    cell = torch.nn.LSTMCell(4, 5, dtype=torch.float64)
    inputs = inputs_of(1, "float64")
    (tmp_path / "cell.npz").write_bytes(npz(state_of(cell)))
    ours = from_model(str(tmp_path / "cell.npz"), array=inputs).run()
    state, outputs = None, []
    with torch.no_grad():
        for step in range(inputs.shape[1]):
            state = cell(torch.tensor(inputs[:, step]), state)
            outputs.append(state[0].numpy())
    assert np.max(np.abs(ours.output - np.stack(outputs, 1))) <= 1e-12


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
def test_halves(torch: Any, framework: Callable[[str], Any], tmp_path: Path, kind: str) -> None:
    """Read as float32, they make what torch makes of the same numbers in float32."""
    half = module(torch, 2, "float32").to(getattr(torch, kind))
    framework("safetensors.torch").save_file(half.state_dict(), str(tmp_path / "m.safetensors"))
    inputs = inputs_of(2, "float32")
    ours = from_model(str(tmp_path / "m.safetensors"), array=inputs)
    assert ours.spec.dtype == "float32"
    assert_same(ours, run(torch, half.to(torch.float32), inputs), 2e-6)


def test_a_gru_of_torch_is_named(torch: Any, tmp_path: Path) -> None:
    from lstm_explain.errors import InputFileError

    (tmp_path / "gru.npz").write_bytes(npz(state_of(torch.nn.GRU(4, 5), "enc.")))
    with pytest.raises(InputFileError, match="enc: it is a GRU: it has 15 neurons for 5 units"):
        from_model(str(tmp_path / "gru.npz"))
    (tmp_path / "rnn.npz").write_bytes(npz(state_of(torch.nn.RNN(4, 5), "enc.")))
    with pytest.raises(InputFileError, match="enc: it is a simple recurrent layer"):
        from_model(str(tmp_path / "rnn.npz"))


@pytest.mark.parametrize("order", [order for order in ORDERS if order != GATES])
def test_a_wrong_order_of_the_gates_is_named(torch: Any, tmp_path: Path, order: Any) -> None:
    """What a conversion does that forgets to reorder them."""
    theirs = module(torch, 3, "float32", num_layers=2, bidirectional=True)
    inputs = inputs_of(3, "float32")
    named = {}
    for name, array in state_of(theirs).items():
        blocks = dict(zip(GATES, np.split(array, 4), strict=True))
        named[name] = np.concatenate([blocks[gate] for gate in order])
    (tmp_path / "wrong.npz").write_bytes(npz(named))
    verify = explain_verify(from_model(str(tmp_path / "wrong.npz"), array=inputs), run(torch, theirs, inputs)[0], 2e-6)
    assert not verify.agrees
    assert [one.gate_order for one in verify.alternatives] == [order]


def test_forgetting_batch_first_is_named(torch: Any, tmp_path: Path) -> None:
    """Without it torch takes the samples for timesteps, and says nothing."""
    torch.manual_seed(4)
    theirs = torch.nn.LSTM(4, 5, dtype=torch.float64)
    inputs = inputs_of(4, "float64")
    (tmp_path / "m.npz").write_bytes(npz(state_of(theirs)))
    verify = explain_verify(from_model(str(tmp_path / "m.npz"), array=inputs), run(torch, theirs, inputs)[0], 1e-12)
    assert [one.reading.layout for one in verify.alternatives] == ["timesteps first"]
