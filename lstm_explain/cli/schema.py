"""`lstm-explain schema`"""

from __future__ import annotations

from typing import Annotated

import typer

from lstm_explain.errors import UsageError


def schema(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="shapes, trace, unit, or trace-jsonl for JSON Lines.")],
) -> None:
    """Examples:
    lstm-explain schema trace
    lstm-explain schema shapes > shapes.schema.json
    """
    from importlib import resources

    from lstm_explain.cli.choices import schema_names
    from lstm_explain.cli.output_file import write_output

    folder = resources.files("lstm_explain.render") / "schemas"
    known = schema_names()
    if topic not in known:
        raise UsageError(f"schema {topic}", "unknown topic", f"The topics are {', '.join(known)}")
    write_output([(folder / f"{topic}.json").read_bytes()], None)
