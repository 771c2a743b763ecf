"""The sentences of the brief: what is said, what is ranked first, and what is left unsaid."""

from __future__ import annotations

import datetime as dt

import pytest

from hansei.reviews import asked, headlines, honesty, narrative, standing
from hansei.reviews.accounts_view import view_accounts
from hansei.reviews.evidence import Breach, Evidence
from hansei.reviews.locales import locale

EN = locale("en")

MONDAY = dt.date(2026, 11, 2)


def breach(indicator_id: str = "reopen_rate", **more: object) -> Breach:
    return Breach.model_validate(
        {
            "indicator_id": indicator_id,
            "segment_id": "all",
            "segment_label": "",
            "threshold_id": "t",
            "level": "warning",
            "direction": "lower_is_better",
            "limit": 0.1,
            "value": 0.12,
            "unit": "ratio",
            "valid_from": "2026-01-05",
            "first_period": MONDAY,
            "is_new": True,
        }
        | more
    )


def indicator(indicator_id: str, **more: object) -> dict:
    return {
        "indicator_id": indicator_id,
        "version": 1,
        "title": indicator_id.replace("_", " ").capitalize(),
        "question": "?",
        "unit": "ratio",
        "direction": "lower_is_better",
        "owner": "desk lead",
        "series": [{"period_start": MONDAY, "value": 0.12, "sample_count": 50}],
    } | more


def evidence(breaches: list[Breach] = (), **more: object) -> Evidence:
    ids = list(dict.fromkeys([b.indicator_id for b in breaches])) or ["reopen_rate"]
    return Evidence.model_validate(
        {
            "review_id": "weekly_brief",
            "title": "Weekly brief",
            "service_name": "Desk",
            "reporting_zone": "UTC",
            "period_start": MONDAY,
            "period_end": "2026-11-08",
            "as_of": dt.datetime(2026, 11, 9, 3),
            "product_version": "0.1.0",
            "definitions_hash": "ab",
            "indicators": [indicator(i) for i in ids],
            "breaches": breaches,
        }
        | more
    )


def title(found: Evidence) -> str:
    return headlines.headline(found, narrative.decisions(found, EN), EN).title.replace("\u00a0", " ")


def judgement(verdict: str, **more: object) -> dict:
    return breach().model_dump(exclude={"is_new"}) | {"verdict": verdict} | more


def test_headline_counts_indicators_not_limits() -> None:
    both = [breach(level="critical", limit=0.11), breach(), breach("handed_on"), breach(segment_id="team=1")]
    assert title(evidence(both)) == "2 things need a decision"
    assert title(evidence([breach()])) == "1 thing needs a decision"


def test_nothing_missed_is_said_plainly() -> None:
    assert title(evidence(judgements=[judgement("within")])) == "Nothing needs a decision this week"


def test_one_week_that_may_be_chance_is_watched_not_decided() -> None:
    maybe = breach(supported=False, lower_bound=0.09, upper_bound=0.15)
    found = narrative.decisions(evidence([maybe]), EN)
    assert [d.needs_decision for d in found] == [False]
    assert any("may be chance" in s for s in found[0].sentences)
    assert title(evidence([maybe])) == "Nothing needs a decision this week"
    long = maybe.model_copy(update={"consecutive_periods": 3})
    assert title(evidence([long])) == "1 thing needs a decision"


def test_rank_is_level_then_support_then_distance() -> None:
    found = [
        breach("a", supported=True, value=0.5),
        breach("b", level="critical", supported=False, value=0.11),
        breach("c", level="critical", supported=True, value=0.11),
        breach("d", level="critical", supported=True, value=0.2),
        breach("e", supported=True, value=0.6),
    ]
    assert [d.breach.indicator_id for d in narrative.decisions(evidence(found), EN)] == ["d", "c", "b", "e", "a"]


def test_distance_compares_units_by_what_the_limit_allows() -> None:
    low = breach(value=0.2, limit=0.1)
    high = breach(value=0.8, limit=0.9, direction="higher_is_better")
    clock = breach(value=7200, limit=3600, unit="seconds")
    assert [standing.distance(b) for b in (low, high, clock)] == pytest.approx([1.0, 1.0, 1.0])


def test_since_when_and_what_before() -> None:
    long = breach(consecutive_periods=3, first_period=dt.date(2026, 10, 19), previous_value=0.115, is_new=False)
    said = [s.replace("\u00a0", " ") for s in narrative.decisions(evidence([long]), EN)[0].sentences]
    assert said[0] == "Missed 3 weeks in a row, since 19 October 2026 (week 43)."
    assert said[1] == "The week before it was 11.5 %."


