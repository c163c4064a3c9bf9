"""`lstm-explain quiz`"""

import shutil
import textwrap
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from lstm_explain.cli.options import quote_option, with_option_groups
from lstm_explain.cli.prompt import ask_line, check_terminal
from lstm_explain.errors import InputFileError, UsageError

if TYPE_CHECKING:
    from lstm_explain.apps.quiz.generate import QuizRequest
    from lstm_explain.readers.answer_file import QuizAnswers
    from lstm_explain.topics.result import Result

MIN_COLUMNS, MAX_COLUMNS = 20, 100
"""Long lines are hard to read, on wide terminals too."""


class SizeOptions(NamedTuple):
    """The sizes that questions are about."""

    samples: Annotated[int | None, typer.Option(help="The number of samples to ask about. [default: drawn]")] = None
    timesteps: Annotated[int | None, typer.Option(help="The number of timesteps to ask about. [default: drawn]")] = None
    features: Annotated[int | None, typer.Option(help="The number of features to ask about. [default: drawn]")] = None
    units: Annotated[str | None, typer.Option(metavar="<int>", help="The number of units to ask about. [default: drawn]")] = (
        None
    )


@with_option_groups
def quiz(
    sizes: SizeOptions,
    questions: Annotated[int | None, typer.Option(help="How many questions, 500 at most. [default: 10]")] = None,
    level: Annotated[
        int | None,
        typer.Option(metavar="1|2|3", help="1: shapes and counts; 2: units; 3: frameworks, mistakes. [default: all, rising]"),
    ] = None,
    topic: Annotated[str | None, typer.Option(metavar="NAME", help="Ask about one topic, such as shapes or memory.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed asks the same questions. [default: 0]")] = None,
    export: Annotated[
        Literal["markdown", "json"] | None, typer.Option(help="Print a sheet of questions, with its key at the end.")
    ] = None,
    answers: Annotated[
        str | None, typer.Option(metavar="FILE", help="Grade the answers in a JSON file, - for stdin, and print JSON.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="Write the sheet or the grades to a file.")
    ] = None,
) -> None:
    """Examples:
      lstm-explain quiz
      lstm-explain quiz --level 2 --questions 5
      lstm-explain quiz --topic memory --seed 7
      lstm-explain quiz --timesteps 10 --features 5 --units 10
      lstm-explain quiz --export markdown -o sheet.md
      lstm-explain quiz --answers answers.json | jq .counts

    Every right answer is computed or measured on a real LSTM, built and run for the question. A wrong answer is explained,
    with the numbers and the command that shows them. ? gives a hint, s skips, q stops. At the end there is a score.
    """
    from lstm_explain.apps.quiz.generate import validate_request

    given: dict[str, Any] = {"questions": questions, "level": level, "topic": topic, "seed": seed}
    given |= sizes._asdict() | {"units": None if sizes.units is None else _parse_units(sizes.units)}
    if answers is not None:
        _grade(answers, export, given, output)
        return
    request = validate_request(_request(_flatten(given)))
    if export is not None:
        _export(request, export, output)
        return
    if output is not None:
        fix = "Add --export markdown for a sheet, or --answers FILE to grade one"
        raise UsageError(quote_option("-o", output), "a quiz at the terminal writes no file", fix)
    check_terminal("quiz", "Use --export markdown for a sheet, or --answers FILE to grade one", "input", "output")
    _run_session(request)


def _parse_units(text: str) -> int:
    """The number of units, of which a question has one."""
    from lstm_explain.cli.options import parse_units

    units = parse_units(text)
    if not isinstance(units, int):
        problem = "these are the units of stacked layers, and a quiz asks about layers of one size"
        raise UsageError(quote_option("--units", text), problem, f"Give one size, such as --units {units[0]}")
    return units


def _flatten(about: dict[str, Any]) -> dict[str, Any]:
    """The options of a quiz, with its sizes next to the others."""
    flat = {**about, **(about.get("sizes") or {})}
    return {name: value for name, value in flat.items() if value is not None and name != "sizes"}


def _request(about: dict[str, Any]) -> "QuizRequest":
    from lstm_explain.apps.quiz.generate import MAX_SIZES, QuizRequest

    sizes = tuple((name, about[name]) for name in MAX_SIZES if name in about)
    return QuizRequest(**{name: value for name, value in about.items() if name not in MAX_SIZES}, sizes=sizes)


# --- a sheet ----------------------------------------------------------------------------------------------------------


def _export(request: "QuizRequest", export: str, output: str | None) -> None:
    from lstm_explain.apps.quiz.sheet import build_sheet, key_document, questions_document
    from lstm_explain.cli.output_file import write_output

    sheet = build_sheet(request)
    if export == "json":
        _write_json(sheet, output)
        return
    from lstm_explain.render import markdown

    pages = [markdown.to_markdown(document(sheet)) for document in (questions_document, key_document)]
    write_output(["\n---\n\n".join(pages).encode()], output)


def _write_json(result: "Result", output: str | None) -> None:
    from lstm_explain.cli.output_file import write_output
    from lstm_explain.render.json_text import to_json_text

    write_output([to_json_text(result).encode()], output)


def _grade(file: str, export: str | None, given: dict[str, Any], output: str | None) -> None:
    from lstm_explain.apps.quiz.sheet import build_sheet, grade_sheet
    from lstm_explain.cli.source import check_not_overwriting
    from lstm_explain.readers.answer_file import read_quiz_answers

    if export is not None:
        raise UsageError(f"--export {export} --answers", "a sheet is either made or graded", "Leave one of them out")
    check_not_overwriting(file, output)
    answers = read_quiz_answers(file)
    sheet = build_sheet(_same_request(given, answers))
    for number in answers.given:
        if not 1 <= number <= len(sheet.questions):
            problem = f"it answers question {number}, and the quiz has {len(sheet.questions)}"
            raise InputFileError(answers.name, problem, "Give the --questions that the sheet was made with")
        known = answers.ids.get(number)
        if known not in (None, sheet.questions[number - 1].id):
            problem = f"its question {number} differs from the one of these options"
            raise InputFileError(answers.name, problem, "Give the options that the sheet was made with, or export it again")
    _write_json(grade_sheet(sheet, answers.given), output)


def _same_request(given: dict[str, Any], answers: "QuizAnswers") -> "QuizRequest":
    """The request of the file, with what the options add to it.

    Raises:
        UsageError: an option contradicts the file.
        InputFileError: the file is about questions that do not exist.
    """
    from lstm_explain.apps.quiz.generate import validate_request

    options, about = _flatten(given), _flatten(answers.about)
    for name, value in options.items():
        if about.get(name, value) != value:
            problem = f"{answers.name} answers a quiz with {name} {about[name]}"
            raise UsageError(quote_option(f"--{name}", str(value)), problem, f"Leave out --{name}")
    try:
        return validate_request(_request({**options, **about}))
    except UsageError as error:
        if not answers.about:
            raise
        asked_for, problem, fix = error.parts
        raise InputFileError(answers.name, f"it asks for a quiz that does not exist: {asked_for}: {problem}", fix) from None


# --- at the terminal --------------------------------------------------------------------------------------------------


def _run_session(request: "QuizRequest") -> None:
    from lstm_explain.apps.quiz.generate import generate_questions
    from lstm_explain.apps.quiz.session import PROMPT, QuizSession, handle_input, opening_text

    session = QuizSession(request, generate_questions(request))
    _print_wrapped(opening_text(session))
    while not session.ended:
        session, text = handle_input(session, ask_line(PROMPT))
        _print_wrapped(text)


def _print_wrapped(text: str) -> None:
    from lstm_explain.cli.output_file import write_output

    columns = min(max(shutil.get_terminal_size().columns, MIN_COLUMNS), MAX_COLUMNS)
    pieces = [piece for line in text.split("\n") for piece in _wrap(line, columns)]
    write_output(["".join(f"{piece}\n" for piece in pieces).encode()], None)


def _wrap(line: str, columns: int) -> list[str]:
    """A line in pieces; an indented command line stays whole, so that it can be copied."""
    if not line.strip() or line.startswith(" "):
        return [line]
    return textwrap.wrap(line, columns, break_on_hyphens=False, break_long_words=False)
