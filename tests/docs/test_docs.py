"""The documentation is run: every example, every link, and every list that must be complete.

    python tests/docs/test_docs.py --write     rewrites what the examples show, and the picture, from real output

A fenced block of the language `console` holds commands, each on a line after `$ `, and below each what it prints: standard
output, then standard error. A line that is exactly `...` stands for any number of lines. Numbers of three decimals or more may
differ by one in the last, as two processors may. Commands are `lstm-explain` and `cat`, in a folder that holds the files of
`FILES`, 80 columns wide, without colour. A block of the language `python` is
executed; as a doctest where it begins with `>>>`. Commands that are not run, such as `pip`, stand in `sh` blocks.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import doctest
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

import lstm_explain
from lstm_explain.errors import LstmExplainError
from lstm_explain.topics.registry import COMMAND_GROUPS, TOPICS_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
PICTURE = "docs/trace.svg"
WRITE = "python tests/docs/test_docs.py --write"

ENVIRONMENT = {"COLUMNS": "80", "LINES": "40", "NO_COLOR": "1", "TERM": "dumb", "PYTHONIOENCODING": "utf-8"}
UNSET = ("FORCE_COLOR", "CLICOLOR_FORCE", "COLORTERM", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
A_BUG = "This is a bug in lstm-explain"
FOR_A_SHELL = set("|<>;&$*'\"")
NO_TOPICS = {"schema", "explore", "report", "tour", "quiz"}
"""Commands that explain nothing themselves."""

AIRLINE = "Passengers\n112\n118\n132\n129\n121\n135\n148\n148\n136\n119\n104\n118\n"
WEATHER = """temperature,humidity,pressure,wind,rain
-1.2,0.9,0.4,-0.3,-0.5
-0.8,0.7,0.1,0.2,-0.5
-0.1,0.2,-0.6,0.9,1.8
0.4,0.5,-1.1,1.4,2.1
0.9,-0.4,-0.2,0.3,-0.5
1.1,-0.9,0.5,-0.8,-0.5
0.6,-0.6,0.8,-1.0,-0.5
-0.3,0.1,0.6,-0.4,-0.5
"""
FILES = {
    "airline.csv": AIRLINE,
    "weather.csv": WEATHER,
    "dated.csv": "date,price\n2024-01-02,0.5\n2024-01-03,0.7\n2024-01-04,0.6\n",
    "gap.csv": "price\n0.5\nnan\n0.6\n",
    "days.csv": "date,price,holiday\n"
    + "".join(f"2024-01-{day:02},{day % 4 + 0.5},0\n" for day in (1, 2, 3, 4, 8, 9, 10, 11, 12)),
    "ragged.csv": "1,2\n3,4\n5\n",
    "empty.csv": "",
    "answers.json": '{"seed": 4, "level": 1, "questions": 2, "answers": {"1": "5 x 36", "2": "b"}}\n',
}
"""The files that the examples read."""


# --- examples ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    language: str
    body: str
    start: int
    """Where the body begins in the page's text."""
    line: int

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"

    @property
    def examples(self) -> list[tuple[str, list[str]]]:
        """Each command, and the lines that it is said to print."""
        found: list[tuple[str, list[str]]] = []
        for line in self.body.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                assert found, f"{self.name}: a console block begins with `$ ` and a command"
                found[-1][1].append(line)
        return found


def blocks_of(page: Path, language: str) -> list[Block]:
    text = page.read_text("utf-8")
    fences = re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [
        Block(page, language, one[2], one.start(2), text.count("\n", 0, one.start(2)) + 1)
        for one in fences
        if one[1] == language
    ]


def all_blocks(language: str) -> list[Block]:
    return [block for page in PAGES for block in blocks_of(page, language)]


