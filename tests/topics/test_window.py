"""window: every window against a plain loop, the count's formula, scaling, gaps, and what is refused."""

from __future__ import annotations

import json
import tracemalloc
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.errors import RefusedError, UsageError
from lstm_explain.topics import window as module
from lstm_explain.topics.window import Window, Windowing, explain_window
from lstm_explain.topics.window.time_series import Series, find_gaps

if TYPE_CHECKING:
    from pathlib import Path

    from lstm_explain.core.axes import Array


SCHEMA = json.loads((resources.files("lstm_explain.render") / "schemas" / "window.json").read_text("utf-8"))


def table(rows: int, columns: int = 2) -> Array:
    return np.arange(rows * columns, dtype="f8").reshape(rows, columns) * 0.25 - 1


def written(window: Window) -> tuple[Array, Array | None]:
    """All that would be written, at once."""
    x = np.concatenate(list(window.pieces_of_x())).reshape(window.x.shape)
    y = None if window.y is None else np.concatenate(list(window.pieces_of_y())).reshape(window.y.shape)
    return x, y


def by_loop(values: Array, timesteps: int, stride: int, horizon: int, target: int) -> tuple[list[Any], list[Any]]:
    """The windows and the targets, as one would write it down first."""
    x, y, start = [], [], 0
    while start + timesteps + horizon <= len(values):
        x.append([values[row].tolist() for row in range(start, start + timesteps)])
        y.append([float(values[row, target]) for row in range(start + timesteps, start + timesteps + horizon)])
        start += stride
    return x, y


@st.composite
def cases(draw: st.DrawFn) -> dict[str, int]:
    timesteps, horizon = draw(st.integers(1, 6)), draw(st.integers(0, 3))
    columns = draw(st.integers(1, 3))
    return {
        "rows": draw(st.integers(timesteps + horizon, 30)),
        "columns": columns,
        "timesteps": timesteps,
        "stride": draw(st.integers(1, 9)),
        "horizon": horizon,
        "target": draw(st.integers(0, columns - 1)),
    }


def made(case: dict[str, int], **more: Any) -> Window:
    aim: dict[str, Any] = {"horizon": case["horizon"], "target": case["target"]} if case["horizon"] else {}
    values = table(case["rows"], case["columns"])
    return explain_window(values, case["timesteps"], case["stride"], dtype="float64", **aim, **more)


