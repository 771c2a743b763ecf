"""Hand-made evidence for the brief: one ordinary week and its variants. Every figure is written or follows by rule.

Run as a script, it writes the golden pages anew: look at them in a browser before you commit them.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import math
from pathlib import Path

from hansei.reviews.evidence import Evidence, Part

_SPEC = importlib.util.spec_from_file_location("section_cases", Path(__file__).with_name("section_cases.py"))
section_cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(section_cases)
_SPEC = importlib.util.spec_from_file_location("voice_cases", Path(__file__).with_name("voice_cases.py"))
voice_cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(voice_cases)

MONDAY = dt.date(2026, 11, 2)
WEEKS = 30
SALT = "0123456789abcdef0123456789abcdef"
HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(2)>'
RIGHT_TO_LEFT = "\u202eשלום עולם"
EMOJI = "Émoji 👩🏽\u200d💻 & Söhne"


def weeks() -> list[dt.date]:
    return [MONDAY - dt.timedelta(weeks=n) for n in reversed(range(WEEKS))]


def wobble(at: int) -> float:
    """A repeatable unrest between -1 and 1."""
    return math.sin(at * 2.399) * 0.7 + math.sin(at * 0.9) * 0.3


def points(level: float, spread: float, unit: str, sample: int, rise: float = 0.0, rise_from: int = WEEKS - 5) -> list:
    """A series around `level` that rises by `rise` a week from one week on, with intervals by the sample's size."""
    found = []
    for at, monday in enumerate(weeks()):
        value = level + spread * wobble(at) + max(at - rise_from, 0) * rise
        count = sample + round(sample * 0.1 * wobble(at + 3))
        point = {"period_start": monday, "state": "ok", "sample_count": count}
        if unit == "count":
            value = float(round(value))
            point |= {"sample_count": int(value), "numerator": value}
        elif unit == "ratio":
            good = round(value * count)
            value = good / count
            half = 1.96 * math.sqrt(value * (1 - value) / count)
            point |= {"numerator": good, "denominator": count}
            point |= {"lower_bound": max(value - half, 0.0), "upper_bound": min(value + half, 1.0)}
        else:
            half = abs(level) * 1.2 / math.sqrt(count) if unit == "seconds" else 130 / math.sqrt(count)
            point |= {"lower_bound": value - half, "upper_bound": value + half}
        found.append(point | {"value": value})
    return found


def usual(level: float, spread: float, marked: dict[int, str]) -> list[dict]:
    """A level with edges from the twentieth week on; marks by week, counted from the end."""
    return [
        {"period_start": monday, "centre": level, "low": level - spread, "high": level + spread}
        | {"moved": marked.get(WEEKS - 1 - at)}
        for at, monday in enumerate(weeks())
        if at >= 8
    ]


def indicator(indicator_id: str, title: str, unit: str, direction: str, series: list, **more) -> dict:
    return {
        "indicator_id": indicator_id,
        "version": 1,
        "title": title,
        "question": more.pop("question", f"How is {title.lower()} doing?"),
        "unit": unit,
        "direction": direction,
        "owner": "service-desk",
        "counting": "Tickets solved in the week, each counted once, on the day of its last solution.",
        "numerator": more.pop("numerator", ""),
        "denominator": more.pop("denominator", ""),
        "exclusions": ["merged", "spam"],
        "caveats": ["late_arriving"],
        "counted_on": "solved_date",
        "minimum_denominator": 10,
        "sql": "-- Grain: one row per week.\nSELECT\n  period_start,\n  COUNT(*) AS ticket_count\nFROM core.tickets\n"
        "WHERE is_solved AND value < 10\nGROUP BY period_start",
        "series": series,
    } | more


def segment(segment_id: str, label: str, series: list) -> dict:
    return {"segment_id": segment_id, "label": label, "dimension": segment_id.split("=")[0], "series": series}