@contextlib.contextmanager
def example_folder() -> Iterator[Path]:
    """A folder of its own for a block, with the files that examples read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "docs").mkdir()
        for file, text in FILES.items():
            (folder / file).write_text(text, "utf-8")
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        with contextlib.chdir(folder), mock.patch.dict(os.environ, {**ENVIRONMENT, "PATH": path}):
            for variable in UNSET:
                os.environ.pop(variable, None)
            yield folder


def printed(command: str) -> str:
    """What a command prints, standard error after standard output."""
    if not FOR_A_SHELL & set(command) and command.startswith("lstm-explain"):
        return printed_here(shlex.split(command))
    found = subprocess.run(command, shell=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return found.stdout.decode()


def printed_here(words: list[str]) -> str:
    """The same within this process, which need not start Python anew for each example."""
    from lstm_explain.cli.main import main

    output, errors = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(sys, "argv", words))
        # The program's name in `Usage:` lines is guessed from the main module, which here is pytest's.
        stack.enter_context(mock.patch.object(sys.modules["__main__"], "__package__", None, create=True))
        # After a failed write the program points descriptor 1 elsewhere. Here that descriptor is pytest's.
        stack.enter_context(mock.patch("os.dup2"))
        stack.enter_context(contextlib.redirect_stderr(errors))
        stack.enter_context(contextlib.redirect_stdout(output))
        stack.enter_context(contextlib.suppress(SystemExit))
        main()
    output.flush()
    raw = output.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode() + errors.getvalue()


def is_as_expected(expected: list[str], actual: list[str]) -> bool:
    reached = {0}  # how many of the actual lines the expected ones so far may stand for
    for line in expected:
        if line == "...":
            reached = set(range(min(reached, default=len(actual) + 1), len(actual) + 1))
        else:
            reached = {place + 1 for place in reached if place < len(actual) and is_alike(line, actual[place])}
    return len(actual) in reached


MEASURED = re.compile(r"((?:[ -]|(?<![\w.]))\d+(?:\.\d{3,}|(?:\.\d+)?(?=e-\d))(?:e[-+]?\d+)?|#[0-9a-f]{6}\b)")
"""A number of three decimals or more, or a small one written with a power of ten; with the place of its sign. Or a colour."""
MOST_DECIMALS = 6


def is_alike(line: str, other: str) -> bool:
    """Whether two lines are the same but for the last bits of their numbers, in which two processors may differ."""
    pieces, others = MEASURED.split(line), MEASURED.split(other)
    return pieces[::2] == others[::2] and all(map(is_near, pieces[1::2], others[1::2]))


def is_near(one: str, other: str) -> bool:
    """Whether two numbers differ by one in the last decimal at most, of six; or two colours by one in each part."""
    if one == other:
        return True
    if "#" in one + other:
        return one[0] == other[0] and all(abs(a - b) <= 1 for a, b in zip(parts_of(one), parts_of(other), strict=True))
    places = min(MOST_DECIMALS, decimals(one), decimals(other))
    return abs(float(one) - float(other)) < 1.5 * 10.0**-places


def parts_of(color: str) -> bytes:
    return bytes.fromhex(color[1:])


def decimals(number: str) -> int:
    digits, _, power = number.partition("e")
    return len(digits.partition(".")[2]) - int(power or 0)


def missing_tool(block: Block) -> str | None:
    if any("| jq" in command for command, _ in block.examples) and shutil.which("jq") is None:
        return "jq is not installed"
    return None


@pytest.mark.parametrize("block", all_blocks("console"), ids=lambda block: block.name)
def test_the_console_examples_print_what_is_shown(block: Block) -> None:
    reason = missing_tool(block)
    if reason is not None:
        pytest.skip(reason)
    with example_folder():
        for command, expected in block.examples:
            assert command.startswith(("lstm-explain", "cat ")), f"{block.name}: put `{command}` into a `sh` block"
            actual = printed(command).splitlines()
            assert A_BUG not in "\n".join(actual), f"{block.name}: `{command}` fails: {actual}"
            if not is_as_expected(expected, actual):
                difference = "\n".join(difflib.unified_diff(expected, actual, "shown", "printed", lineterm=""))
                pytest.fail(f"{block.name}: `{command}` prints something else now. To show it: {WRITE}\n{difference}", False)


@pytest.mark.parametrize("block", all_blocks("python"), ids=lambda block: block.name)
def test_the_python_examples_run(block: Block) -> None:
    if not block.body.startswith(">>>"):
        with example_folder():
            exec(compile("\n" * (block.line - 1) + block.body, str(block.page), "exec"), {"__name__": "__docs__"})
        return
    told: list[str] = []
    test = doctest.DocTestParser().get_doctest(block.body, {}, block.name, str(block.page), block.line - 1)
    with example_folder():
        failed, _ = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=told.append)
    assert not failed, "".join(told)


def test_there_are_examples() -> None:
    """The patterns above find something."""
    assert len(all_blocks("console")) > 20
    assert len(all_blocks("python")) > 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("h 0.123 -0.456", "h 0.124 -0.455"),
        ("h -0.000 1.000", "h  0.000 1.001"),
        ("h  0.001", "h -0.000"),
        ("0.30114967,-0.14122474", "0.3011497,-0.14122471"),
        ("0.057104,2.9e-05", "0.057105,0.000029"),
        ("recorded in float32: 3e-8.", "recorded in float32: 6e-8."),
        ('"g":-0.0012345678}', '"g":-0.0012345}'),
        ("fill: #f7f7f6", "fill: #f6f7f7"),
    ],
)
def test_last_bits_do_not_count(one: str, other: str) -> None:
    assert is_alike(one, other)
    assert is_alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("h 0.123", "h 0.125"),
        ("h 0.123", "h -0.123"),
        ("h 0.123", "h  0.123"),
        ("h 0.123 0.456", "h 0.123"),
        ("0.30114967", "0.30115267"),
        ("0.000045", "4.9e-04"),
        ("2.37 MiB", "2.38 MiB"),
        ("640 = 200", "641 = 200"),
        ("3e-8", "3e-4"),
        ("fill: #f7f7f6", "fill: #f5f7f6"),
        ("fill: #f7f7f6", "fill: 0.1234"),
        ("torch==2.13.0", "torch==2.14.0"),
    ],
)
def test_everything_else_counts(one: str, other: str) -> None:
    assert not is_alike(one, other)
    assert not is_alike(other, one)


def test_elided_lines() -> None:
    actual = ["one", "two", "three"]
    assert is_as_expected(["one", "...", "three"], actual)
    assert is_as_expected(["...", "two", "..."], actual)
    assert not is_as_expected(["one", "..."], actual[1:])
    assert not is_as_expected(["one", "three"], actual)
    assert not is_as_expected(["...", "four", "..."], actual)
    assert is_as_expected(["...", "three"], [*actual, "three"])
    assert is_as_expected(["..."], [])


# --- the picture ------------------------------------------------------------------------------------------------------


def picture_command() -> str:
    (command,) = (
        command for block in blocks_of(ROOT / "README.md", "console") for command, _ in block.examples if PICTURE in command
    )
    return command


def picture_now() -> str:
    with example_folder() as folder:
        printed(picture_command())
        return (folder / PICTURE).read_text("utf-8")


def is_as_drawn(picture: str) -> bool:
    return is_as_expected((ROOT / PICTURE).read_text("utf-8").splitlines(), picture.splitlines())


def test_the_picture_is_what_its_command_draws() -> None:
    if not is_as_drawn(picture_now()):
        pytest.fail(f"{PICTURE} is out of date. Draw it again: {WRITE}", False)


# --- lists that must be complete --------------------------------------------------------------------------------------


@cache
def help_of(*command: str) -> str:
    with example_folder(), mock.patch.dict(os.environ, {"COLUMNS": "200"}):
        return printed_here(["lstm-explain", *command, "--help"])


def commands() -> list[str]:
    return re.findall(r"^  ([a-z]+) ", help_of().partition(f"\n{COMMAND_GROUPS[0]}:\n")[2], re.MULTILINE)


def options(*command: str) -> list[str]:
    return re.findall(r"^  (?:-\w, )?(--[a-z-]+)", help_of(*command), re.MULTILINE)


def page_of(command: str) -> Path:
    return DOCS / "commands" / f"{command}.md"


def test_every_command_has_a_page_that_the_index_links_to() -> None:
    index = (DOCS / "index.md").read_text("utf-8")
    assert commands()
    for command in commands():
        assert page_of(command).is_file(), f"`lstm-explain {command}` has no page: write docs/commands/{command}.md"
        assert f"(commands/{command}.md)" in index, f"docs/index.md has no link to commands/{command}.md: add one"
    pages = {page.stem for page in (DOCS / "commands").glob("*.md")}
    assert pages == set(commands()), "docs/commands has pages of commands that are gone: delete them"


def test_every_option_is_on_its_page() -> None:
    for command in commands():
        text = page_of(command).read_text("utf-8")
        for option in options(command):
            told = re.search(rf"`(-\w, )?{option}\b[^`]*`", text)
            assert told, f"docs/commands/{command}.md does not mention {option}: add a row to its table of options"
    index = (DOCS / "index.md").read_text("utf-8")
    for option in options():
        assert f"`{option}`" in index, f"docs/index.md does not mention {option}: add a row to its table of options"


def test_no_page_has_an_option_that_is_gone() -> None:
    for command in commands():
        rows = re.findall(r"^\| `(?:-\w, )?(--[a-z-]+)", page_of(command).read_text("utf-8"), re.MULTILINE)
        assert set(rows) <= set(options(command)), f"docs/commands/{command}.md: delete the rows of options that are gone"


def test_the_options_that_commands_share_are_told_in_the_same_words() -> None:
    told: dict[str, tuple[str, str]] = {}
    for command in commands():
        text = page_of(command).read_text("utf-8")
        for option, row in re.findall(r"^(\| `(?:-\w, )?--[a-z-]+[^|]*)(\|.*)$", text, re.MULTILINE):
            if any(name in option for name in ("--unit ", "--step ", "--all`")):
                continue  # one unit or step for `unit`, several for `trace`; all of something else in each
            page, words = told.setdefault(option, (command, row))
            assert words == row, f"docs/commands: {command}.md and {page}.md differ in {option}: copy the right row to both"


def modules_of(package: str) -> dict[str, Any]:
    found = import_module(f"lstm_explain.{package}")
    return {one.name: import_module(f"lstm_explain.{package}.{one.name}") for one in iter_modules(found.__path__)}


def test_a_topic_has_the_same_stem_everywhere() -> None:
    asked = {name for name, module in modules_of("cli").items() if name in commands() and hasattr(module, name)}
    described = {page.stem for page in (DOCS / "commands").glob("*.md")}
    advice = (
        "a topic is a package in lstm_explain/topics, a module in lstm_explain/cli and a page in docs/commands, of one name"
    )
    assert set(TOPICS_BY_NAME) == asked - NO_TOPICS == described - NO_TOPICS, advice


def exit_codes(kind: type[LstmExplainError] = LstmExplainError) -> set[int]:
    return {kind.exit_code}.union(*(exit_codes(one) for one in kind.__subclasses__()))


def test_every_exit_code_is_listed() -> None:
    modules_of("cli")
    text = (DOCS / "messages.md").read_text("utf-8")
    for code in sorted(exit_codes() | {0, 130}):
        assert re.search(rf"^\| {code} \|", text, re.MULTILINE), f"docs/messages.md has no row for exit code {code}: add one"


def test_every_json_key_is_described() -> None:
    described = set(re.findall(r"`([\w.]+)`", (DOCS / "json-format.md").read_text("utf-8")))
    described |= {part for words in described for part in words.split(".")}
    odd = "--layers 2 --bidirectional --projection 2 --peepholes --units 3"
    lines = ["shapes --json", f"shapes --json {odd}", "trace --json --data weather.csv", "trace --json --lengths 3,2"]
    lines += ["shapes --json --framework pytorch --bidirectional", "shapes --json --framework keras --return-state"]
    lines += ["trace --format jsonl --sample 1", "unit --json --step 4", f"unit --json --step 2 {odd}"]
    lines += ["equations --json --all", f"equations --json --numbers {odd}"]
    lines += [f"influence --json --through-time --poke 1 {odd}"]
    lines += [f"memory --json {odd}", "memory --json --timesteps 1", "memory --json --carry-state --samples 3"]
    lines += [f"tasks --json {odd}", "tasks --json", "tasks many-to-one --json --lengths 3,2 --bidirectional"]
    lines += [f"terms --json {odd}"]
    lines += [f"tour --json {odd}", "tour --json --timesteps 1"]
    lines += ["window days.csv --json --timesteps 2 --time-column date --target price --scale standard"]
    lines += ["window weather.csv --json --timesteps 2 --scale minmax"]
    lines += ["quiz --export json --questions 3 --units 7", "quiz --answers answers.json"]
    with example_folder():
        outputs = [printed(f"lstm-explain {line}") for line in lines]
    for line, output in zip(lines, outputs, strict=True):
        for text in output.splitlines():
            missing = keys_of(json.loads(text)) - described
            assert not missing, f"docs/json-format.md does not describe {sorted(missing)} of `lstm-explain {line}`: add them"


def keys_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set[str]().union(*map(keys_of, value)) if isinstance(value, list) else set()


# --- messages ---------------------------------------------------------------------------------------------------------

ERRORS = {"UsageError", "InputFileError", "RefusedError", "OutputError"}


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """The fixed words of what each error says it found, the longest run of them, and the line they stand on."""
    for function in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(function, ast.FunctionDef):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ERRORS:
                    found = assigned(function, call.args[1], call.lineno)
                    yield call.lineno, max(fixed_words(found), key=len, default="")


def assigned(function: ast.FunctionDef, value: ast.expr, line: int) -> ast.expr:
    """The value itself, or what was last assigned to it where it is a name."""
    if not isinstance(value, ast.Name):
        return value
    all_of_them = [one for one in ast.walk(function) if isinstance(one, ast.Assign) and one.lineno < line]
    its_own = [one for one in all_of_them if ast.unparse(one.targets[0]) == value.id]
    return max(its_own, key=lambda one: one.lineno).value if its_own else value


def fixed_words(value: ast.expr) -> list[str]:
    parts = value.values if isinstance(value, ast.JoinedStr) else [value]
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def test_every_message_is_explained() -> None:
    text = " ".join((DOCS / "messages.md").read_text("utf-8").replace("`", "").split())
    seen = 0
    for path in sorted((ROOT / "lstm_explain").rglob("*.py")):
        for line, words in messages(path):
            seen += 1
            where = f"{path.relative_to(ROOT).as_posix()}:{line}"
            known = " ".join(words.split()).strip(" ;:,.")
            assert known in text, f"docs/messages.md does not explain the message {known!r} of {where}: add it"
    assert seen > 40


# --- links ------------------------------------------------------------------------------------------------------------


def prose_of(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors_of(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: the link {link} leads nowhere: correct it"
        if anchor:
            assert anchor in anchors_of(target), f"{page.name}: {target.name} has no heading #{anchor}: correct the link"


@pytest.mark.parametrize("name", ["airline.csv", "weather.csv"])
def test_the_files_of_the_examples_are_shown(name: str) -> None:
    assert f"$ cat {name}\n{FILES[name]}" in (DOCS / "index.md").read_text("utf-8"), f"docs/index.md does not show {name}"


def test_the_library_names_are_listed() -> None:
    text = (ROOT / "README.md").read_text("utf-8") + (DOCS / "index.md").read_text("utf-8")
    for name in lstm_explain.__all__:
        assert f"`{name}`" in text, f"neither README.md nor docs/index.md lists the library's `{name}`: add it"


# --- rewriting --------------------------------------------------------------------------------------------------------


def renewed(expected: list[str], actual: list[str]) -> list[str]:
    """What is printed now, with lines left out where they were before: each run of lines is found again by likeness."""
    if is_as_expected(expected, actual):
        return expected
    if "..." not in expected:
        return actual
    result: list[str] = []
    cursor, runs = 0, "\n".join(expected).split("...")
    for place, run in enumerate(runs):
        lines = run.strip("\n").split("\n") if run.strip("\n") else []
        result += ["..."] if place else []
        last = place == len(runs) - 1
        start = len(actual) - len(lines) if last else most_alike(lines, actual, cursor if place else None)
        result += actual[start : start + len(lines)]
        cursor = start + len(lines)
    return result


def most_alike(lines: list[str], actual: list[str], cursor: int | None) -> int:
    """Where the lines are found again, from the cursor on; at the very beginning where there is none."""
    if cursor is None:
        return 0

    def likeness(start: int) -> float:
        pairs = list(zip(lines, actual[start : start + len(lines)], strict=True))
        labels = sum(one.split()[:1] == other.split()[:1] for one, other in pairs)
        return labels + sum(difflib.SequenceMatcher(None, one, other).ratio() for one, other in pairs)

    return max(range(cursor, len(actual) - len(lines) + 1), key=likeness, default=cursor)


def rewritten(block: Block) -> str:
    lines: list[str] = []
    with example_folder():
        for command, expected in block.examples:
            actual = printed(command)
            if A_BUG in actual:
                sys.exit(f"{block.name}: `{command}` fails: {actual}")
            lines += [f"$ {command}", *renewed(expected, actual.splitlines())]
    return "".join(f"{line}\n" for line in lines)


def test_renewing_keeps_what_is_left_out() -> None:
    old = ["one is 1", "two is 2", "...", "nine is 9", "...", "end"]
    now = ["one is 10", "two is 2", "three", "four", "nine was 9", "ten", "the end"]
    assert renewed(old, now) == ["one is 10", "two is 2", "...", "nine was 9", "...", "the end"]
    assert renewed(["one"], now) == now


def write() -> None:
    for page in PAGES:
        text = before = page.read_text("utf-8")
        for block in reversed(blocks_of(page, "console")):
            if missing_tool(block) is None:
                text = text[: block.start] + rewritten(block) + text[block.start + len(block.body) :]
        if text != before:
            page.write_text(text, "utf-8")
            sys.stdout.write(f"rewrote {page.relative_to(ROOT)}\n")
    picture = picture_now()
    if not is_as_drawn(picture):
        (ROOT / PICTURE).write_text(picture, "utf-8")
        sys.stdout.write(f"rewrote {PICTURE}\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(f"usage: {WRITE}")
    write()
