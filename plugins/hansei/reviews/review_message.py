"""A review as messages: a mail that says the main things by itself, and five lines for a chat.

The mail is written from the brief like every other paper: text, HTML for mail programs that know tables and inline
styles only, and the charts of what needs a decision as pictures inside. The HTML stays below what Gmail cuts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hansei.catalog.reviews import Format
from hansei.reviews.brief import Brief
from hansei.reviews.chart_scales import NARROW
from hansei.reviews.indicator_view import IndicatorView
from hansei.reviews.locales import Locale
from hansei.reviews.narrative import Decision
from hansei.reviews.outcomes import NOBODYS_DOMAIN, Attached, Message
from hansei.reviews.papers import MEDIA_TYPES
from hansei.reviews.pictures import DRAWING, alternative, png, size, writes
from hansei.reviews.rendering import render

MOST_BYTES = 100_000  # Gmail cuts a message's HTML at 102 KB
MOST_ROWS = 24
MOST_TOPICS = 4
MOST_AHEAD = 3  # risks, and limits that may be missed
CHAT_LINES = 5
# Shape as well as colour, for greyscale and for every kind of colour vision.
_MARKS = {"critical": "▲", "warning": "◆"}


@dataclass(frozen=True)
class ReviewSetting:
    """To whom a review goes: in which words, where the edition lies (an address or a path), and why they get it."""

    words: Locale
    link: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ReviewMail:
    """A mail but for its Message-ID."""

    subject: str
    text: str
    html: str
    tag: str
    pictures: tuple[Attached, ...] = ()
    files: tuple[Attached, ...] = ()

    def message(self, message_id: str) -> Message:
        return Message(self.subject, self.text, self.html, message_id, self.tag, self.pictures, self.files)


@dataclass(frozen=True)
class Drawn:
    """A decision with its chart: how the HTML names the picture, its words and the width it is shown in."""

    decision: Decision
    mark: str
    content_id: str
    alternative: str
    width: int


@dataclass(frozen=True)
class Sheet:
    """What both forms of the mail are written from. `beyond`: scorecard, risks and outlook, in a few sentences each."""

    decisions: tuple[Drawn, ...]
    rows: tuple[IndicatorView, ...]
    hidden: int
    beyond: tuple[tuple[str, tuple[str, ...]], ...]
    honesty: tuple[str, ...]
    link: str
    is_address: bool
    files: str
    reason: str


def review_subject(brief: Brief, words: Locale) -> str:
    """`[Northwind Support] Weekly brief, week 45 (2–8 November 2026): 2 things need a decision`."""
    return words.say(
        "review_mail.subject",
        service=brief.service,
        title=brief.called,
        period=words.period(brief.evidence.grain, brief.evidence.period_start),
        headline=brief.headline.title,
    )


def review_mail(brief: Brief, setting: ReviewSetting, files: Mapping[Format, bytes] | None = None) -> ReviewMail:
    """The mail, with documents by format; without charts where no font of this machine writes the language."""
    words = setting.words
    drawn, pictures = _drawn(brief, words)
    attached = [Attached(_file_name(brief, form), MEDIA_TYPES[form], file) for form, file in (files or {}).items()]
    named = words.listed([form.upper() for form in files or ()])
    for most in (MOST_ROWS, MOST_ROWS // 3, 0):
        sheet = _sheet(brief, setting, drawn, most, named)
        html = render("review_mail.html.j2", brief=brief, evidence=brief.evidence, sheet=sheet, words=words)
        if len(html.encode()) <= MOST_BYTES:
            break
    text = render("review_mail.txt.j2", brief=brief, evidence=brief.evidence, sheet=sheet, words=words)
    return ReviewMail(review_subject(brief, words), text, html, words.tag, pictures, tuple(attached))


def review_chat(brief: Brief, setting: ReviewSetting) -> str:
    """Five lines: how it stands, up to three decisions, and what the figures lack or where to read on."""
    words = setting.words
    lines = [review_subject(brief, words)]
    for decision, _ in brief.decisions:
        mark, owner = _MARKS[decision.breach.level], decision.owner or words.say("page.nobody")
        told = {"title": decision.title, "place": decision.place, "value": decision.value, "limit": decision.limit}
        lines.append(f"{mark} " + words.say("review_mail.chat_decision", owner=owner, **told))
    lines += list(brief.headline.standfirst)[: CHAT_LINES - 1 - len(lines)]
    lines.append(brief.headline.not_ready[0] if brief.headline.not_ready else words.say("review_mail.all_covered"))
    if setting.link:
        lines[-1] = words.say("review_mail.chat_last", said=lines[-1], link=setting.link)
    return "\n".join(lines)


def _sheet(brief: Brief, setting: ReviewSetting, drawn: tuple[Drawn, ...], most: int, files: str) -> Sheet:
    ordered = sorted(brief.indicators, key=lambda item: not item.is_missed)
    loud = [topic for topic in brief.topics if not topic.is_quiet]
    return Sheet(
        decisions=drawn,
        rows=tuple(ordered[:most]),
        hidden=max(len(ordered) - most, 0),
        beyond=tuple((title, said) for title, said in _beyond(brief, setting.words) if said),
        honesty=_told([(topic.title, topic.sentences[0]) for topic in loud[:MOST_TOPICS]], setting.words),
        link=setting.link,
        is_address=setting.link.startswith("https://"),
        files=files,
        reason=setting.reason,
    )


def _beyond(brief: Brief, words: Locale) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The totals of the scorecards, the gravest risks, and the limits that are likeliest to be missed."""
    totals = [(card.title, words.together(card.sentences[:2])) for card in brief.cards]
    yield words.say("scorecards.title"), _told(totals, words)
    risks = [
        words.say("review_mail.risk", title=risk.title, graded=risk.graded, owner=risk.owner)
        for register in brief.registers
        for risk in [risk for risk in register.risks if risk.graded][:MOST_AHEAD]
    ]
    sums = [sentence for register in brief.registers for sentence in register.sentences[:2]]
    yield words.say("risks.title"), (*sums, *risks)
    if brief.outlook and any(outlook.chances for outlook in brief.evidence.outlooks):
        risen = [(view.title, view.warning) for view in brief.outlook.views if view.warning][:MOST_AHEAD]
        yield words.say("outlook.title"), _told(risen, words) or (words.say("review_mail.calm"),)


