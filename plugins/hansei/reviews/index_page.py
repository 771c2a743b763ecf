"""The page that lists all editions: by review, the newest period first, with a search that needs no server."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from hansei.catalog.reviews import ReviewGrain
from hansei.catalog.segments import cut_of
from hansei.indicators.periods import next_period
from hansei.reviews.locales import LANGUAGES, Locale, locale
from hansei.reviews.rendering import render
from hansei.reviews.standing import place_in
from hansei.settings import SHIPPED_INCLUDE

# Without a script the page is a list, and the field is not shown.
SEARCH = """\
const field = document.getElementById("search"), told = document.getElementById("found");
field.closest("form").hidden = false;
field.addEventListener("input", () => {
  const wanted = field.value.toLocaleLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const group of document.querySelectorAll("section")) {
    let some = false;
    for (const row of group.querySelectorAll("tbody tr")) {
      const text = (group.firstElementChild.textContent + " " + row.textContent).toLocaleLowerCase();
      row.hidden = !wanted.every((word) => text.includes(word));
      if (!row.hidden) { some = true; shown += 1; }
    }
    group.hidden = !some;
  }
  told.textContent = shown;
});
"""


@dataclass(frozen=True)
class EditionEntry:
    """One edition: `headline` is markup that its page of that `language` was rendered with, to which `href` leads.

    `href`, and those of the `others` (format, language, href), are relative to the index.
    """

    review_id: str
    title: str
    about: str
    about_label: str
    grain: ReviewGrain
    period_start: dt.date
    revision: int
    headline: str
    language: str
    href: str
    others: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Row:
    period: str
    dates: str
    about: str
    revision: str
    headline: Markup
    tag: str
    href: str
    others: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Group:
    """The editions of one review."""

    id: str
    title: str
    rows: tuple[Row, ...]

    @property
    def has_others(self) -> bool:
        return any(row.others for row in self.rows)


def index_name(language: str) -> str:
    return "index.html" if language == LANGUAGES[0] else f"index.{language}.html"


def render_index(entries: Sequence[EditionEntry], language: str = LANGUAGES[0], templates: Path | None = None) -> str:
    """The list in one language; of an edition that is not written in it, title and headline are in its own."""
    words = locale(language, templates or SHIPPED_INCLUDE / "templates")
    ids = sorted({entry.review_id for entry in entries})
    groups = []
    for review_id in ids:
        own = [entry for entry in entries if entry.review_id == review_id]
        titled = next((entry for entry in own if entry.language == language), own[0])
        groups.append(Group(review_id, words.name(titled.title), tuple(_row(entry, words) for entry in own)))
    others = [(locale(one).say("index.language"), locale(one).tag, index_name(one)) for one in LANGUAGES]
    digest = base64.b64encode(hashlib.sha256(SEARCH.encode()).digest()).decode()
    return render(
        "index.html.j2",
        templates,
        words=words,
        groups=groups,
        languages=[one for one in others if one[2] != index_name(language)],
        search=Markup(SEARCH),
        script_hash=digest,
    )


def _row(entry: EditionEntry, words: Locale) -> Row:
    spoken = words.with_grain(entry.grain)
    last = next_period(entry.grain, entry.period_start) - dt.timedelta(days=1)
    return Row(
        period=spoken.week_alone(entry.period_start),
        dates="" if entry.grain == "month" else words.span(entry.period_start, last),  # a month's name says them
        about=words.opened(place_in(cut_of(entry.about), entry.about_label, words)) if entry.about_label else "",
        revision=words.say("index.revision", number=entry.revision) if entry.revision > 1 else "",
        headline=Markup(entry.headline),
        tag="" if entry.language == words.language else locale(entry.language).tag,
        href=entry.href,
        others=tuple(
            (f"{form} {locale(language).say('index.language')}", href) for form, language, href in entry.others
        ),
    )
