"""`hansei indicators forecast`: what it shows, and what it says where it cannot."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hansei import cli, warehouse
from hansei.pipeline import outlooks
from hansei.signals.forecast_accuracy import Accuracy

SOON = outlooks.Ahead(date(2026, 3, 2), 0.81, 0.74, 0.88, 0.815, 21, Accuracy(0.03, 0.04, None, None, 0.9))
FAR = outlooks.Ahead(date(2026, 3, 9), 0.82, 0.7, 0.9, 0.82, 0, None)


@pytest.fixture
def forecast(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path) -> Any:
    monkeypatch.setenv("HANSEI_HOME", str(tmp_path))
    monkeypatch.setattr(warehouse, "open_read_copy", lambda settings: nullcontext("the copy"))

    def run(found: list[outlooks.Ahead], *arguments: str) -> tuple[int, str, str, list]:
        asked: list = []
        monkeypatch.setattr(outlooks, "look_ahead", lambda *given: asked.append(given) or found)
        monkeypatch.setattr("sys.argv", ["hansei", "indicators", "forecast", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err, asked

    return run


def test_each_coming_period_with_its_interval_and_its_record(forecast: Any) -> None:
    code, said, _, asked = forecast([SOON, FAR], "csat_top_box", "--segment", "channel=chat", "--json")
    assert code == 0
    first, second = json.loads(said)
    assert first == {
        "period_start": "2026-03-02",
        "forecast": 0.81,
        "median": 0.815,
        "80 % from": 0.74,
        "to": 0.88,
        "unit": "ratio",
        "back-tested": 21,
        "mean error": 0.03,
        "as multiple of the last step": 0.9,
    }
    assert (second["back-tested"], second["mean error"]) == (0, None)
    ((copy, _, indicator, grain, segment),) = asked
    assert (copy, indicator.id, grain, segment) == ("the copy", "csat_top_box", "week", "channel=chat")


def test_too_early_is_said_in_words(forecast: Any) -> None:
    code, said, error, _ = forecast([], "csat_top_box")
    assert code == 0
    assert "fewer than 8 usable periods of this phase: too early for a forecast" in said + error


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["csat_topbox"], "indicator 'csat_topbox'"),
        (["csat_top_box", "--grain", "year"], "--grain: 'year'"),
        (["csat_top_box", "--segment", "agent=1"], "--segment: 'agent=1'"),
    ],
)
def test_what_cannot_be_asked(forecast: Any, arguments: list[str], complaint: str) -> None:
    code, _, error, asked = forecast([SOON], *arguments)
    assert code == 1
    assert complaint in error
    assert asked == []
