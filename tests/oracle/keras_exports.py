"""Export networks with Keras on torch: python keras_exports.py FOLDER writes NAME.onnx and NAME.npz for each in NAMES.

NAME.npz holds the network's weights, its inputs and its outputs. Keras chooses its backend when it is imported, so this is a
separate program; the fixture `keras_export` runs it once for all tests.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"
SAMPLES, TIMESTEPS, FEATURES, UNITS = 3, 5, 4, 6
NEWER = ", newer"
"""The end of the names of networks that torch's newer exporter writes, which Keras asks only for models that it can trace."""
NAMES = (
    "sequences", "last", "unrolled", "batch fixed", "no bias", "one unit", "one feature", "one timestep",
    "as many features as units", "from the end", "sixty timesteps", "sequences, newer", "from the end, newer",
    "no bias, newer", "hard sigmoid", "relu", "masked", "GRU", "one timestep, newer", "stacked", "stacked and dense",
    "stacked, newer", "bidirectional", "bidirectional unrolled", "bidirectional, newer", "unlike",
)  # fmt: skip


def models(keras: Any) -> dict[str, Any]:
    """Return a function that builds each network, by name."""
    layers = keras.layers

    def lstm(units: int = UNITS, **options: Any) -> Any:
        return layers.LSTM(units, **{"return_sequences": True, **options})

    def network(*stack: Any, timesteps: int = TIMESTEPS, features: int = FEATURES, samples: int | None = None) -> Any:
        return keras.Sequential([keras.Input((timesteps, features), batch_size=samples), *stack])

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


def export_networks(folder: Path) -> None:
    """Export the networks with random weights, and run them."""
    import keras
    import numpy as np
    import torch

    generator = np.random.default_rng(5)
    for name in NAMES:
        model = models(keras)[name.removesuffix(NEWER)]()
        model.set_weights([(generator.standard_normal(array.shape) * 0.5).astype("f4") for array in model.get_weights()])
        _, timesteps, features = model.inputs[0].shape
        batch = generator.standard_normal((SAMPLES, timesteps, features)).astype(np.float32)
        outputs = keras.ops.convert_to_numpy(model(batch))
        path = folder / f"{name}.onnx"
        if name.endswith(NEWER):
            program = torch.onnx.export(model.eval(), (torch.from_numpy(batch),), dynamo=True, verbose=False)
            program.save(str(path))
        else:
            model.export(path, format="onnx", verbose=False)
        np.savez(folder / f"{name}.npz", *model.get_weights(), inputs=batch, outputs=outputs)


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export_networks(Path(sys.argv[1]))
