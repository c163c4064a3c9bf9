"""The values of closed lists, for help and completion: the registries would load numpy. Tests compare the two."""

from __future__ import annotations

NOTATIONS = ("pytorch", "keras", "onnx", "ng", "colah", "goodfellow")
"""The values of `--notation`; `topics.lookup.find_notation` knows more names."""
FRAMEWORKS = (
    *("keras", "pytorch", "pytorch-cell", "onnx", "tensorflow1", "flax-linen", "flax-nnx", "flax-nnx-optimized", "equinox"),
    *("haiku", "mlx", "tinygrad", "coreml", "openvino", "webnn", "tflite"),
)
"""The frameworks; `topics.lookup.find_framework` knows more names."""
DOCUMENTED_CALLS = ("keras", "pytorch", "onnx", "flax-linen", "flax-nnx", "flax-nnx-optimized")
"""The frameworks that `shapes --framework` knows."""
TASKS = ("one-to-one", "one-to-many", "many-to-one", "many-to-many", "encoder-decoder")
CHAPTERS = ("circles", "unit", "sharing", "states", "outputs", "words")
QUIZ_TOPICS = ("shapes", "unit", "tasks", "window", "influence", "trace", "memory", "frameworks")
SCALES = ("standard", "minmax")

_VALUES = {
    "chapter": CHAPTERS,
    "convention": FRAMEWORKS,
    "delimiter": (",", "tab", "space"),
    "framework": DOCUMENTED_CALLS,
    "layout": ("0", "1"),
    "level": ("1", "2", "3"),
    "name": FRAMEWORKS,
    "notation": NOTATIONS,
    "scale": SCALES,
    "source": FRAMEWORKS,
    "target": FRAMEWORKS,
    "task": TASKS,
    "to": FRAMEWORKS,
}


def values_of(command: str, name: str) -> tuple[str, ...]:
    """The values of an option or argument whose type does not list them; none if it takes any value."""
    if name == "words":
        from lstm_explain.frameworks.glossary import ENTRIES

        return tuple(entry.word.replace(" ", "-") for entry in ENTRIES)  # a shell would split at a blank
    if name == "topic":
        return QUIZ_TOPICS if command == "quiz" else schema_names()
    return _VALUES.get(name, ())


def schema_names() -> tuple[str, ...]:
    """The names that `schema` takes."""
    from importlib import resources

    files = (resources.files("lstm_explain.render") / "schemas").iterdir()
    return tuple(sorted(file.name.removesuffix(".json") for file in files if file.name.endswith(".json")))
