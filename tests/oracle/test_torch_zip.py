"""Files that torch writes are read without torch, and the LSTM in them computes what torch computes."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.engine import StackState, forward
from lstm_explain.errors import InputFileError, LstmExplainError, RefusedError
from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.pytorch import read_pytorch
from lstm_explain.readers.identify.model_lstm import select_lstm
from lstm_explain.readers.model_file import read_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.identify.model_lstm import ModelLSTM

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")]

BUDGET = 10**8
TOLERANCE = {"float64": 1e-12, "float32": 2e-6}


@pytest.fixture
def saved(torch: Any, tmp_path: Path) -> Callable[..., str]:
    """Have torch write a file; its name."""

    def save(value: Any, **options: Any) -> str:
        name = str(tmp_path / "model.pt")
        torch.save(value, name, **options)
        return name

    return save


def only(name: str) -> ModelLSTM:
    return select_lstm(read_model(name, BUDGET), None, name)


def difference(torch: Any, module: Any, lstm: ModelLSTM, seed: int = 0) -> float:
    """The largest difference between torch's output, last h and last c, and ours over the weights that were read."""
    drawn = np.random.default_rng(seed).normal(size=(3, 5, lstm.spec.features)).astype(lstm.spec.dtype)
    with torch.no_grad():
        output, (hidden, cell) = module(torch.tensor(drawn).transpose(0, 1))
    record = forward(replace(lstm.spec, samples=3, timesteps=5), lstm.weights, drawn)
    pairs = [(record.output, output.transpose(0, 1)), (record.last_hidden, hidden), (record.last_cell, cell)]
    return largest([(ours, theirs.numpy()) for ours, theirs in pairs])


