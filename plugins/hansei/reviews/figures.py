"""How a figure is written: one rule per unit, used by sentences, tables and charts alike.

Rounding is half up on the decimal text of the figure, as people do it by hand. A number keeps its unit with a
no-break space, and the minus is a real one. English today; the locales come with the full review documents.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from hansei.catalog.measures import Unit
from hansei.reviews.evidence import DURATIONS, Judged

NBSP = "\u00a0"
MINUS = "\u2212"
NOTHING = "\u2013"
_SUFFIXES = {"per_hundred": f" per{NBSP}100", "per_thousand": f" per{NBSP}1,000", "weeks": f"{NBSP}weeks"}
_DECIMALS = {"currency": 2, "score": 2, "index": 2, "per_hundred": 1, "per_thousand": 1, "weeks": 1}

UNIT_OF_SECONDS = {86400: "d", 3600: "h", 60: "min", 1: "s"}
WITH_SUFFIX = ("ratio", *_SUFFIXES)

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October")
_MONTHS += ("November", "December")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_IRREGULAR = {"person": "people", "batch": "batches", "priority": "priorities"}
_IRREGULAR |= {"is": "are", "has": "have", "was": "were", "does": "do", "needs": "need", "misses": "miss"}
_IRREGULAR |= {"meets": "meet", "waits": "wait", "weighs": "weigh"}
_RIGHT_TO_LEFT = (("\u0590", "\u08ff"), ("\ufb1d", "\ufdff"), ("\ufe70", "\ufefc"), ("\U00010800", "\U00010fff"))


def rounded(value: float | Decimal, decimals: int) -> Decimal:
    """The value rounded half up; never minus zero."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    result = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return abs(result) if result.is_zero() else result


def number(value: float | Decimal, decimals: int = 0, signed: bool = False) -> str:
    """1234.5 -> 1,235; -4 -> −4; signed adds a plus to what is above zero."""
    result = rounded(value, decimals)
    text = f"{abs(result):,f}"
    return (MINUS if result < 0 else "+" if signed and result > 0 else "") + text


def bare_figure(value: float, unit: Unit, extra: int = 0) -> str:
    """The value of anything but a duration without its unit: percents of a ratio, points with their sign."""
    if unit == "ratio":
        return number(Decimal(repr(float(value))) * 100, 1 + extra)
    if unit == "points":
        return number(value, extra, signed=True)
    decimals = _DECIMALS.get(unit, 0 if float(value).is_integer() else 1)
    return number(value, decimals + extra)


def shortest(value: float, unit: Unit) -> str:
    """The value of a limit without its unit and without trailing zeros, at most four decimals."""
    size = Decimal(repr(float(value))) * (100 if unit == "ratio" else 1)
    return number(size, min(max(-size.normalize().as_tuple().exponent, 0), 4))


def duration_pieces(seconds: float, exact: bool = False, in_days: bool = True) -> list[tuple[int, str]]:
    """Counts and units (`d`, `h`, `min`, `s`) of a duration's size. Two units suffice to read; `exact` gives all.

    Without `in_days` even what is long is told in hours: business time, whose days have no set length.
    """
    size = abs(seconds)
    if exact or size < 600:
        step = 1
    else:
        step = 60 if size < 48 * 3600 else 3600
    whole = int(rounded(size / step, 0)) * step
    pieces = []
    for length, unit in UNIT_OF_SECONDS.items():
        if unit == "d" and (whole < 48 * 3600 or not in_days):
            continue
        count, whole = divmod(whole, length)
        if count:
            pieces.append((count, unit))
    return pieces or [(0, "min")]


def duration(seconds: float, exact: bool = False, in_days: bool = True) -> str:
    """3 h 25 min."""
    pieces = duration_pieces(seconds, exact, in_days)
    return (MINUS if seconds < 0 else "") + NBSP.join(f"{number(count)}{NBSP}{unit}" for count, unit in pieces)


def figure(value: float | None, unit: Unit, extra: int = 0) -> str:
    """The value with its unit; `extra` decimals where two figures would otherwise read the same."""
    if value is None:
        return NOTHING
    if unit in DURATIONS:
        return duration(value, extra > 0, in_days=unit == "seconds")
    if unit == "ratio":
        return f"{number(Decimal(repr(float(value))) * 100, 1 + extra)}{NBSP}%"
    if unit == "points":
        return f"{number(value, extra, signed=True)}{NBSP}{'point' if abs(rounded(value, extra)) == 1 else 'points'}"
    decimals = _DECIMALS.get(unit, 0 if float(value).is_integer() else 1)
    return number(value, decimals + extra) + _SUFFIXES.get(unit, "")


def difference(value: float, unit: Unit, signed: bool = True) -> str:
    """A change of a figure: shares in percentage points, all else in its own unit; a plus stands before an increase."""
    if unit == "ratio":
        size = number(Decimal(repr(float(value))) * 100, 1, signed=signed)
        return f"{size}{NBSP}percentage{NBSP}{'point' if size.strip('+' + MINUS) == '1.0' else 'points'}"
    text = figure(value, unit)
    return f"+{text}" if signed and value > 0 and text[0] not in "+" + MINUS else text


