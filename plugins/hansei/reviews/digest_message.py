"""A digest as messages: its subject, a mail as text and as HTML, a chat message that fits what the channel takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hansei.catalog.recipients import EVERYBODY, Recipient
from hansei.reviews.digest import GROUPS, Digest, DigestItem, GroupName
from hansei.reviews.locales import Locale, locale
from hansei.reviews.rendering import render

MAIL_LINES = 20  # items of a group that are listed; the others are counted
CHAT_LINES = 8
# Shape as well as colour, for greyscale and for every kind of colour vision.
_MARKS = {"major": "▲", "important": "◆", "general": "○"}
_GRAVE = ("needs_you", "changed")


@dataclass(frozen=True)
class Line:
    """One item in words. `headline` says its severity and name, `headline_and_what` what happened too.

    `why_tag` is the language of `why`; `is_address`: `more` is a link and not a command.
    """

    name: str
    headline: str
    headline_and_what: str
    mark: str
    severity: str
    severity_word: str
    what: str
    facts: str
    why: str
    why_tag: str
    more: str
    is_address: bool


@dataclass(frozen=True)
class Group:
    """Items of one kind. `title` counts them all; `hidden` says how many of them are not listed."""

    name: GroupName
    title: str
    lines: tuple[Line, ...]
    hidden: str


@dataclass(frozen=True)
class Sheet:
    """What every form of the message is written from."""

    tag: str
    heading: str
    moment: str
    summary: str
    groups: tuple[Group, ...]
    reason: str
    no_reply: str
    locale: Locale


@dataclass(frozen=True)
class Setting:
    """Where the digest comes from: the service's name and its reporting zone."""

    service: str
    zone: str


def subject(digest: Digest, recipient: Recipient, setting: Setting) -> str:
    """One line that names the gravest thing and counts the others."""
    words = locale(recipient.language)
    gravest = digest.items[0]
    key = "subject" if gravest.group in _GRAVE else "subject_mild"
    line = words.say(
        key,
        service=words.name(setting.service),
        severity=words.say(f"severity.{gravest.severity}"),
        name=_name(gravest, words),
        what=words.say(f"what.{gravest.what}"),
    )
    others = len(digest.items) - 1
    return line + (words.say("subject_more", count=others) if others else "")


def mail_text(digest: Digest, recipient: Recipient, setting: Setting) -> str:
    return render("digest.txt.j2", None, sheet=_sheet(digest, recipient, setting, MAIL_LINES))


def mail_html(digest: Digest, recipient: Recipient, setting: Setting) -> str:
    return render("digest.html.j2", None, sheet=_sheet(digest, recipient, setting, MAIL_LINES))


def chat_text(digest: Digest, recipient: Recipient, setting: Setting, limit: int) -> str:
    """As many items as fit into `limit` bytes of UTF-8, at most CHAT_LINES a group; the others are counted."""
    text = ""
    for lines in range(CHAT_LINES, -1, -1):
        text = render("digest_chat.txt.j2", None, sheet=_sheet(digest, recipient, setting, lines))
        if len(text.encode()) <= limit:
            break
    return text


def _sheet(digest: Digest, recipient: Recipient, setting: Setting, lines: int) -> Sheet:
    words = locale(recipient.language)
    found = {name: digest.group(name) for name in GROUPS}
    counted = [words.say(f"summary.{name}", count=len(items)) for name, items in found.items() if items]
    owners = words.say("between").join(recipient.owners)
    return Sheet(
        tag=words.tag,
        heading=words.say("heading", service=words.name(setting.service)),
        moment=words.moment(digest.as_of, setting.zone),
        summary=words.say("between").join(counted),
        groups=tuple(_group(name, items, words, lines) for name, items in found.items() if items),
        reason=words.say("answers_for_all")
        if EVERYBODY in recipient.owners
        else words.say("answers_for", owners=owners),
        no_reply=words.say("no_reply"),
        locale=words,
    )


def _group(name: GroupName, items: tuple[DigestItem, ...], words: Locale, lines: int) -> Group:
    hidden = len(items) - len(items[:lines])
    said = words.say("hidden", count=hidden, more=words.say("list_command")) if hidden else ""
    title = words.say("counted", title=words.say(f"group.{name}"), count=len(items))
    return Group(name, title, tuple(_line(item, words) for item in items[:lines]), said)


def _line(item: DigestItem, words: Locale) -> Line:
    facts = []
    if item.value is not None and item.limit is not None:
        limit = words.limit(item.limit, item.unit, item.is_upper)
        facts.append(words.say("value_and_limit", value=words.figure(item.value, item.unit), limit=limit))
    elif item.value is not None:
        facts.append(words.say("value_only", value=words.figure(item.value, item.unit)))
    facts.append(
        words.say("stood_since" if item.what == "closed" else "since", period=words.period(item.grain, item.since))
    )
    facts.append(words.say("owner", owner=words.name(item.owner)))
    if item.what == "escalated" and item.escalated_to:
        facts.append(words.say("escalated_to", name=words.name(item.escalated_to)))
    why, why_tag = _why(item.why, words)
    name, severity, what = _name(item, words), words.say(f"severity.{item.severity}"), words.say(f"what.{item.what}")
    return Line(
        name=name,
        headline=words.say("line", severity=severity, name=name),
        headline_and_what=words.say("line_and_what", severity=severity, name=name, what=what),
        mark=_MARKS[item.severity],
        severity=item.severity,
        severity_word=severity,
        what=what,
        facts=words.say("between_facts").join(facts),
        why=why,
        why_tag=why_tag,
        more=item.more,
        is_address=item.more.startswith("https://"),
    )


def _why(why: Mapping[str, str], words: Locale) -> tuple[str, str]:
    """The sentence in the reader's language, else the English one: a reason in another language beats none."""
    if words.language in why:
        return why[words.language], words.tag
    return why.get("en", ""), "en"


def _name(item: DigestItem, words: Locale) -> str:
    segment = words.name(item.segment) if item.segment else words.say("whole_service")
    return words.say("named", title=words.name(item.title), segment=segment)
