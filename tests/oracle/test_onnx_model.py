"""Models that exporters write, or that are put together as they write them: ONNX Runtime computes what we compute."""

from __future__ import annotations

import warnings
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.core.engine import forward
from lstm_explain.errors import InputFileError
from lstm_explain.readers.identify.model_lstm import select_lstm
from lstm_explain.readers.identify.onnx import read_onnx
from lstm_explain.readers.model_file import read_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lstm_explain.core.axes import Array
    from lstm_explain.core.record import Record
    from lstm_explain.readers.identify.model_lstm import ModelLSTM

pytestmark = pytest.mark.oracle

TOLERANCE = 2e-6
SAMPLES, TIMESTEPS, FEATURES, UNITS = 3, 5, 4, 6


@pytest.fixture(scope="module")
def files(onnx: Any) -> Any:
    from tests.helpers.model_files import onnx as onnx_files

    return onnx_files


def inputs(samples: int = SAMPLES, seed: int = 0) -> Array:
    drawn: Array = np.random.default_rng(seed).normal(size=(samples, TIMESTEPS, FEATURES)).astype(np.float32)
    return drawn


def run_lstms(lstms: tuple[ModelLSTM, ...], batch: Array) -> Record:
    """The last of consecutive LSTMs, each of which reads what the one before emits."""
    for one in lstms:
        samples, timesteps, _ = batch.shape
        initial = one.initial and one.initial.repeat(samples)
        record = forward(replace(one.spec, samples=samples, timesteps=timesteps), one.weights, batch, initial, None)
        batch = record.output
    return record


def run_onnxruntime(onnxruntime: Any, model: bytes, batch: Array, *outputs: str) -> list[Array]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    found: list[Array] = session.run(list(outputs) or None, {name: batch})
    return found


def read_lstms(model: Any) -> tuple[ModelLSTM, ...]:
    return read_onnx(BytesIO(model.SerializeToString()), "m.onnx", 2**30)


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_first": True},
        {"bias": False, "batch_first": True},
        {"num_layers": 2, "batch_first": True},
        {"num_layers": 2, "bidirectional": True},
    ],
)
def test_exports_of_torch(
    torch: Any, onnxruntime: Any, framework: Callable[[str], Any], tmp_path: Path, options: dict[str, Any], newer: bool
) -> None:
    if newer:
        framework("onnxscript")
    torch.manual_seed(1)
    lstm = torch.nn.LSTM(FEATURES, UNITS, **options).eval()
    batch = inputs()
    fed = batch if options.get("batch_first") else np.ascontiguousarray(batch.transpose(1, 0, 2))
    path = str(tmp_path / "torch.onnx")
    with warnings.catch_warnings():  # each exporter warns of the other, and of batches larger than 1
        warnings.simplefilter("ignore")
        torch.onnx.export(lstm, (torch.from_numpy(fed),), path, dynamo=newer, **({"external_data": False} if newer else {}))
    lstms = read_model(path, 2**30)
    layers = options.get("num_layers", 1)
    assert [(one.title, one.notes, one.initial) for one in lstms] == [("ONNX LSTM", (), None)] * layers
    output = run_onnxruntime(onnxruntime, (tmp_path / "torch.onnx").read_bytes(), fed)[0]
    output = output if options.get("batch_first") else output.transpose(1, 0, 2)
    assert np.max(np.abs(output - run_lstms(lstms, batch).output)) <= TOLERANCE


def test_a_torch_model_with_states_of_its_own(torch: Any, onnxruntime: Any, tmp_path: Path) -> None:
    class Model(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(FEATURES, UNITS, batch_first=True)
            self.h, self.c = (torch.nn.Parameter(torch.randn(1, 1, UNITS)) for _ in "hc")

        def forward(self, x: Any) -> Any:
            samples = x.shape[0]
            return self.lstm(x, (self.h.expand(-1, samples, -1).contiguous(), self.c.expand(-1, samples, -1).contiguous()))

    torch.manual_seed(2)
    path, batch = str(tmp_path / "states.onnx"), inputs()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        example = (torch.from_numpy(batch),)
        torch.onnx.export(Model().eval(), example, path, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "samples"}})
    (lstm,) = read_model(path, 2**30)
    assert lstm.initial is not None
    output = run_onnxruntime(onnxruntime, (tmp_path / "states.onnx").read_bytes(), batch)[0]
    assert np.max(np.abs(output - run_lstms((lstm,), batch).output)) <= TOLERANCE


