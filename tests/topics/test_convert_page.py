"""convert, in words: what was done, the arrays, the check."""

from __future__ import annotations

from typing import Any

from lstm_explain.document.blocks import Cell, Note, Paragraph, Table
from lstm_explain.library import seeded
from lstm_explain.topics.convert import explain_convert
from lstm_explain.topics.registry import document_of
from tests.helpers.documents import flatten


def words(to: str, file: str = "", **sizes: Any) -> tuple[str, list[Table]]:
    document = flatten(document_of(explain_convert(seeded(samples=2, **sizes), to), **({"file": file} if file else {})))
    tables = [block for block in document if isinstance(block, Table)]
    return " ".join(block.text for block in document if isinstance(block, Paragraph | Note)), tables


def test_where_the_arrays_went_is_said() -> None:
    assert "3 arrays written to weights.npz." in words("keras", "weights.npz", units=3)[0]
    assert "Nothing was written" in words("keras", units=3)[0]


def test_the_check_is_said_with_its_number() -> None:
    text, _ = words("keras", units=3)
    assert "72 numbers of the output are the same to the last bit." in text


def test_every_array_is_listed_with_its_shape() -> None:
    _, (done, before, arrays) = words("pytorch", units=3)
    assert next(cell.text for cell in done.rows[0] if isinstance(cell, Cell)) == "gates"
    assert next(cell.text for cell in before.rows[0] if isinstance(cell, Cell)) == "layer0.forward.kernel"
    listed = [[cell.text for cell in row if isinstance(cell, Cell)] for row in arrays.rows]
    assert listed == [
        ["weight_ih_l0", "(12, 5)", "layer0.forward.kernel"],
        ["weight_hh_l0", "(12, 3)", "layer0.forward.recurrent_kernel"],
        ["bias_ih_l0", "(12)", "layer0.forward.bias"],
        ["bias_hh_l0", "(12)", "zeros"],
    ]


def test_a_deep_stack_is_shortened() -> None:
    _, (_, _, arrays) = words("pytorch", units=2, layers=20)
    assert len(arrays.rows) == 33
    assert any(isinstance(row[0], Cell) and row[0].text == "⋮" for row in arrays.rows)
