"""lstm-explain: builds a real LSTM and explains it - every shape, every unit, every timestep.

    >>> import lstm_explain
    >>> lstm = lstm_explain.seeded(samples=1000, timesteps=10, features=5, units=10)
    >>> lstm_explain.shapes(lstm).total
    640

Each name below is loaded when it is first used, so that importing the package costs nothing. The lines about topics are
written by `python tests/docs/test_topic_tables.py`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lstm_explain.topics.registry import TOPICS
from lstm_explain.topics.result import Result
from lstm_explain.version import __version__

if TYPE_CHECKING:  # the same names for type checkers, who do not run `__getattr__`
    from lstm_explain.apps.report.page import build_report as report
    from lstm_explain.core.engine import forward
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import LayerSpec, Spec
    from lstm_explain.errors import LstmExplainError
    from lstm_explain.library import from_model, given, seeded

    # <topics>
    from lstm_explain.topics.convert import explain_convert as convert
    from lstm_explain.topics.equations import explain_equations as equations
    from lstm_explain.topics.frameworks import explain_frameworks as in_frameworks
    from lstm_explain.topics.influence import explain_influence as influence
    from lstm_explain.topics.memory import explain_memory as memory
    from lstm_explain.topics.model import explain_model as model
    from lstm_explain.topics.shapes import explain_shapes as shapes
    from lstm_explain.topics.tasks import explain_tasks as tasks
    from lstm_explain.topics.terms import explain_terms as terms
    from lstm_explain.topics.trace import explain_trace as trace
    from lstm_explain.topics.unit import explain_unit as unit
    from lstm_explain.topics.verify import explain_verify as verify
    from lstm_explain.topics.window import explain_window as window
# </topics>

_PUBLIC = {
    "LSTM": "core.lstm:LSTM",
    "LayerSpec": "core.spec:LayerSpec",
    "LstmExplainError": "errors:LstmExplainError",
    "Spec": "core.spec:Spec",
    "forward": "core.engine:forward",
    "from_model": "library:from_model",
    "given": "library:given",
    "report": "apps.report.page:build_report",
    "seeded": "library:seeded",
    "stream_trace": "topics.trace:stream_trace",
    **{topic.public_name: f"topics.{topic.name}:explain_{topic.name}" for topic in TOPICS},
}

__all__ = [
    "LSTM",
    "LayerSpec",
    "LstmExplainError",
    "Spec",
    "__version__",
    "forward",
    "from_model",
    "given",
    "report",
    "seeded",
    "stream_trace",
]
# <topic names>
__all__ += [
    "convert",
    "equations",
    "in_frameworks",
    "influence",
    "memory",
    "model",
    "shapes",
    "tasks",
    "terms",
    "trace",
    "unit",
    "verify",
    "window",
]
# </topic names>


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'lstm_explain' has no attribute {name!r}")
    module, _, attribute = _PUBLIC[name].partition(":")
    return getattr(import_module(f"lstm_explain.{module}"), attribute)


def __dir__() -> list[str]:
    return list(__all__)


def _render_result(answer: Result, view: str) -> Any:
    return import_module("lstm_explain.library").render_result(answer, view)


Result.present = staticmethod(_render_result)
