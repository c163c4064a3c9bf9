"""trace: one sample's course is the same numbers, to the last bit, whoever asks for it and with how many beside it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.core.gates import GATES, LETTERS, Direction
from lstm_explain.document.blocks import Cell, Document, NextSteps, Note, Paragraph, SideBySide, Sparkline, Table
from lstm_explain.errors import UsageError
from lstm_explain.library import given as lstm_over
from lstm_explain.library import seeded
from lstm_explain.topics.registry import document_of
from lstm_explain.topics.trace import explain_trace, stream_trace
from tests.helpers.documents import flatten
from tests.helpers.random_lstms import spec_options

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.topics.trace import Trace, TraceStream

few = settings(max_examples=30, deadline=None)


@st.composite
def lstms(draw: st.DrawFn) -> LSTM:
    """Seeded or over a given array; with fewer samples than a block has, or with more."""
    sizes = spec_options(most_samples=300, most_timesteps=6, features=3, most_units=8, most_layers=2)
    chosen = {**draw(sizes), "seed": draw(st.integers(0, 1000))}
    samples, timesteps = chosen["samples"], chosen["timesteps"]
    numbers = np.random.default_rng(chosen["seed"])
    chosen["lengths"] = draw(st.none() | st.just(numbers.integers(1, timesteps + 1, samples).tolist()))
    if draw(st.booleans()):
        return seeded(**chosen)
    kind = draw(st.sampled_from(["float32", "float64", "int64"]))
    return lstm_over((3 * numbers.normal(size=(samples, timesteps, 3))).astype(kind), **chosen)


def tensors(trace: Trace) -> dict[str, Array]:
    gates = {LETTERS[gate]: values for gate, values in trace.gates.items()}
    return {"x": trace.x, **gates, "c": trace.cell, "h": trace.hidden}


def streamed(stream: TraceStream, sample: int, layer: int, direction: Direction) -> dict[str, Array]:
    for block in stream.blocks():
        if sample in block.samples:
            arrays = stream.arrays(block, layer, direction)
            return {name: array[sample - block.start] for name, array in arrays.items()}
    raise AssertionError(f"sample {sample} is in no block")


@given(lstm=lstms(), place=st.floats(0, 1, exclude_max=True), data=st.data())
@few
def test_one_sample_has_the_same_bits_as_in_the_stream_of_all(lstm: LSTM, place: float, data: st.DataObject) -> None:
    sample = int(place * lstm.spec.samples)
    layer, direction = data.draw(st.sampled_from(lstm.spec.layer_directions))
    trace = explain_trace(lstm, sample, layer=layer, direction=direction)
    for stream in (stream_trace(lstm), stream_trace(lstm, sample)):
        found = streamed(stream, sample, layer, direction)
        for name, array in tensors(trace).items():
            np.testing.assert_array_equal(found[name], array)


def test_a_sample_of_a_billion_has_the_same_bits_alone() -> None:
    lstm = seeded(samples=10**9, features=7, units=16, bidirectional=True)
    last = 10**9 - 1
    trace = explain_trace(lstm, last, direction="forward")
    stream = stream_trace(lstm, last)
    found = streamed(stream, last, 0, Direction.FORWARD)
    for name, array in tensors(trace).items():
        np.testing.assert_array_equal(found[name], array)
    assert trace.to_dict()["sample"] == 999_999_999


def test_samples_differ() -> None:
    lstm = seeded(samples=300)
    traces = [explain_trace(lstm, sample).hidden for sample in (0, 1, 127, 128, 299)]
    assert len({array.tobytes() for array in traces}) == 5


@given(lstm=lstms())
@few
def test_the_blocks_hold_every_sample_once_in_order(lstm: LSTM) -> None:
    stream = stream_trace(lstm)
    found = []
    for block in stream.blocks():
        found += list(block.samples)
        arrays = stream.arrays(block, 0, Direction.FORWARD)
        assert {len(array) for array in arrays.values()} == {len(block.samples)}
        for sample in block.samples:
            assert block.length(sample) == (lstm.spec.timesteps if lstm.lengths is None else lstm.lengths[sample])
    assert found == list(range(lstm.spec.samples))
    assert stream.rows == lstm.spec.samples * len(stream.places) * lstm.spec.timesteps


def test_the_stream_needs_no_more_memory_for_more_samples() -> None:
    """Only one block is made at a time."""
    blocks = stream_trace(seeded(samples=10**12)).blocks()
    first, second = next(blocks), next(blocks)
    assert (first.samples, second.samples) == (range(128), range(128, 256))


@given(
    lstm=lstms(),
    units=st.lists(st.integers(0, 7), min_size=1, max_size=5),
    steps=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    data=st.data(),
)
@few
def test_chosen_units_and_steps_are_a_part_of_the_whole(
    lstm: LSTM, units: list[int], steps: list[int], data: st.DataObject
) -> None:
    layer, way = data.draw(st.sampled_from(lstm.spec.layer_directions))
    own = lstm.spec.for_layer(layer)
    units = [unit % own.units for unit in units]
    steps = [(step - 1) % own.timesteps + 1 for step in steps]
    part, whole = explain_trace(lstm, 0, units, steps, layer, way), explain_trace(lstm, 0, layer=layer, direction=way)
    assert part.units == tuple(sorted(set(units)))
    assert part.steps == tuple(sorted(set(steps)))
    rows, columns = np.array(part.steps) - 1, np.array(part.units)
    np.testing.assert_array_equal(part.x, whole.x[rows])
    np.testing.assert_array_equal(part.cell, whole.cell[rows][:, columns])
    numbers = columns if own.projection is None else np.arange(own.projection)
    np.testing.assert_array_equal(part.hidden, whole.hidden[rows][:, numbers])
    assert tuple(part.hidden_numbers) == tuple(numbers)
    for gate in GATES:
        np.testing.assert_array_equal(part.gates[gate], whole.gates[gate][rows][:, columns])
    stream = stream_trace(lstm, 0, units, steps, layer)
    for name, array in streamed(stream, 0, layer, way).items():
        np.testing.assert_array_equal(array, tensors(part)[name])


def test_the_stream_walks_through_all_layers_and_directions_or_those_chosen() -> None:
    lstm = seeded(samples=2, layers=2, bidirectional=True)
    forward, backward = Direction.FORWARD, Direction.BACKWARD
    assert stream_trace(lstm).places == ((0, forward), (0, backward), (1, forward), (1, backward))
    assert stream_trace(lstm, layer=1).places == ((1, forward), (1, backward))
    assert stream_trace(lstm, direction="backward").places == ((0, backward), (1, backward))
    assert stream_trace(lstm, layer=0, direction="forward").places == ((0, forward),)


def test_the_header_of_the_stream() -> None:
    lstm = seeded(samples=5, layers=2)
    header = stream_trace(lstm, 3, units=[4, 1], layer=1).header()
    assert header["schema"] == "lstm-explain/trace"
    assert header["spec"] == lstm.spec.to_dict()
    assert header["source"] == lstm.provenance
    assert (header["samples"], header["units"]) == ([3, 4], [1, 4])
    assert header["places"] == [{"layer": 1, "direction": "forward"}]
    json.dumps(header, allow_nan=False)


@given(lstm=lstms(), place=st.floats(0, 1, exclude_max=True))
@few
def test_the_json_object(lstm: LSTM, place: float) -> None:
    trace = explain_trace(lstm, int(place * lstm.spec.samples))
    found = trace.to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert list(found)[5:] == [*("sample", "layer", "direction", "length", "units", "initial", "steps"), "nonfinite"]
    assert found["nonfinite"] == []
    for row, step in enumerate(found["steps"]):
        assert list(step) == ["t", "padded", "x", "i", "f", "g", "o", "c", "h"]
        assert step["padded"] is (step["t"] > trace.length)
        for name, array in tensors(trace).items():
            if step["padded"] and name in "ifgo":
                assert step[name] is None
            else:
                np.testing.assert_array_equal(np.array(step[name], array.dtype), array[row])


def test_one_sample_may_be_given_without_its_axis() -> None:
    array = np.arange(12.0).reshape(4, 3)
    one, batch = explain_trace(lstm_over(array, units=2)), explain_trace(lstm_over(array[None], units=2))
    np.testing.assert_array_equal(one.hidden, batch.hidden)
    assert one.spec == batch.spec


@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul")
def test_infinity_and_nan_in_the_input_are_named_in_json() -> None:
    array = np.ones((1, 3, 2), np.float32)
    array[0, 1] = [np.inf, np.nan]
    found = explain_trace(lstm_over(array, units=2)).to_dict()
    assert {"path": "steps[1].x[0]", "value": "inf"} in found["nonfinite"]
    assert {"path": "steps[1].x[1]", "value": "nan"} in found["nonfinite"]
    assert {"path": "steps[2].h[1]", "value": "nan"} in found["nonfinite"]
    assert found["steps"][1]["x"] == [None, None]
    assert not [one for one in found["nonfinite"] if one["path"].startswith("steps[0]")]
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("asked", "named", "found"),
    [
        ({"sample": -1}, "sample=-1", "there are 3 samples, and they count from 0 to 2"),
        ({"sample": 3}, "sample=3", "there are 3 samples, and they count from 0 to 2"),
        ({"units": [0, 10]}, "unit=10", "there are 10 units, and they count from 0 to 9"),
        ({"steps": [1, 11]}, "step=11", "timesteps count from 1 to 10; h and c at 0 are the initial states"),
        ({"layer": 2}, "layer=2", "there are 2 layers, and they count from 0 to 1"),
        ({"layer": -1}, "layer=-1", "there are 2 layers, and they count from 0 to 1"),
    ],
)
@pytest.mark.parametrize("trace", [explain_trace, stream_trace])
def test_what_is_not_there_is_refused(trace: Any, asked: dict[str, Any], named: str, found: str) -> None:
    with pytest.raises(UsageError) as raised:
        trace(seeded(samples=3, layers=2), **asked)
    assert (raised.value.asked, raised.value.found) == (named, found)


def test_traces_are_frozen() -> None:
    lstm = seeded(samples=1)
    stream = stream_trace(lstm)
    for value in (explain_trace(lstm), stream, next(stream.blocks())):
        for name in value._fields if isinstance(value, tuple) else vars(value):
            with pytest.raises(AttributeError):
                setattr(value, name, None)


def test_a_smaller_budget_makes_smaller_blocks_not_refusals() -> None:
    lstm = seeded(samples=200, timesteps=1000)
    small = replace(lstm, max_memory=8_000_000)
    assert small.block_samples < lstm.block_samples
    np.testing.assert_allclose(explain_trace(small, 150).hidden, explain_trace(lstm, 150).hidden, atol=2e-6)


# --- the page ----------------------------------------------------------------------------------------------------------


def document(gates: bool = False, every_unit: bool = False, ask: dict[str, Any] | None = None, **options: Any) -> Document:
    lstm = lstm_explain.seeded(**{"samples": 2, **options})
    return flatten(document_of(lstm_explain.trace(lstm, **(ask or {})), gates=gates, every_unit=every_unit))


def heats(found: Document) -> list[Table]:
    return [block for block in found if isinstance(block, Table) and block.columns[0].title == "t \\ unit"]


def labels(table: Table) -> list[str]:
    return [row[0].text for row in table.rows if isinstance(row[0], Cell)]


def notes(found: Document) -> str:
    return "\n".join(block.text for block in found if isinstance(block, Note))


def test_h_and_c_start_at_the_initial_state() -> None:
    h, c = heats(document())
    assert labels(h) == labels(c) == [str(t) for t in range(11)]
    assert [cell.text.strip() for cell in h.rows[0][1:] if isinstance(cell, Cell)] == ["0.000"] * 10


def test_backwards_the_initial_state_stands_where_reading_begins() -> None:
    found = document(bidirectional=True, lengths=[10, 6], ask={"sample": 1, "direction": "backward"})
    h, *_ = heats(found)
    assert labels(h)[:8] == ["1", "2", "3", "4", "5", "6", "start", "7"]


def test_the_gates_are_shown_on_request_and_have_no_initial_state() -> None:
    assert len(heats(document())) == 2
    *_, o = found = heats(document(gates=True))
    assert len(found) == 6
    assert labels(o) == [str(t) for t in range(1, 11)]


def test_the_shown_numbers_are_those_of_the_trace() -> None:
    lstm = lstm_explain.seeded(samples=2)
    trace = lstm_explain.trace(lstm, sample=1)
    h, c = heats(flatten(document_of(trace)))
    for table, values in ((h, trace.hidden), (c, trace.cell)):
        shown = [[float(cell.text) for cell in row[1:] if isinstance(cell, Cell)] for row in table.rows[1:]]
        assert all(
            abs(a - b) <= 0.0005 + 1e-9
            for one, other in zip(shown, values.tolist(), strict=True)
            for a, b in zip(one, other, strict=True)
        )


def test_cells_are_coloured_by_sign_and_size() -> None:
    h, _ = heats(document())
    tints = [cell.tint for row in h.rows[1:] for cell in row[1:] if isinstance(cell, Cell)]
    values = [float(cell.text) for row in h.rows[1:] for cell in row[1:] if isinstance(cell, Cell)]
    assert all(tint is not None and abs(tint) <= 1 for tint in tints)
    assert max(abs(tint or 0.0) for tint in tints) == 1
    assert all(
        math.copysign(1, tint or 0.0) == math.copysign(1, value)
        for tint, value in zip(tints, values, strict=True)
        if abs(value) > 0.001
    )


def test_a_wide_layer_shows_sixteen_units_and_says_so() -> None:
    found = document(units=100)
    assert len(heats(found)[0].columns) == 17
    assert "16 of 100 units are shown" in notes(found)


def test_chosen_units_are_all_shown() -> None:
    found = document(units=100, every_unit=True, ask={"units": range(40)})
    assert len(heats(found)[0].columns) == 41


def test_a_long_sequence_shows_its_ends_and_says_so() -> None:
    found = document(timesteps=500, units=2)
    h, *_ = heats(found)
    assert "⋮" in labels(h)
    assert labels(h)[-1] == "500"
    assert "32 of 500 timesteps are shown" in notes(found)
    course = next(
        cell
        for block in found
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
        if isinstance(cell, Sparkline)
    )
    assert len(course.values) == 500


def test_padding_has_no_gates() -> None:
    *_, o = heats(document(gates=True, lengths=[3, 1], timesteps=3, ask={"sample": 1}))
    assert [cell.text for cell in o.rows[1][1:] if isinstance(cell, Cell)] == ["·"] * 10


def test_with_a_projection_h_has_columns_of_its_own() -> None:
    h, c = heats(document(projection=3))
    assert [column.title for column in h.columns[1:]] == ["0", "1", "2"]
    assert len(c.columns) == 11


def test_timesteps_left_out_are_marked_between_those_shown() -> None:
    h, _ = heats(document(ask={"steps": [2, 3, 8]}))
    assert labels(h) == ["0", "⋮", "2", "3", "⋮", "8"]


def test_the_last_state_of_a_backward_layer_is_that_of_the_first_timestep() -> None:
    lstm = lstm_explain.seeded(samples=1, bidirectional=True)
    trace = lstm_explain.trace(lstm, direction="backward")
    courses = [block for block in flatten(document_of(trace)) if isinstance(block, Table) and block.columns[0].title == "unit"]
    last = courses[0].rows[0][2]
    assert isinstance(last, Cell)
    assert abs(float(last.text) - float(trace.hidden[0, 0])) < 0.001


def test_inputs_that_pin_the_gates_are_remarked_upon() -> None:
    assert "Scale them first" not in notes(document())
    large = lstm_explain.trace(lstm_explain.given(np.full((4, 1), 500.0)))
    assert "Scale them first" in notes(document_of(large))


def test_the_page_begins_with_what_it_shows_and_ends_with_which_lstm_it_is() -> None:
    lstm = lstm_explain.seeded(samples=2)
    trace = lstm_explain.trace(lstm)
    page = document_of(trace)
    last = trace.hidden[-1]
    assert isinstance(page[1], Paragraph)
    ends = f"h goes from {last.min():.3f} (unit {last.argmin()}) to {last.max():.3f} (unit {last.argmax()})."
    assert page[1].text == f"At every timestep each unit outputs one number, h, and keeps one number, c. At t = 10, {ends}"
    assert isinstance(page[-1], Note)
    assert page[-1].text.startswith("An LSTM of one layer")


def test_no_extremes_of_h_where_there_are_none() -> None:
    padded = {"sample": 1, "steps": [3], "direction": "backward"}
    for options, ask in (({"units": 1}, {}), ({"lengths": [3, 1], "timesteps": 3, "bidirectional": True}, padded)):
        page = document(ask=ask, **options)
        assert isinstance(page[1], Paragraph)
        assert page[1].text.endswith("keeps one number, c.")


def test_the_last_states_of_a_padded_sample_are_those_of_its_end() -> None:
    page = document(ask={"sample": 1}, lengths=[3, 2])
    assert isinstance(page[1], Paragraph)
    assert " At t = 2, h goes from " in page[1].text
    titles = [column.title for block in page if isinstance(block, Table) for column in block.columns]
    assert "h_2" in titles
    assert "c_2" in titles


def test_h_and_c_are_next_to_each_other_and_gates_in_pairs() -> None:
    trace = lstm_explain.trace(lstm_explain.seeded(samples=1))
    columns = [block for block in document_of(trace, gates=True) if isinstance(block, SideBySide)]
    assert [len(block.parts) for block in columns] == [2, 2, 2]


def test_only_sigmoids_are_on_the_scale_of_gates() -> None:
    h, c, i, f, g, o = heats(document(gates=True))
    of_gates = [
        {cell.gate for row in table.rows for cell in row[1:] if isinstance(cell, Cell)} for table in (h, c, i, f, g, o)
    ]
    assert of_gates == [{False}, {False}, {True}, {True}, {False}, {True}]


def test_the_timesteps_are_below_the_last_sparklines() -> None:
    table = next(
        block for block in document(ask={"steps": range(3, 8)}) if isinstance(block, Table) and len(block.columns) == 5
    )
    axes = [cell.axis for row in table.rows for cell in row if isinstance(cell, Sparkline)]
    assert axes == [None] * 18 + [(3, 7)] * 2


@pytest.mark.parametrize("gates", [False, True])
def test_what_to_try_next_is_about_the_same_sample(gates: bool) -> None:
    ask = {"sample": 1, "layer": 1, "direction": "backward", "units": [2, 3]}
    (steps,) = (block for block in document(gates, ask=ask, layers=2, bidirectional=True) if isinstance(block, NextSteps))
    commands = [step.command for step in steps.steps]
    same = "--samples 2 --layers 2 --bidirectional"
    chosen = "--sample 1 --layer 1 --direction backward"
    with_gates = [] if gates else [f"lstm-explain trace {same} --gates {chosen}"]
    assert commands == [
        *with_gates,
        f"lstm-explain unit {same} --unit 2 --step 10 {chosen}",
        f"lstm-explain memory {same} {chosen}",
    ]
