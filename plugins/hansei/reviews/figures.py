"""How a figure is rounded and cut to what people read: the same in every language, which adds units and words.

Rounding is half up on the decimal text of the figure, as people do it by hand; the minus is a real one.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from hansei.catalog.measures import Unit

MINUS = "\u2212"
NOTHING = "\u2013"
UNIT_OF_SECONDS = {86400: "d", 3600: "h", 60: "min", 1: "s"}
# Units that are written with the number, by the message of that name; the others stand bare.
WITH_SUFFIX = ("ratio", "per_hundred", "per_thousand", "weeks")
_DECIMALS = {"currency": 2, "score": 2, "index": 2, "per_hundred": 1, "per_thousand": 1, "weeks": 1}
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


def tick_unit(largest: float, unit: Unit) -> int:
    """The seconds of the unit that an axis of durations up to `largest` is marked in; its steps are halves of it."""
    lengths = [length for length, word in UNIT_OF_SECONDS.items() if word != "d" or unit == "seconds"]
    return next((length for length in lengths if largest >= 4 * length), 1)


def line(text: str, longest: int = 60) -> str:
    """A text from outside on one line, cut to a length, and kept from turning its neighbours around."""
    cut = " ".join(text.split())
    if len(cut) > longest:
        cut = cut[: longest - 1].rstrip() + "…"
    if any(first <= character <= last for character in cut for first, last in _RIGHT_TO_LEFT):
        return f"\u2068{cut}\u2069"
    return cut
