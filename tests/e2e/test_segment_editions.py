"""A review with an edition for each team: what it holds, and that no hidden cell follows from all that is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from support.shared_nights import copy_to_server
from support.small_company import NIGHTS, Company, copy_company

from hansei import board, pipeline
from hansei.errors import HanseiError
from hansei.pipeline import reviewing
from hansei.reviews.archive import editions, read_edition
from hansei.reviews.evidence import Evidence
from hansei.warehouse import open_read_copy

WEEK, FOLLOWING = date(2026, 3, 16), date(2026, 3, 23)
TEAMS = ["team=desk:G0", "team=desk:G1", "team=desk:G2"]
LEAST = 5
REVIEW = """\
id: team_review
title: Team review
audience: team leads
owner: service-desk
about: team=*
formats: [html]
indicators: [tickets_created, tickets_solved, reopen_rate, source_sla_attainment, nps]
segments: [channel, priority]
"""
PRIVACY = f"{{id: team_privacy, owner: people, source: of the tests, minimum_cases: {LEAST}}}\n"


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    home = tmp_path_factory.mktemp(f"teams-{request.param}")
    if request.param == "postgresql":
        made = copy_to_server(request.getfixturevalue("third_night_on_server"), home)
    else:
        made = copy_company(request.getfixturevalue("third_night"), home)
    for name, text in (("reviews/team_review", REVIEW), ("team_privacy/team_privacy", PRIVACY)):
        path = made.home / "definitions" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return made


@pytest.fixture(scope="module")
def built(company: Company) -> dict[str, Evidence]:
    """What each edition is made from, by what it is about; the weekly brief's under `all`."""
    context = company.context(NIGHTS[2])
    pipeline.build_review(context, "weekly_brief", FOLLOWING)
    pipeline.build_review(context, "team_review", FOLLOWING)
    archive = company.settings.archive
    return {
        one.about: read_edition(archive, one.review_id, one.period_start, one.revision, one.about)[0]
        for one in editions(archive)
    }


def test_each_team_has_an_edition_in_store_and_archive(company: Company, built: dict[str, Evidence]) -> None:
    assert sorted(built) == ["all", *TEAMS]
    with board.opened_board(company.settings) as engine:
        stored = board.list_reviews(engine, "team_review")
    assert [review.review_id for review in stored] == [f"team_review:{team}:{WEEK}:r1" for team in TEAMS]
    assert all(review.state == "published" for review in stored)
    assert {evidence.about_label for about, evidence in built.items() if about != "all"} == {
        "desk:G0",
        "desk:G1",
        "desk:G2",
    }


def test_building_again_makes_no_revision(company: Company, built: dict[str, Evidence]) -> None:
    again = pipeline.build_review(company.context(NIGHTS[2]), "team_review", FOLLOWING)
    assert [one["review_id"][-2:] for one in again["editions"]] == ["r1", "r1", "r1"]
    only = pipeline.build_review(company.context(NIGHTS[2]), "team_review", FOLLOWING, about=TEAMS[1])
    assert [one["review_id"] for one in only["editions"]] == [f"team_review:{TEAMS[1]}:{WEEK}:r1"]
    with pytest.raises(HanseiError, match=r"no edition about 'team=desk:G9'.*team=desk:G0"):
        pipeline.build_review(company.context(NIGHTS[2]), "team_review", FOLLOWING, about="team=desk:G9")


def test_any_day_before_the_next_week_has_ended_names_the_week(company: Company, built: dict[str, Evidence]) -> None:
    late = pipeline.build_review(company.context(NIGHTS[2]), "team_review", date(2026, 3, 29), about=TEAMS[0])
    assert [one["review_id"] for one in late["editions"]] == [f"team_review:{TEAMS[0]}:{WEEK}:r1"]


def test_a_review_is_due_until_its_last_period_is_published(company: Company, built: dict[str, Evidence]) -> None:
    context = company.context(NIGHTS[2])
    monthly = ["account_review", "monthly_report", "owner_review"]
    weekly = ["executive_page", "team_review", "weekly_brief"]
    assert pipeline.due_reviews(context) == sorted([*monthly, *weekly])
    assert pipeline.due_reviews(context, date(2026, 3, 25)) == sorted([*monthly, "executive_page"])  # not built yet
    assert pipeline.due_reviews(context, date(2026, 3, 30)) == sorted([*monthly, *weekly])
    assert pipeline.due_reviews(context, FOLLOWING, is_named=True) == weekly
    assert pipeline.due_reviews(context, date(2026, 4, 1), is_named=True) == monthly
    assert pipeline.due_reviews(context, date(2026, 4, 7), is_named=True) == []


