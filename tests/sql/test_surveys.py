"""Survey indicators against the survey oracle, and the rules of contracts, on both engines."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sql.staging_rows import publish
from support.real_data import DATA

from hansei.catalog import Catalog, load_catalog
from hansei.indicators.measure import Measurement
from hansei.settings import Settings
from hansei.warehouse import Warehouse
from hansei.warehouse.refresh import refresh_models
from hansei.warehouse.seeds import plant

FILE = DATA.parent / "oracles" / "survey.json"
DAY = datetime(2026, 3, 3, 10)
NEXT_MONTH = datetime(2026, 4, 20)
DIMENSIONS = {"tangibles": 4, "reliability": 5, "responsiveness": 4, "assurance": 4, "empathy": 5}
SCALES = {
    "csat": ("csat", 1, 5, True),
    "csat7": ("csat", 1, 7, True),
    "thumbs": ("csat", 0, 1, True),
    "nps": ("nps", 0, 10, True),
    "ces1": ("ces", 1, 5, False),
    "ces2": ("ces", 1, 7, True),
}


@pytest.fixture(scope="session")
def oracle() -> dict[str, list[dict]]:
    if not FILE.is_file():
        pytest.skip(f"{FILE} is not here")
    return json.loads(FILE.read_text(encoding="utf-8"))


class Voice:
    """A warehouse with instruments, and answers that are published in nights."""

    def __init__(self, warehouse: Warehouse, catalog: Catalog) -> None:
        self.warehouse = warehouse
        kept = {
            name: item
            for name, item in catalog.indicators.items()
            if item.family == "voice" or item.table == "core.survey_responses"
        }
        self.catalog = replace(catalog, indicators=kept, reviews={})
        self.count = 0

    def instruments(self, rows: list[dict[str, Any]]) -> None:
        publish(self.warehouse, self.catalog.entities["surveys"], rows)

    def scales(self) -> None:
        self.instruments([instrument(key, *scale) for key, scale in SCALES.items()])

    def answer(self, survey: str, score: float | None, **more: Any) -> dict[str, Any]:
        self.count += 1
        kind, low, high, _ = SCALES.get(survey.split("_")[0], ("servqual", 1, 7, True))
        scale = {"survey_kind": kind, "scale_minimum": low, "scale_maximum": high}
        named = {"response_id": f"desk:{self.count:05d}", "survey_id": f"desk:{survey}", "responded_at": DAY}
        return {**named, **scale, "score": score, **more}

    def night(self, run_id: str = "night", **rows: list[dict]) -> None:
        for name, arrived in rows.items():
            publish(self.warehouse, self.catalog.entities[name], arrived, run_id=run_id)
        plant(self.warehouse, self.catalog, run_id)
        refresh_models(self.warehouse, self.catalog, "core", run_id)
        Measurement(self.warehouse, self.catalog, run_id, NEXT_MONTH).run()
        refresh_models(self.warehouse, self.catalog, "indicators", run_id)

    def value(self, indicator: str, segment: str = "all", grain: str = "month") -> dict[str, Any]:
        query = (
            "SELECT value, numerator, subtrahend, denominator, lower_bound, upper_bound, state "
            "FROM indicators.indicator_values WHERE indicator = :indicator AND grain = :grain "
            "AND segment_id = :segment AND period_start = :month"
        )
        month = DAY.date().replace(day=1)
        asked = {"indicator": indicator, "grain": grain, "segment": segment, "month": month}
        [row] = self.warehouse.rows(query, asked)
        return row

    def rows(self, select: str) -> list[tuple]:
        return [tuple(row.values()) for row in self.warehouse.rows(select)]


def instrument(key: str, kind: str, low: float, high: float, is_higher_better: bool, **more: Any) -> dict[str, Any]:
    scale = {"scale_minimum": low, "scale_maximum": high, "is_higher_better": is_higher_better}
    return {"survey_id": f"desk:{key}", "name": key, "kind": kind, **scale, **more}


@pytest.fixture
def voice(warehouse: Warehouse, settings: Settings) -> Voice:
    return Voice(warehouse, load_catalog(settings))


def near(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, rel=1e-9, abs=1e-12)


def test_customers_say_whether_it_was_settled_and_whether_they_had_to_repeat(voice: Voice) -> None:
    """24 of 32 settled at once; 9 of 30 said it again: a question read from bad to good, the other way round."""
    voice.instruments([instrument("fcr", "first_contact", 0, 1, True), instrument("again", "repetition", 0, 1, False)])
    scale = {"scale_minimum": 0, "scale_maximum": 1}
    settled = [voice.answer("fcr", n < 24, survey_kind="first_contact", **scale) for n in range(32)]
    again = [voice.answer("again", n < 9, survey_kind="repetition", **scale) for n in range(30)]
    voice.night(survey_responses=[row | {"score": float(row["score"])} for row in (*settled, *again)])
    found = voice.value("first_contact_stated")
    assert (found["numerator"], found["denominator"], found["value"]) == (24, 32, 0.75)
    found = voice.value("data_repeated_rate")
    assert (found["numerator"], found["denominator"], found["value"]) == (9, 30, near(0.3))
    assert voice.rows("SELECT COUNT(*) FROM core.surveys WHERE contract_fault IS NOT NULL") == [(0,)]


def months(cases: list[dict]) -> list[tuple[str, dict]]:
    """Each case in a channel of its own, so that one warehouse holds them all."""
    assert cases
    return [(f"case{number}", case) for number, case in enumerate(cases)]


def test_net_promoters_are_those_of_the_oracle(voice: Voice, oracle: dict) -> None:
    voice.scales()
    placed, answers = months([*oracle["nps"], *oracle["nps_raw"]]), []
    for channel, case in placed:
        scores = case.get("scores") or [10] * case["promoters"] + [7] * case["passives"] + [0] * case["detractors"]
        answers += [voice.answer("nps", score, channel=channel) for score in scores]
    voice.night(survey_responses=answers)
    for channel, case in placed:
        expected = case.get("expected") or case
        found = voice.value("nps", f"channel={channel}")
        assert found["value"] == near(expected["nps"])
        assert found["denominator"] == expected["n"]
        if "wald95" in expected:
            bounds = expected["wald95"] if expected["n"] >= 50 else expected["adjusted_wald"]["ci95"]
            assert (found["lower_bound"], found["upper_bound"]) == (near(bounds[0]), near(bounds[1]))
        shares = {
            part: voice.value(f"nps_{part}", f"channel={channel}") for part in ("promoters", "passives", "detractors")
        }
        assert {part: share["numerator"] for part, share in shares.items()} == {part: case[part] for part in shares}
        assert sum(share["value"] for share in shares.values()) == near(1)
        assert found["value"] == near(100 * (shares["promoters"]["value"] - shares["detractors"]["value"]))


def test_satisfaction_is_that_of_the_oracle(voice: Voice, oracle: dict) -> None:
    voice.scales()
    placed = months(oracle["csat"])
    names = {5: ("csat", "csat_mean_5"), 7: ("csat7", "csat_mean_7")}
    answers = [
        voice.answer(names[case["scale_max"]][0], score, channel=channel)
        for channel, case in placed
        for score in case["scores"]
    ]
    voice.night(survey_responses=answers)
    for channel, case in placed:
        found = voice.value("csat_top_box", f"channel={channel}")
        assert (found["numerator"], found["denominator"]) == (case["top2"], case["n"])
        assert 100 * found["value"] == near(case["csat_top2_pct"])
        assert [100 * found[bound] for bound in ("lower_bound", "upper_bound")] == [
            near(x) for x in case["wilson95_pct"]
        ]
        assert voice.value(names[case["scale_max"]][1], f"channel={channel}")["value"] == near(case["mean"])


def test_effort_is_that_of_the_oracle(voice: Voice, oracle: dict) -> None:
    voice.scales()
    placed = months(oracle["ces"])
    voice.night(
        survey_responses=[
            voice.answer("ces2", score, channel=channel) for channel, case in placed for score in case["scores"]
        ]
        + [voice.answer("ces1", score, channel="case0") for score in (1, 2, 5)]
    )
    for channel, case in placed:
        mean = voice.value("ces_2", f"channel={channel}")
        assert mean["value"] == near(case["mean"])
        assert 100 * voice.value("ces_2_easy", f"channel={channel}")["value"] == near(case["easy_pct_5to7"])
        assert voice.value("ces_2_net_easy", f"channel={channel}")["value"] == near(case["net_easy_pct"])
        # The quantile of t is an expansion, close from 5 degrees of freedom on (indicators/intervals.py).
        if case["mean_ci95_t"] and len(case["scores"]) > 5:
            assert [mean["lower_bound"], mean["upper_bound"]] == pytest.approx(case["mean_ci95_t"], abs=2e-3)
    # CES 1.0 is another scale, and reversed: a mean of its own, in which less is better.
    assert voice.value("ces_1", "channel=case0")["value"] == near(8 / 3)
    turned = "SELECT score, turned_score FROM core.survey_responses WHERE formula = 'effort_1' ORDER BY score"
    assert voice.rows(turned) == [(1, 5), (2, 4), (5, 1)]


def test_response_rate_is_that_of_the_oracle(voice: Voice, oracle: dict) -> None:
    voice.scales()
    tickets, invitations, answers = [], [], []
    placed = months(oracle["response_rate"])
    for channel, case in placed:
        for number in range(case["sent"]):
            key = f"desk:{channel}-{number:04d}"
            tickets.append({"ticket_id": key, "status": "open", "created_at": DAY, "channel": channel})
            sent = {"invitation_id": key, "survey_id": "desk:csat", "ticket_id": key, "sent_at": DAY}
            invitations.append({**sent, "is_bounced": number < case["bounced"]})
            if case["bounced"] <= number < case["bounced"] + case["responded"]:
                # Half of the answers name their invitation, half are found by survey and ticket.
                answers.append(voice.answer("csat", 5, ticket_id=key, invitation_id=key if number % 2 else None))
    voice.night(tickets=tickets, survey_invitations=invitations, survey_responses=answers)
    for channel, case in placed:
        found = voice.value("response_rate", f"channel={channel}")
        assert (found["numerator"], found["denominator"]) == (case["responded"], case["sent"] - case["bounced"])
        assert found["value"] == near(case["response_rate"])
        assert [found["lower_bound"], found["upper_bound"]] == [near(bound) for bound in case["wilson95"]]


def servqual(voice: Voice, case: dict, name: str, formula: str = "gap") -> tuple[list[dict], list[dict]]:
    """(instruments, answers) of a questionnaire, in a channel of its own."""
    order = [dimension for dimension, count in DIMENSIONS.items() for _ in range(count)]
    kind = {"gap": "servqual", "performance": "servperf"}[formula]
    items = [
        instrument(f"{name}_{number:02d}", kind, 1, 7, True, servqual_dimension=dimension, instrument=name)
        for number, dimension in enumerate(order)
    ]
    answers = []
    for person, perceptions in enumerate(case["perceptions"]):
        expectations = case["expectations"][person] if formula == "gap" else [None] * len(perceptions)
        for number, pair in enumerate(zip(perceptions, expectations, strict=True)):
            if pair == (None, None):
                continue
            sitting = {"submission_id": f"desk:{name}{person}", "channel": name, "expectation_score": pair[1]}
            answers.append(voice.answer(f"{name}_{number:02d}", pair[0], survey_kind=kind, **sitting))
    return items, answers


def test_service_quality_gaps_are_those_of_the_oracle(voice: Voice, oracle: dict) -> None:
    cases = oracle["servqual"]
    assert {"missing_items", "eight_respondents_complete"} <= {case["id"] for case in cases}
    answers: list[dict] = []
    for case in cases:
        items, given = servqual(voice, case, case["id"])
        voice.instruments(items)
        answers += given
    voice.night(survey_responses=answers)
    for case in cases:
        segment, expected = f"channel={case['id']}", case["expected"]
        for dimension, figures in expected["dimensions"].items():
            found = voice.value(f"servqual_gap_{dimension}", segment)
            assert found["value"] == near(figures["gap_of_respondent_means"])
            assert found["denominator"] == figures["n"]
            means = voice.rows(
                "SELECT AVG(score) AS perception, AVG(expectation_score) AS expectation FROM core.survey_responses "
                f"WHERE servqual_dimension = '{dimension}' AND channel = '{case['id']}'"
            )
            assert means == [(near(figures["perception"]), near(figures["expectation"]))]
        # Our definition's weights are the oracle's.
        assert voice.catalog.servqual_weights["servqual"].weights == case["weights"]
        overall = voice.rows(
            "SELECT unweighted_gap, weighted_gap FROM indicators.servqual_gaps "
            f"WHERE grain = 'month' AND segment_id = '{segment}'"
        )
        assert overall == [(near(expected["unweighted"]), near(expected["weighted"]))]
        if case["id"] == "eight_respondents_complete":
            assert voice.value("servqual_gap", segment)["value"] == near(expected["unweighted"])
            assert voice.value("servqual_gap_weighted", segment)["value"] == near(expected["weighted"])


def test_a_respondent_without_a_dimension_counts_for_the_others_only(voice: Voice, oracle: dict) -> None:
    case = next(case for case in oracle["servqual"] if case["id"] == "missing_items")
    items, answers = servqual(voice, case, "form")
    voice.instruments(items)
    voice.night(survey_responses=answers)
    sittings = "SELECT is_partial, COUNT(*) AS sittings FROM core.survey_questionnaires"
    partial = f"{sittings} GROUP BY is_partial ORDER BY is_partial"
    assert voice.rows(partial) == [(False, 7), (True, 1)]
    assert voice.value("servqual_gap")["denominator"] == 7


def test_published_gaps_weighted_by_the_shares_of_a_hundred_points(voice: Voice, oracle: dict) -> None:
    [case] = oracle["servqual_published"]
    place = {"grain": "month", "period_start": DAY.date().replace(day=1), "segment_id": "all"}
    rows = [
        {"indicator": f"servqual_gap_{name}", **place, "value": gap, "sample_count": 10, "state": "ok"}
        for name, gap in case["gaps"].items()
    ]
    voice.night()
    voice.warehouse.execute("DELETE FROM indicators.indicator_values")
    voice.warehouse.insert("indicators.indicator_values", rows)
    found = voice.rows("SELECT unweighted_gap, weighted_gap FROM indicators.servqual_gaps")
    assert found == [(near(case["unweighted"]), near(case["weighted"]))]


def test_alpha_is_that_of_the_oracle(voice: Voice, oracle: dict) -> None:
    case = next(case for case in oracle["servqual"] if case["id"] == "eight_respondents_complete")
    items, answers = servqual(voice, case, "form")
    voice.instruments(items)
    voice.night(survey_responses=answers)
    found = {
        f"{rating}_{dimension}": (alpha, count)
        for rating, dimension, alpha, count in voice.rows(
            "SELECT rating, servqual_dimension, alpha, respondent_count FROM indicators.survey_reliability "
            "WHERE grain = 'month'"
        )
    }
    assert len(found) == 15
    for case in oracle["cronbach_alpha"]:
        assert found[case["id"]] == (near(case["alpha"]), len(case["items"]))


def test_performance_without_expectations_is_an_indicator_of_its_own(voice: Voice, oracle: dict) -> None:
    case = next(case for case in oracle["servqual"] if case["id"] == "eight_respondents_complete")
    items, answers = servqual(voice, case, "perf", "performance")
    voice.instruments(items)
    voice.night(survey_responses=answers)
    means = [figures["perception"] for figures in case["expected"]["dimensions"].values()]
    assert voice.value("servperf")["value"] == near(sum(means) / 5)
    assert voice.rows("SELECT COUNT(*) FROM indicators.servqual_gaps") == [(0,)]
    gaps = "SELECT COUNT(value) FROM indicators.indicator_values WHERE indicator LIKE 'servqual_gap%'"
    assert voice.rows(gaps) == [(0,)]