def bare_limit(value: float, unit: Unit) -> str:
    """A limit as its owner wrote it: no trailing zeros (90 %, not 90.0 %)."""
    if unit not in (*DURATIONS, "points"):
        size = Decimal(repr(float(value))) * (100 if unit == "ratio" else 1)
        decimals = min(max(-size.normalize().as_tuple().exponent, 0), 4)
        return number(size, decimals) + (f"{NBSP}%" if unit == "ratio" else _SUFFIXES.get(unit, ""))
    if unit == "points":
        return figure(value, unit, 0 if float(value).is_integer() else 1)
    return duration(value, exact=True, in_days=unit == "seconds")


_TICK_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def tick_unit(largest: float, unit: Unit) -> int:
    """The seconds of the unit that an axis of durations up to `largest` is marked in; its steps are halves of it."""
    lengths = [length for length, word in _TICK_UNITS if word != "d" or unit == "seconds"]
    return next((length for length in lengths if largest >= 4 * length), 1)


def tick(value: float, unit: Unit, largest: float) -> str:
    """A mark on an axis that reaches to `largest`: short, all marks in one unit (`3.5 h`), points bare."""
    if unit == "points":
        return number(value)
    if unit not in DURATIONS:
        return bare_limit(round(value, 6), unit)
    length = tick_unit(largest, unit)
    size = Decimal(repr(round(value / length, 2))).normalize()
    return f"{number(size, max(-size.as_tuple().exponent, 0))}{NBSP}{dict(_TICK_UNITS)[length]}"


def limit(value: float, unit: Unit, is_upper: bool) -> str:
    """What is asked for: `at most 4 h`, `at least 90 %`."""
    return f"at{NBSP}{'most' if is_upper else 'least'} {bare_limit(value, unit)}"


def contrast(judged: Judged) -> str:
    """The judged value, with as many digits as it takes to read differently from the limit it misses."""
    for extra in range(4):
        text = figure(judged.value, judged.unit, extra)
        if judged.value is None or text not in (
            figure(judged.limit, judged.unit, extra),
            bare_limit(judged.limit, judged.unit),
        ):
            return text
    return text


def interval(lower: float | None, upper: float | None, unit: Unit) -> str:
    """`82.1 to 90.3 %`; the dash of nothing where there is no interval."""
    if lower is None or upper is None:
        return NOTHING
    low, high = figure(lower, unit), figure(upper, unit)
    if unit == "ratio":
        low = low.removesuffix(f"{NBSP}%")
    elif unit == "points":
        low = low.rsplit(NBSP, 1)[0]
    return f"{low} to {high}"


def plural(count: int, noun: str) -> str:
    """`1 ticket`, `412 tickets`."""
    return f"{number(count)}{NBSP}{agree(count, noun)}"


def agree(count: int, word: str) -> str:
    """The word's form for that many: agree(2, "misses") -> miss, agree(2, "ticket") -> tickets."""
    return word if count == 1 else _IRREGULAR.get(word, word + "s")


def listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def name(text: str, longest: int = 60) -> str:
    return line(text, longest) or "(no name)"


def line(text: str, longest: int = 60) -> str:
    """A text from outside on one line, cut to a length, and kept from turning its neighbours around."""
    cut = " ".join(text.split())
    if len(cut) > longest:
        cut = cut[: longest - 1].rstrip() + "…"
    if any(first <= character <= last for character in cut for first, last in _RIGHT_TO_LEFT):
        return f"\u2068{cut}\u2069"
    return cut


def day(date: dt.date, with_year: bool = True) -> str:
    """`8 November 2026`."""
    text = f"{date.day}{NBSP}{_MONTHS[date.month - 1]}"
    return f"{text} {date.year}" if with_year else text


def short_month(date: dt.date) -> str:
    return _MONTHS[date.month - 1][:3]


def span(first: dt.date, last: dt.date) -> str:
    """`2–8 November 2026`, `26 October – 1 November 2026`, with both years where they differ."""
    if first.year != last.year:
        return f"{day(first)} – {day(last)}"
    if first.month != last.month:
        return f"{day(first, with_year=False)} – {day(last)}"
    return f"{first.day}–{day(last)}"


def week_number(monday: dt.date) -> str:
    """`week 45`, by ISO 8601."""
    return f"week{NBSP}{monday.isocalendar().week}"


def week(monday: dt.date) -> str:
    """`week 45 (2–8 November 2026)`."""
    return f"{week_number(monday)} ({span(monday, monday + dt.timedelta(days=6))})"


def moment(instant: dt.datetime, zone: str) -> str:
    """`Monday 9 November 2026, 06:00` on the reporting zone's clock."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{_DAYS[local.weekday()]} {day(local.date())}, {local:%H:%M}"