def limits(critical: float | None, warning: float | None = None) -> list[dict]:
    found = []
    for level, value in (("critical", critical), ("warning", warning)):
        if value is not None:
            found.append({"value": value, "level": level, "valid_from": dt.date(2026, 1, 5), "threshold_id": "t"})
    return found


def judged(indicator_id: str, segment_id: str, label: str, level: str, limit: float, point: dict, **more) -> dict:
    keys = ("value", "lower_bound", "upper_bound", "numerator", "denominator", "sample_count")
    return (
        {
            "indicator_id": indicator_id,
            "segment_id": segment_id,
            "segment_label": label,
            "threshold_id": f"{indicator_id}_limit",
            "level": level,
            "limit": limit,
            "owner": "service-desk",
            "reason": "Agreed with the customers' council for this year.",
            "valid_from": dt.date(2026, 1, 5),
        }
        | {k: point.get(k) for k in keys}
        | more
    )


CHINESE = {
    "Weekly brief": "每周简报",
    "whole service": "整体服务",
    "Tickets created": "新建工单",
    "Tickets solved": "已解决工单",
    "Backlog": "积压量",
    "First reply, median": "首次回复（中位数）",
    "Resolution, median": "解决时间（中位数）",
    "Resolution, nine in ten": "解决时间（十之八九）",
    "Reopened": "重新打开率",
    "Handed on": "转派率",
    "Promised times kept": "承诺时间达成率",
    "Satisfied customers": "满意的客户",
    "Net promoter score": "净推荐值",
    "How many requests came in?": "收到多少请求？",
    "How many tickets wait at the week's end?": "周末有多少工单在等待？",
    "How long does half of our customers wait for a first answer?": "一半的客户等待首次答复多久？",
    "Tickets solved in the week, each counted once, on the day of its last solution.": "本周解决的工单，各计一次。",
    "Agreed with the customers' council for this year.": "与客户委员会商定，本年度有效。",
    "The night desk starts an hour later.": "夜班台晚一小时上班。",
    "Nights, one shift": "夜间单班",
    "Find what changed at team Night desk when the waiting began.": "查明Night desk团队在等待变长时有何变化。",
    "Lay the first week beside the schedules of that week.": "把第一周与当周的排班对照。",
    "Move one person for two weeks.": "调一个人两周。",
    "The file's columns changed.": "文件的列有变化。",
    "solved before it was created": "解决早于创建",
    "invitation is known": "邀请已知",
    "Bot and automatic answers": "机器人与自动回复",
    "Waiting": "等待",
    "Reaching a person": "联系到人工",
    "Not solved": "未解决",
    "Balanced service scorecard": "平衡服务计分卡",
    "Is the service quick, good, joined up and getting better, all at once?": "服务是否快速、优质、协同、不断改进？",
    "Efficiency": "效率",
    "Quality": "质量",
    "Collaboration": "协作",
    "Development": "发展",
    "Collaboration profile": "协作画像",
    "Where does work between people and teams hold?": "人员与团队之间的协作在哪里牢固？",
    "Taking up": "接手",
    "Keeping hold": "持续负责",
    "Sent back and forth": "来回转交",
    "One face to the customer": "由一人面对客户",
    "The shift lead moves people to the queue that is running late.": "当班负责人把人员调往出现延迟的队列。",
    "Answers are late before resolutions are, because work waits in the queue first.": "答复先延迟，因为工作先在排队。",
    "Promised service levels are missed": "未能兑现承诺的服务水平",
    "Solutions do not hold": "解决方案不持久",
    "Customers lose patience": "客户失去耐心",
    "Customers wait too long for a first answer": "客户等待首次答复过久",
}
CHINESE |= {f"How is {title.lower()} doing?": f"{chinese}情况如何？" for title, chinese in list(CHINESE.items())}
_KEYS = {
    "this week lies outside": "patterns.outside",
    "two of the last three weeks": "patterns.two_of_three",
    "each of the last six weeks": "patterns.trend",
    "the last seven weeks": "patterns.shift",
    "this week meets it": "reasons.may_meet",
    "some weeks meet it": "reasons.may_miss",
    "too few cases": "reasons.insufficient",
    "no target is set": "reasons.no_target",
    "not delivered": "reasons.incomplete",
}


