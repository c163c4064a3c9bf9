"""The values of closed lists, for help and completion: the registries would load numpy. Tests compare the two."""

NOTATIONS = ("pytorch", "keras", "onnx", "ng", "colah", "goodfellow")
"""The values of `--notation`; `topics.lookup.find_notation` knows more names."""
