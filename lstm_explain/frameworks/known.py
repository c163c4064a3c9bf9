"""The conventions that there are: one row for each framework."""

from __future__ import annotations

from lstm_explain.frameworks.keras import KERAS
from lstm_explain.frameworks.onnx import ONNX
from lstm_explain.frameworks.pytorch import PYTORCH

CONVENTIONS = {convention.framework: convention for convention in (KERAS, PYTORCH, ONNX)}