def because(reason: str) -> str:
    """The key of a sentence of the charts, by words of its own."""
    return next(key for told, key in _KEYS.items() if told in reason)


_VARIES = "It varies as usual, and {rest}"
_HITS = "the target lies within that range: this week meets it, others may not."
_MISSED = "the target lies within that range: some weeks meet it, not this one."


def words() -> list[dict]:
    """What the charts say of the ordinary bad week: some of everything, and nothing of what has no row."""
    said = [
        (
            "first_reply_median",
            "team=2",
            "Night desk",
            "worse",
            "Worse: this week lies outside the range that is usual.",
            0,
        ),
        (
            "first_reply_median",
            "all",
            "",
            "worse",
            "Worse: two of the last three weeks lie near the edge of the usual range.",
            2,
        ),
        ("first_reply_median", "team=1", "Day desk", "steady, meeting target", _VARIES.format(rest=_HITS), None),
        ("first_reply_median", "team=3", "Specialists", "too few data", "There are too few cases in this week.", None),
        (
            "source_sla_attainment",
            "account_tier=gold",
            "gold",
            "worse",
            "Worse: each of the last six weeks was worse than the one before.",
            6,
        ),
        ("source_sla_attainment", "all", "", "steady, meeting target", _VARIES.format(rest=_HITS), None),
        ("csat_top_box", "channel=chat", "chat", "steady, missing target", _VARIES.format(rest=_MISSED), None),
        (
            "csat_top_box",
            "all",
            "",
            "better",
            "Better: the last seven weeks all lie on the better side of the usual level.",
            6,
        ),
        ("nps", "all", "", "too few data", "There are too few cases in this week.", None),
        (
            "tickets_created",
            "all",
            "",
            "higher than usual",
            "Higher than usual: this week lies outside the range that is usual.",
            0,
        ),
        ("reassignment_rate", "all", "", "steady, no target", "It varies as usual; no target is set.", None),
    ]
    keys = ("indicator_id", "segment_id", "segment_label", "word", "reason")
    return [
        dict(zip(keys, row[:-1], strict=True))
        | {"because": because(row[4])}
        | {"since": None if row[-1] is None else MONDAY - dt.timedelta(weeks=row[-1])}
        for row in said
    ]


def moved(dimension: str, segment_id: str, label: str, role: str, counts: tuple, rates: tuple, effects: tuple) -> dict:
    keys = ("count_before", "count_now", "rate_before", "rate_now", "rate_effect", "mix_effect")
    named = {"dimension": dimension, "segment_id": segment_id, "label": label, "role": role}
    return named | dict(zip(keys, (*counts, *rates, *effects), strict=True))


