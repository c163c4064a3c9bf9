"""The frameworks whose counts of parameters `shapes` compares: few, because they are loaded at every start of it."""

from __future__ import annotations

from lstm_explain.frameworks.keras import KERAS
from lstm_explain.frameworks.onnx import ONNX
from lstm_explain.frameworks.pytorch import PYTORCH

COMPARED = {convention.framework: convention for convention in (KERAS, PYTORCH, ONNX)}
