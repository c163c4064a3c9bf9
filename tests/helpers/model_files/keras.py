"""Files as Keras writes them, built with h5py: what old versions wrote, and what nobody honest would write.

The legacy layouts are those of keras/engine/saving.py (Keras 2.2) and tensorflow/python/keras/saving/hdf5_format.py (Keras 2.4
and later): `save_weights_to_hdf5_group` and the two functions that it calls.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

FEATURES, UNITS = 3, 4
NAMES = ("kernel", "recurrent_kernel", "bias")


def arrays(seed: int = 0, features: int = FEATURES, units: int = UNITS, gates: int = 4) -> dict[str, Any]:
    """The arrays of one layer, in Keras' names."""
    numbers = np.random.default_rng(seed)
    shapes = (features, gates * units), (units, gates * units), (gates * units,)
    return {name: numbers.normal(0, 0.5, shape).astype("f4") for name, shape in zip(NAMES, shapes, strict=True)}


def hdf5(build: Callable[[Any], None], **options: Any) -> bytes:
    """The bytes of a file that is built by a function of an open `h5py.File`."""
    stream = io.BytesIO()
    with h5py.File(stream, "w", **options) as file:
        build(file)
    return stream.getvalue()


def stored(layers: dict[str, dict[str, Any]], names: dict[str, str] | None = None) -> bytes:
    """`.weights.h5` of Keras 3: the arrays of cells by their path, and the names of layers by theirs."""

    def build(file: Any) -> None:
        for path, tensors in layers.items():
            group = file.create_group(f"{path}/vars")
            for number, array in enumerate(tensors.values()):
                group[str(number)] = array
        for path, name in (names or {}).items():
            file.require_group(f"{path}/vars").attrs["name"] = name

    return hdf5(build)


def legacy(
    layers: dict[str, dict[str, Any]],
    config: dict[str, Any] | None = None,
    version: str = "2.15.0",
    order: list[str] | None = None,
) -> bytes:
    """A legacy file: the arrays of each layer by the names that its weights had. With a config, a whole model.

    The layers are written in their own order, and listed in another if one is given.
    """

    def build(file: Any) -> None:
        group = file
        if config is not None:
            file.attrs["keras_version"] = version.encode()
            file.attrs["model_config"] = json.dumps(config).encode()
            group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in order or layers]
        group.attrs["backend"] = b"tensorflow"
        group.attrs["keras_version"] = version.encode()
        for name, tensors in layers.items():
            layer = group.create_group(name)
            layer.attrs["weight_names"] = [one.encode() for one in tensors]
            for path, array in tensors.items():
                layer.create_dataset(path, data=array)

    return hdf5(build)


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": list(layers)}}


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    standard = {"activation": "tanh", "recurrent_activation": "sigmoid"} if kind in ("LSTM", "LSTMCell") else {}
    return {"class_name": kind, "config": {"name": name, **standard, **config}}


def archive(config: Any, weights: bytes, **others: bytes) -> bytes:
    """A `.keras` file; a config that is text already is taken as it is."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("metadata.json", '{"keras_version": "3.8.0"}')
        file.writestr("config.json", config if isinstance(config, str | bytes) else json.dumps(config))
        file.writestr("model.weights.h5", weights)
        for name, content in others.items():
            file.writestr(name, content)
    return stream.getvalue()


def keras2(name: str, tensors: dict[str, Any], cell: str = "lstm_cell") -> dict[str, Any]:
    """A layer's arrays by their names in TensorFlow 2; before it, without the cell."""
    return {f"{name}/{cell}/{one}:0" if cell else f"{name}/{one}:0": array for one, array in tensors.items()}