def test_a_run_beyond_two_limits_is_told_of_the_lower_one() -> None:
    both = breach(level="critical", limit=0.11, warning_limit=0.1, consecutive_periods=3, first_period="2026-10-19")
    said = narrative.since(both, EN).replace("\u00a0", " ")
    assert said == "Beyond 10 %, the warning limit, for 3 weeks in a row, since 19 October 2026 (week 43)."


def test_support_is_told_by_the_near_end_of_the_interval() -> None:
    sure = breach(supported=True, lower_bound=0.105, upper_bound=0.14)
    assert "10.5 %" in narrative.certainty(sure, EN)[0].replace("\u00a0", " ")
    sure_high = breach(
        direction="higher_is_better", value=0.7, limit=0.9, supported=True, lower_bound=0.6, upper_bound=0.8
    )
    assert "80.0 %" in narrative.certainty(sure_high, EN)[0].replace("\u00a0", " ")


def test_source_that_is_not_ready_comes_before_everything() -> None:
    late = {
        "source": "desk",
        "state": "late",
        "complete_until": dt.datetime(2026, 11, 7, 22),
        "needed_until": dt.datetime(2026, 11, 9),
    }
    found = evidence([breach()], readiness=[late])
    head = headlines.headline(found, narrative.decisions(found, EN), EN)
    assert head.not_ready[0].replace("\u00a0", " ") == (
        "desk is late: its data is complete only until Saturday 7 November 2026, 22:00."
        " This brief needs it until Monday 9 November 2026, 00:00."
    )
    assert head.title.replace("\u00a0", " ") == "1 thing needs a decision in what is known"
    never = evidence(readiness=[{"source": "crm", "state": "never"}])
    assert headlines.not_ready(never, EN)[0] == "Nothing has arrived from crm yet."


def test_failed_source_whose_data_suffices_does_not_claim_a_gap() -> None:
    enough = {
        "source": "crm",
        "state": "failed",
        "complete_until": dt.datetime(2026, 11, 9, 1),
        "needed_until": dt.datetime(2026, 11, 9),
    }
    found = evidence(readiness=[enough])
    assert headlines.not_ready(found, EN) == []
    assert honesty.topics(found, EN)[0].sentences == ("crm failed in its latest run, but its data covers the week.",)


def test_a_week_that_cannot_be_judged_claims_nothing() -> None:
    found = evidence(judgements=[judgement("too_few_data", value=None)])
    assert title(found) == "Nothing can be judged this week"


@pytest.mark.parametrize(
    ("state", "word"),
    [("incomplete", "not_ready"), ("immature", "not_ready"), ("insufficient", "too_few_data"), ("ok", "no_limit")],
)
def test_without_a_judgement_the_state_of_the_data_speaks(state: str, word: str) -> None:
    found = evidence()
    series = [found.indicators[0].series[0].model_copy(update={"state": state})]
    assert standing.verdict(found, "reopen_rate", "all", series) == word
    assert standing.verdict(found, "reopen_rate", "all", []) == "no_data"


def test_the_gravest_judgement_wins_but_data_that_is_not_ready_wins_over_it() -> None:
    judged = [judgement("within"), judgement("breach_warning")]
    assert standing.verdict(evidence(judgements=judged), "reopen_rate", "all", ()) == "breach_warning"
    judged.append(judgement("not_ready"))
    assert standing.verdict(evidence(judgements=judged), "reopen_rate", "all", ()) == "not_ready"


def test_look_at_names_the_segment_furthest_beyond() -> None:
    segments = [
        {
            "segment_id": f"team={n}",
            "label": f"T{n}",
            "dimension": "team",
            "series": [{"period_start": MONDAY, "value": value, "sample_count": 40}],
        }
        for n, value in ((1, 0.11), (2, 0.3), (3, 0.05))
    ]
    found = evidence([breach()], indicators=[indicator("reopen_rate", segments=segments)])
    assert narrative.decisions(found, EN)[0].look_at[0].replace("\u00a0", " ") == "team T2: 30.0 % over 40 tickets"


def test_a_part_of_what_the_edition_is_about_says_its_own_dimension() -> None:
    """In a team's review the label of `channel=mail&team=7` is `mail` alone: by itself it could be anything."""
    part = {"segment_id": "channel=mail&team=7", "segment_label": "mail"}
    own = breach(segment_id="team=7", segment_label="Billing")
    segments = [
        {
            "segment_id": part["segment_id"],
            "label": "mail",
            "dimension": "channel",
            "series": [{"period_start": MONDAY, "value": 0.3, "sample_count": 40}],
        }
    ]
    about = {"about": "team=7", "about_label": "Billing"}
    beyond = evidence([own], indicators=[indicator("reopen_rate", segments=segments)], **about)
    (decision,) = narrative.decisions(beyond, EN)
    assert decision.place == "team Billing"
    assert decision.look_at[0].replace("\u00a0", " ") == "channel mail: 30.0 % over 40 tickets"
    (decision,) = narrative.decisions(evidence([breach(**part)], **about), EN)
    assert decision.place == "channel mail"
    (chosen, _) = narrative.decisions(evidence([breach(**part), breach("handed_on", **part)], **about), EN)
    assert chosen.look_at[0] == "the same channel also misses Reopen rate"


