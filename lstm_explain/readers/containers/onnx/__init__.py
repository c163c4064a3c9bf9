"""ONNX files: the graphs of a model, its tensors, and the values that it computes from constants."""
