"""The document of `shapes`: the founding numbers stand where a reader looks for them."""

from typing import Any

import lstm_explain
from lstm_explain.document.blocks import Cell, Document, Heading, Note, Paragraph, Table
from lstm_explain.topics.registry import document_of


def founding(**options: Any) -> Document:
    return document_of(lstm_explain.shapes(lstm_explain.seeded(**options)), every=True)


def tables_under(document: Document, start: str) -> list[Table]:
    """The tables between the heading that starts so and the next heading."""
    tables, inside = [], False
    for block in document:
        if isinstance(block, Heading):
            inside = block.text.startswith(start)
        elif inside and isinstance(block, Table):
            tables.append(block)
    return tables


def facts(document: Document, start: str) -> dict[str, str]:
    (table,) = tables_under(document, start)
    return {row[0].text: row[1].text for row in table.rows if isinstance(row[0], Cell) and isinstance(row[1], Cell)}


def text(document: Document) -> str:
    return "\n".join(block.text for block in document if isinstance(block, Heading | Paragraph | Note))


def test_one_unit_reads_fifteen_numbers_and_owns_sixty_four_parameters() -> None:
    unit = facts(founding(), "One unit")
    assert unit["reads"].startswith("15 numbers a timestep: 5 features of x_t + 10 outputs h_{t-1} of all units")
    assert unit["has"].startswith("4 neurons")
    assert unit["owns"] == "64 parameters that no other unit uses: 4 × (5 + 10 + 1)"
    assert unit["keeps"].startswith("1 number")
    assert unit["outputs"].startswith("1 number")


def test_the_parameters_are_counted_as_each_framework_counts_them() -> None:
    counted = facts(founding(), "Parameters")
    assert counted["Keras says"] == "640"
    assert counted["PyTorch says"] == counted["ONNX says"] == "680 = 640 + 40"
    assert counted["by unit"] == "10 units × 64 = 640"


def test_the_cost_is_six_million_products() -> None:
    cost = facts(founding(), "Cost")
    assert cost["the whole run"] == "6,000,000 multiply-accumulates = 600 × 1,000 samples × 10 timesteps"


def test_what_was_not_run_is_marked_as_computed() -> None:
    assert "read off an array of a run that just happened" in text(founding())
    computed = text(founding(samples=10**12))
    assert "computed, not measured" in computed
    assert "read off" not in computed


def test_a_stack_says_which_slice_of_h_n_is_which() -> None:
    (slices,) = tables_under(founding(samples=2, layers=2, bidirectional=True), "What comes out")
    assert [
        (row[0].text, row[1].text.split(":")[0])
        for row in slices.rows
        if isinstance(row[0], Cell) and isinstance(row[1], Cell)
    ] == [
        ("h_n[0], c_n[0]", "layer 0, forward"),
        ("h_n[1], c_n[1]", "layer 0, backward"),
        ("h_n[2], c_n[2]", "layer 1, forward"),
        ("h_n[3], c_n[3]", "layer 1, backward"),
    ]


def test_a_framework_without_the_option_is_said_to_lack_it() -> None:
    counted = facts(founding(samples=2, projection=3), "Parameters")
    assert "does not have this option" in counted["Keras says"]
    assert counted["PyTorch says"] == "430 = 390 + 40"
