"""Numbers as words: thousands, bytes, decimals, tints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def thousands(number: int) -> str:
    """6000000 -> 6,000,000"""
    return f"{number:,}"


def format_bytes(number: int) -> str:
    """200000 -> 195 KiB: three significant digits and a unit."""
    value, power = float(number), 0
    while value >= 1000 and power < len(BYTE_UNITS) - 1:
        value, power = value / 1024, power + 1
    if value >= 1000:
        return f"{value:.3g} {BYTE_UNITS[power]}"
    return f"{number} B" if power == 0 else f"{_three_digits(value)} {BYTE_UNITS[power]}"


def format_decimal(value: float, places: int) -> str:
    """A number with a fixed count of decimals, with a blank in place of a plus sign; nan is a dot."""
    if math.isnan(value):
        return "·"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if abs(value) >= 10**6:
        return f"{value: .{places}e}"
    text = f"{value: .{places}f}"
    return text.replace("-", " ", 1) if float(text) == 0 else text


def format_fraction(value: float, places: int) -> str:
    """The same without the zero before the point, where tables have many columns: -.056"""
    return format_decimal(value, places).replace(" 0.", " .").replace("-0.", "-.")


def format_difference(value: float) -> str:
    """A difference: 0 exactly, or one digit and the power of ten."""
    return "0 exactly" if value == 0 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")


def format_factor(value: float) -> str:
    """A factor that may have vanished: 0.0219, or 2e-222."""
    return f"{value:.0e}".replace("e-0", "e-") if 0 < abs(value) < 0.00005 else format_decimal(value, 4)


def tint(value: float, scale: float) -> float | None:
    """How strongly to colour a value, from -1 to 1."""
    if not math.isfinite(value) or scale == 0:
        return None
    return max(-1.0, min(1.0, value / scale))


def tint_scale(values: Iterable[float]) -> float:
    """The largest absolute value that is finite: what gets the full colour, and fills a sparkline."""
    return max((abs(value) for value in values if math.isfinite(value)), default=0.0)


def percent(value: float) -> str:
    """0.4760 -> 47.6 %; nan is a dot."""
    return format_decimal(value, 1) if math.isnan(value) else f"{format_decimal(100 * value, 1).strip()} %"


def plural(number: int, noun: str) -> str:
    """1 unit, 10 units"""
    return f"{thousands(number)} {noun}" if number == 1 else f"{thousands(number)} {noun}s"


def _three_digits(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
