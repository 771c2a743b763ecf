"""Scorecards and profiles as a review tells them: the newest finished period that its own period holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from hansei.catalog import Catalog
from hansei.catalog import scorecards as declared
from hansei.indicators.periods import last_finished, previous_period
from hansei.indicators.scorecards import MISSING
from hansei.reviews.appraisals import Axis, Card, Place, Profile, ScoredGroup, ScoredLine
from hansei.warehouse import Warehouse

_SCORES = ("score", "lower_score", "upper_score")
Rows = dict[tuple[str, ...], dict[str, Any]]


def gather_cards(
    warehouse: Warehouse, catalog: Catalog, following: date, labels: Mapping[str, str], segment_id: str = "all"
) -> list[Card]:
    """Every scorecard of which something is known in the segment; `following`: first day after the review's period."""
    found = []
    for card in sorted(catalog.scorecards.values(), key=lambda card: card.id):
        start, now, before = _newest(warehouse, "scorecard", card, following, segment_id)
        if start is not None:
            found.append(_card(catalog, card, start, now, before, segment_id, labels))
    return found


def _card(
    catalog: Catalog,
    card: declared.Scorecard,
    start: date,
    now: Rows,
    before: Rows,
    segment_id: str,
    labels: Mapping[str, str],
) -> Card:
    groups = [_group(catalog, group, share, now, before) for group, share in zip(card.groups, card.shares, strict=True)]
    total = now[("total",)]
    return Card(
        **_told(total, before.get(("total",))),
        card_id=card.id,
        version=card.version,
        title=card.title,
        question=card.question,
        owner=card.owner,
        approver=card.approver,
        grain=card.grain,
        period_start=start,
        segment_id=segment_id,
        segment_label=labels.get(segment_id, "") if segment_id != "all" else "",
        coverage=total["coverage_ratio"],
        minimum_coverage=card.minimum_coverage,
        groups=tuple(groups),
    )


def _group(catalog: Catalog, group: declared.Dimension, share: float, now: Rows, before: Rows) -> ScoredGroup:
    lines, whole = [], now.get(("dimension", group.id))
    for item in group.indicators:
        key = ("indicator", group.id, item.indicator)
        row, indicator = now.get(key), catalog.indicators.get(item.indicator)
        if row is None or whole is None or indicator is None:
            continue  # not computed here, or declared since the night: it shows as coverage that is not there
        lines.append(
            ScoredLine(
                **_told(row, before.get(key)),
                indicator_id=indicator.id,
                title=indicator.title,
                unit=indicator.unit,
                value=row["value"],
                worst=row["worst"],
                best=row["best"],
                weight=whole["used_weight_ratio"] * row["used_weight_ratio"],
            )
        )
    return ScoredGroup(
        **_told(whole, before.get(("dimension", group.id))),
        group_id=group.id,
        title=group.title,
        weight=share,
        coverage=whole["coverage_ratio"] if whole else 0.0,
        lines=tuple(lines),
    )


def gather_profiles(
    warehouse: Warehouse, catalog: Catalog, following: date, labels: Mapping[str, str]
) -> list[Profile]:
    """Every profile of which something is known: the whole service's axes, and on each of them the segments by name."""
    found = []
    for profile in sorted(catalog.profiles.values(), key=lambda profile: profile.id):
        start, now, before = _newest(warehouse, "profile", profile, following, "all")
        if start is None:
            continue
        rows = warehouse.rows(
            "SELECT axis, segment_id, score, lower_score, upper_score, state FROM indicators.profiles "
            "WHERE profile = :profile AND period_start = :start AND line = 'axis' AND segment_id <> 'all'",
            {"profile": profile.id, "start": start},
        )
        rows.sort(key=lambda row: (labels.get(row["segment_id"], row["segment_id"]).casefold(), row["segment_id"]))
        axes = [
            Axis(
                **_told(now.get(("axis", axis.id)), before.get(("axis", axis.id))),
                axis_id=axis.id,
                title=axis.title,
                places=tuple(
                    Place(
                        segment_id=row["segment_id"],
                        label=labels.get(row["segment_id"], row["segment_id"]),
                        state=row["state"],
                        **{name: row[name] for name in _SCORES},
                    )
                    for row in rows
                    if row["axis"] == axis.id
                ),
            )
            for axis in profile.axes
        ]
        named = {"profile_id": profile.id, "title": profile.title, "question": profile.question}
        found.append(Profile(**named, grain=profile.grain, period_start=start, axes=tuple(axes)))
    return found


def _newest(
    warehouse: Warehouse, kind: str, card: declared.Scorecard | declared.Profile, following: date, segment_id: str
) -> tuple[date | None, Rows, Rows]:
    """The newest period with a score that ended by then, its lines by what they are, and those of the period before."""
    last = last_finished(card.grain, following)
    table, group = {"scorecard": ("scorecards", "dimension"), "profile": ("profiles", "axis")}[kind]
    limits = {"card": card.id, "segment": segment_id, "last": last}
    start = warehouse.scalar(
        f"SELECT MAX(period_start) FROM indicators.{table} "
        f"WHERE {kind} = :card AND segment_id = :segment AND period_start <= :last AND score IS NOT NULL",
        limits,
    )
    if start is None:
        return None, {}, {}
    earlier = previous_period(card.grain, start)
    rows = warehouse.rows(
        f"SELECT * FROM indicators.{table} "
        f"WHERE {kind} = :card AND segment_id = :segment AND period_start IN (:start, :earlier)",
        {"card": card.id, "segment": segment_id, "start": start, "earlier": earlier},
    )
    now, before = (
        {
            tuple(part for part in (row["line"], row[group], row["indicator"]) if part): row
            for row in rows
            if row["period_start"] == day
        }
        for day in (start, earlier)
    )
    return start, now, before


def _told(row: dict[str, Any] | None, before: dict[str, Any] | None) -> dict[str, Any]:
    """The scores of a line. What is declared since the night has none yet."""
    scores = {name: row[name] if row else None for name in _SCORES}
    return {**scores, "previous_score": before["score"] if before else None, "state": row["state"] if row else MISSING}
