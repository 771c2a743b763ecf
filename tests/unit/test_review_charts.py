"""Charts: gaps stay gaps, breaches have shapes, labels stay apart, and colours can be told apart and read."""

from __future__ import annotations

import datetime as dt
import itertools
import re

import pytest

from hansei.reviews import charts, visual
from hansei.reviews.chart_scales import NARROW, WIDE, Size
from hansei.reviews.evidence import IndicatorEvidence
from hansei.reviews.locales import locale

MONDAY = dt.date(2026, 11, 2)


def indicator(values: list[float | None], **more: object) -> IndicatorEvidence:
    weeks = [MONDAY - dt.timedelta(weeks=n) for n in reversed(range(len(values)))]
    series = [
        {"period_start": week, "value": value, "state": "ok" if value is not None else "no_data"}
        for week, value in zip(weeks, values, strict=True)
    ]
    return IndicatorEvidence.model_validate(
        {
            "indicator_id": "x",
            "version": 1,
            "title": "X",
            "question": "?",
            "unit": "ratio",
            "direction": "lower_is_better",
            "series": series,
        }
        | more
    )


def draw(found: IndicatorEvidence, size: Size = WIDE) -> str:
    return str(charts.line_chart(found, MONDAY, "u", "words", locale("en"), size))


def limit(value: float, level: str = "critical", valid_from: str = "2026-01-05", **more: object) -> dict:
    return {"value": value, "level": level, "valid_from": valid_from, "threshold_id": "t"} | more


def test_a_week_without_a_value_breaks_the_line() -> None:
    assert draw(indicator([0.1, 0.2, 0.1, 0.2, 0.1, 0.2])).count('class="c-line"') == 1
    assert draw(indicator([0.1, 0.2, None, 0.2, 0.1, 0.2])).count('class="c-line"') == 2
    missing = indicator([0.1, 0.2, 0.1, 0.2, 0.1, 0.2])
    without_a_row = missing.model_copy(update={"series": missing.series[:2] + missing.series[3:]})
    assert draw(without_a_row).count('class="c-line"') == 2


def test_a_week_alone_is_a_dot_and_an_unjudged_one_is_hollow() -> None:
    assert 'class="c-dot"' in draw(indicator([0.1, None, 0.2, None, 0.1]))
    found = indicator([0.1, 0.2, 0.3])
    few = found.series[-1].model_copy(update={"state": "insufficient"})
    drawing = draw(found.model_copy(update={"series": (*found.series[:-1], few)}))
    assert 'class="c-unjudged"' in drawing and 'class="c-end"' not in drawing


def test_breaches_have_a_shape_of_their_own() -> None:
    found = indicator([0.1, 0.25, 0.4], limits=[limit(0.3), limit(0.2, "warning")])
    drawing = draw(found)
    assert drawing.count('class="m-critical"') == 1
    assert drawing.count('class="m-warning"') == 1


def test_a_limit_marks_only_weeks_in_which_it_held() -> None:
    found = indicator([0.4, 0.4, 0.4], limits=[limit(0.3, valid_from="2026-11-02")])
    assert draw(found).count('class="m-critical"') == 1
    raised = indicator([0.4, 0.4, 0.4], limits=[limit(0.3), limit(0.5, valid_from="2026-10-26")])
    assert draw(raised).count('class="m-critical"') == 1
    over = indicator([0.4, 0.4, 0.4], limits=[limit(0.3, valid_to="2026-10-26")])
    assert draw(over).count('class="m-critical"') == 1


@pytest.mark.parametrize(
    ("value", "side", "direction", "level"),
    [
        (0.3, None, "lower_is_better", None),  # the limit itself is no breach
        (0.31, None, "lower_is_better", "critical"),
        (0.29, None, "higher_is_better", "critical"),
        (0.31, None, "higher_is_better", None),
        (0.29, "at_least", "neutral", "critical"),
        (0.31, "at_least", "neutral", None),
    ],
)
def test_breaks(value: float, side: str | None, direction: str, level: str | None) -> None:
    limits = indicator([0.1], limits=[limit(0.3, side=side)]).limits
    assert charts.breaks(value, MONDAY, limits, direction) == level


