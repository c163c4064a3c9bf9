"""Run alone, with Keras on torch: python keras_exports.py FOLDER NAME... writes NAME.onnx, and NAME.npz with what it makes.

Keras takes its backend when it is imported, so that this is a program of its own; the tests run it once.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"
SAMPLES, TIMESTEPS, FEATURES, UNITS = 3, 5, 4, 6


def models(keras: Any) -> dict[str, Any]:
    """How each is made, by name."""
    layers = keras.layers

    def lstm(units: int = UNITS, **options: Any) -> Any:
        return layers.LSTM(units, **{"return_sequences": True, **options})

    def network(*parts: Any, timesteps: int = TIMESTEPS, features: int = FEATURES, samples: int | None = None) -> Any:
        return keras.Sequential([keras.Input((timesteps, features), batch_size=samples), *parts])

    return {
        "sequences": lambda: network(lstm()),
        "last": lambda: network(lstm(return_sequences=False)),
        "unrolled": lambda: network(lstm(unroll=True)),
        "batch fixed": lambda: network(lstm(), samples=SAMPLES),
        "no bias": lambda: network(lstm(use_bias=False)),
        "one unit": lambda: network(lstm(1)),
        "one feature": lambda: network(lstm(), features=1),
        "one timestep": lambda: network(lstm(), timesteps=1),
        "as many features as units": lambda: network(lstm(), features=UNITS),
        "from the end": lambda: network(lstm(go_backwards=True)),
        "bidirectional": lambda: network(layers.Bidirectional(lstm())),
        "bidirectional unrolled": lambda: network(layers.Bidirectional(lstm(unroll=True)), samples=SAMPLES),
        "stacked": lambda: network(lstm(), lstm()),
        "stacked and dense": lambda: network(lstm(), lstm(return_sequences=False), layers.Dense(2)),
        "unlike": lambda: network(lstm(), lstm(4, use_bias=False), lstm(3)),
        "sixty timesteps": lambda: network(lstm(), timesteps=60),
        "hard sigmoid": lambda: network(lstm(recurrent_activation="hard_sigmoid")),
        "relu": lambda: network(lstm(activation="relu")),
        "masked": lambda: network(layers.Masking(), lstm()),
        "GRU": lambda: network(layers.GRU(UNITS)),
    }


def write(folder: Path, names: list[str]) -> None:
    """Export models with random weights, and run them."""
    import keras
    import numpy as np
    import torch

    numbers = np.random.default_rng(5)
    for name in names:
        kind, _, newer = name.partition(", ")
        made = models(keras)[kind]()
        made.set_weights([(numbers.standard_normal(one.shape) * 0.5).astype(np.float32) for one in made.get_weights()])
        _, timesteps, features = made.inputs[0].shape
        batch = numbers.standard_normal((SAMPLES, timesteps, features)).astype(np.float32)
        outputs = keras.ops.convert_to_numpy(made(batch))
        path = folder / f"{name}.onnx"
        if newer:  # torch's newer exporter, which Keras asks only for models that it can trace
            program = torch.onnx.export(made.eval(), (torch.from_numpy(batch),), dynamo=True, verbose=False)
            program.save(str(path))
        else:
            made.export(path, format="onnx", verbose=False)
        np.savez(folder / f"{name}.npz", *made.get_weights(), inputs=batch, outputs=outputs)


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(Path(sys.argv[1]), sys.argv[2:])