def explanations() -> list[dict]:
    """The slow night desk, with a driver inside it; promises to gold accounts, of which half is another make-up.

    Effects follow Kitagawa's formulas from the counts and rates beside them.
    """
    night = moved("team", "team=2", "Night desk", "driver", (900, 200), (0.1, 0.5), (0.0812, 0.0009))
    dusk = moved("channel", "channel=mail&team=2", "mail", "driver", (500, 120), (0.12, 0.7), (0.34, -0.01))
    teams = [
        night,
        moved("team", "team=1", "Day desk", "other", (3500, 780), (0.14, 0.15), (0.0079, 0.0001)),
        moved("team", "team=3", "Specialists", "other", (40, 4), (0.15, None), (0.0, -0.0002)),
    ]
    reply = {
        "indicator_id": "first_reply_median",
        "segment_id": "all",
        "segment_label": "",
        "what": "beyond",
        "limit": 4 * 3600,
        "before_start": dt.date(2026, 4, 13),
        "before_end": dt.date(2026, 10, 11),
        "now_start": dt.date(2026, 10, 12),
        "now_end": dt.date(2026, 11, 8),
        "value_before": 0.1319,
        "value_now": 0.2218,
        "count_before": 4440,
        "count_now": 984,
        "lower_bound": 0.0632,
        "upper_bound": 0.118,
        "dimensions": [
            {
                "dimension": "team",
                "rate_effect": 0.0891,
                "mix_effect": 0.0008,
                "is_paradox": False,
                "explained": 1.0,
                "is_beyond_chance": True,
                "segments": teams,
            }
        ],
        "path": [night, dusk],
        "time_spent": [
            {"owner": "queue", "before": 5400.0, "now": 12900.0},
            {"owner": "agent", "before": 1800, "now": 1860},
        ],
        "examples_part": "examples_first_reply",
    }
    gold = moved(
        "priority", "account_tier=gold&priority=high", "high", "candidate", (400, 150), (0.85, 0.84), (-0.003, -0.03)
    )
    kept = reply | {
        "indicator_id": "source_sla_attainment",
        "segment_id": "account_tier=gold",
        "segment_label": "gold",
        "what": "value",
        "limit": None,
        "is_upper": False,
        "value_before": 0.93,
        "value_now": 0.88,
        "count_before": 1800,
        "count_now": 210,
        "lower_bound": -0.1,
        "upper_bound": -0.004,
        "dimensions": [
            {
                "dimension": "priority",
                "rate_effect": 0.004,
                "mix_effect": -0.054,
                "is_paradox": True,
                "explained": 0.8,
                "is_beyond_chance": True,
                "segments": [gold],
            }
        ],
        "path": [],
        "time_spent": [],
        "examples_part": None,
    }
    return [reply, kept]


def proposals() -> list[dict]:
    """For the slow night desk; the other concerns have no playbook."""
    return [
        {
            "indicator_id": "first_reply_median",
            "segment_id": "team=2",
            "playbook_id": "slow_replies_changed",
            "action": "Find what changed at team Night desk when the waiting began.",
            "steps": ["Lay the first week beside the schedules of that week.", "Move one person for two weeks."],
            "review_after_days": 28,
        }
    ]


def examples() -> Part:
    rows = tuple((f"desk:{5000 + n}", "2026-11-05", f"{20 - n} h") for n in range(1, 6))
    return Part(part_id="examples_first_reply", salt=SALT, columns=("ticket", "day", "first_reply"), rows=rows)


