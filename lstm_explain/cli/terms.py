"""`lstm-explain terms`"""

from __future__ import annotations

from typing import Annotated

import typer

from lstm_explain.cli.options import OutputOptions, SourceOptions, with_option_groups


@with_option_groups
def terms(
    source: SourceOptions,
    output: OutputOptions,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORD]...", help="The words to explain; all if left out.", show_default=False),
    ] = None,
) -> None:
    """Examples:
      lstm-explain terms
      lstm-explain terms unit
      lstm-explain terms hidden state
      lstm-explain terms cell --layers 2 --bidirectional
      lstm-explain terms unit --json | jq '.terms[0].others[] | {who, quote}'

    Frameworks, papers and courses mean different things by the same word, and use different words for the same thing.
    For each word: what it means here, what others mean by it, in their own words and with the place where they say so, and
    the number that each meaning has in this LSTM. Sizes are read off arrays of a run over all samples; those of a run
    that does not fit the memory budget are computed instead, and marked so.
    """
    from lstm_explain.cli.output import show_topic

    show_topic("terms", output, source, words or ())
