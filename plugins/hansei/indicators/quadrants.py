"""Quadrants of peers by two dimensions of a scorecard, from the lines of the card. Methods: hansei.methods.scores."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from hansei.catalog.scorecards import Quadrants, Scorecard
from hansei.indicators.periods import next_period
from hansei.methods import scores

# What is not assigned to a part is no peer of the parts.
_NOBODY = ("unassigned", "unknown", "unlinked")


def quadrant_rows(item: Quadrants, card: Scorecard, lines: pa.Table) -> list[dict[str, Any]]:
    """One row per peer and period with both scores, from the card's lines; `quadrant` is the one that holds."""
    found: dict[date, dict[str, dict[str, float | None]]] = defaultdict(dict)
    wanted = {item.efficiency: "efficiency", item.quality: "quality"}
    selected = lines.select(["line", "dimension", "period_start", "segment_id", "score"]).to_pylist()
    for row in selected:
        peer = row["segment_id"]
        if row["line"] == "dimension" and row["dimension"] in wanted and _is_peer(peer, item.peers):
            found[row["period_start"]].setdefault(peer, {})[wanted[row["dimension"]]] = row["score"]
    measured: dict[str, dict[date, dict[str, Any]]] = defaultdict(dict)
    for period, peers in sorted(found.items()):
        names = sorted(peers)
        efficiency, quality = (np.array([peers[name].get(axis) for name in names], float) for axis in wanted.values())
        cut = scores.quadrants(efficiency, quality, item.fewest_peers)
        for name, quadrant, one, other in zip(names, cut.names, efficiency, quality, strict=True):
            if quadrant is not None:
                measured[name][period] = {
                    "quadrants": item.id,
                    "version": item.version,
                    "grain": card.grain,
                    "period_start": period,
                    "segment_id": name,
                    "efficiency_score": float(one),
                    "quality_score": float(other),
                    "cut_efficiency": cut.cut_efficiency,
                    "cut_quality": cut.cut_quality,
                    "peer_count": cut.peer_count,
                    "measured_quadrant": quadrant,
                }
    return [row for name in sorted(measured) for row in _with_hysteresis(measured[name], card.grain)]


def _is_peer(segment_id: str, dimension: str) -> bool:
    cut, _, value = segment_id.partition("=")
    return cut == dimension and "&" not in value and value not in _NOBODY


def _with_hysteresis(rows: dict[date, dict[str, Any]], grain: str) -> list[dict[str, Any]]:
    """The peer's rows with the quadrant that holds; a period that is missing in between starts no change."""
    periods, names, at = sorted(rows), [], []
    for position, period in enumerate(periods):
        if position and next_period(grain, periods[position - 1]) != period:
            names.append(None)
        at.append(len(names))
        names.append(rows[period]["measured_quadrant"])
    held = scores.settled(names)
    return [{**rows[period], "quadrant": held[place]} for period, place in zip(periods, at, strict=True)]