@given(cases(), st.integers(1, 40))
def test_the_windows_are_those_of_a_plain_loop(case: dict[str, int], piece: int) -> None:
    x, y = by_loop(table(case["rows"], case["columns"]), *(case[key] for key in ("timesteps", "stride", "horizon", "target")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK_SIZE", piece)
        window = made(case)
        found_x, found_y = written(window)
    assert found_x.tolist() == x
    assert (found_y is None) == (case["horizon"] == 0)
    assert found_y is None or found_y.tolist() == y


@given(cases())
def test_the_count_its_formula_and_what_is_left(case: dict[str, int]) -> None:
    window = made(case)
    plan, samples = (
        window.windowing,
        len(by_loop(table(case["rows"]), case["timesteps"], case["stride"], case["horizon"], 0)[0]),
    )
    assert plan.samples == samples == window.x.shape[0]
    computed, _, result = plan.formula.rpartition(" = ")
    assert int(result) == samples == eval(computed, {"floor": int})
    letters = {"N": plan.rows, "T": plan.timesteps, "H": plan.horizon, "S": plan.stride}
    assert eval(plan.letters, {"floor": int, **letters}) == samples
    used = {row for sample in range(samples) for row in range(plan.first(sample), plan.first(sample) + plan.reach)}
    assert plan.unused == len([row for row in range(plan.rows) if row > max(used)])
    assert plan.between == max(0, plan.first(1) - plan.timesteps)
    assert plan.shared == max(0, plan.timesteps - plan.first(1))


@given(cases())
def test_the_first_the_second_and_the_last_are_shown(case: dict[str, int]) -> None:
    window = made(case)
    x, y = written(window)
    assert [one.sample for one in window.shown] == sorted({0, min(1, len(x) - 1), len(x) - 1})
    for one, plain in zip(window.shown, window.to_dict()["windows"], strict=True):
        assert one.x.tolist() == x[one.sample].tolist() == plain["x"]
        assert plain["rows"] == [one.row, one.row + case["timesteps"] - 1]
        assert table(case["rows"], case["columns"])[one.row].tolist() == one.x[0].tolist()
        assert one.y is None or (y is not None and one.y.tolist() == y[one.sample].tolist() == plain["y"])


def test_nothing_is_copied() -> None:
    values = table(50)
    window = explain_window(values, 10, horizon=2, target=0)
    assert np.shares_memory(window.x, values)
    assert window.y is not None
    assert np.shares_memory(window.y, values)
    assert not window.x.flags.writeable


def test_a_mapped_file_is_written_without_holding_it(tmp_path: Path) -> None:
    """Sixteen megabytes of rows become 160 of windows, and never more than a few pieces are in memory."""
    np.save(tmp_path / "x.npy", np.ones((10**6, 2)))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    tracemalloc.start()
    window = explain_window(mapped, 10, scale="standard")
    total = sum(piece.nbytes for piece in window.pieces_of_x())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == window.x_bytes == (10**6 - 9) * 10 * 2 * 4
    assert peak < 8 * 2**20


# --- scaling ----------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(*[st.floats(-1e6, 1e6, width=32)] * 2), min_size=2, max_size=20),
    st.sampled_from(["standard", "minmax"]),
)
def test_scaling_is_undone_by_the_numbers_that_are_given(rows: list[tuple[float, float]], kind: str) -> None:
    values = np.array(rows)
    window = explain_window(values, 1, target=1, scale=kind, dtype="float64")
    assert window.scaling is not None
    x, _ = written(window)
    for column in (0, 1):
        own, numbers = x[:, 0, column], window.scaling.statistics(column)
        if kind == "standard":
            back = own * numbers["std"] + numbers["mean"]
            assert numbers["mean"] == pytest.approx(values[:, column].mean(), abs=1e-6)
            assert numbers["std"] == pytest.approx(values[:, column].std(), rel=1e-6, abs=1e-6)
        else:
            back = own * (numbers["max"] - numbers["min"]) + numbers["min"]
            assert (own >= 0).all()
            assert (own <= 1).all()
        np.testing.assert_allclose(back, values[:-1, column], rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("kind", ["standard", "minmax"])
def test_a_constant_column_becomes_zero_exactly_and_is_named(kind: str) -> None:
    values = np.column_stack([np.full(1001, 0.1), np.arange(1001)])
    window = explain_window(Series(values, columns=("same", "other")), 2, scale=kind, dtype="float64")
    assert window.scaling is not None
    assert window.scaling.constant == (True, False)
    assert not written(window)[0][:, :, 0].any()
    assert "constant" in window.warnings
    assert window.to_dict()["scaling"]["columns"][0]["column"] == "same"


def test_targets_are_scaled_as_their_column() -> None:
    values = np.column_stack([np.arange(9.0), 100 * np.arange(9.0)])
    window = explain_window(Series(values, features=1), 3, horizon=2, target=1, scale="minmax", dtype="float64")
    x, y = written(window)
    assert x.shape == (5, 3, 1)
    assert y is not None
    np.testing.assert_allclose(y[0], [3 / 8, 4 / 8])
    np.testing.assert_allclose(x[0, :, 0], [0, 1 / 8, 2 / 8])


def test_scaling_does_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    from lstm_explain.topics.window import time_series

    values = np.random.default_rng(0).normal(5, 3, (100, 3))
    whole = explain_window(values, 5, scale="standard").scaling
    monkeypatch.setattr(time_series, "SCALING_CHUNK_SIZE", 7)
    parts = explain_window(values, 5, scale="standard").scaling
    assert whole is not None
    assert parts is not None
    np.testing.assert_allclose(whole.shift, parts.shift, rtol=1e-14)
    np.testing.assert_allclose(whole.divisor, parts.divisor, rtol=1e-14)


@pytest.mark.parametrize("bad", [[np.nan, 1], [np.inf, 1], [-1.7e308, 1.7e308]])
@pytest.mark.parametrize("kind", ["standard", "minmax"])
def test_what_cannot_be_scaled_is_named(bad: list[float], kind: str) -> None:
    values = np.column_stack([[1.0, 2.0], bad])
    with pytest.raises(UsageError, match=f"scale={kind!r}: column 1 holds nan, infinity or numbers too far apart to scale"):
        explain_window(values, 1, scale=kind)


# --- time -------------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.sampled_from([1.0, 1.0, 1.0, 1.4, 1.6, 7.0, 0.0, -2.0]), min_size=3, max_size=25),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 2),
)
def test_gaps_and_the_samples_across_them_are_those_of_a_plain_loop(
    steps: list[float], timesteps: int, stride: int, horizon: int
) -> None:
    times = np.concatenate([[0.0], np.cumsum(steps)])
    plan = Windowing(len(times), timesteps, stride, horizon)
    if plan.samples == 0:
        return
    found, exact = find_gaps(times, plan, "numbers"), np.diff(times)
    usual = float(np.median(exact))
    larger = [row for row, step in enumerate(exact) if usual > 0 and step > 1.5 * usual]
    across = 0
    for sample in range(plan.samples):
        first = sample * stride
        across += any(first <= row < first + timesteps + horizon - 1 for row in larger)
    assert (found.number, found.samples) == (len(larger), across)
    assert found.usual == (usual if usual > 0 else None)
    assert [one.row for one in found.listed] == larger[:8]
    assert found.backward == sum(step <= 0 for step in exact)
    assert found.first_backward == next((row + 1 for row, step in enumerate(exact) if step <= 0), None)


def test_months_of_unequal_length_are_no_gap_and_a_missing_one_is() -> None:
    days = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) * 86400.0
    assert find_gaps(days, Windowing(13, 2, 1, 0), "dates").number == 0
    assert find_gaps(np.delete(days, 5), Windowing(12, 2, 1, 0), "dates").number == 1