def breaching() -> dict:
    """An ordinary bad week: a slow team, an account tier below its limit, too few answers for a score."""
    reply = points(2.9 * 3600, 1000, "seconds", 420, rise=700)
    night = points(4.4 * 3600, 2600, "seconds", 61, rise=3300)
    day = points(2.5 * 3600, 900, "seconds", 250)
    few = points(2.0 * 3600, 900, "seconds", 4)
    for point in few:
        point |= {"state": "insufficient", "lower_bound": None, "upper_bound": None}
    sla = points(0.931, 0.012, "ratio", 400)
    gold = points(0.93, 0.03, "ratio", 70, rise=-0.05)
    csat = points(0.86, 0.03, "ratio", 90)
    csat_chat = points(0.80, 0.05, "ratio", 34, rise=-0.02)
    nps = points(31, 9, "points", 40)
    nps[-1] |= {"sample_count": 8, "state": "insufficient"}
    nps[7] |= {"value": None, "lower_bound": None, "upper_bound": None, "sample_count": 0, "state": "no_data"}
    reopen = points(0.052, 0.008, "ratio", 410)
    backlog = points(640, 30, "count", 640, rise=14)
    slow = points(1.9 * 86400, 14000, "seconds", 410)
    late = "lower_is_better"
    indicators = [
        indicator(
            "tickets_created",
            "Tickets created",
            "count",
            "neutral",
            points(430, 38, "count", 430),
            question="How many requests came in?",
            counted_on="created_date",
        ),
        indicator("tickets_solved", "Tickets solved", "count", "neutral", points(425, 35, "count", 425)),
        indicator(
            "backlog",
            "Backlog",
            "count",
            late,
            backlog,
            limits=limits(750),
            question="How many tickets wait at the week's end?",
        ),
        indicator(
            "first_reply_median",
            "First reply, median",
            "seconds",
            late,
            reply,
            question="How long does half of our customers wait for a first answer?",
            limits=limits(4 * 3600, 3.5 * 3600),
            segments=[
                segment("team=1", "Day desk", day),
                segment("team=2", "Night desk", night),
                segment("team=3", "Specialists", few),
                segment("channel=mail", "mail", points(3.4 * 3600, 1200, "seconds", 260, rise=1200)),
                segment("channel=chat", "chat", points(11 * 60, 90, "seconds", 160)),
            ],
            notes=[
                {"date": dt.date(2026, 10, 5), "text": "The night desk starts an hour later."},
                {"date": dt.date(2026, 8, 3), "kind": "outage", "what": "mail", "seconds": 12780},
                {
                    "date": dt.date(2026, 9, 7),
                    "kind": "calendar",
                    "what": "Nights, one shift",
                    "segment_id": "team=2",
                    "segment_label": "Night desk",
                },
            ],
            sample_part="first_reply_median_rows",
            usual=usual(2.9 * 3600, 1400, {0: "worse", 1: "worse", 12: "better"}),
        ),
        indicator(
            "resolution_median",
            "Resolution, median",
            "seconds",
            late,
            points(22 * 3600, 5000, "seconds", 410),
            limits=limits(30 * 3600),
        ),
        indicator("resolution_p90", "Resolution, nine in ten", "seconds", late, slow),
        indicator(
            "reopen_rate",
            "Reopened",
            "ratio",
            late,
            reopen,
            limits=limits(0.08, 0.06),
            numerator="reopen_count > 0",
            denominator="is_solved",
        ),
        indicator("reassignment_rate", "Handed on", "ratio", late, points(0.21, 0.02, "ratio", 410)),
        indicator(
            "source_sla_attainment",
            "Promised times kept",
            "ratio",
            "higher_is_better",
            sla,
            limits=limits(0.9),
            segments=[
                segment("account_tier=gold", "gold", gold),
                segment("account_tier=silver", "silver", points(0.94, 0.02, "ratio", 130)),
            ],
        ),
        indicator(
            "csat_top_box",
            "Satisfied customers",
            "ratio",
            "higher_is_better",
            csat,
            limits=limits(None, 0.8),
            counts="answer",
            segments=[segment("channel=chat", "chat", csat_chat), segment("channel=mail", "mail", csat)],
        ),
        indicator("nps", "Net promoter score", "points", "higher_is_better", nps, limits=limits(20), counts="answer"),
    ]
    lower, higher = {"direction": late}, {"direction": "higher_is_better"}
    breaches = [
        judged(
            "first_reply_median",
            "team=2",
            "Night desk",
            "critical",
            4 * 3600,
            night[-1],
            warning_limit=3.5 * 3600,
            unit="seconds",
            supported=True,
            consecutive_periods=4,
            first_period=dt.date(2026, 10, 12),
            previous_value=night[-2]["value"],
            **lower,
        ),
        judged(
            "first_reply_median",
            "all",
            "",
            "warning",
            3.5 * 3600,
            reply[-1],
            unit="seconds",
            supported=True,
            consecutive_periods=2,
            first_period=dt.date(2026, 10, 26),
            previous_value=reply[-2]["value"],
            **lower,
        ),
        judged(
            "source_sla_attainment",
            "account_tier=gold",
            "gold",
            "critical",
            0.9,
            gold[-1],
            unit="ratio",
            supported=True,
            consecutive_periods=3,
            first_period=dt.date(2026, 10, 19),
            previous_value=gold[-2]["value"],
            **higher,
        ),
        judged(
            "csat_top_box",
            "channel=chat",
            "chat",
            "warning",
            0.8,
            csat_chat[-1],
            unit="ratio",
            supported=False,
            first_period=MONDAY,
            previous_value=csat_chat[-2]["value"],
            is_new=True,
            **higher,
        ),
    ]
    judgements = [
        judged("backlog", "all", "", "critical", 750, backlog[-1], unit="count", verdict="within", **lower),
        judged(
            "resolution_median",
            "all",
            "",
            "critical",
            30 * 3600,
            indicators[4]["series"][-1],
            unit="seconds",
            verdict="within",
            **lower,
        ),
        judged("reopen_rate", "all", "", "warning", 0.06, reopen[-1], unit="ratio", verdict="within", **lower),
        judged("source_sla_attainment", "all", "", "critical", 0.9, sla[-1], unit="ratio", verdict="within", **higher),
        judged("csat_top_box", "all", "", "warning", 0.8, csat[-1], unit="ratio", verdict="within", **higher),
        judged("nps", "all", "", "critical", 20, nps[-1], unit="points", verdict="too_few_data", **higher),
        judged(
            "first_reply_median",
            "team=1",
            "Day desk",
            "critical",
            4 * 3600,
            day[-1],
            unit="seconds",
            verdict="within",
            **lower,
        ),
        judged(
            "first_reply_median",
            "team=3",
            "Specialists",
            "critical",
            4 * 3600,
            few[-1],
            unit="seconds",
            verdict="too_few_data",
            **lower,
        ),
    ]
    rows = Part(
        part_id="first_reply_median_rows",
        salt=SALT,
        columns=("ticket", "solved_date", "first_reply"),
        rows=tuple((f"desk:{4000 + n}", "2026-11-04", f"{n} h") for n in range(1, 6)),
    )
    return {
        "review_id": "weekly_brief",
        "title": "Weekly brief",
        "service_name": "Northwind Support",
        "reporting_zone": "Europe/Berlin",
        "period_start": MONDAY,
        "period_end": dt.date(2026, 11, 8),
        "as_of": dt.datetime(2026, 11, 9, 3, 0, tzinfo=dt.UTC),
        "product_version": "0.1.0",
        "translations": {"zh_CN": CHINESE},
        "definitions_hash": "5f" * 32,
        "readiness": [
            {
                "source": source,
                "complete_until": dt.datetime(2026, 11, 9, 2, 45),
                "state": "ready",
                "needed_until": dt.datetime(2026, 11, 8, 23, 0),
            }
            for source in ("desk", "crm", "surveys")
        ],
        "breaches": breaches,
        "judgements": judgements,
        "words": words(),
        "explanations": explanations(),
        "proposals": proposals(),
        "indicators": indicators,
        "honesty": {
            "batches": [
                {
                    "source": "desk",
                    "entity": "tickets",
                    "received": 3127,
                    "accepted": 1604,
                    "quarantined": 9,
                    "duplicate": 1514,
                    "conflict": 2,
                },
                {"source": "crm", "entity": "accounts", "received": 140, "accepted": 3, "duplicate": 137},
            ],
            "quarantine": [{"source": "desk", "entity": "tickets", "rule": "solved before it was created", "count": 9}],
            "drift": [
                {
                    "source": "crm",
                    "entity": "accounts",
                    "field": "region_code",
                    "kind": "new",
                    "first_seen": dt.date(2026, 11, 5),
                    "count": 140,
                }
            ],
            "restatements": [
                {
                    "indicator_id": "reopen_rate",
                    "grain": "week",
                    "period_start": dt.date(2026, 10, 26),
                    "segment_id": "all",
                    "segment_label": "",
                    "value_before": 0.0512,
                    "value_after": 0.0538,
                    "known_since": dt.datetime(2026, 11, 4, 2, 0),
                    "reason": "late data",
                },
            ],
            "unlinked": [{"kind": "account", "count": 12, "of": 412}],
            "excluded": [{"reason": "spam", "count": 31}, {"reason": "merged", "count": 14}],
            "time_adjustments": {"ambiguous": 3, "nonexistent": 0},
            "checks_warned": [
                {
                    "source": "surveys",
                    "entity": "survey_responses",
                    "check": "invitation is known",
                    "checked": 88,
                    "failed": 2,
                }
            ],
        },
        "comments": voice_cases.comments(),
        "parts": [part.reference().model_dump() for part in (rows, examples(), voice_cases.quotes())],
        **section_cases.sections(),
    }


