"""verify: outputs that PyTorch and Keras make, and those that they make after a usual mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.library import from_model
from lstm_explain.readers.model_file import read_separate_biases
from lstm_explain.topics.verify import explain_verify
from lstm_explain.topics.verify.weight_interpretations import SINGLE_BIASES, Interpretation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lstm_explain.core.axes import Array
    from lstm_explain.topics.verify import Verify

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy"),
]

BUDGET = 2**30
SAMPLES, TIMESTEPS, FEATURES, UNITS = 3, 6, 5, 4


def batch() -> Array:
    numbers: Array = np.random.default_rng(3).standard_normal((SAMPLES, TIMESTEPS, FEATURES)).astype(np.float32)
    return numbers


def verified(file: Path, expected: Any, layer: str | None = None) -> Verify:
    lstm = from_model(str(file), layer, array=batch())
    return explain_verify(
        lstm, np.asarray(expected), single_biases=lambda: read_separate_biases(str(file), layer, None, BUDGET)
    )


def torch_lstm(torch: Any, **options: Any) -> Any:
    torch.manual_seed(0)
    return torch.nn.LSTM(FEATURES, UNITS, batch_first=True, **options)


def run(torch: Any, lstm: Any, inputs: Array) -> Array:
    with torch.no_grad():
        made: Array = lstm(torch.tensor(inputs.copy()))[0].numpy()
    return made


def as_npz(torch: Any, tensors: dict[str, Any], path: Path) -> None:
    np.savez(path, **{name: tensor.numpy() for name, tensor in tensors.items()})


def as_torch(torch: Any, tensors: dict[str, Any], path: Path) -> None:
    torch.save(tensors, path)


def as_safetensors(torch: Any, tensors: dict[str, Any], path: Path) -> None:
    from safetensors.torch import save_file

    save_file(tensors, path)


@pytest.mark.parametrize("backwards", [False, True])
def test_keras_weights_alone_do_not_say_that_a_layer_goes_backwards(keras: Any, tmp_path: Path, backwards: bool) -> None:
    keras.utils.set_random_seed(0)
    layer = keras.layers.LSTM(UNITS, return_sequences=True, go_backwards=backwards)
    model = keras.Sequential([keras.Input((TIMESTEPS, FEATURES)), layer])
    model.save_weights(tmp_path / "m.weights.h5")
    verify = verified(tmp_path / "m.weights.h5", layer(batch()))
    if not backwards:
        assert verify.agrees
        return
    assert [one.reading for one in verify.alternatives] == [Interpretation(reversed=True, in_reading_order=True)]


def test_torch_fed_from_the_end(torch: Any, tmp_path: Path) -> None:
    lstm = torch_lstm(torch)
    torch.save(lstm.state_dict(), tmp_path / "m.pt")
    verify = verified(tmp_path / "m.pt", run(torch, lstm, batch()[:, ::-1]))
    assert [one.reading for one in verify.alternatives] == [Interpretation(reversed=True, in_reading_order=True)]


@pytest.mark.parametrize("dropped", ["bias_ih", "bias_hh"])
@pytest.mark.parametrize(
    ("ending", "write"), [("pt", as_torch), ("npz", as_npz), ("safetensors", as_safetensors)], ids=["pt", "npz", "safetensors"]
)
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}], ids=["one", "stack"])
def test_torch_without_one_of_its_two_biases(
    torch: Any, tmp_path: Path, ending: str, write: Callable[..., None], dropped: str, options: dict[str, Any]
) -> None:
    lstm = torch_lstm(torch, **options)
    path = tmp_path / f"m.{ending}"
    write(torch, {f"encoder.{name}": tensor.clone() for name, tensor in lstm.state_dict().items()}, path)
    assert verified(path, run(torch, lstm, batch())).agrees
    for name, tensor in lstm.named_parameters():
        if name.startswith(dropped):
            tensor.data.zero_()
    verify = verified(path, run(torch, lstm, batch()))
    bias = SINGLE_BIASES[dropped == "bias_ih"]
    assert [result.reading for result in verify.alternatives] == [Interpretation(bias=bias)]


@pytest.mark.parametrize("layers", [1, 2])
def test_torch_with_its_directions_swapped(torch: Any, tmp_path: Path, layers: int) -> None:
    lstm = torch_lstm(torch, num_layers=layers, bidirectional=True)
    tensors = lstm.state_dict()
    torch.save(tensors, tmp_path / "m.pt")
    made = run(torch, lstm, batch())
    halves = np.concatenate([made[..., UNITS:], made[..., :UNITS]], axis=-1)
    (found,) = verified(tmp_path / "m.pt", halves).alternatives
    assert found.reading == Interpretation(directions="outputs swapped")

    def other(name: str) -> str:
        return name.removesuffix("_reverse") if name.endswith("_reverse") else f"{name}_reverse"

    lstm.load_state_dict({name: tensors[other(name)].clone() for name in tensors})
    (found,) = verified(tmp_path / "m.pt", run(torch, lstm, batch())).alternatives
    assert found.reading == Interpretation(directions="weights swapped")


def test_one_bias_or_a_format_that_is_no_arrays_by_name_has_none_to_leave_out(keras: Any, torch: Any, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((TIMESTEPS, FEATURES)), keras.layers.LSTM(UNITS)])
    for name in ("m.weights.h5", "m.keras"):
        (model.save_weights if "weights" in name else model.save)(tmp_path / name)
        assert read_separate_biases(str(tmp_path / name), None, None, BUDGET) == ()
    torch.save(torch_lstm(torch, bias=False).state_dict(), tmp_path / "m.pt")
    assert read_separate_biases(str(tmp_path / "m.pt"), None, None, BUDGET) == ()