def word(said: str, reason: str, indicator_id: str = "reopen_rate") -> dict:
    return {"indicator_id": indicator_id, "segment_id": "all", "segment_label": "", "word": said, "reason": reason}


@pytest.mark.parametrize(
    ("said", "reason", "told"),
    [
        ("worse", "Worse: it left the usual range.", ["Worse: it left the usual range."]),
        (
            "steady, missing target",
            "The usual range lies beyond the target.",
            ["No change: the usual range lies beyond the target. Change the process; do not chase the week."],
        ),
        (
            "steady, no target",
            "It varies as usual; no target is set.",
            ["No change: it varies as usual. Change the process; do not chase the week."],
        ),
        ("too few data", "There are not yet enough weeks.", []),
        ("data not ready", "A source is late.", []),
    ],
)
def test_a_missed_limit_is_told_with_what_its_chart_says(said: str, reason: str, told: list[str]) -> None:
    found = evidence([breach()], words=[word(said, reason)])
    assert narrative.changed(found, found.breaches[0], EN) == told
    assert set(told) <= set(narrative.decisions(found, EN)[0].sentences)


def test_good_news_is_told_of_what_is_judged_or_whole() -> None:
    team = word("better", "Better: so.") | {"segment_id": "team=1", "segment_label": "T1"}
    found = evidence(words=[word("better", "Better: so."), team])
    assert "Changed for the better: Reopen rate." in headlines.headline(found, [], EN).standfirst
    judged = judgement("within", segment_id="team=1", segment_label="T1")
    found = evidence(words=[team], judgements=[judged])
    assert "Changed for the better: Reopen rate (team T1)." in headlines.headline(found, [], EN).standfirst
    assert not [s for s in headlines.headline(evidence(words=[team]), [], EN).standfirst if "better" in s]


def test_a_word_of_an_indicator_that_is_not_shown_is_refused() -> None:
    with pytest.raises(ValueError, match="nps"):
        evidence(words=[word("better", "Better: so.", "nps")])


def test_without_a_word_no_sentence_claims_a_change() -> None:
    long = breach(consecutive_periods=3, previous_value=0.01, supported=True, lower_bound=0.11, upper_bound=0.2)
    said = " ".join(narrative.decisions(evidence([long]), EN)[0].sentences).lower()
    assert said
    assert not {"better", "worse", "rose", "fell", "improved", "declined", "trend"} & set(said.split())


def in_teams(*verdicts: str) -> Evidence:
    said = [judgement(v, segment_id=f"team={n}", segment_label=f"T{n}") for n, v in enumerate(verdicts)]
    return evidence(judgements=said)


@pytest.mark.parametrize(
    ("verdicts", "stands"),
    [
        (("within", "breach_critical", "too_few_data"), ("breach_critical", "1 of 2 teams misses")),
        (("breach_warning", "breach_warning"), ("breach_warning", "2 of 2 teams miss")),
        (("within", "within"), ("within", "meets its limit in 2 teams")),
        (("within", "not_ready"), ("not_ready", "data not ready")),
        (("too_few_data",), ("too_few_data", "too few data")),
    ],
)
def test_an_indicator_judged_in_segments_only_stands_as_they_do(verdicts: tuple, stands: tuple) -> None:
    found = in_teams(*verdicts)
    verdict, words = standing.in_segments(found, found.indicators[0], EN)
    assert (verdict, words.replace("\u00a0", " ")) == stands


def test_an_indicator_judged_as_a_whole_speaks_for_itself() -> None:
    found = evidence(judgements=[judgement("within"), judgement("breach_critical", segment_id="team=1")])
    assert standing.in_segments(found, found.indicators[0], EN) is None
    assert standing.in_segments(evidence(), evidence().indicators[0], EN) is None


def test_limits_are_counted_over_every_segment() -> None:
    found = in_teams("within", "within", "breach_critical", "too_few_data", "not_ready")
    head = headlines.headline(found, narrative.decisions(found, EN), EN)
    assert head.standfirst[0].replace("\u00a0", " ") == (
        "Of 5 limits, 2 are met, 1 is missed, 1 has too few data and 1 waits for data."
    )


