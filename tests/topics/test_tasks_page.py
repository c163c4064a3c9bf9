"""The document of `tasks`: the words agree with the numbers that were measured."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.document.blocks import Cell, Document, Heading, Note, Paragraph, Preformatted, Table
from lstm_explain.topics.registry import document_of
from lstm_explain.topics.tasks import TASKS
from tests.helpers.documents import flatten

NAMES = [task.value for task in TASKS]


def shown(task: str | None = None, asked: dict[str, Any] | None = None, **options: Any) -> Document:
    lstm = lstm_explain.seeded(**{"samples": 3, "dtype": "float64", **options})
    return flatten(document_of(lstm_explain.tasks(lstm, task, **(asked or {}))))


def text(document: Document) -> str:
    return "\n".join(block.text for block in document if isinstance(block, Heading | Paragraph | Note))


def part(document: Document, start: str) -> Document:
    """The blocks between the heading that starts so and the next heading of its level."""
    titles = {place: block.text for place, block in enumerate(document) if isinstance(block, Heading)}
    (first,) = [place for place, title in titles.items() if title.startswith(start)]
    return document[first + 1 : min([place for place in titles if place > first], default=len(document))]


def facts(document: Document, start: str) -> dict[str, str]:
    (table,) = [block for block in part(document, start) if isinstance(block, Table)]
    return {row[0].text: row[1].text for row in table.rows if isinstance(row[0], Cell) and isinstance(row[1], Cell)}


def test_the_overview_has_all_five_each_with_a_drawing() -> None:
    document = shown()
    titles = [block.text.partition(":")[0] for block in document if isinstance(block, Heading) and block.level == 2]
    assert titles == NAMES
    for name in NAMES:
        drawings = [block for block in part(document, f"{name}:") if isinstance(block, Preformatted)]
        assert len(drawings) == 1
        assert set(facts(document, f"{name}:")) == {"parameters", "Keras", "PyTorch"}


def test_the_overview_of_the_founding_example() -> None:
    document = shown(samples=1000)
    (table,) = [block for block in document if isinstance(block, Table) and block.columns[0].title == "task"]
    rows = [[cell.text for cell in row if isinstance(cell, Cell)] for row in table.rows]
    assert rows == [
        ["one-to-one", "(1000, 1, 5)", "(1000, 10)", "last h", "(1000, 1)"],
        ["one-to-many", "(1000, 10, 5)", "(1000, 10, 10)", "every h", "(1000, 10, 1)"],
        ["many-to-one", "(1000, 10, 5)", "(1000, 10)", "last h", "(1000, 1)"],
        ["many-to-many", "(1000, 10, 5)", "(1000, 10, 10)", "every h", "(1000, 10, 1)"],
        ["encoder-decoder", "(1000, 10, 5)", "(1000, 10, 10)", "every h", "(1000, 10, 1)"],
    ]
    many = facts(document, "many-to-one:")
    assert many["parameters"] == "651 = 640 lstm + 11 dense; PyTorch counts 691"
    assert many["PyTorch"] == "dense(h_n[-1])"
    assert facts(document, "encoder-decoder:")["parameters"].startswith("1,491 = 640 encoder + 840 decoder + 11 dense")


@pytest.mark.parametrize("task", NAMES)
def test_in_full_each_task_has_its_parts(task: str) -> None:
    document = shown(task)
    titles = [block.text for block in document if isinstance(block, Heading) and block.level == 2]
    assert titles == [
        *("Every tensor, from input to output", "Where h goes", "Parameters", "In Keras", "In PyTorch"),
        *("What to know", "The outputs of sample 0"),
    ]
    assert text(document).startswith(f"{task}: ")


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    task=st.sampled_from(NAMES),
    units=st.integers(1, 80),
    outputs=st.integers(1, 5),
    bidirectional=st.booleans(),
    layers=st.integers(1, 2),
)
def test_where_h_goes_is_told_with_the_measured_numbers(task: str, units: int, outputs: int, **options: Any) -> None:
    told = text(part(shown(task, {"outputs": outputs}, units=units, **options), "Where h goes"))
    numbers = units * (2 if options["bidirectional"] else 1)
    poked = min(numbers, 64)
    assert re.search(rf"all {numbers} numbers? of h", told)
    cases = poked * outputs
    assert f"it moved in {cases} of {cases} case{'s' * (cases > 1)}." in told.replace(",", "")
    assert ("the output was compared" in told) == (outputs == 1)
    assert (f"the first {poked} of" in told) == (numbers > 64)


def test_the_mistake_of_a_bidirectional_layer_is_told_with_its_size() -> None:
    lstm = lstm_explain.seeded(samples=3, bidirectional=True, dtype="float64")
    tasks = lstm_explain.tasks(lstm, "many-to-one")
    last = tasks.networks[0].checks.last
    assert last is not None
    assert last.backward is not None
    told = text(part(flatten(document_of(tasks)), "What to know"))
    assert "A mistake that raises no error: taking output[:, -1] for the last h" in told
    assert "has read 1 timestep of 10. It equals a backward run over that timestep alone" in told
    assert f"by 0 exactly in the forward half and by {last.backward:.2f} in the backward half" in told
    assert f"The mistake moves the outputs of the network by up to {last.outputs:.2f}" in told
    assert "last layer" not in told
    assert "of the last layer has read 1 timestep" in text(shown("many-to-one", bidirectional=True, layers=2))


def test_of_one_direction_it_is_told_that_both_are_the_same() -> None:
    told = text(part(shown("many-to-one"), "What to know"))
    assert "output[:, -1] is the same as h_n[-1] here: the difference is 0 exactly (over 3 samples)" in told
    assert "A mistake" not in told
    assert "because there is only one timestep" in text(shown("many-to-one", timesteps=1, bidirectional=True))


def test_padding_is_told() -> None:
    told = text(shown("many-to-one", lengths=[10, 3, 7]))
    assert "Of 3 samples, 2 end before the last timestep, so output[:, -1] is zero for them" in told
    document = shown("many-to-many", {"sample": 1}, lengths=[10, 3, 7])
    assert "This sample ends at timestep 3" in text(document)
    (table,) = [block for block in part(document, "The outputs of") if isinstance(block, Table)]
    values = [row[1].text for row in table.rows if isinstance(row[1], Cell)]
    assert [value == "·" for value in values] == [False] * 3 + [True] * 7
    assert "This sample ends" not in text(shown("many-to-many", lengths=[10, 3, 7]))


def test_nan_is_told_as_such() -> None:
    lstm = lstm_explain.given(np.full((1, 2, 3), np.nan))
    assert "cannot be determined here: they hold nan" in text(document_of(lstm_explain.tasks(lstm, "many-to-one")))


def test_the_future_is_known_to_both_directions_only() -> None:
    forward, both = (text(shown("many-to-many", bidirectional=ways)) for ways in (False, True))
    assert "outputs moved at 0 of the 9 earlier timesteps" in forward
    assert "Both directions together know the future" in both
    assert "outputs moved at 9 of the 9 earlier timesteps" in both


def test_the_broadcast_is_told_where_it_can_happen() -> None:
    told = text(shown("many-to-many"))
    assert "the outputs of all 10 steps. For 3 samples that makes 30 differences instead of 3" in told
    assert "targets of shape" not in text(shown("many-to-many", {"outputs": 2}))
    assert "targets of shape" not in text(shown("many-to-one"))


def test_what_a_framework_lacks_is_said() -> None:
    document = shown("many-to-one", projection=3)
    assert facts(document, "Parameters")["Keras counts"] == "- (Keras's LSTM has no projection)"
    assert "Keras's LSTM has no projection, so it cannot build this network." in text(document)
    assert any("proj_size=3" in line for block in document if isinstance(block, Preformatted) for line in block.lines)
    assert facts(shown(peepholes=True), "many-to-one:")["PyTorch"] == "- (PyTorch's LSTM has no peepholes)"


def test_what_was_not_run_is_marked_as_computed() -> None:
    assert "The network was built and run over all samples" in text(shown("many-to-one"))
    assert "Each network was built and run over all samples" in text(shown())
    computed = text(shown(samples=10**12))
    assert "These shapes are computed, not measured" in computed
    assert "A block of 128 samples was run." in computed
    assert "read off" not in computed
    some = text(shown(samples=1000, max_memory=8 * 10**6))
    assert "The shapes of encoder-decoder are computed, not measured" in some


def test_the_outputs_are_those_of_the_sample() -> None:
    lstm = lstm_explain.seeded(samples=3, dtype="float64")
    tasks = lstm_explain.tasks(lstm, "many-to-many", outputs=2, sample=2)
    (table,) = [block for block in part(document_of(tasks), "The outputs of sample 2") if isinstance(block, Table)]
    rows = [[cell.text for cell in row if isinstance(cell, Cell)] for row in table.rows]
    expected = [[str(t), *(f"{value: .4f}" for value in one)] for t, one in enumerate(tasks.networks[0].outputs.tolist(), 1)]
    assert rows == expected
