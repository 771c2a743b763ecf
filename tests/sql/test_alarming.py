"""Alarms of whole nights on both engines: from signals in the warehouse to what the board keeps."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from support.alarm_nights import MONDAY, AlarmNights, threshold, week

from hansei import board
from hansei.board import alarms
from hansei.catalog import Catalog
from hansei.pipeline.alarm_precision import note_precision
from hansei.settings import Settings
from hansei.warehouse import Warehouse
from hansei.warehouse.runs import Run

CHAT, MAIL = ("floor", "channel=chat"), ("floor", "channel=mail")
W27, W29 = "csat_top_box-2026-W27", "csat_top_box-2026-W29"


@pytest.fixture
def nights(warehouse: Warehouse, settings: Settings, catalog: Catalog) -> AlarmNights:
    warehouse.execute("CREATE VIEW indicators.segments AS SELECT 'channel=chat' AS segment_id, 'Chat' AS label")
    found = AlarmNights(warehouse, settings, catalog)
    found.use(threshold("floor", segments=("channel=*",), periods_to_open=2))
    return found


def test_an_alarm_opens_once_is_followed_and_closes_itself(nights: AlarmNights) -> None:
    assert nights.night({CHAT: "!"}) == {}
    assert nights.night({CHAT: "!-!!"}) == {"opened": 1}
    assert nights.alarms() == {"csat_top_box-2026-W30": "open"}
    assert nights.night({CHAT: "!-!!"}) == {}
    assert nights.night({CHAT: "!-!!."}) == {"recovering": 1}
    assert nights.night({CHAT: "!-!!.."}) == {"closed": 1}
    assert nights.alarms() == {"csat_top_box-2026-W30": "closed"}
    assert nights.events() == [f"opened {week(3)}", f"recovering {week(4)}", f"closed {week(5)}"]


def test_what_is_kept_of_an_alarm_tells_a_manager_what_is_wrong(nights: AlarmNights) -> None:
    nights.use(threshold("floor", segments=("channel=*",), periods_to_open=2, escalate_to="head", owner="cx"))
    nights.night({CHAT: "!!", MAIL: ".."})
    with nights.board() as engine:
        alarm = alarms.load_alarm(engine, "csat_top_box-2026-W28")
        (part,) = alarms.parts_of(engine, [alarm.alarm_id])[alarm.alarm_id]
        (event,) = alarms.events_of(engine)
    assert (alarm.owner, alarm.escalate_to, alarm.escalate_after_days, alarm.severity) == ("cx", "head", 7, "general")
    assert (part.segment_label, part.value, part.limit_value, part.level, part.state) == (
        "Chat",
        0.5,
        0.65,
        "critical",
        "open",
    )
    assert (part.joined_period, part.period_start) == (date(2026, 7, 6), date(2026, 7, 6))
    assert event.why == "Chat in 2026-W28: The value lies beyond the limit."
    assert (event.who, event.at) == ("pipeline", datetime(2026, 7, 13))


def test_several_segments_in_trouble_are_one_alarm_with_parts(nights: AlarmNights) -> None:
    assert nights.night({CHAT: "!!", MAIL: ".!"}) == {"opened": 1}
    assert nights.night({CHAT: "!!!", MAIL: ".!!"}) == {"joined": 1}
    assert nights.night({CHAT: "!!!..", MAIL: ".!!!."}) == {"recovering": 1}
    assert nights.night({CHAT: "!!!...", MAIL: ".!!!.."}) == {"closed": 1}
    (alarm_id,) = nights.alarms()
    with nights.board() as engine:
        parts = alarms.parts_of(engine, [alarm_id])[alarm_id]
    assert [(part.segment_id, part.joined_period, part.state) for part in parts] == [
        ("channel=chat", date(2026, 7, 6), "closed"),
        ("channel=mail", date(2026, 7, 13), "closed"),
    ]


def test_thresholds_of_one_indicator_share_its_alarm_and_other_indicators_have_their_own(nights: AlarmNights) -> None:
    nights.use(
        threshold("floor", segments=("channel=*",)),
        threshold("monthly", grain="month"),
        threshold("reopens", indicator="reopen_rate"),
    )
    # The month ends between the first week and the second.
    told = nights.night({CHAT: "!!", ("monthly", "all"): "!", ("reopens", "all"): "!!"}, datetime(2026, 7, 13))
    assert told == {"joined": 1, "opened": 2}
    assert nights.alarms() == {"csat_top_box-2026-06": "open", "reopen_rate-2026-W27": "open"}
    assert nights.events("csat_top_box-2026-06") == ["opened 2026-06-01", f"joined {week(0)}"]


SERIES = {
    CHAT: "!!.!!...!!!...!!!s",
    MAIL: "..!!?...   !!..!!.",
    ("floor", "channel=phone"): "!-!-!!....!!.....!",
    ("tier", "all"): ".!!!!....!!.......",
}


def _upto(series: dict, weeks: int) -> dict:
    return {key: letters[:weeks].replace("?", "s") for key, letters in series.items()}


def _without_instants(kept: dict[str, list[tuple]]) -> Any:
    """Events in the order of alarms, and everything but when the nights were."""
    return {
        "alarms": [row[:4] + row[4:8] for row in kept["alarms"]],
        "parts": kept["alarm_parts"],
        "events": sorted(
            (row[1], int(row[2]), row[5], row[6], row[8], row[9], row[11]) for row in kept["alarm_events"]
        ),
        "book": kept["alarm_book"],
    }


def test_night_after_night_in_any_order_keeps_what_one_night_over_everything_keeps(
    nights: AlarmNights, settings: Settings, tmp_path
) -> None:
    limits = [threshold("floor", segments=("channel=*",), periods_to_open=2), threshold("tier", periods_to_close=1)]
    nights.use(*limits)
    dice = random.Random(7)
    for weeks in sorted({*dice.sample(range(1, 18), 9), 18}):
        shuffled = list(_upto(SERIES, weeks).items())
        dice.shuffle(shuffled)
        nights.night(dict(shuffled))
        kept = nights.kept()
        assert nights.night(dict(shuffled)) == {}
        assert nights.kept() == kept
    atonce = AlarmNights(
        nights.warehouse,
        replace(settings, board_url=f"sqlite:///{tmp_path / 'other.sqlite'}"),
        nights.catalog,
    )
    atonce.night(_upto(SERIES, 18))
    assert len(atonce.kept()["alarm_events"]) > 10
    assert _without_instants(nights.kept()) == _without_instants(atonce.kept())


def test_restated_history_recovers_an_alarm_and_never_opens_one(nights: AlarmNights) -> None:
    nights.night({CHAT: "!!!", MAIL: "..."})
    assert nights.night({CHAT: "!!.", MAIL: "!!!"}) == {"restated": 1}
    assert nights.alarms() == {"csat_top_box-2026-W28": "recovering"}
    assert nights.night({CHAT: "...", MAIL: "!!!"}) == {"restated": 1}
    assert nights.alarms() == {"csat_top_box-2026-W28": "closed"}
    assert nights.night({CHAT: "!!!", MAIL: "!!!"}) == {}
    assert nights.night({CHAT: "....", MAIL: "!!!!"}) == {"opened": 1}
    assert nights.events()[-1] == f"opened {week(3)}"


def test_a_week_that_was_not_ready_is_judged_when_it_is_and_one_too_small_is_not_judged_again(
    nights: AlarmNights,
) -> None:
    assert nights.night({CHAT: "!?"}) == {}
    assert nights.night({CHAT: "!!"}) == {"opened": 1}
    assert nights.night({MAIL: "!s", CHAT: "!!"}) == {}
    assert nights.night({MAIL: "!!", CHAT: "!!"}) == {}


def test_a_threshold_that_is_gone_or_over_retires_its_alarm(nights: AlarmNights) -> None:
    nights.night({CHAT: "!!"})
    nights.use()
    assert nights.night({}, datetime(2026, 7, 14)) == {"retired": 1}
    assert nights.alarms() == {"csat_top_box-2026-W28": "closed"}
    nights.use(threshold("over", valid_to=date(2026, 7, 13), segments=("channel=*",)))
    assert nights.night({("over", "channel=chat"): "!!"}, datetime(2026, 7, 13)) == {"opened": 1}
    assert nights.night({("over", "channel=chat"): "!!"}, datetime(2026, 7, 14)) == {"retired": 1}
    # Its id was taken by the first one.
    assert nights.alarms() == {"csat_top_box-2026-W27": "closed", "csat_top_box-2026-W28": "closed"}


def test_a_second_alarm_of_the_same_period_has_an_id_of_its_own(nights: AlarmNights) -> None:
    nights.use(threshold("floor"), threshold("other"))
    nights.night({("floor", "all"): "!.."})
    nights.night({("floor", "all"): "!..", ("other", "all"): "!.."})
    assert nights.alarms() == {W27: "closed", f"{W27}-2": "closed"}


def test_a_muted_alarm_moves_unseen_and_wakes_if_it_is_not_over(nights: AlarmNights) -> None:
    nights.use(threshold("floor", segments=("channel=*",)))
    nights.night({CHAT: "!"})
    with nights.board() as engine:
        alarms.mute(engine, W27, date(2026, 7, 27), "vera", "hiring", datetime(2026, 7, 6, 9), date(2026, 7, 6))
    assert nights.night({CHAT: "!.!"}, datetime(2026, 7, 20)) == {"recovering": 1, "relapsed": 1}
    assert nights.alarms() == {W27: "muted"}
    assert nights.night({CHAT: "!.!!"}, datetime(2026, 7, 26, 23)) == {}
    assert nights.night({CHAT: "!.!!"}, datetime(2026, 7, 27)) == {"woken": 1}
    assert nights.alarms() == {W27: "open"}
    with nights.board() as engine:
        alarms.mute(engine, W27, date(2026, 8, 30), "vera", "again", datetime(2026, 7, 27, 9), date(2026, 7, 27))
    assert nights.night({CHAT: "!.!!.."}, datetime(2026, 8, 10)) == {"recovering": 1, "closed": 1}
    assert nights.night({CHAT: "!.!!.."}, datetime(2026, 8, 31)) == {}


def test_nobody_reacts_and_somebody_else_is_told_once(nights: AlarmNights) -> None:
    nights.use(threshold("floor", segments=("channel=*",), escalate_to="head", escalate_after_days=3))
    nights.night({CHAT: "!"}, datetime(2026, 7, 6))
    assert nights.night({CHAT: "!"}, datetime(2026, 7, 8, 23)) == {}
    assert nights.night({CHAT: "!"}, datetime(2026, 7, 9)) == {"escalated": 1}
    assert nights.night({CHAT: "!"}, datetime(2026, 7, 20)) == {}
    with nights.board() as engine:
        assert alarms.events_of(engine)[-1].why == "Nobody acknowledged it within 3 days; head is told."


def test_whoever_reacts_in_time_is_left_in_peace(nights: AlarmNights) -> None:
    nights.use(threshold("floor", segments=("channel=*",), escalate_to="head"))
    nights.night({CHAT: "!"}, datetime(2026, 7, 6))
    with nights.board() as engine:
        alarms.acknowledge(engine, W27, "vera", "mine", datetime(2026, 7, 7))
    assert nights.night({CHAT: "!"}, datetime(2026, 8, 6)) == {}
    assert nights.alarms() == {W27: "acknowledged"}


def test_severity_rises_with_distance_reach_and_risk(nights: AlarmNights) -> None:
    nights.use(threshold("floor", segments=("channel=*",)))
    nights.night({CHAT: "!"})
    nights.figures = {"distance": 0.3}
    assert nights.night({CHAT: "!!"}) == {"raised": 1}
    risk = {"risk": "unhappy", "indicator": "csat_top_box", "grain": "week", "grade": "high"}
    nights.warehouse.insert("indicators.risks", [risk | {"period_start": MONDAY + timedelta(weeks=2)}])
    assert nights.night({CHAT: "!!!"}) == {"raised": 1}
    with nights.board() as engine:
        assert [event.severity for event in alarms.events_of(engine)] == ["general", "important", "major"]
        assert alarms.load_alarm(engine, W27).severity == "major"


def test_a_night_that_breaks_off_leaves_the_board_as_it_was(
    nights: AlarmNights, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: Any) -> None:
        raise RuntimeError("power")

    with monkeypatch.context() as broken:
        broken.setattr(alarms, "keep_book", break_off)
        with pytest.raises(RuntimeError, match="power"):
            nights.night({CHAT: "!!"})
    assert not any(nights.kept().values())
    assert nights.night({CHAT: "!!"}) == {"opened": 1}


def test_the_precision_of_a_rule_is_what_people_acted_on_among_what_they_could(nights: AlarmNights) -> None:
    nights.use(threshold("floor", segments=("channel=*",)), threshold("quiet"))
    nights.night({CHAT: "!"})
    with nights.board() as engine:
        alarms.acknowledge(engine, W27, "vera", "mine", datetime(2026, 7, 7))
    nights.night({CHAT: "!..!..!..!"})
    run = Run("night", "night", datetime(2026, 9, 1), {})
    note_precision(nights.context(), nights.warehouse, run)
    note_precision(nights.context(), nights.warehouse, run)
    rows = nights.warehouse.rows("SELECT * FROM indicators.rule_precision ORDER BY threshold_id")
    told = [tuple(row.values())[:7] for row in rows]
    # Four alarms: one acknowledged, two closed without, one stands.
    assert told == [
        ("floor", "csat_top_box", 4, 1, 2, 1, pytest.approx(1 / 3)),
        ("quiet", "csat_top_box", 0, 0, 0, 0, None),
    ]


def test_reading_the_board_does_not_wait_for_the_night(nights: AlarmNights) -> None:
    nights.night({CHAT: "!!"})
    with nights.board() as engine, board.writing(engine):
        assert list(nights.alarms()) == ["csat_top_box-2026-W28"]
