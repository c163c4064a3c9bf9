"""Answer and Explanation: what every topic's result is, and the envelope that every JSON object opens with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from lstm_explain.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.spec import Spec

SCHEMA_VERSION = 1


class Answer:
    """A topic's answer: frozen, typed, and the same whoever looks at it.

    `to_dict()` gives it to programs. Notebooks and rich consoles show it by themselves, through `present`, which the package
    sets when it is imported, so that this stage need not know the later ones.
    """

    topic: ClassVar[str]
    """The one word that names the command, the module, the page and the schema."""
    present: ClassVar[Callable[[Answer, str], Any] | None] = None
    """(answer, `rich` or `html`) -> what a rich console or a notebook shows."""

    def facts(self) -> dict[str, Any]:
        """The topic's own part of the JSON object."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """The whole JSON object as plain Python data; see `docs/json-format.md`."""
        return {**envelope(self.topic), **finite(self.facts())}

    def __repr__(self) -> str:
        return f"<{self.topic}>"

    def __rich__(self) -> Any:
        return _presenter()(self, "rich")

    def _repr_html_(self) -> str:
        return str(_presenter()(self, "html"))


class Explanation(Answer):
    """An answer about one LSTM."""

    spec: Spec
    source: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return {**lstm_envelope(self.topic, self.spec, self.source), **finite(self.facts())}

    def __repr__(self) -> str:
        return f"<{self.topic} of {self.spec}>"


class LayerExplanation(Explanation):
    """An answer about one layer of an LSTM."""

    layer: int

    @property
    def layer_spec(self) -> Spec:
        """The sizes and options of that layer; those of `spec` may differ from layer to layer."""
        return self.spec.at(self.layer)


def envelope(topic: str) -> dict[str, Any]:
    """The keys that every JSON object begins with."""
    return {"schema": f"lstm-explain/{topic}", "schema_version": SCHEMA_VERSION, "tool_version": __version__}


def lstm_envelope(topic: str, spec: Spec, source: dict[str, Any]) -> dict[str, Any]:
    """The same where the answer is about one LSTM."""
    return {**envelope(topic), "spec": spec.to_dict(), "source": source}


def finite(facts: dict[str, Any]) -> dict[str, Any]:
    """Replace each nan and infinity, for which JSON has no word, by None; `nonfinite` lists where they stood."""
    found: list[dict[str, str]] = []
    return {**_finite(facts, "", found), "nonfinite": found}


def _presenter() -> Callable[[Answer, str], Any]:
    if Answer.present is None:
        raise RuntimeError("no presenter is set: import lstm_explain")
    return Answer.present


def _finite(value: Any, path: str, found: list[dict[str, str]]) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item, f"{path}.{key}" if path else str(key), found) for key, item in value.items()}
    if isinstance(value, list):
        if all(type(item) is float and math.isfinite(item) for item in value):
            return value
        return [_finite(item, f"{path}[{place}]", found) for place, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        found.append({"path": path, "value": str(value)})
        return None
    return value
