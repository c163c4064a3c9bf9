"""Whole numbers as people write them: `1,000`, `1k`, `1e3`; and lists of them, such as the units of stacked layers."""

from __future__ import annotations

import re

_INTEGER = re.compile(r"([+-]?)([1-9]\d{0,2}(?:,\d{3})+|\d+(?:_\d+)*)(?:\.(\d+))?([km]|e\+?\d+)?", re.ASCII | re.IGNORECASE)
"""A sign; digits, perhaps with separators; decimals; a suffix or an exponent."""
MAX_DIGITS = 400


def parse_integer(text: str) -> int:
    """Read a whole number: `1000`, `1,000`, `1_000`, `1k`, `2M`, `1.5k` or `1e3`.

    Raises:
        ValueError: the text is not a whole number, or has more than `MAX_DIGITS` digits.
    """
    match = _INTEGER.fullmatch(text.strip())
    if match is None or len(text) > MAX_DIGITS:
        raise ValueError(text)
    sign, digits, decimals, suffix = match[1], match[2], match[3] or "", (match[4] or "").lower()
    zeros = {"": 0, "k": 3, "m": 6}[suffix] if not suffix.startswith("e") else int(suffix[1:])
    if len(decimals) > zeros or (decimals and not suffix) or zeros > MAX_DIGITS:
        raise ValueError(text)
    return int(sign + re.sub("[,_]", "", digits) + decimals + "0" * (zeros - len(decimals)))


def split_list(text: str) -> list[str]:
    """Split at commas, except at one before three digits that begin with 0, which separates thousands."""
    items: list[str] = []
    for item in map(str.strip, text.split(",")):
        if items and re.fullmatch(r"0\d\d", item, re.ASCII) and re.fullmatch(r"[1-9]\d{0,2}(,\d{3})*", items[-1], re.ASCII):
            items[-1] += f",{item}"
        else:
            items.append(item)
    return items
