"""`hansei scorecards`: cards, profiles and quadrants, and the weights that they are made with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from hansei.cli.days import day_of
from hansei.cli.finance import read_file
from hansei.cli.output import Json, show
from hansei.errors import DefinitionError, HanseiError

app = typer.Typer(no_args_is_help=True)
KINDS = ("scorecards", "profiles", "quadrants")
Id = Annotated[str, typer.Argument(help="Id of a scorecard, a profile or quadrants.")]
Period = Annotated[str | None, typer.Option(help="Any day in the period, as 2026-09-07; default: the newest one.")]
Segment = Annotated[str, typer.Option(help="Segment id such as all or team=desk:7.")]
_LINES = {"indicator": 0, "dimension": 1, "axis": 1, "total": 2}


@app.command("list")
def list_cards(as_json: Json = False) -> None:
    """Every scorecard, profile and quadrant with the question that it answers."""
    from hansei import pipeline

    catalog = pipeline.context().catalog
    rows = [
        {
            "id": item.id,
            "kind": kind if kind == "quadrants" else kind.rstrip("s"),
            "version": item.version,
            "grain": getattr(item, "grain", None) or catalog.scorecards[item.scorecard].grain,
            "segments": ", ".join(getattr(item, "segments", ())) or f"{item.peers}=*",
            "question": item.question,
        }
        for kind in KINDS
        for item in getattr(catalog, kind).values()
    ]
    show(rows, as_json, "no scorecard is defined")


@app.command("show")
def show_card(name: Id, period: Period = None, segment: Segment = "all", as_json: Json = False) -> None:
    """One card as of a period: every line with its score, weight, coverage and the value behind it."""
    from hansei import pipeline
    from hansei.warehouse import open_read_copy

    context = pipeline.context()
    kind, card = _card(context.catalog, name)
    grain = card.grain if kind != "quadrants" else context.catalog.scorecards[card.scorecard].grain
    key = {"scorecards": "scorecard", "profiles": "profile", "quadrants": "quadrants"}[kind]
    where = f"{key} = :name" + ("" if kind == "quadrants" else " AND segment_id = :segment")
    asked = {"name": name, "segment": segment}
    with open_read_copy(context.settings) as warehouse:
        chosen = chosen_period(warehouse, f"indicators.{kind}", where, asked, grain, period)
        rows = []
        if chosen is not None:
            query = f"SELECT * FROM indicators.{kind} WHERE {where} AND period_start = :start ORDER BY segment_id"
            rows = warehouse.rows(query, {**asked, "start": chosen})
    if kind != "quadrants":
        order = {group.id: position for position, group in enumerate(card.groups)}
        group = "dimension" if kind == "scorecards" else "axis"
        rows.sort(key=lambda row: (order.get(row[group], len(order)), _LINES[row["line"]], row["indicator"] or ""))
    if as_json or not rows:
        show(rows, as_json, f"{name} has not been scored yet: a night scores the periods that are finished")
        return
    typer.echo(f"{card.title}, {grain} of {chosen}, version {rows[0]['version']}\n{card.question}\n")
    show([_told(kind, row) for row in rows], False, "")


def chosen_period(
    warehouse: Any, table: str, where: str, asked: dict[str, str], grain: str, period: str | None
) -> date | None:
    """First day of the period that was asked for, or of the newest that the table has; None where it has none."""
    from hansei.indicators.periods import period_start

    if table not in warehouse.tables():
        return None
    query = f"SELECT MIN(period_start) AS first, MAX(period_start) AS newest FROM {table} WHERE {where}"
    found = warehouse.rows(query, asked)[0]
    if period is None or found["newest"] is None:
        return found["newest"]
    start = period_start(grain, day_of("--period", period))
    known = f"SELECT COUNT(*) FROM {table} WHERE {where} AND period_start = :start"
    if not warehouse.scalar(known, {**asked, "start": start}):
        told = f"nothing was scored in the {grain} of {start} ({', '.join(asked.values())})"
        raise HanseiError("--period", told, f"choose one from {found['first']} to {found['newest']}")
    return start


def _card(catalog: Any, name: str) -> tuple[str, Any]:
    for kind in KINDS:
        if name in getattr(catalog, kind):
            return kind, getattr(catalog, kind)[name]
    known = ", ".join(key for kind in KINDS for key in sorted(getattr(catalog, kind)))
    raise HanseiError(f"scorecard {name!r}", "is not defined", f"use one of: {known or 'none is defined'}")


def _told(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    if kind == "quadrants":
        return {
            "peer": row["segment_id"],
            "quadrant": row["quadrant"].replace("_", " "),
            "this period": row["measured_quadrant"].replace("_", " "),
            "efficiency": _number(row["efficiency_score"]),
            "cut at": _number(row["cut_efficiency"]),
            "quality": _number(row["quality_score"]),
            "cut at ": _number(row["cut_quality"]),
        }
    group = row.get("dimension") or row.get("axis") or ""
    told = {
        "line": row["line"],
        "of": f"  {row['indicator']}" if row["line"] == "indicator" else group,
        "score": _number(row["score"]),
        "interval": _interval(row["lower_score"], row["upper_score"]),
        "weight": _percent(row["weight_ratio"]),
        "covered": _percent(row["coverage_ratio"]),
        "value": None if row["value"] is None else f"{row['value']:.6g}",
        "used": None if row["used_value"] is None else f"{row['used_value']:.6g}",
        "n": row["sample_count"],
        "state": row["state"].replace("_", " "),
    }
    return told if kind == "scorecards" else {**told, "lowest": "lowest" if row["is_minimum"] else None}


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"


def _interval(lower: float | None, upper: float | None) -> str | None:
    return None if lower is None or upper is None else f"{lower:.1f} to {upper:.1f}"


def _percent(value: float | None) -> str | None:
    return None if value is None else f"{100 * value:.0f} %"


@app.command()
def weights(
    card: Annotated[str, typer.Argument(help="Id of a scorecard or profile, or a YAML file with judgements.")],
    as_json: Json = False,
) -> None:
    """Weights and where they come from; of judgements, how consistent they are and which to reconsider."""
    rows = list(_weight_rows(card))
    if as_json:
        show(rows, True, "")
    else:
        used = [row for row in rows if row["is_accepted"] is not None]
        show(
            [{key: row[key] for key in ("of", "thing", "weight", "from")} for row in used], False, "nothing is weighed"
        )
        for text in dict.fromkeys(map(_consistency, rows)):
            typer.echo(text, nl=bool(text))
    refused = [row for row in rows if row["is_accepted"] is False]
    if refused:
        ratio = refused[0]["consistency_ratio"]
        raise HanseiError(
            card,
            f"the judgements contradict each other: consistency ratio {ratio:.3f} is not below 0.10",
            "reconsider them, or give accepted with a reason and an approver",
        )


def _consistency(row: dict[str, Any]) -> str:
    """What is to be said of judgements, once for all rows of one weighing; empty where weights were given."""
    if row["consistency_ratio"] is None:
        return ""
    said = f"{row['of']}, {row['from']}: consistency ratio {row['consistency_ratio']:.3f} ({row['random_index']})"
    return f"{said}; {row['reconsider']}" if row["reconsider"] else said


def _weight_rows(card: str) -> Iterator[dict[str, Any]]:
    from hansei import pipeline
    from hansei.catalog.documents import parse
    from hansei.catalog.judgements import WeightSheet
    from hansei.catalog.scorecards import Profile, Scorecard

    path = Path(card)
    if not path.is_file() and path.suffix not in (".yaml", ".yml"):
        kind, found = _card(pipeline.context().catalog, card)
        if kind == "quadrants":
            raise HanseiError(card, "quadrants have no weights", f"ask for the scorecard {found.scorecard}")
        yield from _card_weights(found)
        return
    document = read_file(path)
    keys = document.data if isinstance(document.data, dict) else {}
    form = Scorecard if "dimensions" in keys else Profile if "axes" in keys else WeightSheet
    found = parse(document, form)
    faults = document.faults if found is None else _incomplete(document, found)
    if faults:
        raise DefinitionError(faults)
    if isinstance(found, WeightSheet):
        yield from _judged(found.title, found.things, found.judgements)
    else:
        yield from _card_weights(found)


def _incomplete(document: Any, found: Any) -> list[Any]:
    """Faults of judgements other than their contradictions, which the figures themselves show."""
    from hansei.catalog.judgements import WeightSheet, incomplete_faults

    if isinstance(found, WeightSheet):
        judged = [((), found.judgements, found.things)]
    else:
        key = "dimensions" if hasattr(found, "dimensions") else "axes"
        judged = [((), getattr(found, "judgements", None), [group.id for group in found.groups])]
        for place, group in enumerate(found.groups):
            judged.append(((key, place), group.judgements, [item.indicator for item in group.indicators]))
    return [
        fault
        for location, judgements, things in judged
        if judgements is not None
        for fault in incomplete_faults(document, location, judgements, things)
    ]


def _card_weights(card: Any) -> Iterator[dict[str, Any]]:
    if hasattr(card, "dimensions"):
        names = [item.id for item in card.dimensions]
        if card.judgements is not None:
            yield from _judged(card.title, names, card.judgements)
        else:
            yield from _given(card.title, names, card.shares, "given")
    for group in card.groups:
        names = [item.indicator for item in group.indicators]
        if group.judgements is not None:
            yield from _judged(group.title, names, group.judgements)
        elif names:
            origin = "equal" if all(item.weight is None for item in group.indicators) else "given"
            yield from _given(group.title, names, group.shares, origin)


def _given(title: str, names: Sequence[str], shares: Sequence[float], origin: str) -> Iterator[dict[str, Any]]:
    nothing = dict.fromkeys(("consistency_ratio", "random_index", "reconsider"))
    for name, share in zip(names, shares, strict=True):
        yield {"of": title, "thing": name, "weight": round(share, 6), "from": origin, "is_accepted": True, **nothing}


def _judged(title: str, names: Sequence[str], judgements: Any) -> Iterator[dict[str, Any]]:
    """A row per thing for all judges together, then, where there are several, one for each judge's own consistency."""
    from hansei.catalog.judgements import doubt_text

    together = judgements.weighing(names)
    weighings = [(f"{len(judgements.judges)} judges", together)]
    if len(judgements.judges) > 1:
        weighings += [(judge.judge, judgements.weighing(names, judge)) for judge in judgements.judges]
    for who, found in weighings:
        # Only what all judges say together becomes the weights; a judge's own ratio is there to talk about.
        is_used = found is together
        is_accepted = found.is_consistent or judgements.accepted is not None
        for name, share in zip(names, found.weights, strict=True):
            yield {
                "of": title,
                "thing": name,
                "weight": round(float(share), 6),
                "from": who,
                "consistency_ratio": round(found.consistency_ratio, 6),
                "random_index": found.random_index,
                "is_accepted": is_accepted if is_used else None,
                "reconsider": None if found.is_consistent else doubt_text(found, names),
            }