def parts() -> dict[str, Part]:
    reference = breaching()["parts"][0]
    rows = tuple((f"desk:{4000 + n}", "2026-11-04", f"{n} h") for n in range(1, 6))
    part = Part(part_id=reference["part_id"], salt=SALT, columns=("ticket", "solved_date", "first_reply"), rows=rows)
    return {kept.part_id: kept for kept in (part, examples(), voice_cases.quotes())}


KEPT = ("first_reply_median", "source_sla_attainment", "csat_top_box", "nps")


def short() -> dict:
    """The bad week with four indicators only."""
    case = breaching()
    case["indicators"] = [i for i in case["indicators"] if i["indicator_id"] in KEPT]
    for said in ("judgements", "words"):
        case[said] = [one for one in case[said] if one["indicator_id"] in KEPT]
    return case


def quiet() -> dict:
    """Every limit met, nothing odd."""
    case = short()
    case["breaches"], case["explanations"], case["comments"], case["proposals"] = [], [], [], []
    case["words"] = [one for one in case["words"] if one["word"] != "worse"]
    calm = points(2.6 * 3600, 1000, "seconds", 420)
    case["indicators"][0]["series"] = calm
    case["judgements"].append(
        judged(
            "first_reply_median",
            "all",
            "",
            "warning",
            3.5 * 3600,
            calm[-1],
            unit="seconds",
            verdict="within",
            direction="lower_is_better",
        )
    )
    case["honesty"] = {"batches": case["honesty"]["batches"][1:]}
    case["earlier_actions"], case["registers"][0]["losses"], case["registers"][0]["waiting"] = [], None, []
    case["cards"][0] |= {"score": None, "lower_score": None, "upper_score": None, "coverage": 0.5}
    return case


