"""What a person is told: one digest of what needs them, what changed and what closed, never a message per alarm.

Pure: items in, sentences out. A digest holds no address and no person's name, so that the ledger may keep it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from hansei.catalog.measures import Grain, Unit
from hansei.catalog.recipients import SEVERITIES, Recipient, Severity

What = Literal[
    "opened", "joined", "raised", "escalated", "overdue", "woken", "recovering", "relapsed", "closed", "restated"
]
GroupName = Literal["needs_you", "changed", "closed"]
# Gravest first, within a group too.
GROUPS: dict[GroupName, tuple[What, ...]] = {
    "needs_you": ("escalated", "overdue", "woken", "opened"),
    "changed": ("relapsed", "raised", "joined", "restated", "recovering"),
    "closed": ("closed",),
}
_ORDER = [what for words in GROUPS.values() for what in words]
# What one digest has to keep saying of an alarm, although something milder happened to it later on.
_OUTSTANDING = ("opened", "escalated", "woken")
_KEEPS_STANDING = ("raised", "joined", "relapsed", "overdue", *_OUTSTANDING)


@dataclass(frozen=True)
class DigestItem:
    """What happened to one alarm.

    `event_number` is that of the alarm event it comes from; None for what stands without one (overdue). `segment` is a
    label for people, empty for the whole service. `value` and `limit` are in the indicator's unit, None where there is
    none to tell; `is_upper`: the value must not exceed the limit. `since`: first day of the period of `grain` in which
    the alarm began. `why`: a sentence by language, English at least. `more`: a command or an address that shows more.
    `escalated_to`: the owner, or the recipient's id, that an escalation goes to.
    """

    alarm_id: str
    event_number: int | None
    what: What
    severity: Severity
    title: str
    segment: str
    owner: str
    value: float | None
    limit: float | None
    unit: Unit
    is_upper: bool
    grain: Grain
    since: dt.date
    more: str
    why: Mapping[str, str] = field(default_factory=dict, hash=False)
    escalated_to: str = ""

    @property
    def group(self) -> GroupName:
        return next(name for name, words in GROUPS.items() if self.what in words)


@dataclass(frozen=True)
class Digest:
    """What one recipient is told at once: one item per alarm, gravest first. `as_of` is naive UTC."""

    items: tuple[DigestItem, ...]
    as_of: dt.datetime

    def group(self, name: GroupName) -> tuple[DigestItem, ...]:
        return tuple(item for item in self.items if item.group == name)

    def to_json(self) -> str:
        """Canonical text, from which `from_json` makes an equal digest."""
        content = {"as_of": self.as_of.isoformat(), "items": [asdict(item) for item in self.items]}
        return json.dumps(content, default=dt.date.isoformat, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Digest:
        content = json.loads(text)
        items = (DigestItem(**item | {"since": dt.date.fromisoformat(item["since"])}) for item in content["items"])
        return cls(tuple(items), dt.datetime.fromisoformat(content["as_of"]))


def digest_for(
    recipient: Recipient,
    items_by_owner: Mapping[str, Iterable[DigestItem]],
    told_through: int | None,
    as_of: dt.datetime,
    untold: Sequence[DigestItem] = (),
) -> Digest:
    """What concerns the recipient and was not told yet; no items where there is nothing to say.

    `untold` are items of an earlier digest that never left. Without `told_through` it is the first digest: of what
    happened before, only what still stands is told.
    """
    concerning = [
        item
        for owner, items in items_by_owner.items()
        for item in items
        if recipient.answers_for(owner) or (item.what == "escalated" and recipient.answers_for(item.escalated_to))
    ]
    new = [item for item in concerning if item.event_number is None or item.event_number > (told_through or 0)]
    merged = [item for item in merge([*untold, *new]) if recipient.wants(item.severity)]
    if told_through is None:
        merged = [item for item in merged if item.group != "closed"]
    return Digest(tuple(sorted(merged, key=_gravest_first)), as_of)


def merge(items: Iterable[DigestItem]) -> list[DigestItem]:
    """One item per alarm, in order of alarm ids: its newest, said as new or unanswered if it became so in between.

    Items of one alarm that came by several roads (two owners, `*`) are the same event, and count once.
    """
    by_alarm: dict[str, dict[tuple[int, str], DigestItem]] = {}
    for item in items:
        # What stands without an event of its own is as of now, so newer than any event.
        number = item.event_number if item.event_number is not None else 2**63
        by_alarm.setdefault(item.alarm_id, {})[number, item.what] = item
    merged = []
    for _, events in sorted(by_alarm.items()):
        ordered = [events[key] for key in sorted(events)]
        # What stands says what it is now, and does not hide that something happened.
        numbers = [item.event_number for item in ordered if item.event_number is not None]
        newest = replace(ordered[-1], event_number=max(numbers, default=None))
        if newest.what in _KEEPS_STANDING:
            said = {newest.what, *(item.what for item in ordered if item.what in _OUTSTANDING)}
            newest = replace(newest, what=min(said, key=_ORDER.index))
        merged.append(newest)
    return merged


def _gravest_first(item: DigestItem) -> tuple:
    groups = list(GROUPS)
    severity = len(SEVERITIES) - SEVERITIES.index(item.severity)
    return groups.index(item.group), severity, _ORDER.index(item.what), item.title, item.segment, item.alarm_id