def test_a_single_row_has_no_steps() -> None:
    window = explain_window(Series(np.ones((1, 1)), times=np.zeros(1)), 1)
    assert window.gaps is not None
    assert (window.gaps.usual, window.gaps.number, window.gaps.samples) == (None, 0, 0)


# --- warnings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "options", "warnings"),
    [
        (Series(table(9)), {"timesteps": 3}, ()),
        (Series(table(9)), {"timesteps": 1}, ("one_timestep",)),
        (Series(table(9) * 100), {"timesteps": 3}, ("large",)),
        (Series(table(9) * 100), {"timesteps": 3, "scale": "standard"}, ()),
        (Series(np.full((9, 1), np.nan)), {"timesteps": 3}, ()),
        (Series(table(4), times=np.array([0, 1, 5, 6.0])), {"timesteps": 2}, ("gaps",)),
        (Series(table(4), times=np.array([0, 1, 5, 6.0])), {"timesteps": 1}, ("one_timestep",)),
        (Series(table(4), times=np.array([0, 1, 1, 2.0])), {"timesteps": 2}, ("backward",)),
    ],
)
def test_warnings(series: Series, options: dict[str, Any], warnings: tuple[str, ...]) -> None:
    assert explain_window(series, **options).warnings == warnings


# --- the answer -------------------------------------------------------------------------------------------------------


def test_one_axis_is_one_column_and_its_own_target() -> None:
    window = explain_window(np.arange(6), 3, horizon=1)
    assert (window.x.shape, window.target) == ((3, 3, 1), 0)


def test_json_has_no_array_and_keeps_what_is_not_finite_apart() -> None:
    values = np.array([[1.0, np.nan], [2, 3], [4, 5]])
    found = explain_window(Series(values, "x.csv", ("a", "b"), times=np.arange(3.0)), 2, target=1, scale=None).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert {"path": "windows[0].x[0][1]", "value": "nan"} in found["nonfinite"]
    assert (found["schema"], found["file"], found["target"]) == ("lstm-explain/window", "x.csv", "b")
    assert found["x"]["shape"] == [1, 2, 2]