def test_notes_are_lettered_in_the_order_of_their_dates() -> None:
    notes = [
        {"date": "2026-10-28", "text": "later"},
        {"date": "2026-10-20", "text": "earlier"},
        {"date": "2020-01-01", "text": "before the chart"},
    ]
    found = indicator([0.1] * 5, notes=notes)
    shown = charts.shown_notes(found.notes, found.series[0].period_start, MONDAY)
    assert [(letter, note.text) for letter, note in shown] == [("A", "earlier"), ("B", "later")]
    assert draw(found).count('class="c-letter"') == 2


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("limits", [[0.2], [0.2, 0.2001], [0.1999, 0.2, 0.2001]])
def test_labels_at_the_lines_end_never_overlap(size: Size, limits: list[float]) -> None:
    found = indicator([0.2] * 8, limits=[limit(value, threshold_id=f"t{value}") for value in limits])
    heights = re.findall(r'<text class="c-(?:value|limit)[^>]* y="([\d.]+)"', draw(found, size))
    placed = sorted(float(y) for y in heights)
    assert len(placed) == len(limits) + 1
    assert all(b - a >= size.label_gap - 0.11 for a, b in itertools.pairwise(placed))
    assert placed[0] > 0 and placed[-1] < size.height


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        ([0.0], "count"),
        ([0.0, 0.0, 0.0], "ratio"),
        ([1.0, 1.0, 1.0], "ratio"),
        ([5e8, 1.0, 3.0], "seconds"),
        ([1e-9, 2e-9], "ratio"),
        ([-100.0, 100.0], "points"),
        ([None, None], "seconds"),
        ([], "seconds"),
        ([1e12, 3.0], "count"),
    ],
)
def test_any_series_can_be_drawn_inside_its_field(values: list[float | None], unit: str) -> None:
    drawing = draw(indicator(values, unit=unit))
    assert "nan" not in drawing and "inf" not in drawing
    assert len(drawing) < 20_000
    known = [v for v in values if v is not None]
    assert ("Nothing to draw yet" in drawing) == (not known)
    for path in re.findall(r'class="c-line" d="M([\d. -]+)"', drawing):
        numbers = [float(n) for n in path.split()]
        assert all(0 <= y <= WIDE.height for y in numbers[1::2])
        assert all(0 <= x <= WIDE.width for x in numbers[::2])


def test_the_future_is_not_drawn() -> None:
    found = indicator([0.1, 0.2, 0.3])
    week_before = MONDAY - dt.timedelta(weeks=1)
    drawing = str(charts.line_chart(found, week_before, "u", "words", locale("en")))
    assert "20.0" in drawing and "30.0" not in drawing


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [visual.LIGHT, visual.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "card", "sunk"])
@pytest.mark.parametrize("text", ["ink", "soft", "critical", "warning", "data"])
def test_text_has_the_contrast_of_wcag_aa(palette: dict[str, str], ground: str, text: str) -> None:
    assert contrast(palette[text], palette[ground]) >= 4.5


def test_every_verdict_has_a_shape_of_its_own() -> None:
    assert len(set(visual.SHAPES.values())) == len(visual.SHAPES)
    assert len(set(visual.EFFECTS.values())) == len(visual.EFFECTS)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize(
    ("values", "unit"),
    [([1800.0, 2400.0, 3000.0], "seconds"), ([5400.0, 10_000.0], "business_seconds"), ([0.1, 0.9], "ratio")],
)
def test_the_plot_begins_to_the_right_of_the_labels_of_its_axis(values: list[float], unit: str, size: Size) -> None:
    drawing = draw(indicator(values, unit=unit), size)
    labels = re.findall(r'<text class="tick" x="0"[^>]*>([^<]+)</text>', drawing)
    starts = {float(start) for start in re.findall(r'class="c-grid" d="M([\d.]+) ', drawing)}
    assert len(labels) >= 3
    # Letters of the page are at most 7.7 units wide in a narrow drawing, 6.6 in a wide one, as measured in a browser.
    letter = 7.7 if size is NARROW else 6.6
    assert min(starts) >= max(map(len, labels)) * letter + 4
    assert starts == {46.0} or max(map(len, labels)) >= 6


def test_what_is_usual_is_drawn_as_the_chart_knew_it_and_marks_are_rings() -> None:
    """Level and two edges, a gap where a week is missing, one ring for each marked week that has a value."""
    mondays = [MONDAY - dt.timedelta(weeks=n) for n in reversed(range(10))]
    values: list[float | None] = [0.10, 0.11, 0.12, None, 0.12, 0.11, 0.12, 0.13, 0.12, 0.17]
    known = [
        {"period_start": monday, "centre": 0.12 if n < 6 else 0.15, "low": 0.09, "high": 0.18}
        for n, monday in enumerate(mondays)
        if n != 2
    ]
    known[-1] |= {"moved": "worse"}
    known[2] |= {"moved": "better"}  # the week without a value
    known[5] |= {"moved": "better"}
    drawn = draw(indicator(values, usual=known))
    (level,) = re.findall(r'class="c-level" d="([^"]+)"', drawn)
    assert (level.count("M"), level.count("L")) == (2, 7)
    assert len(re.findall(r'class="c-edge"', drawn)) == 2
    assert len(re.findall(r'class="c-moved-worse"', drawn)) == 1
    assert len(re.findall(r'class="c-moved"', drawn)) == 1
    heights = [float(y) for _, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", level)]
    assert len(set(heights)) == 2 and heights[0] > heights[-1]  # a higher level lies further up
