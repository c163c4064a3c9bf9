"""One word names a topic everywhere: result, document, command, page, schema and tests have the same stem."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOPICS = {
    "shapes",
    "unit",
    "trace",
    "influence",
    "memory",
    "equations",
    "tasks",
    "terms",
    "window",
    "frameworks",
    "model",
    "convert",
    "verify",
}


def stems(folder: str, suffix: str = ".py") -> set[str]:
    return {path.name.removesuffix(suffix) for path in (ROOT / folder).glob(f"*{suffix}")}


def test_each_result_is_a_topic() -> None:
    results = set()
    for path in (ROOT / "lstm_explain/explain").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bases = {ast.unparse(base) for node in tree.body if isinstance(node, ast.ClassDef) for base in node.bases}
        if bases & {"Answer", "Explanation", "LayerExplanation"} and path.stem != "result":
            results.add(path.stem)
    assert results == TOPICS


def test_each_topic_has_its_document_command_page_schema_and_tests() -> None:
    assert stems("lstm_explain/document") >= TOPICS
    assert stems("lstm_explain/cli") >= TOPICS
    assert stems("docs/commands", ".md") >= TOPICS
    assert stems("lstm_explain/render/schemas", ".json") >= TOPICS
    assert {name.removeprefix("test_") for name in stems("tests/explain")} >= TOPICS
    assert {name.removeprefix("test_") for name in stems("tests/document")} >= TOPICS


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
