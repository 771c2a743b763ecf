"""Earlier actions, scorecard, profile, risks and outlook as the brief tells them: every sentence, in both languages."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hansei.reviews.actions_view import view_actions
from hansei.reviews.evidence import Evidence
from hansei.reviews.locales import Locale, locale
from hansei.reviews.outlook_view import view_outlook
from hansei.reviews.profile_view import view_profiles
from hansei.reviews.risk_view import view_registers
from hansei.reviews.scorecard_view import view_cards

NBSP = "\u00a0"
EN, ZH = locale("en"), locale("zh_CN")


@pytest.fixture(scope="module")
def cases() -> ModuleType:
    path = Path(__file__).parents[1] / "golden" / "brief_cases.py"
    spec = importlib.util.spec_from_file_location("brief_cases", path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture
def case(cases: ModuleType) -> dict[str, Any]:
    """The ordinary bad week, to be changed."""
    return cases.breaching()


def plain(texts: tuple[str, ...]) -> list[str]:
    return [text.replace(NBSP, " ") for text in texts]


def evidence(case: dict[str, Any]) -> Evidence:
    return Evidence.model_validate(case)


# Earlier actions --------------------------------------------------------------------------------------------------


def test_each_effect_has_its_word_and_those_that_did_not_help_come_first(case: dict[str, Any]) -> None:
    found = view_actions(evidence(case), EN)
    assert [(action.effect, action.word) for action in found] == [
        ("worse", "worse than before"),
        ("no_evidence", "no evidence that it helped"),
        ("likely_worked", "likely worked"),
        ("worked", "worked"),
        ("too_early", "too early to say"),
    ]
    worse, *_, early = found
    assert worse.indicator == "First reply, median, Night desk"
    assert (worse.before, worse.after) == (f"4{NBSP}h{NBSP}24{NBSP}min", f"8{NBSP}h{NBSP}4{NBSP}min")
    assert (worse.since, worse.owner) == (f"5{NBSP}October 2026", "service-desk")
    assert (early.before, early.after, early.owner) == (f"86.0{NBSP}%", "–", "nobody yet")
    assert [action.word for action in view_actions(evidence(case), ZH)] == [
        "比之前更差",
        "没有证据表明有效",
        "可能有效",
        "有效",
        "为时尚早，无法判断",
    ]


# Scorecard --------------------------------------------------------------------------------------------------------


def test_a_card_tells_its_total_and_what_costs_it_most(case: dict[str, Any]) -> None:
    (card,) = view_cards(evidence(case), EN)
    assert plain(card.sentences) == [
        "66 of 100 points; its 95 % interval reaches from 62 to 70.",
        "In week 44 it was 70.",
        "80 % of the weight stands behind it.",
        "Nothing is known of Development.",
        # 30/90 of 40, 20/90 of 45.6, 24/90 of 26 missing points.
        "Most points are lost by First reply, median (13.3), Handed on (10.1) and Satisfied customers (6.9).",
    ]
    assert card.decided == "Weights decided by head of service."
    assert [row.score for row in card.groups] == ["60", "77", "54", "not measured"]
    quality = card.groups[1]
    assert (quality.interval, quality.previous, quality.weight, quality.coverage) == (
        "71 to 83",
        "76",
        f"40{NBSP}%",
        f"100{NBSP}%",
    )
    assert [row.link for row in card.lines] == [
        "first_reply_median",
        "csat_top_box",
        "reopen_rate",
        "reassignment_rate",
        "",
    ]
    unknown = card.lines[-1]
    assert (unknown.score, unknown.previous, unknown.lost, unknown.is_known) == ("not final yet", "61", "–", False)
    assert (card.worst[0].worst, card.worst[0].best) == (f"8{NBSP}h", f"1{NBSP}h{NBSP}20{NBSP}min")
    (chinese,) = view_cards(evidence(case), ZH)
    assert chinese.sentences[:3] == (
        "66分（满分100分），95%置信区间为62至70分。",
        "第44周为70分。",
        "总分依据权重的80%得出。",
    )


def test_a_card_of_which_too_little_is_known_has_no_total(case: dict[str, Any]) -> None:
    nothing = dict.fromkeys(("score", "lower_score", "upper_score", "previous_score"))
    case["cards"][0] |= nothing | {"coverage": 0.5, "state": "too_little_coverage"}
    (card,) = view_cards(evidence(case), EN)
    assert card.total == "–"
    assert plain(card.sentences)[0] == "There is no total: 50 % of the weight is known, and 70 % is asked for."
    assert not any(sentence.startswith(("In week", "50")) for sentence in card.sentences)


def test_a_card_without_an_interval_claims_none(case: dict[str, Any]) -> None:
    case["cards"][0] |= {"lower_score": None, "upper_score": None, "coverage": 1.0}
    (card,) = view_cards(evidence(case), EN)
    assert card.sentences[:2] == ("66 of 100 points.", f"In week{NBSP}44 it was 70.")
    assert "stands behind" not in " ".join(card.sentences)


def test_a_monthly_card_names_months(case: dict[str, Any], cases: ModuleType) -> None:
    case["cards"][0] |= {"grain": "month", "period_start": cases.MONDAY.replace(month=1, day=1)}
    (card,) = view_cards(evidence(case), EN)
    assert (card.period, card.sentences[1]) == ("January 2026", "In December 2025 it was 70.")


def test_lines_at_their_best_are_not_named(case: dict[str, Any]) -> None:
    for group in case["cards"][0]["groups"]:
        for line in group.get("lines", ()):
            line |= {"score": 99.0, "weight": 0.2}
    (card,) = view_cards(evidence(case), EN)
    assert card.worst == () and "lost" not in " ".join(card.sentences)


# Profile ----------------------------------------------------------------------------------------------------------


def test_a_profile_names_its_lowest_axis_and_lists_by_name(case: dict[str, Any]) -> None:
    (profile,) = view_profiles(evidence(case), EN)
    assert profile.sentences == (
        "Lowest for the whole service: Keeping hold, 54 of 100.",
        "Nothing is known of One face to the customer.",
    )
    assert [(axis.whole, axis.is_lowest, bool(axis.chart)) for axis in profile.axes] == [
        ("71", False, True),
        ("54", True, True),
        ("–", False, False),
    ]
    assert profile.rows[1:3] == (("Night desk", ("44", "51", "–")), ("Specialists", ("–", "–", "–")))
    spoken = re.search("<desc[^>]*>(.*?)</desc>", profile.axes[0].chart)[1].replace(NBSP, " ")
    assert spoken == (
        "Taking up, week 45: the whole service 71. By name: Day desk 78, Night desk 44 and Werkstatt Süd 81. "
        "1 team with too few cases."
    )
    (chinese,) = view_profiles(evidence(case), ZH)
    assert "按名称：Day desk78分、Night desk44分、Werkstatt Süd81分。" in chinese.axes[0].chart


def test_many_segments_are_one_row_of_dots(case: dict[str, Any]) -> None:
    places = [
        {"segment_id": f"team={at}", "label": f"Team {at}", "score": 30.0 + at, "state": "ok"} for at in range(40)
    ]
    case["profiles"][0]["axes"][0]["places"] = places
    (profile,) = view_profiles(evidence(case), EN)
    chart = profile.axes[0].chart
    assert chart.count("<circle") == 40 and "Team 1" not in chart
    assert f"40{NBSP}teams from 30 to 69." in chart
    assert len(profile.rows) == 40
    assert 'viewBox="0 0 300 48"' in chart


# Risks ------------------------------------------------------------------------------------------------------------


def test_the_matrix_holds_each_graded_risk_once(case: dict[str, Any]) -> None:
    (register,) = view_registers(evidence(case), EN)
    held = {
        (row.band, column): cell.numbers
        for row in register.rows
        for column, cell in enumerate(row.cells, 1)
        if cell.numbers
    }
    assert held == {(5, 4): ("R1",), (3, 4): ("R2",), (4, 2): ("R3",)}
    assert [row.band for row in register.rows] == [5, 4, 3, 2, 1]
    # NPSA's matrix: 1-3 low, 4-6 moderate, 8-12 high, 15-25 extreme.
    assert ["".join(cell.letter for cell in row.cells) for row in register.rows] == [
        "MHEEE",
        "MHHEE",
        "LMHHE",
        "LMMHH",
        "LLLMM",
    ]
    (chinese,) = view_registers(evidence(case), ZH)
    assert [cell.letter for cell in chinese.rows[2].cells] == ["低", "中", "高", "高", "极"]


def test_the_register_counts_a_cause_once_and_says_so(case: dict[str, Any]) -> None:
    (register,) = view_registers(evidence(case), EN)
    assert plain(register.sentences) == [
        "Of 3 risks, 1 is extreme, 2 are high.",
        "A year is expected to cost 59,923 EUR; one year in twenty costs more than 127,300 EUR. "
        "Risks of one cause are counted once.",
        "2 of 3 causes have a price.",
        "Too few periods to grade: Night desk loses its people.",
        "No figure of this period yet: Solutions do not hold.",
    ]
    broken, unhappy, slow, young = register.risks
    assert (broken.number, broken.grade, broken.graded) == ("R1", "extreme", "extreme, score 20")
    assert plain(broken.sentences) == [
        "Promised times kept: in 6 of the last 12 weeks it was beyond its limit of at least 80 %.",
        "Now it is 78.5 %.",
        "Likelihood: almost certain (50 %). Consequence: major.",
        "Its likelihood is rising.",
        "Expected cost of a year: 40,123 EUR; one year in twenty costs more than 81,240 EUR.",
        "With its control working, high would remain (score 9).",
    ]
    assert [(key.sentence.replace(NBSP, " "), key.is_beyond) for key in (*broken.keys, *unhappy.keys)] == [
        ("First reply, median is 5 h 48 min, beyond its limit of at most 4 h.", True),
        ("Reopened is 5.2 %, within its limit of at most 10 %.", False),
        ("Reopened, Specialists has no usable figure; its limit is at most 10 %.", False),
    ]
    assert plain(slow.sentences)[-2:] == [
        "Its likelihood is falling.",
        "It has the same cause as R1 and is counted with it.",
    ]
    assert (young.grade, young.graded) == ("", "")
    assert plain(young.sentences)[1:] == ["Too few periods to say how likely it is. Consequence: minor."]
    (chinese,) = view_registers(evidence(case), ZH)
    assert chinese.sentences[0] == "共3项风险，1项为极高，2项为高。"
    assert chinese.risks[0].sentences[0] == "Promised times kept：最近12周中有6次越限（要求不低于80%）。"


def test_a_register_without_prices_speaks_of_no_money(case: dict[str, Any]) -> None:
    case["registers"][0] |= {"losses": None, "waiting": []}
    for risk in case["registers"][0]["risks"]:
        risk |= {"expected_loss": None, "value_at_risk_95": None}
    (register,) = view_registers(evidence(case), EN)
    told = " ".join([*register.sentences, *(s for risk in register.risks for s in risk.sentences)])
    assert "cost" not in told and "price" not in told and "EUR" not in told


# Outlook ----------------------------------------------------------------------------------------------------------


def test_the_outlook_tells_the_middle_its_interval_the_chance_and_its_record(case: dict[str, Any]) -> None:
    found = view_outlook(evidence(case), EN)
    reply, csat = found.views
    assert (reply.id, csat.id) == ("first_reply_median", "csat_top_box")
    assert plain(reply.sentences) == [
        "Expected in week 49: 4 h 26 min, and 3 h 39 min to 5 h 13 min in 80 % of cases.",
        "Chance of missing the limit of at most 4 h (critical): above 99 %, most likely in week 49.",
        "Chance of missing the limit of at most 3 h 30 min (warning): above 99 %, most likely in week 46.",
        "So far ahead, 36 forecasts were 44 min off on average.",
        "Repeating the last value came nearer so far.",
    ]
    assert plain(csat.sentences) == [
        "Expected in week 49: 85.9 %, and 81.1 to 90.7 % in 80 % of cases.",
        "Missing the limit of at least 80 % is unlikely: below 1 %.",
        "So far ahead, 36 forecasts were 5.2 percentage points off on average.",
    ]
    assert found.unsaid == (
        "No outlook, since this period has no usable figure: Net promoter score.",
        "No outlook yet, since too few periods are usable so far: Promised times kept.",
    )
    assert "looking ahead from week" in reply.chart and reply.sentences[0] in reply.chart
    chinese = view_outlook(evidence(case), ZH)
    assert chinese.views[1].sentences == (
        "第49周预计为85.9%，80%的情况下在81.1%至90.7%之间。",
        "越限（要求不低于80%）的可能性不大：低于1%。",
        "此前36次同样远的预测平均误差为5.2个百分点。",
    )


def test_what_is_likely_to_miss_its_limit_stands_first(case: dict[str, Any]) -> None:
    case["outlooks"][1]["chances"][0]["probability"] = 0.4
    case["outlooks"][0]["chances"] = []
    first, second = view_outlook(evidence(case), EN).views
    assert (first.id, second.id) == ("csat_top_box", "first_reply_median")
    assert plain(first.sentences)[1] == "Chance of missing the limit of at least 80 %: 40 %, most likely in week 49."


def test_the_fan_widens_and_a_gap_breaks_the_line(case: dict[str, Any]) -> None:
    reply = next(i for i in case["indicators"] if i["indicator_id"] == "first_reply_median")
    reply["series"][-4] |= {"value": None, "state": "no_data"}
    chart = view_outlook(evidence(case), EN).views[0].chart
    assert chart.count('class="c-line"') == 2
    fan = re.search('c-fan" d="M([^"]*)Z"', chart)[1].split()
    numbers = [float(number) for number in fan]
    xs, ys = numbers[::2], numbers[1::2]
    assert len(xs) == 9 and xs[1:5] == sorted(xs[1:5]) and xs[5:] == xs[4:0:-1]
    widths = [under - over for over, under in zip(ys[1:5], ys[:4:-1], strict=True)]
    assert widths == sorted(widths) and widths[0] > 0


def test_cases_are_expected_in_whole_ones(case: dict[str, Any], cases: ModuleType) -> None:
    periods = cases.section_cases.coming((700.4, 705.5, 709.5, 712.5), 10.2, 4.4)
    told = {"indicator_id": "backlog", "state": "ok", "usable_count": 30, "confidence": 0.8, "periods": periods}
    case["outlooks"] = [told]
    (backlog,) = view_outlook(evidence(case), EN).views
    assert plain(backlog.sentences) == [
        "Expected in week 49: 713, and 672 to 753 in 80 % of cases.",
        "So far ahead, 36 forecasts were 18 off on average.",
    ]
    assert ">713</text>" in backlog.chart


def test_no_section_where_there_is_no_evidence(case: dict[str, Any]) -> None:
    case |= {section: [] for section in ("earlier_actions", "cards", "profiles", "registers", "outlooks")}
    nothing = evidence(case)
    assert view_actions(nothing, EN) == view_cards(nothing, EN) == view_profiles(nothing, EN) == ()
    assert view_registers(nothing, EN) == () and view_outlook(nothing, EN) is None


@pytest.mark.parametrize(("probability", "said"), [(0.0, "below 1 %"), (0.0099, "below 1 %"), (0.01, "1 %")])
def test_hardly_possible_is_not_impossible(probability: float, said: str) -> None:
    assert EN.chance(probability).replace(NBSP, " ") == said


@pytest.mark.parametrize(("words", "said"), [(EN, ["99 %", "above 99 %"]), (ZH, ["99%", "高于99%"])])
def test_nearly_certain_is_not_certain(words: Locale, said: list[str]) -> None:
    assert [words.chance(share).replace(NBSP, " ") for share in (0.99, 1.0)] == said
    assert words.percent(1.0).replace(NBSP, " ").replace(" ", "") == "100%"