def waiting() -> dict:
    """The desk's data stops on Saturday: its indicators are not judged, the surveys' failure is named."""
    case = short()
    case["readiness"][0] |= {"state": "late", "complete_until": dt.datetime(2026, 11, 7, 22, 0)}
    case["readiness"][1] |= {"state": "never", "complete_until": None}
    case["readiness"][2] |= {"state": "failed", "message": "The file's columns changed."}
    case["breaches"], case["explanations"], case["comments"], case["proposals"] = [], [], [], []
    for found in case["indicators"]:
        for series in [found["series"], *(s["series"] for s in found.get("segments", []))]:
            series[-1]["state"] = "incomplete"
    for found in case["judgements"]:
        found["verdict"] = "not_ready"
    waits = "A source has not delivered all of this week yet."
    case["words"] = [
        one | {"word": "data not ready", "reason": waits, "because": because(waits), "since": None}
        for one in case["words"]
    ]
    return case


def scarce() -> dict:
    """A new service: one week, a handful of tickets, nothing that could be judged."""
    case = short()
    case["breaches"], case["explanations"], case["comments"], case["proposals"] = [], [], [], []
    case["judgements"] = [j | {"verdict": "too_few_data"} for j in case["judgements"] if j["segment_id"] == "all"]
    few = "There are too few cases in this week."
    case |= {section: [] for section in ("earlier_actions", "cards", "profiles", "registers")}
    case["outlooks"] = [o | {"state": "too_few_periods", "periods": [], "chances": []} for o in case["outlooks"]]
    case["words"] = [
        one | {"word": "too few data", "reason": few, "because": because(few), "since": None} for one in case["words"]
    ]
    for found in case["indicators"]:
        found["segments"] = []
        found["series"] = found["series"][-1:]
        found["series"][0] |= {"sample_count": 4, "state": "insufficient", "lower_bound": None, "upper_bound": None}
    case["indicators"][1]["series"] = []
    return case


