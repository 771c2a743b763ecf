"""Words, figures and dates of each language: words from include/templates/locales, rounding from `figures`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import yaml

from hansei.catalog.documents import Language
from hansei.catalog.measures import Grain, Unit
from hansei.reviews import figures
from hansei.reviews.evidence import DURATIONS
from hansei.settings import SHIPPED_INCLUDE

LANGUAGES: tuple[Language, ...] = get_args(Language)
_CHINESE_UNITS = {"d": "天", "h": "小时", "min": "分钟", "s": "秒"}
_CHINESE_SUFFIXES = {"per_hundred": "(每100个)", "per_thousand": "(每1,000个)", "weeks": "周"}


@dataclass(frozen=True)
class Locale:
    """One language. `words` holds sentences by key, those that count something by plural form (`one`, `other`)."""

    language: str
    words: dict[str, Any]

    @property
    def tag(self) -> str:
        """The BCP 47 tag, as HTML and mail headers want it."""
        return "zh-CN" if self.language == "zh_CN" else self.language

    def say(self, key: str, **parts: Any) -> str:
        """The sentence `key` (dots go down a level) with its parts; of plural forms the one that fits `count`."""
        found: Any = self.words
        for name in key.split("."):
            found = found[name]
        if isinstance(found, dict):
            found = found[self._plural(parts["count"])]
        return found.format(**parts)

    def figure(self, value: float | None, unit: Unit) -> str:
        """`3 h 25 min`, `82.1 %`; `3小时25分钟`, `82.1%`."""
        return self._localised(figures.figure(value, unit), unit)

    def limit(self, value: float, unit: Unit, is_upper: bool) -> str:
        """What is asked for: `at most 4 h`; `不超过4小时`."""
        limit = self._localised(figures.bare_limit(value, unit), unit)
        return self.say("at_most" if is_upper else "at_least", limit=limit)

    def period(self, grain: Grain, start: dt.date) -> str:
        """`week 45 (2–8 November 2026)`, `November 2026`; `2026年第45周(11月2日至8日)`, `2026年11月`."""
        from babel.dates import format_date

        if grain == "day":
            return self.day(start)
        if grain == "week":
            return figures.week(start) if self.language == "en" else _chinese_week(start)
        if grain == "month":
            return format_date(start, "y年M月" if self.language == "zh_CN" else "MMMM y", locale=self.language)
        return format_date(start, "y年第Q季度" if self.language == "zh_CN" else "'Q'Q y", locale=self.language)

    def day(self, date: dt.date) -> str:
        from babel.dates import format_date

        return figures.day(date) if self.language == "en" else format_date(date, "long", locale=self.language)

    def moment(self, instant: dt.datetime, zone: str) -> str:
        """A naive UTC instant on the zone's clock: `Monday 9 November 2026, 06:00`; `2026年11月9日星期一 06:00`."""
        from babel.dates import format_date

        aware = instant.replace(tzinfo=dt.UTC)
        if self.language == "en":
            return figures.moment(aware, zone)
        local = aware.astimezone(ZoneInfo(zone))
        return f"{format_date(local, 'full', locale=self.language)} {local:%H:%M}"

    def _plural(self, count: int) -> str:
        import babel

        return babel.Locale.parse(self.language).plural_form(count)

    def _localised(self, text: str, unit: Unit) -> str:
        """The English figure in this language: same digits, other units, and no space before them in Chinese."""
        if self.language == "en" or text == figures.NOTHING:
            return text
        if unit in DURATIONS:
            return "".join(_CHINESE_UNITS.get(piece, piece) for piece in text.split(figures.NBSP))
        if unit == "points":
            return f"{text.split(figures.NBSP)[0]}分"
        return text.split(figures.NBSP)[0].split(" ")[0] + ("%" if unit == "ratio" else _CHINESE_SUFFIXES.get(unit, ""))


@cache
def locale(language: str, templates: Path = SHIPPED_INCLUDE / "templates") -> Locale:
    """The language with its words, from `locales/<language>/*.yaml`."""
    files = sorted((templates / "locales" / language).glob("*.yaml"))
    words: dict[str, Any] = {}
    for path in files:
        words |= yaml.safe_load(path.read_text("utf-8"))
    return Locale(language, words)


def _chinese_week(monday: dt.date) -> str:
    sunday = monday + dt.timedelta(days=6)
    year, week, _ = monday.isocalendar()
    first = (
        f"{monday.month}月{monday.day}日" if monday.year == year else f"{monday.year}年{monday.month}月{monday.day}日"
    )
    if sunday.year != monday.year:
        last = f"{sunday.year}年{sunday.month}月{sunday.day}日"
    else:
        last = f"{sunday.day}日" if sunday.month == monday.month else f"{sunday.month}月{sunday.day}日"
    return f"{year}年第{week}周({first}至{last})"