@given(cases(), st.sampled_from([None, "standard", "minmax"]), st.booleans())
def test_json_fits_its_schema(case: dict[str, int], scale: str | None, timed: bool) -> None:
    times = np.arange(case["rows"]) ** 2.0 if timed else None
    series = Series(table(case["rows"], case["columns"]), times=times)
    found = explain_window(series, case["timesteps"], case["stride"], scale=scale).to_dict()
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    jsonschema.Draft202012Validator(SCHEMA).validate(made(case).to_dict())
    assert set(found) == set(SCHEMA["required"])


def test_the_library_gives_it_and_its_windows_are_read_by_an_lstm() -> None:
    window = lstm_explain.window(table(20), timesteps=4)
    assert lstm_explain.shapes(lstm_explain.given(window.x)).spec.samples == window.windowing.samples
    assert repr(window) == "<window of array: float64[samples=17, timesteps=4, features=2]>"
    assert "17 samples" in str(window._repr_html_())


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (table(9), {"timesteps": 0}, "timesteps=0: this is a number of rows, from 1. Give 1 or more."),
        (table(9), {"timesteps": -1}, "timesteps=-1: this is a number of rows"),
        (table(9), {"timesteps": 10**30}, f"timesteps={10**30}: array has 9 rows, and one window takes {10**30}"),
        (table(9), {"timesteps": 2.0}, "timesteps=2.0: this must be a whole number"),
        (table(9), {"timesteps": 10}, "timesteps=10: array has 9 rows, and one window takes 10. Ask for fewer."),
        (table(9), {"timesteps": 9, "target": 0}, "and one window and the 1 row after it takes 10"),
        (table(9), {"timesteps": 8, "horizon": 3, "target": 0}, "and one window and the 3 rows after it takes 11"),
        (table(9), {"timesteps": 2, "stride": 0}, "stride=0: this is a number of rows"),
        (table(9), {"timesteps": 2, "horizon": 0}, "horizon=0: this is how many rows after a window are its targets"),
        (table(9), {"timesteps": 2, "horizon": -3, "target": 0}, "horizon=-3: "),
        (table(9), {"timesteps": 2, "horizon": 1}, "horizon=1: array has 2 columns, and the targets are from one. Choose"),
        (table(9), {"timesteps": 2, "target": 2}, "target=2: array has columns 0 to 1"),
        (table(9), {"timesteps": 2, "target": -1}, "target=-1: array has columns 0 to 1"),
        (table(9), {"timesteps": 2, "scale": "robust"}, "scale='robust': a column is scaled by standard or minmax"),
        (table(9), {"timesteps": 2, "dtype": "float16"}, "dtype='float16': the types are float32 and float64"),
        (
            np.ones((2, 3, 4)),
            {},
            "array as (rows, columns): the array is float64[samples=2, timesteps=3, features=4], which has",
        ),
        (np.ones((2, 3, 4, 5)), {}, "array as (rows, columns): the array is float64[2, 3, 4, 5]."),
        (np.ones(()), {}, "array as (rows, columns): the array is float64[]."),
        (np.ones((0, 3)), {}, "array as (rows, columns): the array is float64[0, 3]."),
        (np.array([["a"]]), {}, "array: this is not an array of numbers"),
        ([[1, 2]], {}, "array: this is not an array of numbers"),
    ],
)
def test_what_is_no_window(values: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        explain_window(values, **options)
    assert message in str(caught.value)


def test_windows_that_are_too_large_to_show() -> None:
    huge = np.broadcast_to(np.float64(0), (10**9, 5))  # takes eight bytes
    with pytest.raises(RefusedError, match=r"timesteps=100000000: showing three windows takes 150,000,000,000 bytes"):
        explain_window(huge, 10**8)
    assert explain_window(huge, 10).windowing.samples == 10**9 - 9