def largest(pairs: list[tuple[Array, Array]]) -> float:
    assert all(ours.shape == theirs.shape for ours, theirs in pairs)
    return max(float(np.max(np.abs(ours - theirs))) for ours, theirs in pairs)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("projection", [0, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
def test_lstm(
    torch: Any, saved: Callable[..., str], layers: int, bidirectional: bool, projection: int, bias: bool, dtype: str
) -> None:
    options = {"num_layers": layers, "bidirectional": bidirectional, "proj_size": projection, "bias": bias}
    module = torch.nn.LSTM(3, 4, **options, dtype=getattr(torch, dtype))
    found = only(saved(module.state_dict()))
    spec = found.spec
    assert (spec.features, spec.units, len(spec.layers), spec.bidirectional) == (3, 4, layers, bidirectional)
    assert (spec.projection or 0, spec.bias, spec.dtype) == (projection, bias, dtype)
    assert found.title == "torch.nn.LSTM"
    assert found.tensors == {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    assert difference(torch, module, found) <= TOLERANCE[dtype]


@pytest.mark.parametrize("bias", [True, False])
def test_lstm_cell(torch: Any, saved: Callable[..., str], bias: bool) -> None:
    cell = torch.nn.LSTMCell(3, 4, bias=bias)
    found = only(saved({"decoder": cell.state_dict()}))
    assert (found.name, found.title) == ("decoder", "torch.nn.LSTMCell")
    same = torch.nn.LSTM(3, 4, bias=bias)
    same.load_state_dict({f"{name}_l0": tensor for name, tensor in cell.state_dict().items()})
    assert difference(torch, same, found) <= TOLERANCE["float32"]


class Net:
    """Makes a module around an LSTM; torch is there only inside of tests."""

    @staticmethod
    def of(torch: Any) -> Any:
        class Tagger(torch.nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.embedding = torch.nn.Embedding(50, 3)
                self.norm = torch.nn.BatchNorm1d(3)
                self.lstm = torch.nn.LSTM(3, 4, num_layers=2)
                self.head = torch.nn.Linear(4, 2)

        return Tagger()


def test_a_checkpoint(torch: Any, saved: Callable[..., str]) -> None:
    """With all that a training loop writes beside the weights."""
    net = Net.of(torch)
    optimizer = torch.optim.Adam(net.parameters())
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 7])
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    checkpoint = {
        "state_dict": torch.nn.DataParallel(net).state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "rng": torch.get_rng_state(),
        "python": __import__("random").getstate(),
        "best": np.float64(0.5),
        "least": np.float32(0.25),
        "losses": [0.9, 0.5],
        "epoch": 3,
        "size": net.lstm.weight_ih_l0.shape,
        "device": torch.device("cpu"),
        "dtype": torch.float32,
        "raw": b"bytes",
        "words": {"a", "b"},
        "huge": 2**100,
    }
    found = only(saved(checkpoint))
    assert found.name == "state_dict.module.lstm"
    assert difference(torch, net.lstm, found) <= TOLERANCE["float32"]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol(torch: Any, saved: Callable[..., str], protocol: int) -> None:
    module = torch.nn.LSTM(3, 4)
    assert difference(torch, module, only(saved(module.state_dict(), pickle_protocol=protocol))) <= TOLERANCE["float32"]


def test_parameters_themselves(torch: Any, saved: Callable[..., str]) -> None:
    module = torch.nn.LSTM(3, 4)
    assert difference(torch, module, only(saved(dict(module.named_parameters())))) <= TOLERANCE["float32"]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(torch: Any, saved: Callable[..., str], dtype: str) -> None:
    """Read as float32, which holds every half: what torch computes with the same weights in float32."""
    module = torch.nn.LSTM(3, 4, bidirectional=True).to(getattr(torch, dtype))
    found = only(saved(module.state_dict()))
    assert found.spec.dtype == "float32"
    assert difference(torch, module.float(), found) <= TOLERANCE["float32"]


def test_views(torch: Any, saved: Callable[..., str]) -> None:
    """Tensors that share numbers, lie transposed, or are one number many times."""
    state = torch.nn.LSTM(3, 4).state_dict()
    flat = torch.randn(16 * 3 + 16 * 4)
    state["weight_ih_l0"] = flat[: 16 * 3].view(3, 16).T
    state["weight_hh_l0"] = flat[16 * 3 :].view(16, 4).flip(0)[::1]
    state["bias_ih_l0"] = flat[5:37:2]
    state["bias_hh_l0"] = torch.tensor(0.25).expand(16)
    module = torch.nn.LSTM(3, 4)
    module.load_state_dict(state)
    assert difference(torch, module, only(saved(state))) <= TOLERANCE["float32"]


def test_tied_modules(torch: Any, saved: Callable[..., str]) -> None:
    module = torch.nn.LSTM(3, 4)
    name = saved(OrderedDict(torch.nn.ModuleDict({"one": module, "two": module}).state_dict()))
    lstms = read_model(name, BUDGET)
    assert [one.name for one in lstms] == ["one", "two"]
    assert max(difference(torch, module, one) for one in lstms) <= TOLERANCE["float32"]
    with pytest.raises(InputFileError, match="there are 2 LSTMs to choose from: one, two"):
        select_lstm(lstms, None, name)


KINDS = ["float64", "float32", "float16", "bfloat16"]


@given(
    kind=st.sampled_from(KINDS),
    sizes=st.lists(st.integers(0, 4), max_size=3),
    strides=st.lists(st.integers(0, 5), min_size=3, max_size=3),
    offset=st.integers(0, 7),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_view(
    torch: Any,
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    sizes: list[int],
    strides: list[int],
    offset: int,
    seed: int,
) -> None:
    numbers = torch.tensor(np.random.default_rng(seed).normal(size=80)).to(getattr(torch, kind))
    view = numbers.as_strided(sizes, strides[: len(sizes)], offset)
    path = tmp_path_factory.getbasetemp() / "view.pt"
    torch.save({"view": view, "other": numbers}, path)
    with path.open("rb") as file:
        found = read_pytorch(file, MemoryBudget("view.pt", BUDGET)).arrays["view"]
    wide = torch.float64 if kind == "float64" else torch.float32
    np.testing.assert_array_equal(found, view.to(wide).numpy())
    if 0 not in sizes:
        assert found.dtype == view.to(wide).numpy().dtype


WRITE = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np, torch
from torch.testing._internal.common_modules import module_db
torch.manual_seed(0)
info = next(one for one in module_db if one.module_cls is torch.nn.LSTM)
given = info.module_inputs_func(info, device="cpu", dtype=torch.float32, requires_grad=False, training=False)
for number, one in enumerate(given):
    module = torch.nn.LSTM(*one.constructor_input.args, **one.constructor_input.kwargs)
    torch.save(module.state_dict(), f"{sys.argv[1]}/{number}.pt")
    inputs = one.forward_input.args
    with torch.no_grad():
        output, (hidden, cell) = module(*inputs)
    start = inputs[1] if len(inputs) > 1 and inputs[1] is not None else (torch.zeros_like(hidden), torch.zeros_like(cell))
    arrays = dict(x=inputs[0], output=output, hidden=hidden, cell=cell, start_hidden=start[0], start_cell=start[1])
    np.savez(f"{sys.argv[1]}/{number}.npz", **{name: tensor.numpy() for name, tensor in arrays.items()})
print(len(given))
"""


def test_the_configurations_that_torch_tests_itself_with(framework: Callable[[str], Any], tmp_path: Path) -> None:
    """In a process of its own: the module that lists them changes torch's settings."""
    framework("torch")
    framework("expecttest")
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(tmp_path)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    count = int(done.stdout.split()[-1])
    assert count >= 32
    assert max(one_configuration(tmp_path / str(number)) for number in range(count)) <= TOLERANCE["float32"]


def one_configuration(path: Path) -> float:
    """The largest difference; torch was given one sample without an axis for samples."""
    found, theirs = only(f"{path}.pt"), np.load(f"{path}.npz")
    inputs = theirs["x"][None]
    start = StackState.from_stacked(theirs["start_hidden"][:, None], theirs["start_cell"][:, None])
    record = forward(replace(found.spec, samples=1, timesteps=inputs.shape[1]), found.weights, inputs, start)
    return largest(
        [
            (record.output[0], theirs["output"]),
            (record.last_hidden[:, 0], theirs["hidden"]),
            (record.last_cell[:, 0], theirs["cell"]),
        ]
    )


def says_no(name: str) -> LstmExplainError:
    with pytest.raises(LstmExplainError) as caught:
        read_model(name, BUDGET)
    assert str(caught.value).isprintable()
    return caught.value


def test_the_old_format_is_refused(torch: Any, saved: Callable[..., str]) -> None:
    error = says_no(saved(torch.nn.LSTM(3, 4).state_dict(), _use_new_zipfile_serialization=False))
    assert isinstance(error, InputFileError)
    assert "this is a pickle" in str(error)


def test_other_recurrent_layers_are_refused_by_name(torch: Any, saved: Callable[..., str]) -> None:
    assert "is a GRU" in str(says_no(saved(torch.nn.GRU(3, 4).state_dict())))
    assert "is a simple recurrent layer" in str(says_no(saved(torch.nn.RNN(3, 4).state_dict())))


def test_a_whole_model_is_refused_by_name(torch: Any, saved: Callable[..., str]) -> None:
    error = says_no(saved(torch.nn.LSTM(3, 4)))
    assert isinstance(error, RefusedError)
    assert "torch.nn.modules.rnn.LSTM" in str(error)
    assert "torch.save(model.state_dict(), file)" in str(error)


def test_a_model_without_an_lstm(torch: Any, saved: Callable[..., str]) -> None:
    assert read_model(saved(torch.nn.Linear(3, 4).state_dict()), BUDGET) == ()


@pytest.mark.filterwarnings("ignore:.*quantized tensor creation functions")
@pytest.mark.parametrize("kind", ["sparse", "quantised", "float8", "conjugate", "parameter with a state"])
def test_tensors_of_other_kinds_are_refused_by_name(torch: Any, saved: Callable[..., str], kind: str) -> None:
    marked = torch.nn.Parameter(torch.ones(2))
    marked.note = "x"
    makers: dict[str, tuple[Callable[[], Any], str]] = {
        "sparse": (lambda: torch.eye(3).to_sparse(), "_rebuild_sparse_tensor"),
        "quantised": (lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8), "_rebuild_qtensor"),
        "float8": (lambda: torch.ones(2).to(torch.float8_e4m3fn), "torch."),
        "conjugate": (lambda: torch.ones(2, dtype=torch.complex64).conj(), "conjugates or negates only when"),
        "parameter with a state": (lambda: marked, "_rebuild_parameter_with_state"),
    }
    make, named = makers[kind]
    assert named in str(says_no(saved({"lstm": torch.nn.LSTM(3, 4).state_dict(), "other": make()})))
