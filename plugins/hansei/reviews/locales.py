"""Words, figures and dates of each language, from the message catalogues in include/templates/locales.

A catalogue is a folder of YAML: sentences by key with named parts, what is counted by plural form. Rounding is the same
in every language (`figures`); units, order and marks are the language's own (its figures.yaml).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import yaml

from hansei.catalog.documents import Language
from hansei.catalog.measures import Grain, Unit
from hansei.reviews import figures
from hansei.reviews.evidence import DURATIONS, Judged
from hansei.settings import SHIPPED_INCLUDE

LANGUAGES: tuple[Language, ...] = get_args(Language)
# Latin names keep their own letters there.
_WITHOUT_CAPITALS = ("zh_CN",)


@dataclass(frozen=True)
class Locale:
    """One language. `words` holds its messages, `texts` what definitions say in it, by their English text."""

    language: str
    words: dict[str, Any]
    texts: Mapping[str, str] = field(default_factory=dict)
    templates: Path = SHIPPED_INCLUDE / "templates"

    @property
    def tag(self) -> str:
        """The BCP 47 tag, as HTML and mail headers want it."""
        return self.language.replace("_", "-")

    def with_texts(self, texts: Mapping[str, str]) -> Locale:
        """The language with translations of texts that come from definitions."""
        return replace(self, texts=texts)

    def with_grain(self, grain: Grain) -> Locale:
        """The language as a review by that grain speaks it: its months are what a weekly one calls weeks."""
        return replace(self, words=_of_grain(locale(self.language, self.templates), grain))

    def say(self, key: str, **parts: Any) -> str:
        """The sentence `key` (dots go down a level) with its parts; of plural forms the one that fits `count`.

        A whole number in `count` is written as numbers are; a date in a part takes the message's CLDR pattern.
        """
        found: Any = self.words
        for name in key.split("."):
            if name not in found:
                raise KeyError(f"locales/{self.language}: no message {key!r}")
            found = found[name]
        if isinstance(found, dict):
            found = found[_plural_rule(self.language)(parts["count"])]
        if isinstance(parts.get("count"), int):
            parts["count"] = figures.number(parts["count"])
        return found.format(**parts)

    def knows(self, key: str) -> bool:
        """Whether there is such a message or group of messages."""
        found: Any = self.words
        for name in key.split("."):
            if not isinstance(found, dict) or name not in found:
                return False
            found = found[name]
        return True

    # Texts and lists ---------------------------------------------------------------------------------------------

    def text(self, text: str) -> str:
        """A definition's text in this language; the text itself where nobody has translated it."""
        return self.texts.get(text, text)

    def name(self, text: str, longest: int = 60) -> str:
        """A name or text that came from outside, translated if a definition says how: one line, cut to a length."""
        return figures.line(self.text(text), longest) or self.say("figures.no_name")

    def listed(self, items: Sequence[str]) -> str:
        """`a`, `a and b`, `a, b and c`."""
        if len(items) < 2:
            return "".join(items)
        return self.say("figures.list_two", first=self.say("figures.list_between").join(items[:-1]), last=items[-1])

    def opened(self, text: str) -> str:
        """The text as it begins a line: `Channel chat`; unchanged where the script has no capitals."""
        return text if self.language in _WITHOUT_CAPITALS else text[:1].upper() + text[1:]

    def together(self, sentences: Sequence[str]) -> str:
        """Sentences one after the other."""
        return self.say("figures.between_sentences").join(sentences)

    def count(self, count: int, noun: str) -> str:
        """A number with its noun: `1 ticket`, `412 tickets`; `412张工单`."""
        if self.knows(f"nouns.{noun}"):
            return self.say(f"nouns.{noun}", count=count)
        return self.say("unknown_noun", count=count, noun=noun.replace("_", " "))

    def things(self, noun: str) -> str:
        """Many of them, uncounted: `tickets`, `people`; `工单`."""
        if self.knows(f"things.{noun}"):
            return self.say(f"things.{noun}")
        return self.say("unknown_things", noun=noun.replace("_", " "))

    def entity(self, entity: str) -> str:
        """A canonical entity: `survey responses`; `调查答复`. A table keeps its name."""
        return self._known("entities", entity)

    def exclusion(self, reason: str) -> str:
        """Why rows are left out: `bot only`; `仅由机器人处理`."""
        return self._known("exclusions", reason)

    def rule(self, rule: str) -> str:
        """A rule of an entity or a table by its id: `solved not before created`; `解决不早于创建`."""
        return self._known("rule_names", rule)

    def caveat(self, caveat: str) -> str:
        """What to keep in mind of an indicator, as a clause."""
        return self._known("caveats", caveat)

    def thing(self, noun: str) -> str:
        """What is counted, as a term: `ticket`; `工单`."""
        return self._known("units_counted", noun)

    def _known(self, vocabulary: str, word: str) -> str:
        if word.isidentifier() and self.knows(f"{vocabulary}.{word}"):
            return self.say(f"{vocabulary}.{word}")
        return self.name(word if "." in word else word.replace("_", " "), 120)

    # Figures -----------------------------------------------------------------------------------------------------

    def number(self, value: float | Decimal, decimals: int = 0, signed: bool = False) -> str:
        """`1,235`, `−4`, `+2.5`: the same in every language of the product."""
        return figures.number(value, decimals, signed)

    def figure(self, value: float | None, unit: Unit, extra: int = 0) -> str:
        """`3 h 25 min`, `82.1 %`; `3小时25分钟`, `82.1%`. `extra` decimals tell close figures apart."""
        if value is None:
            return figures.NOTHING
        if unit in DURATIONS:
            return self._duration(value, extra > 0, unit)
        text = figures.bare_figure(value, unit, extra)
        if unit == "points":
            return self.say("figures.points", count=_counted(figures.rounded(value, extra)), number=text)
        return self._with_unit(text, unit)

    def difference(self, value: float, unit: Unit, signed: bool = True) -> str:
        """A change of a figure: shares in percentage points, all else in its unit; a plus stands before an increase."""
        if unit == "ratio":
            points = Decimal(repr(float(value))) * 100
            size = figures.number(points, 1, signed=signed)
            return self.say("figures.percentage_points", count=_counted(figures.rounded(points, 1)), number=size)
        text = self.figure(value, unit)
        return f"+{text}" if signed and value > 0 and text[0] not in "+" + figures.MINUS else text

    def bare_limit(self, value: float, unit: Unit) -> str:
        """A limit as its owner wrote it: no trailing zeros (90 %, not 90.0 %)."""
        if unit in DURATIONS:
            return self._duration(value, True, unit)
        if unit == "points":
            return self.figure(value, unit, 0 if float(value).is_integer() else 1)
        return self._with_unit(figures.shortest(value, unit), unit)

    def limit(self, value: float, unit: Unit, is_upper: bool) -> str:
        """What is asked for: `at most 4 h`; `不超过4小时`."""
        limit = self.bare_limit(value, unit)
        return self.say("figures.at_most", limit=limit) if is_upper else self.say("figures.at_least", limit=limit)

    def contrast(self, judged: Judged) -> str:
        """The judged value, with as many digits as it takes to read differently from the limit it misses."""
        for extra in range(4):
            text = self.figure(judged.value, judged.unit, extra)
            limits = (self.figure(judged.limit, judged.unit, extra), self.bare_limit(judged.limit, judged.unit))
            if judged.value is None or text not in limits:
                return text
        return text

    def percent(self, share: float) -> str:
        """A share in whole percent: `40 %`."""
        return self._with_unit(figures.number(Decimal(repr(float(share))) * 100), "ratio")

    def chance(self, probability: float) -> str:
        """A probability in whole percent; what is nearly certain or nearly impossible is never called so."""
        if probability < 0.01:
            return self.say("figures.below", number=self.percent(0.01))
        if probability > 0.99:
            return self.say("figures.above", number=self.percent(0.99))
        return self.percent(probability)

    def money(self, amount: float, currency: str) -> str:
        """A whole amount with its currency's code: `12,300 EUR`."""
        return self.say("figures.money", number=figures.number(amount), currency=currency)

    def interval(self, lower: float | None, upper: float | None, unit: Unit) -> str:
        """`82.1 to 90.3 %`; the dash of nothing where there is no interval."""
        if lower is None or upper is None:
            return figures.NOTHING
        low, high = self.figure(lower, unit), self.figure(upper, unit)
        if unit in ("ratio", "points"):
            return self.say(f"figures.interval_{unit}", number=figures.bare_figure(lower, unit), high=high)
        return self.say("figures.interval", low=low, high=high)

    def tick(self, value: float, unit: Unit, largest: float) -> str:
        """A mark on an axis that reaches to `largest`: short, all marks in one unit (`3.5 h`), points bare."""
        if unit == "points":
            return figures.number(value)
        if unit not in DURATIONS:
            return self.bare_limit(round(value, 6), unit)
        length = figures.tick_unit(largest, unit)
        size = Decimal(repr(round(value / length, 2))).normalize()
        number = figures.number(size, max(-size.as_tuple().exponent, 0))
        return self.say(f"figures.{figures.UNIT_OF_SECONDS[length]}", number=number)

    def _duration(self, seconds: float, exact: bool, unit: Unit) -> str:
        pieces = figures.duration_pieces(seconds, exact, in_days=unit == "seconds")
        said = (self.say(f"figures.{name}", number=figures.number(count)) for count, name in pieces)
        return (figures.MINUS if seconds < 0 else "") + self.say("figures.between_units").join(said)

    def _with_unit(self, number: str, unit: Unit) -> str:
        return self.say(f"figures.{unit}", number=number) if unit in figures.WITH_SUFFIX else number

    # Dates -------------------------------------------------------------------------------------------------------

    def period(self, grain: Grain, start: dt.date) -> str:
        """`week 45 (2–8 November 2026)`, `November 2026`; `2026年第45周(11月2日至8日)`, `2026年11月`."""
        if grain == "week":
            return self._spanning("week", start, start + dt.timedelta(days=6))
        return self.say(f"dates.{grain}", day=self._dated(start))

    def week(self, monday: dt.date) -> str:
        """`week 45`, by ISO 8601; in a monthly review `November 2026`."""
        return self.say("dates.week", week=monday.isocalendar().week, day=self._dated(monday))

    def short_period(self, grain: Grain, start: dt.date) -> str:
        """`week 45`, `November 2026`: a period whose year is plain from what stands around it."""
        return self.week(start) if grain == "week" else self.period(grain, start)

    def week_alone(self, monday: dt.date) -> str:
        """`Week 45`, standing by itself."""
        return self.say("dates.week_alone", week=monday.isocalendar().week, day=self._dated(monday))

    def day(self, date: dt.date) -> str:
        """`8 November 2026`; `2026年11月8日`."""
        return self.say("dates.day", day=self._dated(date))

    def span(self, first: dt.date, last: dt.date) -> str:
        """`2–8 November 2026`, `26 October – 1 November 2026`, with both years where they differ."""
        return self._spanning("span", first, last)

    def moment(self, instant: dt.datetime, zone: str) -> str:
        """A UTC instant (naive or aware) on the zone's clock: `Monday 9 November 2026, 06:00`."""
        local = instant.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone))
        return self.say("dates.moment", day=self._dated(local.date()), time=f"{local:%H:%M}")

    def axis_month(self, date: dt.date, with_year: bool) -> str:
        """A mark below a chart: `Nov`, `Nov 2026`; `11月`."""
        key = "dates.axis_month_and_year" if with_year else "dates.axis_month"
        return self.say(key, day=self._dated(date))

    def _spanning(self, what: str, first: dt.date, last: dt.date) -> str:
        kind = "of_years" if first.year != last.year else "in_year" if first.month != last.month else "in_month"
        year, week, _ = first.isocalendar()
        return self.say(f"dates.{what}_{kind}", first=self._dated(first), last=self._dated(last), week=week, year=year)

    def _dated(self, date: dt.date) -> _Dated:
        return _Dated(date, self.language)


