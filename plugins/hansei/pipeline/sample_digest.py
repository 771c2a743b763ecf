"""A made-up digest for one recipient, to look at language, layout and connections before the first alarm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hansei.catalog.recipients import SEVERITIES, Recipient
from hansei.pipeline.context import Context
from hansei.pipeline.delivering import open_road, roads_to, setting_of
from hansei.reviews.digest import Digest, DigestItem, What, digest_for
from hansei.reviews.digest_message import mail_html, mail_text, subject

_WHAT: tuple[What, ...] = ("opened", "escalated", "recovering", "closed")
# Two figures, one of them the limit, in units that read differently; all others are told as plain numbers.
_FIGURES: dict[str, tuple[float, float]] = {
    "ratio": (0.82, 0.9),
    "seconds": (14_400.0, 18_600.0),
    "business_seconds": (14_400.0, 18_600.0),
}


@dataclass(frozen=True)
class Preview:
    """A sample as the recipient would read it, and one line about each of their connections."""

    connections: tuple[str, ...]
    subject: str
    text: str
    html: str


def preview_of(context: Context, recipient: Recipient) -> Preview:
    """Nothing is connected, nothing is sent, and the ledger is not opened."""
    lines = []
    for road in roads_to(recipient):
        trouble = open_road(context, road)[1]
        lines.append(f"{road}: {trouble or 'the connection is complete'}")
    digest, setting = sample_digest(context, recipient), setting_of(context)
    return Preview(
        tuple(lines),
        subject(digest, recipient, setting),
        mail_text(digest, recipient, setting),
        mail_html(digest, recipient, setting),
    )


def sample_digest(context: Context, recipient: Recipient) -> Digest:
    """One item of each kind over indicators that concern the recipient; every figure in it is invented."""
    now = context.now()
    monday = now.date() - timedelta(days=now.weekday() + 7)
    catalog = context.catalog
    judged = {one.indicator for one in catalog.thresholds.values() if one.owner and recipient.answers_for(one.owner)}
    indicators = catalog.indicators.values()
    concerning = [one for one in indicators if one.id in judged or recipient.answers_for(one.owner)]
    items = []
    for number, (what, indicator) in enumerate(zip(_WHAT, concerning, strict=False), start=1):
        is_upper = indicator.direction != "higher_is_better"
        lower, higher = _FIGURES.get(indicator.unit, (10.0, 13.0))
        items.append(
            DigestItem(
                alarm_id=f"sample-{number}",
                event_number=number,
                what=what,
                severity=SEVERITIES[-min(number, len(SEVERITIES))],
                title=indicator.title,
                segment="",
                owner=indicator.owner,
                value=higher if is_upper else lower,
                limit=lower if is_upper else higher,
                unit=indicator.unit,
                is_upper=is_upper,
                grain="week",
                since=monday,
                more=f"hansei alarms show sample-{number}",
                why={"en": "A sample: every figure here is invented.", "zh_CN": "示例：所有数字均为虚构。"},
                escalated_to=recipient.id if what == "escalated" else "",
            )
        )
    return digest_for(recipient, {recipient.id: items}, 0, now)
