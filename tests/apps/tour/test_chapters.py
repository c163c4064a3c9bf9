"""Every number of a chapter is what its topic, or numpy, says; and nothing false is said of any LSTM."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.apps.tour.chapter import ChapterContent, TourContext
from lstm_explain.apps.tour.tour import CHAPTERS, Tour, find_chapter, select_chapters, tour_document
from lstm_explain.core.cell import step
from lstm_explain.core.gates import Direction
from lstm_explain.core.lstm import PretrainedWeights
from lstm_explain.core.spec import LayerSpec
from lstm_explain.document.blocks import Block, Cell, Heading, Note, Paragraph, Preformatted, Table
from lstm_explain.errors import UsageError
from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.result import to_plain
from tests.helpers.mixed_stacks import mixed_file, stacks

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM

FOUNDING = TourContext(lstm_explain.seeded())
TOUR = Tour(FOUNDING, CHAPTERS)
NAMES = [chapter.name for chapter in CHAPTERS]


def content(name: str, context: TourContext = FOUNDING) -> ChapterContent:
    return select_chapters([name])[0].build(context)


def numbers(chapter: ChapterContent) -> Any:
    """What was measured, as in JSON."""
    return to_plain(chapter.evidence)


def of(**sizes: Any) -> TourContext:
    return TourContext(lstm_explain.seeded(**{"samples": 3, "timesteps": 4, "features": 2, "units": 5, **sizes}))


def words(*blocks: Block) -> str:
    """All text of some blocks, in one line."""
    found = []
    for block in blocks:
        match block:
            case Heading() | Paragraph() | Note():
                found.append(block.text)
            case Table():
                found += [cell.text for row in block.rows for cell in row if isinstance(cell, Cell)]
            case Preformatted():
                found.append("\n".join(block.lines).replace("\\\n", ""))
    return " ".join(found)


def said(name: str, context: TourContext = FOUNDING) -> str:
    return words(*content(name, context).answer_blocks)


# --- the three founding questions -------------------------------------------------------------------------------------


def test_the_first_sentences_answer_the_founding_questions() -> None:
    assert content("circles").claims[0] == "Yes. Every circle of a layer is one LSTM unit. Your layer has 10 circles."
    assert (
        content("sharing").claims[0].startswith("Both. Within a timestep they are independent: each unit has its own weights")
    )
    assert (
        "From one timestep to the next they share: each reads the previous outputs of all units."
        in content("sharing").claims[0]
    )
    reads = content("unit").claims[0]
    assert reads.startswith("It reads more than 5 numbers: at each timestep the 5 features, and the outputs h of all 10 units")
    assert "That makes a vector of size 15. Its output is of size 1: one number, h." in reads


def test_each_chapter_asks_before_it_answers_and_names_a_command() -> None:
    for chapter in CHAPTERS:
        one = chapter.build(FOUNDING)
        assert one.question.endswith(("?", "each."))
        assert words(*TOUR.question(CHAPTERS.index(chapter))).startswith(f"{chapter.number} {chapter.title} Question: ")
        assert words(*one.answer_blocks).startswith("Answer: ")
        assert all(command.startswith("lstm-explain ") for command in one.commands)


def test_chapters_are_numbered_and_named_without_doubles() -> None:
    assert [chapter.number for chapter in CHAPTERS] == list(range(1, len(CHAPTERS) + 1))
    assert len(set(NAMES)) == len(NAMES)


# --- each number against numpy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "circles"),
    [
        ({}, "Your layer has 5 circles."),
        ({"units": 1}, "Your layer has 1 circle."),
        ({"bidirectional": True}, "Your layer has 5 that read forward and 5 others that read backward: 10 circles."),
        ({"layers": 3}, "Each of your 3 layers has 5 circles: 15 circles in all."),
        (
            {"layers": 2, "bidirectional": True},
            "Each of your 2 layers has 5 that read forward and 5 others that read backward: 20 circles in all.",
        ),
    ],
)
def test_circles_are_units(sizes: dict[str, Any], circles: str) -> None:
    context = of(**sizes)
    one = content("circles", context)
    assert circles in one.claims[0]
    record = context.lstm.run()
    assert numbers(one)["circles"] == sum(part.cell.shape[2] for layer in record.layers for part in layer.values())
    assert numbers(one)["output_sequence"] == list(record.outputs[0].shape)
    part = record.of(0, Direction.FORWARD)
    assert numbers(one)["c"] == plain_numbers(part.cell[0, 3])
    assert numbers(one)["h"] == plain_numbers(part.hidden[0, 3])
    assert f"{part.cell[0, 3, 0]: .3f}".strip() in words(*one.blocks)


@pytest.mark.parametrize("sizes", [{}, {"bias": False}, {"peepholes": True}, {"projection": 2}, {"units": 1}, {"layers": 2}])
def test_what_a_unit_reads_and_owns_is_counted_in_the_weights(sizes: dict[str, Any]) -> None:
    context = of(**sizes)
    one, weights = content("unit", context), context.lstm.weights.of(0, Direction.FORWARD)
    assert numbers(one)["reads"] == len(weights.kernel) + len(weights.recurrent_kernel)
    assert numbers(one)["parameters"] * context.spec.units == sum(tensor.size for tensor in weights.tensors().values())
    assert f"size {numbers(one)['reads']}." in one.claims[0]
    assert f"A unit owns {numbers(one)['parameters']} of them" in one.claims[1]
    assert ("adds a bias" in one.claims[1]) == context.spec.bias
    if len(context.spec.layers) > 1:
        above = context.lstm.weights.of(1, Direction.FORWARD)
        reads, owns = (
            len(above.kernel) + len(above.recurrent_kernel),
            sum(one.size for one in above.tensors().values()) // above.units,
        )
        assert f"a unit reads {reads} numbers" in one.claims[2]
        assert f"It owns {owns} parameters." in one.claims[2]


def test_the_arithmetic_of_the_unit_is_the_runs() -> None:
    one = content("unit")
    part = FOUNDING.lstm.run(0, 128).of(0, Direction.FORWARD)
    c, h = part.cell[0, 3, 3], part.hidden[0, 3, 3]
    assert f"= {c:.4f}" in words(*one.blocks)
    assert f"= {h:.4f}" in words(*one.blocks)
    assert numbers(one)["arithmetic"]["difference"] < 1e-6


def test_what_moved_is_measured_here_again() -> None:
    context = of(dtype="float64")
    one = content("sharing", context)
    weights, part = context.lstm.weights.of(0, Direction.FORWARD), context.lstm.run().of(0, Direction.FORWARD)
    x, h, c = part.input[:1, 3], part.hidden[:1, 2].copy(), part.cell[:1, 2]
    before = step(weights, x, h, c).c
    h[0, 3] += 0.1
    after = step(weights, x, h, c).c
    moved = int((before != after).sum())
    assert moved == 5
    assert f"moved {moved} of 5 units one timestep later" in one.claims[0]
    assert f"{np.abs(after - before).max():.3g}" in words(*one.blocks)


def test_a_single_timestep_is_described_differently() -> None:
    context = TourContext(lstm_explain.seeded(timesteps=1))
    assert "So 460 of 640 parameters get no gradient" in said("states", context)
    sharing = content("sharing", context)
    assert sharing.claims[0].startswith("Independent: each unit has its own weights")
    assert "No timestep follows in which they could read each other's outputs." in sharing.claims[0]
    assert "one timestep later" not in said("sharing", context)
    assert "the previous h is all 0" in content("unit", context).claims[0]
    assert "at the next timestep" not in content("states", context).claims[0]
    assert "460" not in said("states")


def test_a_sample_that_ends_after_one_timestep_of_several_is_no_single_timestep() -> None:
    context = of(lengths=(1, 4, 4))
    assert "You have one timestep" not in said("states", context)
    assert "The sample ends at timestep 1" in said("states", context)
    assert "moved 5 of 5 units at the timestep that read it" in content("sharing", context).claims[0]
    assert "one timestep later" not in said("sharing", context)


def test_a_single_unit_has_no_others() -> None:
    context = of(units=1)
    assert content("sharing", context).claims[0].startswith("A single unit has no other unit to share with")
    assert "others" not in said("sharing", context)
    assert "other units" not in said("sharing", context)
    assert "its own output h of the previous timestep" in content("unit", context).claims[0]


def test_what_the_courses_and_the_memory_say_is_in_the_topics() -> None:
    one, unit = content("states"), lstm_explain.unit(FOUNDING.lstm, 3)
    memory = lstm_explain.memory(FOUNDING.lstm, units=[3])
    assert numbers(one)["c"] == plain_numbers(unit.cell)
    table = next(block for block in one.blocks if isinstance(block, Table))
    assert len(table.rows) == 10
    assert isinstance(table.rows[-1][-1], Cell)
    assert table.rows[-1][-1].text == f"{unit.output[-1]: .4f}"
    assert f"was added by timestep {int(memory.half_since[0])} and those after it" in words(*one.blocks)
    assert f"forgotten in {float(memory.mean_half_life[0]):.1f} timesteps" in words(*one.blocks)


def test_how_many_outputs_are_the_tasks_own() -> None:
    one, tasks = content("outputs"), lstm_explain.tasks(FOUNDING.lstm)
    found = [(task["task"], task["makes"], task["parameters"]) for task in numbers(one)["tasks"]]
    assert found == [(net.task.value, list(net.tensor("outputs").shape.sizes), net.total) for net in tasks.networks]
    assert "1, 10 or 100?" in one.question
    assert "11 parameters" in one.claims[1]


def test_the_words_are_the_glossarys() -> None:
    context = of(layers=2, bidirectional=True)
    found = {one["word"]: one for one in numbers(content("words", context))["words"]}
    assert [meaning["number"] for meaning in found["cell"]["meanings"]] == [1, 5, 5, 4]
    assert "Keras" in found["cell"]["meanings"][0]["who"]
    assert found["neuron"]["meanings"][0]["number"] == 20
    assert "units in Keras; hidden_size in PyTorch" in content("words", context).claims[1]
    assert "2 in all" in said("words", context), "layers are not counted within a layer"


def test_what_does_not_fit_the_budget_is_said_to_be_computed() -> None:
    context = TourContext(lstm_explain.seeded(max_memory=1))
    for name in NAMES:
        text = said(name, context)
        assert "Not measured: " in text or name == "words", name
        assert "Measured just now" not in text
    assert "These shapes are computed" in said("circles", context)
    assert "moved" not in said("sharing", context)


def test_a_sample_of_a_trillion_is_shown_and_the_shapes_computed() -> None:
    context = TourContext(lstm_explain.seeded(samples=10**12, units=3))
    assert "(1000000000000, 10, 3)" in said("circles", context)
    assert "Not measured" not in said("sharing", context)


# --- layers that are not alike ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unlike(tmp_path_factory: pytest.TempPathFactory) -> TourContext:
    file = tmp_path_factory.mktemp("models") / "mixed.h5"
    file.write_bytes(mixed_file())
    return TourContext(lstm_explain.from_model(str(file), "a+b+c", samples=3, timesteps=4))


def test_circles_of_unlike_layers_are_added_up(unlike: TourContext) -> None:
    one, record = content("circles", unlike), unlike.lstm.run()
    has = "layer 0 has 6 units in each direction, layer 1 has 4 units and layer 2 has 3 units"
    assert f"in which {has}, and which reads 4 timesteps of 2 numbers?" in one.question
    assert numbers(one)["circles"] == sum(part.cell.shape[2] for layer in record.layers for part in layer.values()) == 19
    assert "Your 3 layers have 19 circles in all: 6 + 6 + 4 + 3. A bidirectional layer has separate circles" in one.claims[0]
    assert "from each unit: 6 in layer 0." in one.claims[2]
    assert numbers(one)["circles_per_direction"] == 6
    assert numbers(one)["output_sequence"] == list(record.outputs[0].shape)
    assert numbers(one)["c"] == plain_numbers(record.of(0, Direction.FORWARD).cell[0, 3])
    assert one.commands[0].startswith("lstm-explain shapes --model mixed.h5#a+b+c --samples 3 --timesteps 4")


def test_what_a_unit_of_each_unlike_layer_reads_and_owns_is_counted_in_its_weights(unlike: TourContext) -> None:
    one = content("unit", unlike)
    assert one.claims[0].startswith("In layer 0 it reads more than 2 numbers")
    assert "A unit of layer 0 owns 36 of them, 4 × (2 + 6 + 1)" in one.claims[1]
    for layer in (1, 2):
        weights = unlike.lstm.weights.of(layer, Direction.FORWARD)
        below, own = len(weights.kernel), len(weights.recurrent_kernel)
        owned = sum(tensor.size for tensor in weights.tensors().values()) // weights.units
        bias = "" if weights.bias is None else " + 1"
        reads = f"In layer {layer} a unit reads {below + own} numbers: {below} from the layer below, and {own} from its own"
        assert f"{reads} layer. It owns {owned} parameters, 4 × ({below} + {own}{bias})." in one.claims[2]
    assert numbers(one)["total"] == sum(
        tensor.size for layer in unlike.lstm.weights.layers for part in layer.values() for tensor in part.tensors().values()
    )


def test_the_other_chapters_say_of_which_of_the_unlike_layers_they_tell(unlike: TourContext) -> None:
    assert content("sharing", unlike).question.startswith("The 6 units of your layer 0 stand side by side. Are they")
    assert "moved 6 of 6 units one timestep later" in content("sharing", unlike).claims[0]
    assert "never read each other within a layer. The layer above reads both." in said("sharing", unlike)
    assert content("states", unlike).question.endswith("All units of layer 0 together make two vectors of 6 numbers each.")
    assert content("outputs", unlike).question.startswith(
        "Your last layer outputs a vector h of 3 numbers at each of 4 timesteps."
    )
    assert "With one output the dense layer has 4 parameters." in said("outputs", unlike)
    one = content("words", unlike)
    assert one.question.endswith("How many cells are there in layer 0 in one direction?")
    assert "The number of units, 6 in layer 0 in one direction, is called units in Keras" in one.claims[1]
    assert "3 in all" in said("words", unlike), "layers are not counted within a layer"


@pytest.mark.parametrize(
    ("stack", "found", "missing"),
    [
        ((LayerSpec(3), LayerSpec(2, bidirectional=True)), ("never read each other",), ("layer above reads both",)),
        (
            (LayerSpec(3), LayerSpec(4, projection=2)),
            ("Only the projection of a layer that has one mixes", "the projection, in a layer that has one, computes h"),
            ("never read each other", "The projection alone", "has separate circles for each direction"),
        ),
        ((LayerSpec(1), LayerSpec(2)), ("Your layer 0 has a single unit.",), ("All units of layer 0",)),
        (
            tuple(LayerSpec(units) for units in range(1, 13)),
            ("78 circles in all: 1 + 2 + 3 + 4 + 5 + 6 + ... + 11 + 12.",),
            (),
        ),
    ],
)
def test_what_is_said_holds_for_each_of_unlike_layers(
    stack: tuple[LayerSpec, ...], found: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    text = words(
        *tour_document(Tour(TourContext(from_a_file(lstm_explain.seeded(samples=2, timesteps=3, stack=stack))), CHAPTERS))
    )
    assert all(one in text for one in found)
    assert not [one for one in missing if one in text]


# --- which chapters ---------------------------------------------------------------------------------------------------


def test_chapters_are_found_by_name_and_number_each_once() -> None:
    assert [one.name for one in select_chapters(["4", "Words", "states"])] == ["states", "words"]
    assert select_chapters([]) == CHAPTERS
    assert find_chapter(" 1 ") == CHAPTERS[0]
    assert find_chapter("0") is None


@pytest.mark.parametrize("asked", ["", "0", "7", "-1", "1.0", "cirles", "nan", "x" * 500, "a\nb", "１"])
def test_what_is_no_chapter(asked: str) -> None:
    with pytest.raises(UsageError, match="unknown chapter") as error:
        select_chapters([asked])
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 250
    assert all(name in str(error.value) for name in NAMES)


def test_near_misses_are_suggested() -> None:
    with pytest.raises(UsageError, match="Did you mean circles"):
        select_chapters(["cirles"])


def test_chapters_are_built_only_when_they_are_read() -> None:
    tour = Tour(TourContext(lstm_explain.seeded(timesteps=2)), CHAPTERS)
    tour.question(0)
    assert "shapes" in tour.context.__dict__
    assert len(tour._contents) == 1
    assert tour.content(0) is tour.content(0)


# --- whatever is asked ------------------------------------------------------------------------------------------------


@st.composite
def lstms(draw: st.DrawFn) -> LSTM:
    units, timesteps = draw(st.integers(1, 14)), draw(st.integers(1, 13))
    lengths = draw(st.none() | st.lists(st.integers(1, timesteps), min_size=1, max_size=3))
    options: dict[str, Any] = {
        "timesteps": timesteps,
        "features": draw(st.integers(1, 4)),
        "units": units,
        "layers": draw(st.integers(1, 2)),
        "bidirectional": draw(st.booleans()),
        "projection": draw(st.none() | st.integers(1, units - 1)) if units > 1 else None,
        "bias": draw(st.booleans()),
        "peepholes": draw(st.booleans()),
        "dtype": draw(st.sampled_from(["float32", "float64"])),
        "init": draw(st.sampled_from(["keras", "pytorch"])),
        "seed": draw(st.integers(0, 5)),
        "lengths": lengths,
        "stack": draw(st.just(()) | stacks(14)),
    }
    samples = draw(st.integers(1, 3)) if lengths is None else len(lengths)
    if draw(st.booleans()):
        return from_a_file(lstm_explain.seeded(samples=samples, **options))
    number = draw(st.sampled_from([0.0, 1.0, 1e30, float("nan"), float("inf")]))
    array = np.full((samples, timesteps, options["features"]), number)
    return from_a_file(lstm_explain.given(array, name="x.npy", **options))


def from_a_file(lstm: LSTM) -> LSTM:
    """The same, as if read from a model: layers that are not alike are never made by a command line without one."""
    if not lstm.spec.layers_differ:
        return lstm
    origin = {
        "kind": "model",
        "file": "x.h5",
        "layer": "a+b",
        "framework": "keras",
        "title": "keras.layers.LSTM",
        "reads": "from the start",
    }
    return replace(lstm, pretrained=PretrainedWeights(lstm.weights, origin))


FALSE = (
    r"\b0 of 0\b",
    r"\bnan\b",
    r"(?<![\d.,])1 (units|numbers|timesteps|circles|layers|parameters|samples|products|features)\b",
    r"(?<![\d.,])(?!1\b(?!,))\d+(,\d{3})* (unit|number|timestep|circle|layer|parameter|sample|product)\b",
    r"\b0 other units\b",
    r"\bNone\b",
    r"  +[a-z]",
    r"\.\.",
)
"""What must stand nowhere: nothing of nothing, and numbers that do not fit their nouns."""


@given(lstms(), st.integers(0, 2))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_tour_never_fails_and_says_nothing_false(lstm: LSTM, sample: int) -> None:
    context = TourContext(lstm, sample=min(sample, lstm.spec.samples - 1))
    tour, spec = Tour(context, CHAPTERS), lstm.spec.for_layer(0)
    blocks = tour_document(tour)
    text = re.sub(r"lstm-explain [^\n]*", "", "\n".join(words(block) for block in blocks))
    prose = "\n".join(block.text for block in blocks if isinstance(block, Paragraph | Note))
    for pattern in FALSE[:1]:
        assert not re.search(pattern, text), pattern
    for pattern in FALSE[1:]:
        found = re.search(pattern, prose)
        assert found is None, (pattern, prose[max(0, found.start() - 60) : found.end() + 40])
    if spec.units == 1:
        assert "the others" not in tour.content(2).claims[0]
    if spec.timesteps == 1:
        assert "one timestep later" not in prose
        assert "each timestep of" not in prose
    heard = numbers(tour.content(2))["statements"]["next_timestep"]["cells"]["moved"]
    assert (
        f"moved {heard} of {spec.units} units" in prose
        or spec.units == 1
        or spec.timesteps == 1
        or heard == 0
        or "nothing moved" in prose
    )
    step = numbers(tour.content(3))["without_gradient"]
    assert (step is not None) == (context.length == 1)
    if "get no gradient" in prose:
        assert step is not None
        assert f"So {step['idle']:,} of {step['total']:,} parameter" in prose
