"""How an answer is shown: the format that was chosen, and the width, colours and alphabet that the terminal has."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lstm_explain.cli.options import EditOptions, Format, OutputOptions, SourceOptions, ThemeChoice, quote_option
from lstm_explain.cli.output_file import write_output
from lstm_explain.errors import UsageError
from lstm_explain.topics.registry import TOPICS_BY_NAME, document_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.document.blocks import Document
    from lstm_explain.render.theme import ThemeName
    from lstm_explain.topics.result import Result

SUFFIXES = {
    ".json": Format.json,
    ".jsonl": Format.jsonl,
    ".csv": Format.csv,
    ".npz": Format.npz,
    ".md": Format.markdown,
    ".svg": Format.svg,
    ".txt": Format.table,
}
DEFAULT_WIDTH = 80
MIN_WIDTH, MAX_WIDTH = 20, 10_000


def choose_format(
    options: OutputOptions, command: str, formats: Sequence[str] | None = None, default: Format = Format.table
) -> Format:
    """Choose the format that the options ask for.

    Args:
        options: the options.
        command: what is shown, for messages.
        formats: those that fit; by default those of the topic.
        default: the format where the options name none.

    Raises:
        UsageError: it does not fit the topic, or the options contradict each other.
    """
    if options.output == "":
        raise UsageError("-o ''", "this names no file", "Name a file, or leave -o out")
    if options.json and options.format not in (None, Format.json):
        raise UsageError(f"--json --format {options.format}", "these are two formats", "Choose one")
    if options.format is not None or options.json:
        chosen, asked = options.format or Format.json, f"--format {options.format or Format.json}"
    else:
        suffix = Path(options.output or "").suffix.lower()
        chosen, asked = SUFFIXES.get(suffix, default), quote_option("-o", options.output or "")
        if suffix not in {"", *SUFFIXES}:
            raise UsageError(asked, "unknown format", f"End it in {', '.join(SUFFIXES)}, or add --format")
    allowed = TOPICS_BY_NAME[command].formats if formats is None else formats
    if chosen not in allowed:
        raise UsageError(asked, f"{command} cannot be shown as {chosen}", f"The formats that fit are {', '.join(allowed)}")
    return chosen


def show_topic(
    name: str,
    output: OutputOptions,
    source: SourceOptions,
    *arguments: Any,
    lengths: str | None = None,
    edits: EditOptions | None = None,
    progress: bool = False,
    **options: Any,
) -> None:
    """Run a topic: build the LSTM that the options ask for, explain it with the topic's builder, and show the result.

    Args:
        name: the topic.
        output: the format, and where it goes.
        source: which LSTM, and what it reads.
        arguments: the builder's arguments after the LSTM.
        lengths: the value of `--lengths`.
        edits: what is set by hand.
        progress: whether to show how many samples have been run; the builder's argument `watched`.
        options: the builder's keyword arguments.
    """
    from lstm_explain.cli.source import apply_edits, build_lstm

    chosen = choose_format(output, name)  # a format that does not fit is reported before anything is run
    lstm = build_lstm(source, output.output, lengths)
    lstm = lstm if edits is None else apply_edits(lstm, edits)
    if progress:
        from lstm_explain.cli.progress import with_progress

        options["watched"] = lambda blocks: with_progress(blocks, lstm.spec.samples)
    show_result(TOPICS_BY_NAME[name].builder(lstm, *arguments, **options), output, chosen)


def show_result(answer: Result, options: OutputOptions, chosen: Format, **choices: Any) -> None:
    """Render an explanation and write it; the choices go to its document."""
    if chosen is Format.json:
        from lstm_explain.render.json_text import to_json_text

        write_output([to_json_text(answer).encode()], options.output)
    else:
        write_output([_render_document(document_of(answer, **choices), options, chosen, answer.topic)], options.output)


def show_document(document: Document, options: OutputOptions, chosen: Format, topic: str) -> None:
    """Render blocks that were laid out already, and write them."""
    write_output([_render_document(document, options, chosen, topic)], options.output)


def _render_document(document: Document, options: OutputOptions, chosen: Format, topic: str) -> bytes:
    if chosen is Format.markdown:
        from lstm_explain.render import markdown
        from lstm_explain.render.sparkline import to_ascii

        text = markdown.to_markdown(document)
        return (to_ascii(text) if options.ascii else text).encode()
    if chosen is Format.svg:
        from lstm_explain.render.markup import to_svg

        return to_svg(document, _page_width(options), title=f"lstm-explain {topic}").encode()
    from lstm_explain.render.terminal import to_terminal

    unicode, encoding = _characters(options)
    color = _color_system(options)
    theme = "dark" if color is None else choose_theme(options.theme)
    return to_terminal(document, _page_width(options), color, unicode, theme).encode(encoding, "replace")


def choose_theme(choice: ThemeChoice) -> ThemeName:
    """Return the theme that `--theme` asks for; `auto` is the terminal's."""
    if choice != "auto":
        return choice
    from lstm_explain.render.theme import detect_theme

    return detect_theme()


# --- what the terminal can do -----------------------------------------------------------------------------------------


def _writes_to_terminal(options: OutputOptions) -> bool:
    return options.output in (None, "-") and sys.stdout is not None and sys.stdout.isatty()


def _page_width(options: OutputOptions) -> int:
    if options.width is not None:
        if not MIN_WIDTH <= options.width <= MAX_WIDTH:
            raise UsageError(f"--width {options.width}", f"a width is from {MIN_WIDTH} to {MAX_WIDTH} columns")
        return options.width
    if options.output not in (None, "-"):
        return DEFAULT_WIDTH
    columns = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
    return min(columns, MAX_WIDTH) if columns >= MIN_WIDTH else DEFAULT_WIDTH


def _color_system(options: OutputOptions) -> Literal["standard", "256", "truecolor"] | None:
    if options.color == "never" or (options.color == "auto" and not _should_color(options)):
        return None
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "truecolor"
    return "standard" if os.environ.get("TERM", "") in ("linux", "ansi", "vt100") else "256"


def _should_color(options: OutputOptions) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return _writes_to_terminal(options) and os.environ.get("TERM") != "dumb"


def _characters(options: OutputOptions) -> tuple[bool, str]:
    """Whether to use more than ASCII, and the encoding to write in."""
    if options.ascii:
        return False, "ascii"
    if options.output not in (None, "-"):
        return True, "utf-8"
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    from lstm_explain.render.terminal import can_encode

    return (True, encoding) if can_encode(encoding) else (False, "ascii")
