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
        typer.Argument(metavar="[WORD]...", help="The words to explain.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every word, and who contradicts whom.")] = False,
) -> None:
    """Examples:
      lstm-explain terms
      lstm-explain terms --all
      lstm-explain terms unit
      lstm-explain terms hidden state
      lstm-explain terms cell --layers 2 --bidirectional
      lstm-explain terms unit --json | jq ".terms[0].others[] | {who, quote}"

    Frameworks, papers and courses mean different things by the same word, and use different words for the same thing.
    Without a word: layer, cell, unit, neuron and gate as boxes inside each other, with the number of each in your network.
    With a word: what it means here, what each source means by it, in its own words, and how many of each there are.
    Sizes are read off arrays of a run over all samples. If that run does not fit the memory budget, they are computed
    instead, and marked so.
    """
    from lstm_explain.cli.output import choose_format, show_result
    from lstm_explain.cli.source import build_lstm
    from lstm_explain.topics.terms import explain_terms

    chosen = choose_format(output, "terms")
    show_result(explain_terms(build_lstm(source, output.output), words or ()), output, chosen, every=every)
