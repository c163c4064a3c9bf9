"""The library's ways in: what they accept, what they refuse and how, and that importing them costs nothing."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain import errors
from lstm_explain.errors import LstmExplainError, RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

HEAVY = ("numpy", "rich", "typer", "threadpoolctl")


def loaded_after(code: str) -> list[str]:
    """Which heavy modules a fresh Python has loaded after running the code."""
    found = "import sys; print(*[name for name in %r if name in sys.modules])" % (HEAVY,)  # noqa: UP031
    home = str(Path(lstm_explain.__file__).parents[1])
    path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\n{found}"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.split()


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import lstm_explain; lstm_explain.__version__; dir(lstm_explain)") == []


def test_a_heavy_import_would_be_noticed() -> None:
    assert loaded_after("import lstm_explain; lstm_explain.seeded") == ["numpy"]
    assert loaded_after("import lstm_explain, rich, typer") == ["rich", "typer"]


def test_computing_shapes_needs_no_display() -> None:
    code = "import lstm_explain; lstm_explain.shapes(lstm_explain.seeded(samples=10**12)).to_dict()"
    assert loaded_after(code) == ["numpy"]


def test_every_public_name_is_there() -> None:
    assert dir(lstm_explain) == sorted(lstm_explain.__all__)
    for name in lstm_explain.__all__:
        assert getattr(lstm_explain, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = lstm_explain.no_such_name


def test_the_example_of_the_package() -> None:
    lstm = lstm_explain.seeded(samples=1000, timesteps=10, features=5, units=10)
    assert lstm_explain.shapes(lstm).total == 640
    assert lstm_explain.unit(lstm).parameters == 64
    assert lstm_explain.trace(lstm).hidden.shape == (10, 10)


def test_the_defaults_are_the_founding_example() -> None:
    lstm = lstm_explain.seeded()
    assert lstm.spec == lstm_explain.Spec()
    assert (lstm.init, lstm.seed, lstm.lengths, lstm.max_memory) == ("keras", 0, None, 2**30)


def test_layers_may_differ() -> None:
    stack = (lstm_explain.LayerSpec(6, bidirectional=True), lstm_explain.LayerSpec(4, bias=False))
    lstm = lstm_explain.seeded(samples=3, timesteps=5, features=2, stack=stack)
    assert lstm.spec.layers == stack
    shapes = lstm_explain.shapes(lstm)
    assert shapes.total == 2 * 4 * 6 * (2 + 6 + 1) + 4 * 4 * (12 + 4)
    assert [unit.reads for unit in shapes.units] == [2 + 6, 12 + 4]
    assert lstm_explain.unit(lstm, unit=3, layer=1, step=4).arithmetic.difference < 1e-6  # type: ignore[union-attr]
    assert lstm_explain.trace(lstm, layer=1).hidden.shape == (5, 4)
    with pytest.raises(lstm_explain.LstmExplainError, match="layer 1 of this LSTM reads forward only"):
        lstm_explain.trace(lstm, layer=1, direction="backward")
    with pytest.raises(lstm_explain.LstmExplainError, match="there are 4 units"):
        lstm_explain.trace(lstm, layer=1, units=[4])


def test_lengths_say_how_many_samples_and_timesteps_there_are() -> None:
    lstm = lstm_explain.seeded(lengths=[3, 7, 1])
    assert (lstm.spec.samples, lstm.spec.timesteps, lstm.lengths) == (3, 7, (3, 7, 1))
    assert lstm_explain.seeded(lengths=[3, 7, 1], timesteps=9).spec.timesteps == 9


def test_sizes_come_from_the_array() -> None:
    lstm = lstm_explain.given(np.zeros((4, 3, 2)), units=6)
    assert (lstm.spec.samples, lstm.spec.timesteps, lstm.spec.features, lstm.spec.units) == (4, 3, 2, 6)
    assert lstm_explain.given(np.zeros((3, 2))).spec.samples == 1
    assert lstm_explain.given(np.zeros((4, 3, 2)), samples=4, timesteps=3, features=2).spec == lstm_explain.Spec(4, 3, 2)


def test_the_origin_names_the_array_and_its_columns() -> None:
    lstm = lstm_explain.given(np.zeros((3, 2)), name="weather.csv", columns=["rain", "wind"], lengths=[2])
    expected = {"kind": "data", "name": "weather.csv", "columns": ["rain", "wind"], "lengths": [2]}
    assert lstm.provenance["inputs"] == expected


def test_a_given_array_is_converted_to_the_type_asked_for() -> None:
    for kind in (np.int8, np.uint16, np.float16, np.bool_, np.float64):
        lstm = lstm_explain.given(np.ones((2, 3, 2), kind), units=3)
        assert lstm.run().input.dtype == np.float32


def test_inputs_and_weights_depend_on_the_seed() -> None:
    one, other = (lstm_explain.seeded(samples=2, seed=seed) for seed in (0, 1))
    assert (one.inputs.block(0, 2) != other.inputs.block(0, 2)).all()
    assert one.run().output.tolist() != other.run().output.tolist()


def test_the_initialisers_differ_and_the_inputs_stay() -> None:
    one, other = (lstm_explain.seeded(samples=2, init=init) for init in ("keras", "pytorch"))
    np.testing.assert_array_equal(one.inputs.block(0, 2), other.inputs.block(0, 2))
    assert one.run().output.tolist() != other.run().output.tolist()


Refusal = tuple[type[LstmExplainError], str, str, "Callable[[], Any]"]
array, seeded = np.zeros((4, 3, 2)), lstm_explain.seeded

REFUSALS: list[Refusal] = [
    (UsageError, "units=0", "at least one unit", lambda: seeded(units=0)),
    (UsageError, "samples='ten'", "whole number", lambda: seeded(samples="ten")),
    (UsageError, "projection=10", "10", lambda: seeded(projection=10)),
    (UsageError, "dtype='float16'", "float32 and float64", lambda: seeded(dtype="float16")),
    (UsageError, "seed=-1", "0 to 2**53 - 1", lambda: seeded(seed=-1)),
    (UsageError, f"seed={2**53}", "0 to 2**53 - 1", lambda: seeded(seed=2**53)),
    (UsageError, "seed=-1", "0 to 2**53 - 1", lambda: lstm_explain.given(array, seed=-1)),
    (UsageError, "init='glorot'", "keras and pytorch", lambda: seeded(init="glorot").weights),  # type: ignore[arg-type]
    (UsageError, "lengths=[1, 2]", "2 lengths for 3 samples", lambda: seeded(samples=3, lengths=[1, 2])),
    (UsageError, "lengths=[1, 5]", "from 1 to 4", lambda: seeded(timesteps=4, lengths=[1, 5])),
    (UsageError, "lengths=[0, 4]", "from 1 to 4", lambda: seeded(lengths=[0, 4])),
    (UsageError, "lengths=[1, 1, 1, 1, 1, 1, 1, 1, '...']", "9 lengths", lambda: seeded(samples=3, lengths=[1] * 9)),
    (UsageError, "lengths=[4, 4]", "2 lengths for 4 samples", lambda: lstm_explain.given(array, lengths=[4, 4])),
    (UsageError, "lengths=[1, 2, 3, 4]", "from 1 to 3", lambda: lstm_explain.given(array, lengths=[1, 2, 3, 4])),
    (UsageError, "samples=5", "samples=4", lambda: lstm_explain.given(array, samples=5)),
    (UsageError, "timesteps=5", "timesteps=3", lambda: lstm_explain.given(array, timesteps=5)),
    (UsageError, "features=5", "features=2", lambda: lstm_explain.given(array, features=5)),
    (UsageError, "a.npy as (samples, ", "float64[3]", lambda: lstm_explain.given(np.zeros(3), name="a.npy")),
    (UsageError, "array as (samples, ", "float64[1, 2, 3, 4]", lambda: lstm_explain.given(np.zeros((1, 2, 3, 4)))),
    (UsageError, "array", "no timesteps", lambda: lstm_explain.given(np.zeros((4, 0, 2)))),
    (UsageError, "unit=10", "from 0 to 9", lambda: lstm_explain.unit(seeded(), 10)),
    (UsageError, "sample=1000", "from 0 to 999", lambda: lstm_explain.trace(seeded(), 1000)),
    (UsageError, "step=11", "from 1 to 10", lambda: lstm_explain.trace(seeded(), steps=[11])),
    (UsageError, "layer=2", "from 0 to 1", lambda: lstm_explain.stream_trace(seeded(layers=2), layer=2)),
    (
        UsageError,
        "the input [samples=4, timesteps=3, features=5]",
        "float64[samples=4, timesteps=3, features=2]",
        lambda: lstm_explain.forward(lstm_explain.Spec(), seeded().weights, array),
    ),
    (RefusedError, "an LSTM of 1000000000000 samples, ", "1,073,741,824", lambda: seeded(samples=10**12).run()),
    (RefusedError, "an LSTM of 1000 samples, 10 ", "making the weights takes", lambda: seeded(units=10**6).weights),
    (RefusedError, "an LSTM of ", "is 1,000", lambda: lstm_explain.unit(seeded(samples=1, max_memory=1000))),
]


@pytest.mark.parametrize(("kind", "asked", "found", "ask"), REFUSALS, ids=[f"{one[1]}-{k}" for k, one in enumerate(REFUSALS)])
def test_a_refusal_names_the_option_its_value_and_the_rule(
    kind: type[LstmExplainError], asked: str, found: str, ask: Callable[[], Any]
) -> None:
    with pytest.raises(LstmExplainError) as raised:
        ask()
    error = raised.value
    assert type(error) is kind
    assert error.asked.startswith(asked)
    assert found in error.found
    assert str(error) == f"{error.asked}: {error.found}" + (f". {error.fix}." if error.fix else ".")
    assert not error.fix.endswith(".")
    assert error.args == (str(error),)


NOT_REFUSED_YET: list[tuple[str, Callable[[], Any]]] = [
    ("seed=1.5", lambda: seeded(seed=1.5).weights),  # type: ignore[arg-type]
    ("seed=True", lambda: seeded(seed=True).weights),
    ("init='glorot'", lambda: lstm_explain.shapes(seeded(samples=10**12, init="glorot"))),  # type: ignore[arg-type]
    ("lengths=True", lambda: seeded(lengths=[True, 2])),
    ("lengths=1.5", lambda: seeded(lengths=[1.5, 2])),  # type: ignore[list-item]
    ("unit=1.5", lambda: lstm_explain.unit(seeded(samples=1), 1.5)),  # type: ignore[arg-type]
    ("units", lambda: lstm_explain.trace(seeded(samples=1), units=[])),
    ("steps", lambda: lstm_explain.trace(seeded(samples=1), steps=[])),
    ("bidirectional='no'", lambda: seeded(bidirectional="no")),
    ("dtype=['float32']", lambda: seeded(dtype=["float32"])),
    ("columns", lambda: lstm_explain.given(array, columns=["only one"])),
    ("array", lambda: lstm_explain.given(np.array([["text"]])).run()),
    ("array", lambda: lstm_explain.given(np.ones((2, 3), complex)).run()),
]


@pytest.mark.parametrize(("asked", "ask"), NOT_REFUSED_YET, ids=[f"{one[0]}-{k}" for k, one in enumerate(NOT_REFUSED_YET)])
def test_a_value_of_the_wrong_kind_is_refused(asked: str, ask: Callable[[], Any]) -> None:
    with pytest.raises(UsageError) as raised:
        ask()
    assert raised.value.asked.startswith(asked)


def test_lengths_may_be_an_array() -> None:
    assert seeded(lengths=np.array([3, 1])).spec == seeded(lengths=[3, 1]).spec  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "explain",
    [
        lambda one: lstm_explain.trace(seeded(samples=2), sample=one),
        lambda one: lstm_explain.unit(seeded(samples=2), unit=one),
        lambda one: lstm_explain.unit(seeded(samples=2), step=one),
        lambda one: lstm_explain.shapes(seeded(seed=one)),
        lambda one: lstm_explain.shapes(seeded(lengths=[one, one])),
    ],
)
def test_whole_numbers_of_numpy_are_as_good_as_pythons(explain: Callable[[Any], Any]) -> None:
    json.dumps(explain(np.int64(1)).to_dict())


def test_every_kind_of_error_has_its_exit_code() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LstmExplainError)]
    assert {kind.__name__: kind.exit_code for kind in kinds} == {
        "LstmExplainError": 1,
        "UsageError": 2,
        "InputFileError": 3,
        "RefusedError": 4,
        "OutputError": 5,
        "MissingExtraError": 6,
    }


def test_usage_errors_are_value_errors_too() -> None:
    with pytest.raises(ValueError, match="units=0"):
        seeded(units=0)


@pytest.mark.parametrize("view", ["rich", "html"])
def test_every_topic_can_be_shown(view: str) -> None:
    from lstm_explain.library import render_result

    lstm = seeded(samples=2, timesteps=3)
    for explanation in (lstm_explain.shapes(lstm), lstm_explain.unit(lstm, step=2), lstm_explain.trace(lstm)):
        assert render_result(explanation, view)
        assert "640" in lstm_explain.shapes(lstm)._repr_html_()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (lambda lstm: lstm, "<LSTM: samples=2, timesteps=3, features=5, units=10>"),
        (lambda lstm: lstm_explain.trace(lstm), "<trace of LSTM: samples=2, timesteps=3, features=5, units=10>"),
        (
            lambda lstm: lstm.run(),
            "<Record of LSTM: samples=2, timesteps=3, features=5, units=10; input float32[2, 3, 5], output float32[2, 3, 10]>",
        ),
        (lambda lstm: lstm.run().of(0, "forward"), "<LayerRecord: layer 0, forward, h float32[2, 3, 10]>"),
        (
            lambda lstm: lstm.weights.of(0, "forward"),
            "<LayerWeights: kernel float32[5, 40], recurrent_kernel float32[10, 40], bias float32[40]>",
        ),
    ],
)
def test_the_last_line_of_a_cell_is_short(value: Callable[[Any], object], text: str) -> None:
    assert repr(value(seeded(samples=2, timesteps=3))) == text


def test_the_repr_of_the_largest_values_is_short() -> None:
    lstm = seeded(samples=2, timesteps=3, units=(6,) * 100, bidirectional=True, lengths=[1, 2])
    for value in (lstm, lstm.run(), lstm_explain.shapes(lstm), lstm_explain.memory(lstm)):
        assert len(repr(value)) < 250


def test_print_writes_the_page_that_the_terminal_shows(capsys: pytest.CaptureFixture[str]) -> None:
    from lstm_explain.render.terminal import to_terminal
    from lstm_explain.topics.registry import document_of

    lstm = seeded(samples=2, timesteps=3)
    for result in (lstm_explain.trace(lstm), lstm_explain.shapes(lstm), lstm_explain.unit(lstm)):
        print(result)  # noqa: T201 - this is what is tested
        shown = capsys.readouterr().out
        assert shown == to_terminal(document_of(result), 80, None, unicode=True)
        assert f"{result}" == str(result) == shown.removesuffix("\n")


class Terminal(io.StringIO):
    """A terminal of one encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


def test_print_writes_for_the_terminal_that_it_writes_to(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = lstm_explain.trace(seeded(samples=2, units=40))
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys, "stdout", Terminal("utf-8"))
    assert max(map(len, str(trace).splitlines())) <= 60
    monkeypatch.setenv("COLUMNS", "160")
    assert 120 < max(map(len, str(trace).splitlines())) <= 160
    monkeypatch.setattr(sys, "stdout", Terminal("ascii"))
    assert str(trace).isascii()
    monkeypatch.setattr(sys, "stdout", None)
    assert str(trace)