def test_a_month_is_reviewed_like_a_week(company: Company) -> None:
    """Its figures are those of the month, its words speak of months."""
    context = company.context(NIGHTS[2])
    (edition,) = pipeline.build_review(context, "monthly_report", date(2026, 4, 1))["editions"]
    assert edition["review_id"] == "monthly_report:2026-03-01:r1"
    (evidence,) = [
        read_edition(company.settings.archive, one.review_id, one.period_start)[0]
        for one in editions(company.settings.archive)
        if one.review_id == "monthly_report"
    ]
    assert (evidence.grain, evidence.period_end) == ("month", date(2026, 3, 31))
    count = company.scalar(
        "SELECT COUNT(*) FROM core.tickets WHERE created_date BETWEEN '2026-03-01' AND '2026-03-31' "
        "AND NOT is_deleted AND NOT is_merged AND NOT is_spam AND NOT is_bot_only"
    )
    assert evidence.indicator("tickets_created").series[-1].value == count > 0
    page = Path(edition["path"]).read_text("utf-8")
    assert "March 2026" in page and "Month before" in page and "Week before" not in page


@pytest.mark.parametrize("team", TEAMS)
def test_an_edition_holds_its_teams_own_figures(company: Company, built: dict[str, Evidence], team: str) -> None:
    """Counted here from the tickets themselves."""
    evidence = built[team]
    tickets = company.rows(
        "SELECT first_team_id, solved_team_id, created_date, solved_date FROM core.tickets "
        "WHERE NOT is_deleted AND NOT is_merged AND NOT is_spam AND NOT is_bot_only"
    )
    name = team.removeprefix("team=")
    for indicator_id, who, when in (
        ("tickets_created", "first_team_id", "created_date"),
        ("tickets_solved", "solved_team_id", "solved_date"),
    ):
        counted = [row for row in tickets if row[when] and WEEK <= row[when] < FOLLOWING]
        indicator = evidence.indicator(indicator_id)
        (point,) = [one for one in indicator.series if one.period_start == WEEK]
        assert point.value == sum(row[who] == name for row in counted) > 0
        assert indicator.whole.value == len(counted)
    assert [one.indicator_id for one in evidence.indicators] == [
        *("tickets_created", "tickets_solved", "reopen_rate", "source_sla_attainment")
    ]  # not nps: nobody answers for a team


@pytest.mark.parametrize("team", TEAMS)
def test_everything_that_is_said_lies_within_the_team(built: dict[str, Evidence], team: str) -> None:
    evidence = built[team]
    said = (*evidence.judgements, *evidence.breaches, *evidence.words, *evidence.explanations)
    named = {one.segment_id for one in said} | {
        segment.segment_id for indicator in evidence.indicators for segment in indicator.segments
    }
    assert team in named
    assert all(team in segment_id.split("&") for segment_id in named)
    # The limit of `team=*` is the team's own.
    assert {limit.threshold_id for limit in evidence.indicator("source_sla_attainment").limits} == {"small_sla"}
    assert [judged.threshold_id for judged in evidence.judgements] == ["small_sla"] * len(evidence.judgements)
    assert evidence.judgements
    # Scorecard and outlook are the team's own; profile and risks are the whole service's.
    (card,) = evidence.cards
    assert (card.card_id, card.segment_id, card.segment_label) == ("balanced_service", team, team.removeprefix("team="))
    assert {outlook.segment_id for outlook in evidence.outlooks} == {team}
    assert [outlook.indicator_id for outlook in evidence.outlooks] == [i.indicator_id for i in evidence.indicators]
    assert (evidence.profiles, evidence.registers) == ((), ())
    assert built["all"].cards[0].segment_id == "all" and built["all"].profiles and built["all"].registers


def shown_cells(built: dict[str, Evidence], indicator_id: str, cut: str, week: date) -> dict[tuple[str, str], int]:
    """Every count inside a team that any edition shows, by team and by what the cut says."""
    found = {}
    for team in TEAMS:
        for segment in built[team].indicator(indicator_id).segments:
            for point in segment.series:
                if segment.dimension == cut and point.period_start == week and point.sample_count is not None:
                    (own,) = [part for part in segment.segment_id.split("&") if part != team]
                    found[team, own] = point.sample_count
    return found


@pytest.mark.parametrize("cut", ["channel", "priority"])
@pytest.mark.parametrize("indicator_id", ["tickets_created", "tickets_solved"])
def test_no_hidden_cell_follows_from_what_all_editions_show(
    company: Company, built: dict[str, Evidence], indicator_id: str, cut: str
) -> None:
    """Hidden cells are unknowns; the totals that the brief and the editions show are the equations."""
    with open_read_copy(company.settings) as warehouse:
        rows = warehouse.rows(
            "SELECT period_start, segment_id, sample_count FROM indicators.indicator_values WHERE grain = 'week' "
            "AND indicator = :indicator AND segment_id LIKE '%&%' ORDER BY period_start, segment_id",
            {"indicator": indicator_id},
        )
    truth: dict[date, dict[tuple[str, str], int]] = defaultdict(dict)
    for row in rows:
        parts = dict(part.split("=") for part in row["segment_id"].split("&"))
        if set(parts) == {cut, "team"} and row["period_start"] <= WEEK:
            truth[row["period_start"]][f"team={parts['team']}", f"{cut}={parts[cut]}"] = row["sample_count"]
    hidden_count = shown_count = 0
    for week, cells in truth.items():
        shown = shown_cells(built, indicator_id, cut, week)
        assert shown.items() <= cells.items()
        assert all(count == 0 or count >= LEAST for count in shown.values())
        hidden = sorted(cell for cell, count in cells.items() if count and cell not in shown)
        everything = sorted(cell for cell, count in cells.items() if count)
        assert follows(hidden) <= follows(everything)
        hidden_count, shown_count = hidden_count + len(hidden), shown_count + len(shown)
    assert hidden_count and shown_count


