"""The registry of frameworks: one row for each. Choices, messages, the quiz and the tests iterate over it."""

from __future__ import annotations

from lstm_explain.frameworks.coreml import COREML
from lstm_explain.frameworks.equinox import EQUINOX
from lstm_explain.frameworks.flax import FLAX_LINEN, FLAX_NNX, FLAX_NNX_OPTIMIZED
from lstm_explain.frameworks.haiku import HAIKU
from lstm_explain.frameworks.keras import KERAS
from lstm_explain.frameworks.mlx import MLX
from lstm_explain.frameworks.notation import LITERATURE
from lstm_explain.frameworks.onnx import ONNX
from lstm_explain.frameworks.openvino import OPENVINO
from lstm_explain.frameworks.pytorch import PYTORCH, PYTORCH_CELL
from lstm_explain.frameworks.tensorflow import TENSORFLOW1, TFLITE
from lstm_explain.frameworks.tinygrad import TINYGRAD
from lstm_explain.frameworks.webnn import WEBNN

FRAMEWORKS = {
    framework.name: framework
    for framework in (
        KERAS,
        PYTORCH,
        PYTORCH_CELL,
        ONNX,
        TENSORFLOW1,
        FLAX_LINEN,
        FLAX_NNX,
        FLAX_NNX_OPTIMIZED,
        EQUINOX,
        HAIKU,
        MLX,
        TINYGRAD,
        COREML,
        OPENVINO,
        WEBNN,
        TFLITE,
    )
}
CONVENTIONS = {name: framework.convention for name, framework in FRAMEWORKS.items()}
CALLS = {name: framework.call for name, framework in FRAMEWORKS.items() if framework.call is not None}
SCRIPTS = {name: framework.script for name, framework in FRAMEWORKS.items() if framework.script is not None}

DEFAULT_NOTATION = "pytorch"
"""Its letters are the ones used everywhere else in this package."""
_WRITTEN_BY_FRAMEWORKS = [framework.notation for framework in FRAMEWORKS.values() if framework.notation is not None]
NOTATIONS = {
    notation.name: notation
    for notation in (*sorted(_WRITTEN_BY_FRAMEWORKS, key=lambda notation: notation.name != DEFAULT_NOTATION), *LITERATURE)
}
"""All notations, the default first."""
