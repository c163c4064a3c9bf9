"""The frameworks that there are: one row for each."""

from __future__ import annotations

from lstm_explain.frameworks.coreml import COREML_LAYER
from lstm_explain.frameworks.equinox import EQUINOX_LAYER
from lstm_explain.frameworks.flax import FLAX_LINEN_LAYER, FLAX_NNX_LAYER, FLAX_NNX_OPTIMIZED_LAYER
from lstm_explain.frameworks.haiku import HAIKU_LAYER
from lstm_explain.frameworks.keras import KERAS_LAYER
from lstm_explain.frameworks.mlx import MLX_LAYER
from lstm_explain.frameworks.onnx import ONNX_LAYER
from lstm_explain.frameworks.openvino import OPENVINO_LAYER
from lstm_explain.frameworks.pytorch import PYTORCH_CELL_LAYER, PYTORCH_LAYER
from lstm_explain.frameworks.tensorflow1 import TENSORFLOW1_LAYER
from lstm_explain.frameworks.tflite import TFLITE_LAYER
from lstm_explain.frameworks.tinygrad import TINYGRAD_LAYER
from lstm_explain.frameworks.webnn import WEBNN_LAYER

LAYERS = {
    layer.name: layer
    for layer in (
        KERAS_LAYER,
        PYTORCH_LAYER,
        PYTORCH_CELL_LAYER,
        ONNX_LAYER,
        TENSORFLOW1_LAYER,
        FLAX_LINEN_LAYER,
        FLAX_NNX_LAYER,
        FLAX_NNX_OPTIMIZED_LAYER,
        EQUINOX_LAYER,
        HAIKU_LAYER,
        MLX_LAYER,
        TINYGRAD_LAYER,
        COREML_LAYER,
        OPENVINO_LAYER,
        WEBNN_LAYER,
        TFLITE_LAYER,
    )
}
CONVENTIONS = {name: layer.convention for name, layer in LAYERS.items()}
