"""The small languages of option values, read by themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.cli.options import MAX_SELECTED, parse_integers, parse_memory_size, parse_selection, quote_option
from lstm_explain.errors import LstmExplainError, RefusedError, UsageError


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("3", (3,)),
        ("0,3,7-9", (0, 3, 7, 8, 9)),
        ("all", tuple(range(10))),
        (" all ", tuple(range(10))),
        ("9,0,9", (0, 9)),
        ("5-5", (5,)),
        ("1-3,2-4", (1, 2, 3, 4)),
        (" 1 - 2 , 4 ", (1, 2, 4)),
        ("007", (7,)),
    ],
)
def test_selections(text: str, chosen: tuple[int, ...]) -> None:
    assert parse_selection("--unit", text, 0, 9) == chosen


@given(st.text("0123456789-, al", max_size=12))
def test_any_selection_is_within_its_limits_ascending_and_without_doubles(text: str) -> None:
    try:
        chosen = parse_selection("--steps", text, 1, 30)
    except UsageError:
        return
    assert chosen == tuple(sorted(set(chosen)))
    assert 1 <= chosen[0] <= chosen[-1] <= 30


def test_a_selection_is_not_listed_before_it_is_bounded() -> None:
    with pytest.raises(RefusedError, match=f"these are {10**15}. Choose {MAX_SELECTED} at most"):
        parse_selection("--steps", "all", 1, 10**15)
    with pytest.raises(UsageError, match="count from 1 to 10"):
        parse_selection("--steps", "1-99999999999999999", 1, 10)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1", 1),
        ("10B", 10),
        ("1KB", 1000),
        ("1KiB", 1024),
        ("500MB", 500 * 10**6),
        ("1GiB", 2**30),
        ("1gib", 2**30),
        (" 2 TiB ", 2 * 2**40),
        ("3tb", 3 * 10**12),
    ],
)
def test_memory_sizes(text: str, size: int) -> None:
    assert parse_memory_size("--max-memory", text) == size


@pytest.mark.parametrize("text", ["", "B", "GiB", "-1", "+1", "1.5GB", "1e9", "1K", "1GiBs", "1 G iB", "1B1", "١", "9" * 19])
def test_what_is_no_memory_size(text: str) -> None:
    with pytest.raises(UsageError, match="this is not a size such as 500MB, 1GiB or a number of bytes"):
        parse_memory_size("--max-memory", text)


@pytest.mark.parametrize(("text", "numbers"), [("10,7,3", (10, 7, 3)), (" 1 ", (1,)), ("0", (0,)), ("1,1", (1, 1))])
def test_lists_of_whole_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_integers("--lengths", text) == numbers


@pytest.mark.parametrize("text", ["", ",", "1,", "1;2", "1 2", "-1", "1.0", "٣", "9" * 19])
def test_what_is_no_list_of_whole_numbers(text: str) -> None:
    with pytest.raises(UsageError, match="this is not a list of whole numbers such as 10,7,3"):
        parse_integers("--lengths", text)


@given(st.text(max_size=20))
def test_whatever_is_asked_the_message_is_safe_to_print(text: str) -> None:
    assert quote_option("--unit", text).isprintable()
    for read in (parse_integers, parse_memory_size):
        try:
            read("--x", text)
        except LstmExplainError as error:
            message = str(error)
        else:
            message = ""
        assert message.isprintable()