@pytest.mark.parametrize("kind", ["loop", "scan", "function"])
def test_graphs_in_graphs(onnx: Any, onnxruntime: Any, files: Any, kind: str) -> None:
    """As exporters of Keras write it: in a body of a Loop or Scan, its weights turned, joined, captured or handed on."""
    model = getattr(files, f"in_{kind}")(files.weights(FEATURES, UNITS))
    onnx.checker.check_model(model)
    batch = inputs(1 if kind == "scan" else SAMPLES)
    (lstm,) = read_lstms(model)
    output = run_onnxruntime(onnxruntime, model.SerializeToString(), np.ascontiguousarray(batch.transpose(1, 0, 2)), "Y")[0]
    output = output.reshape(TIMESTEPS, 1, -1, UNITS)[:, 0].transpose(1, 0, 2)
    assert np.max(np.abs(output - run_lstms((lstm,), batch).output)) <= TOLERANCE


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("peepholes", [False, True])
def test_directions(onnxruntime: Any, files: Any, direction: str, peepholes: bool) -> None:
    """The weights of `reverse` are those of our forward LSTM; an `LSTM` of them turns the sequence itself."""
    ways = 2 if direction == "bidirectional" else 1
    model = files.simple(files.weights(FEATURES, UNITS, ways, 3, peepholes), direction=direction)
    batch = inputs()
    (lstm,) = read_lstms(model)
    output = run_onnxruntime(onnxruntime, model.SerializeToString(), np.ascontiguousarray(batch.transpose(1, 0, 2)), "Y")[0]
    output = output.transpose(2, 0, 1, 3).reshape(SAMPLES, TIMESTEPS, -1)
    if lstm.reverse:
        assert np.max(np.abs(output - run_lstms((lstm,), batch[:, ::-1]).output[:, ::-1])) <= TOLERANCE
        assert np.max(np.abs(output - run_lstms((lstm,), batch).output)) > 1e-2
    else:
        assert np.max(np.abs(output - run_lstms((lstm,), batch).output)) <= TOLERANCE


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("way", [False, True])
def test_who_reads_whom(
    torch: Any, onnxruntime: Any, framework: Callable[[str], Any], tmp_path: Path, newer: bool, way: bool
) -> None:
    if newer:
        framework("onnxscript")

    class Model(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.a = torch.nn.LSTM(FEATURES, UNITS, batch_first=True, bidirectional=way)
            self.b = torch.nn.LSTM(UNITS * (1 + way), UNITS, batch_first=True, bidirectional=way)
            self.c = torch.nn.LSTM(UNITS * (1 + way), UNITS, batch_first=True, bidirectional=way)

        def forward(self, x: Any) -> Any:
            middle = self.b(torch.dropout(self.a(x)[0], 0.5, False))[0]
            return middle, self.c(torch.relu(middle))[0]

    batch = inputs()
    path = tmp_path / "torch.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        more = {"external_data": False} if newer else {}
        torch.onnx.export(Model().eval(), (torch.from_numpy(batch),), str(path), dynamo=newer, **more)
    a, b, c = lstms = read_model(str(path), 2**30)
    assert b.fed_by == (a.name,)
    assert b.name not in (c.fed_by or (b.name,))
    assert (
        np.max(np.abs(run_onnxruntime(onnxruntime, path.read_bytes(), batch)[0] - run_lstms((a, b), batch).output))
        <= TOLERANCE
    )
    with pytest.raises(InputFileError, match=r"reads .*, not "):
        select_lstm(lstms, f"{b.name}+{c.name}", "m.onnx")