def hostile() -> dict:
    """Names as nobody should choose them, in every place that takes text from outside."""
    case = short()
    case["service_name"] = HOSTILE
    case["indicators"][0]["segments"][1]["label"] = HOSTILE
    case["indicators"][0]["segments"][0]["label"] = RIGHT_TO_LEFT
    case["indicators"][0]["segments"][2]["label"] = EMOJI
    case["indicators"][0]["segments"][3]["segment_id"] = f"channel={HOSTILE}\"' onload=x"
    case["indicators"][0]["title"] = "W" * 10_000
    case["indicators"][0]["notes"][0]["text"] = HOSTILE + "x" * 10_000
    case["indicators"][0]["notes"][1]["what"] = case["indicators"][0]["notes"][2]["segment_label"] = HOSTILE
    case["indicators"][1]["sql"] = "SELECT '</code></pre><script>1</script>' -- " + "y" * 10_000
    case["breaches"][0]["segment_label"] = HOSTILE
    case["explanations"][0]["dimensions"][0]["segments"][1]["label"] = HOSTILE
    case["breaches"][2]["segment_label"] = "\ud800" + RIGHT_TO_LEFT * 500
    case["breaches"][3]["segment_label"] = "n" * 10_000
    case["readiness"][0] |= {"state": "failed", "source": HOSTILE, "message": "z" * 10_000}
    case["readiness"][0]["complete_until"] = dt.datetime(2026, 11, 6, 2)
    case["honesty"]["drift"][0]["field"] = HOSTILE + EMOJI
    case["earlier_actions"][0] |= {"title": HOSTILE, "owner": RIGHT_TO_LEFT, "indicator_title": "v" * 10_000}
    case["cards"][0] |= {"title": HOSTILE, "question": RIGHT_TO_LEFT * 500}
    case["cards"][0]["groups"][1]["title"] = case["cards"][0]["groups"][1]["lines"][0]["title"] = HOSTILE
    for axis in case["profiles"][0]["axes"]:
        axis["places"][0]["label"], axis["places"][1]["label"] = HOSTILE, RIGHT_TO_LEFT * 50
    case["registers"][0]["risks"][0] |= {"title": HOSTILE, "control": "u" * 10_000, "owner": EMOJI}
    case["registers"][0]["waiting"] = [HOSTILE]
    case["comments"][0] |= {"segment_label": RIGHT_TO_LEFT}
    case["comments"][0]["topics"][0]["title"], case["comments"][0]["topics"][1]["title"] = HOSTILE, "t" * 10_000
    case["honesty"]["quarantine"][0]["rule"] = "q\x00\x1b[31m" * 3000
    return case


CASES = {"breaching": breaching, "quiet": quiet, "waiting": waiting, "scarce": scarce, "hostile": hostile}


def evidence(case: str) -> Evidence:
    return Evidence.model_validate(CASES[case]())


def golden(case: str, language: str = "en") -> Path:
    return Path(__file__).parent / "briefs" / (f"{case}.html" if language == "en" else f"{case}.{language}.html")


if __name__ == "__main__":
    from hansei.reviews.rendering import render_review

    for name in CASES:
        for language in ("en", "zh_CN"):
            golden(name, language).parent.mkdir(exist_ok=True)
            golden(name, language).write_text(render_review(evidence(name), parts(), language), encoding="utf-8")