@dataclass(frozen=True)
class _Dated:
    """A date as a part of a message: the message's format specification is a CLDR pattern."""

    date: dt.date
    language: str

    def __format__(self, pattern: str) -> str:
        from babel.dates import format_date

        return format_date(self.date, pattern, locale=self.language)


@cache
def _plural_rule(language: str) -> Callable[[float], str]:
    import babel

    return babel.Locale.parse(language).plural_form


@cache
def locale(language: str, templates: Path = SHIPPED_INCLUDE / "templates") -> Locale:
    """The language with its words, from `locales/<language>/*.yaml`."""
    files = sorted((templates / "locales" / language).glob("*.yaml"))
    words: dict[str, Any] = {}
    for path in files:
        words |= yaml.safe_load(path.read_text("utf-8"))
    return Locale(language, words, templates=templates)


def _of_grain(language: Locale, grain: Grain) -> dict[str, Any]:
    """The messages of a language, those of the grain in the place of the weekly ones."""
    return _laid_over(language.words, language.words["grains"].get(grain, {}))


def _laid_over(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    laid = dict(below)
    for key, value in above.items():
        laid[key] = _laid_over(below[key], value) if isinstance(value, dict) else value
    return laid


def _counted(number: Decimal) -> float:
    """The size that a plural form follows: `+1 point`, `1.0 percentage point`, as people say it."""
    size = abs(number)
    return int(size) if size == int(size) else float(size)
