"""One word names a topic everywhere: result, document, command, page, schema and tests have the same stem."""

from importlib import import_module
from pathlib import Path

import pytest

import lstm_explain
from lstm_explain.topics.registry import TOPICS as TOPIC_ROWS
from lstm_explain.topics.registry import Topic
from lstm_explain.topics.result import Result

ROOT = Path(__file__).resolve().parents[2]
TOPICS = {topic.name for topic in TOPIC_ROWS}


def stems(folder: str, suffix: str = ".py") -> set[str]:
    return {path.name.removesuffix(suffix) for path in (ROOT / folder).glob(f"*{suffix}")}


def test_each_topic_has_a_package_page_command_documentation_schema_and_tests() -> None:
    packages = {path.parent.name for path in (ROOT / "lstm_explain/topics").glob("*/page.py")}
    assert packages == TOPICS
    assert stems("lstm_explain/cli") >= TOPICS
    assert stems("docs/commands", ".md") >= TOPICS
    assert stems("lstm_explain/render/schemas", ".json") >= TOPICS
    assert stems("tests/topics") >= {f"test_{topic}" for topic in TOPICS}


@pytest.mark.parametrize("topic", TOPIC_ROWS, ids=lambda topic: topic.name)
def test_a_topic_is_one_class_and_one_builder_of_its_name(topic: Topic) -> None:
    results = [member for member in vars(import_module(topic.module)).values() if is_result(member, topic.module)]
    assert [result.topic for result in results] == [topic.name]
    assert topic.builder is getattr(lstm_explain, topic.public_name)


def is_result(member: object, module: str) -> bool:
    return isinstance(member, type) and issubclass(member, Result) and member.__module__ == module


def test_each_command_is_listed_and_named_like_its_module() -> None:
    from lstm_explain.cli.commands import COMMANDS

    assert set(COMMANDS) >= TOPICS
    assert all((ROOT / f"lstm_explain/cli/{name}.py").exists() for name in COMMANDS)
    assert all((ROOT / f"docs/commands/{name}.md").exists() for name in COMMANDS)


def test_an_order_of_gates_is_spelled_only_where_orders_live() -> None:
    """A second spelling could disagree with the first, and a wrong gate order raises no error."""
    spelled = ("ifgo", "ifco", "iofc", '"i", "f", "g", "o"', "Gate.INPUT, Gate.FORGET, Gate.CANDIDATE")
    homes = {"core/gates.py"}
    for path in (ROOT / "lstm_explain").rglob("*.py"):
        name = path.relative_to(ROOT / "lstm_explain").as_posix()
        if name in homes or name.startswith("frameworks/"):
            continue
        text = path.read_text(encoding="utf-8")
        assert not [order for order in spelled if order in text], name