def test_a_note_of_the_same_time_is_told_without_a_because() -> None:
    notes = [
        {"date": "2026-10-05", "text": "long before"},
        {"date": "2026-10-18", "text": "The night shift ended."},
        {"date": "2026-11-04", "text": "long after"},
    ]
    found = evidence(
        [breach(consecutive_periods=3, first_period="2026-10-19")], indicators=[indicator("reopen_rate", notes=notes)]
    )
    said = [s.replace("\u00a0", " ") for s in narrative.decisions(found, EN)[0].sentences]
    assert [s for s in said if "Noted" in s] == ["Noted at that time, 18 October 2026: The night shift ended."]


def test_without_any_limit_nothing_is_claimed() -> None:
    assert title(evidence()) == "Nothing is judged: no limit is set"


def month(shorter: list[dict], **more: object) -> Evidence:
    dates = {"grain": "month", "period_start": dt.date(2026, 10, 1), "period_end": dt.date(2026, 10, 31)}
    return evidence(shorter=shorter, **dates, **more)


def weeks(missed: int, segment_id: str = "all", indicator_id: str = "reopen_rate") -> dict:
    counts = {"judged_count": 4, "missed_count": missed, "limit": 0.1, "is_upper": True}
    return {"indicator_id": indicator_id, "segment_id": segment_id, "grain": "week"} | counts


@pytest.mark.parametrize(
    ("missed", "title", "told", "stood"),
    [
        (
            2,
            "1 figure missed a limit in some weeks",
            "Held against their limits: Reopen rate missed in 2 of 4 weeks.",
            2,
        ),
        (0, "All weeks met their limits", None, 0),
    ],
)
def test_a_month_without_limits_tells_how_its_weeks_stood(
    missed: int, title: str, told: str | None, stood: int
) -> None:
    """It said `no limit set`, though the weekly limit was missed in half of its weeks."""
    found = month([weeks(missed)])
    head = headlines.headline(found, [], EN.with_grain("month"))
    assert head.title.replace("\u00a0", " ") == title
    assert [sentence.replace("\u00a0", " ") for sentence in head.standfirst] == ([told] if told else [])
    said = standing.stood(found, "reopen_rate", "all", "no_limit", EN.with_grain("month")).replace("\u00a0", " ")
    assert said == ("missed in 2 of 4 weeks" if stood else "met in 4 weeks")
    assert standing.stood(found, "reopen_rate", "team=1", "no_limit", EN) == "no limit set"
    assert standing.stood(found, "reopen_rate", "all", "no_data", EN) == "no data"


def test_a_month_whose_weeks_have_limits_by_team_counts_the_teams() -> None:
    found = month([weeks(1, "team=1"), weeks(0, "team=2"), weeks(0, "team=3")])
    told = standing.in_segments(found, found.indicators[0], EN)
    assert (told[0], told[1].replace("\u00a0", " ")) == ("no_limit", "1 of 3 teams missed in some weeks")
    limit = asked.asked(found, found.indicators[0], EN).replace("\u00a0", " ")
    assert limit == "at most 10 % per team by week"
    assert asked.asked(month([weeks(1)]), found.indicators[0], EN).replace("\u00a0", " ") == "at most 10 % by week"


@pytest.mark.parametrize(
    ("open_counts", "title", "told"),
    [
        ((2, 0), "1 account has a promise broken and still open", ["Firm 0", "Firm 1"]),
        ((0,), "No account has a broken promise still open", ["Firm 0"]),
    ],
)
def test_an_owner_reads_their_accounts_first(open_counts: tuple[int, ...], title: str, told: list[str]) -> None:
    shown = [
        {"account_id": f"crm:{at}", "name": f"Firm {at}", "tier": "gold", "breach_count": 1, "renews_soon": True}
        | {"annual_value": 500.0, "renewal_date": MONDAY, "open_breach_count": count}
        for at, count in enumerate(open_counts)
    ]
    accounts = {"account_count": 5, "annual_value": 900.0, "exposed_value": 500.0, "renewal_days": 90, "shown": shown}
    found = evidence(accounts=accounts, about="account_owner=ann", about_label="ann")
    assert headlines.headline(found, [], EN).title.replace("\u00a0", " ") == title
    view = view_accounts(found, EN)
    assert [row.name for row in view.rows] == told
    assert view.rows[0].is_urgent == (open_counts[0] > 0)
    assert view.rows[0].renewal.replace("\u00a0", " ") == "2 November 2026, soon"
    quiet = 5 - len(shown)
    assert [sentence.replace("\u00a0", " ") for sentence in view.sentences] == [
        "5 accounts, worth 900 a year; 500 of that is exposed to promises broken of late.",
        f"{quiet} accounts had no promise broken, have none open and do not renew soon.",
    ]