def _told(titled: list[tuple[str, str]], words: Locale) -> tuple[str, ...]:
    return tuple(words.say("review_mail.topic", title=title, sentence=sentence) for title, sentence in titled)


def _drawn(brief: Brief, words: Locale) -> tuple[tuple[Drawn, ...], tuple[Attached, ...]]:
    found, pictures = [], []
    can_draw = writes(words.language)
    for at, (decision, _) in enumerate(brief.decisions, 1):
        chart = _chart_of(brief, decision) if can_draw else ""
        content_id = f"chart-{at}-{brief.hash[:12]}@{NOBODYS_DOMAIN}" if chart else ""
        if chart:
            pictures.append(Attached(f"chart-{at}.png", "image/png", png(chart), content_id))
        width = round(size(chart)[0]) if chart else 0
        spoken = alternative(chart) if chart else ""
        found.append(Drawn(decision, _MARKS[decision.breach.level], content_id, spoken, width))
    return tuple(found), tuple(pictures)


def _chart_of(brief: Brief, decision: Decision) -> str:
    """The narrow chart of where the limit is missed; of the whole service where that has none of its own."""
    (view,) = (item for item in brief.indicators if item.id == decision.breach.indicator_id)
    here = [drawing for drawing in view.drawings if drawing.caption.casefold() == decision.place.casefold()]
    charts = (here or view.drawings)[0].charts
    narrow = [chart for chart in charts if f'class="chart {NARROW.name}"' in chart]
    found = DRAWING.search((narrow or charts)[0])
    return found.group(0) if found else ""


def _file_name(brief: Brief, form: Format) -> str:
    """A name that every mail program and file system takes."""
    return f"{brief.evidence.review_id}-{brief.evidence.period_start.isoformat()}.{form}"
