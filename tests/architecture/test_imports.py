"""Which way imports run. The table is the one in docs/how-it-works.md; anything else fails here, also inside functions."""

import ast
import re
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "lstm_explain"
ANY = {"core", "frameworks", "readers", "topics", "document", "render", "apps"}

OWN = {
    "core": set(),
    "frameworks": {"core"},
    "readers": {"core", "frameworks"},
    "topics": {"core", "frameworks", "document"},
    "document": {"core.axes", "core.gates", "core.spec"},
    "render": {"document", "topics", "core.axes", "core.gates", "core.record"},
    "apps": {"core", "frameworks", "topics", "document", "render"},
    "library": ANY,
    "cli": {*ANY, "library"},
}
THIRD_PARTY = {
    "core": {"numpy", "threadpoolctl"},
    "frameworks": {"numpy"},
    "readers": {"numpy", "google", "msgpack", "onnx", "pyfive", "safetensors"},
    "topics": {"numpy"},
    "document": set(),
    "render": {"numpy", "onnx", "safetensors"},
    "apps": {"numpy", "textual", "jinja2", "markupsafe"},
    "library": set(),
    "cli": {"typer", "rich", "numpy"},
}
RICH_ONLY_IN = {"render/terminal.py", "cli/progress.py", "apps/explorer/app.py"}
TEXTUAL_ONLY_IN = {"apps/explorer/app.py"}

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)
MODULES += [PACKAGE / "library.py"]


def stage(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Every module that a file imports, by its full name; `from package import module` counts as the module too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide which stage is meant"
            module = node.module or ""
            found |= {module} if module != "lstm_explain" else {f"lstm_explain.{alias.name}" for alias in node.names}
    return found


def broken(path: Path) -> list[str]:
    """The imports of a file that its stage may not have."""
    own = stage(path)
    return [name for name in sorted(imported(path)) if not allowed(own, path, name)]


def allowed(own: str, path: Path, name: str) -> bool:
    head, _, rest = name.partition(".")
    if head != "lstm_explain":
        if head == "rich":
            return path.relative_to(PACKAGE).as_posix() in RICH_ONLY_IN
        if head == "textual":
            return path.relative_to(PACKAGE).as_posix() in TEXTUAL_ONLY_IN
        return head in sys.stdlib_module_names or head in THIRD_PARTY[own]
    if rest in {"errors", "version"} or rest.split(".")[0] == own:
        return True
    return any(rest == one or rest.startswith(f"{one}.") for one in OWN[own])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_what_its_stage_may(path: Path) -> None:
    assert broken(path) == []


@pytest.mark.parametrize("path", sorted((PACKAGE / "topics").glob("*/__init__.py")), ids=lambda path: path.parent.name)
def test_a_result_knows_no_words(path: Path) -> None:
    """`page.py` and its helpers lay a result out; the package of the result may name blocks in annotations only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert not [name for name in names if name.startswith("lstm_explain.document")]


def test_the_table_in_the_documentation_is_this_one() -> None:
    text = (PACKAGE.parent / "docs/how-it-works.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \| [^|]* \|$", text, re.MULTILINE))
    everything = {"library": ANY, "cli": {*ANY, "library"}}
    documented = {
        package: everything[package] if cell == "all of the above" else set(re.findall(r"`([\w.]+)`", cell))
        for package, cell in rows.items()
    }
    assert documented == OWN


def test_every_stage_is_in_the_table() -> None:
    assert {stage(path) for path in MODULES} == set(OWN) == set(THIRD_PARTY)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("core/cell.py", "import rich"),
        ("core/cell.py", "from lstm_explain.topics.trace import Trace"),
        ("topics/trace/__init__.py", "def f():\n    from lstm_explain.readers.containers.numpy_files import read_npy"),
        ("document/blocks.py", "import numpy"),
        ("render/layout.py", "import rich.table"),
        ("readers/containers/numpy_files.py", "from lstm_explain.topics.json_numbers import plain_numbers"),
        ("apps/explorer/actions.py", "import textual"),
        ("apps/explorer/view_model.py", "from lstm_explain.cli.source import lstm_from"),
        ("topics/trace/__init__.py", "from lstm_explain import library"),
    ],
)
def test_this_test_can_fail(place: str, line: str) -> None:
    path = PACKAGE / place
    names = {
        alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(line))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert names
    assert not any(allowed(stage(path), path, name) for name in names)