def follows(cells: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Cells whose value the totals of their rows and columns determine."""
    if not cells:
        return set()
    lines = sorted({(0, row) for row, _ in cells} | {(1, column) for _, column in cells})
    system = np.array([[1.0 if cell[at] == name else 0.0 for cell in cells] for at, name in lines])
    rank = np.linalg.matrix_rank(system)
    units = np.eye(len(cells))
    return {cell for cell, unit in zip(cells, units, strict=True) if np.linalg.matrix_rank([*system, unit]) == rank}


@pytest.mark.parametrize("team", TEAMS)
def test_nothing_is_said_of_a_small_cell(company: Company, built: dict[str, Evidence], team: str) -> None:
    evidence = built[team]
    with open_read_copy(company.settings) as warehouse:
        rows = warehouse.rows(
            "SELECT indicator, segment_id, sample_count FROM indicators.indicator_values "
            "WHERE grain = 'week' AND period_start = :week",
            {"week": WEEK},
        )
    counts = {(row["indicator"], row["segment_id"]): row["sample_count"] for row in rows}
    said = (*evidence.judgements, *evidence.breaches, *evidence.words)
    inside = [(one.indicator_id, one.segment_id) for one in said if "&" in one.segment_id]
    assert all(counts[pair] == 0 or counts[pair] >= LEAST for pair in inside)
    for explained in evidence.explanations:
        for moved in (*explained.path, *(one for dimension in explained.dimensions for one in dimension.segments)):
            assert (moved.count_before, moved.count_now, moved.lower_bound) == (None, None, None)


def segments_in(node: object) -> set[str]:
    """Every segment that a piece of evidence names, however deep."""
    if isinstance(node, dict):
        own = {node["segment_id"]} if node.get("segment_id") else set()
        return own.union(*map(segments_in, node.values()))
    return set().union(*map(segments_in, node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("team", TEAMS)
def test_sections_that_count_for_themselves_count_the_team_as_a_whole(built: dict[str, Evidence], team: str) -> None:
    """Tables hide their cells; whatever else has numbers may tell totals alone, else a hidden one follows from it."""
    told = built[team].model_dump(mode="json")
    whole = (
        "comments",
        "cards",
        "outlooks",
        "shorter",
        "earlier_actions",
        "accounts",
        "profiles",
        "registers",
        "honesty",
    )
    assert {"cards", "outlooks"} <= {section for section in whole if told.get(section)}
    for section in whole:
        assert segments_in(told.get(section)) <= {team, "all"}, section
    # Sections that no test here knows: whoever adds one says how it keeps what is hidden.
    known = {"indicators", "judgements", "breaches", "words", "explanations", "proposals", *whole}
    assert {section for section, found in told.items() if segments_in(found)} <= known


def test_an_edition_that_fails_stops_no_other(
    company: Company, built: dict[str, Evidence], monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered, original = [], reviewing.publish_edition

    def publish(context, engine, evidence, *rest):
        gathered.append(evidence.about)
        if evidence.about == TEAMS[1]:
            raise RuntimeError("Jane Doe")
        return original(context, engine, evidence, *rest)

    monkeypatch.setattr(reviewing, "publish_edition", publish)
    built_now = pipeline.build_review(company.context(NIGHTS[2]), "team_review", FOLLOWING)
    assert gathered == [*TEAMS, TEAMS[1]]
    assert [one["review_id"].split(":20")[0] for one in built_now["editions"]] == [
        "team_review:team=desk:G0",
        "team_review:team=desk:G2",
    ]
    assert built_now["failed"] == {TEAMS[1]: "RuntimeError"}
    with pytest.raises(HanseiError, match="1 of 3 editions failed; team=desk:G1: RuntimeError") as caught:
        pipeline.deliver_reviews(company.context(NIGHTS[2]), "team_review", FOLLOWING, tell=print, built=built_now)
    assert "Jane" not in str(caught.value)
    with monkeypatch.context() as patched:
        patched.setattr(reviewing, "publish_edition", lambda *given: 1 / 0)
        with pytest.raises(HanseiError, match="3 of 3 editions failed; team=desk:G0: ZeroDivisionError"):
            pipeline.build_review(company.context(NIGHTS[2]), "team_review", FOLLOWING)
