"""The engine, recording all six tensors, against PyTorch and ONNX Runtime, which return outputs only.

    python tests/bench/engine.py [--runs N] [--only N,T,F,U ...]

Each size runs in turn: ours, theirs, ours, theirs. The rival is the faster of theirs, with as many threads as there are
processors. Exits 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, helper
from ratios import Row, interleaved, print_table

from lstm_explain.core.engine import forward
from lstm_explain.core.spec import Spec
from lstm_explain.core.weights import seeded_weights

if TYPE_CHECKING:
    from collections.abc import Callable

Array = np.ndarray[Any, np.dtype[Any]]
Sizes = tuple[int, int, int, int]

TARGETS: dict[Sizes, float] = {
    (1000, 10, 5, 10): 1.0,
    (10000, 10, 5, 10): 0.8,
    (100000, 10, 5, 10): 0.8,
    (1000, 10, 5, 512): 1.25,
    (256, 100, 128, 512): 1.25,
    (32, 100, 64, 128): 1.75,
    (1, 1000, 5, 10): 1.0,
}
"""The largest ratio to the rival that is good enough, by samples, timesteps, features and units."""
AGAINST_TORCH_ALONE: set[Sizes] = {(1, 1000, 5, 10)}
"""A single long sequence: ONNX Runtime's compiled loop over tiny steps is out of reach of any loop in Python."""
THREADS = os.cpu_count() or 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, help="how often each is timed; by default more often where it is fast")
    parser.add_argument("--only", nargs="*", metavar="N,T,F,U", help="the sizes to measure; all if left out")
    given = parser.parse_args()
    torch.set_num_threads(THREADS)
    chosen = [sizes for sizes in TARGETS if given.only is None or ",".join(map(str, sizes)) in given.only]
    rows = [measured(sizes, given.runs or runs_for(sizes)) for sizes in chosen]
    print_table(rows)
    return 0 if all(row.holds for row in rows) else 1


def runs_for(sizes: Sizes) -> int:
    """Enough runs for a steady median in a few seconds."""
    samples, timesteps, features, units = sizes
    work = samples * timesteps * units * (40 + features + units)
    return int(np.clip(1e9 / work, 9, 40))


def measured(sizes: Sizes, runs: int) -> Row:
    samples, timesteps, features, units = sizes
    spec = Spec.from_options(samples=samples, timesteps=timesteps, features=features, units=units)
    weights = seeded_weights(spec)
    inputs = np.random.default_rng(0).standard_normal((samples, timesteps, features)).astype(np.float32)
    rivals = {**torch_calls(sizes, inputs), **onnx_call(sizes, inputs)}
    medians = interleaved({"ours": lambda: forward(spec, weights, inputs), **rivals}, runs, rest=0.1)
    ours = medians.pop("ours")
    if sizes in AGAINST_TORCH_ALONE:
        medians.pop("ONNX Runtime")
    rival = min(medians, key=lambda name: medians[name])
    return Row(",".join(map(str, sizes)), ours, medians[rival], rival, TARGETS[sizes])


def torch_calls(sizes: Sizes, inputs: Array) -> dict[str, Callable[[], Any]]:
    """`torch.nn.LSTM` in inference mode, and called plainly: which is faster depends on the sizes."""
    _, _, features, units = sizes
    lstm = torch.nn.LSTM(features, units, batch_first=True)
    lstm.requires_grad_(False)
    batch = torch.from_numpy(inputs)

    def inference() -> Any:
        with torch.inference_mode():
            return lstm(batch)

    return {"PyTorch, inference": inference, "PyTorch, plain": lambda: lstm(batch)}


def onnx_call(sizes: Sizes, inputs: Array) -> dict[str, Callable[[], Any]]:
    """An ONNX model of one LSTM node, run by ONNX Runtime."""
    _, _, features, units = sizes
    rng = np.random.default_rng(1)
    shapes = {"W": (1, 4 * units, features), "R": (1, 4 * units, units), "B": (1, 8 * units)}
    tensors = [
        helper.make_tensor(name, TensorProto.FLOAT, shape, (rng.standard_normal(shape) / units**0.5).ravel())
        for name, shape in shapes.items()
    ]
    names = ["Y", "Y_h", "Y_c"]
    node = helper.make_node("LSTM", ["x", *shapes], names, hidden_size=units)
    read = helper.make_tensor_value_info("x", TensorProto.FLOAT, None)
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
    graph = helper.make_graph([node], "lstm", [read], made, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    batch = np.ascontiguousarray(inputs.transpose(1, 0, 2))
    return {"ONNX Runtime": lambda: session.run(None, {"x": batch})}


if __name__ == "__main__":
    sys.exit(main())
