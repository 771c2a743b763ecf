"""The budget of requests against a clock of its own: what is waited for, how long, and when it is enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from hansei.catalog.rest import Api
from hansei.sources.rest import budget as module
from hansei.sources.rest.budget import Budget, BudgetSpent

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


@dataclass
class Clock:
    """Stands still but for sleeping. `slept`: every wait in seconds."""

    passed: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def time(self) -> float:
        return NOON + self.passed

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.passed += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def budget(**api: object) -> Budget:
    return Budget(Api.model_validate(api), "source desk")


def test_a_ceiling_per_minute_holds_for_every_minute(clock: Clock) -> None:
    allowed, begun = budget(rate={"per_minute": 3}), []
    for _ in range(8):
        allowed.before_request()
        begun.append(clock.passed)
        clock.passed += 5  # how long each answer takes
    assert begun == [0, 5, 10, 60, 65, 70, 120, 125]
    assert clock.slept == [45, 45]
    assert allowed.requests == 8


def test_slow_answers_are_under_the_ceiling_by_themselves(clock: Clock) -> None:
    allowed = budget(rate={"per_minute": 3})
    for _ in range(6):
        allowed.before_request()
        clock.passed += 20
    assert clock.slept == []


def test_a_ceiling_that_cannot_be_kept_in_time_ends_the_batch_at_once(clock: Clock) -> None:
    allowed = budget(rate={"per_minute": 1}, total_time_out="30s")
    allowed.before_request()
    with pytest.raises(BudgetSpent, match="1 requests a minute are allowed, and waiting 60 s"):
        allowed.before_request()
    assert clock.slept == []


@pytest.mark.parametrize(
    ("reset_is", "value"),
    [
        ("seconds", "40"),
        ("unix", str(int(NOON) + 40)),
        ("unix_ms", str(int(NOON) * 1000 + 40_000)),
        ("date", format_datetime(datetime.fromtimestamp(NOON + 40, UTC), usegmt=True)),
    ],
)
def test_a_used_up_quota_is_waited_for_until_its_reset(clock: Clock, reset_is: str, value: str) -> None:
    allowed = budget(rate={"remaining": "X-Left", "reset": "X-Reset", "reset_is": reset_is, "keep": 5})
    allowed.before_request()
    allowed.after_answer({"X-Left": "6", "X-Reset": value})
    allowed.before_request()
    assert clock.slept == [], "more is left than is kept"
    allowed.after_answer({"X-Left": "5", "X-Reset": value})
    allowed.before_request()
    assert clock.slept == [40]


@pytest.mark.parametrize(
    ("reset_is", "value"), [("unix", str(int(NOON) - 40)), ("date", "no date"), ("unix", ""), ("unix", None)]
)
def test_a_reset_that_has_passed_or_cannot_be_read_stops_nothing(
    clock: Clock, reset_is: str, value: str | None
) -> None:
    allowed = budget(rate={"remaining": "X-Left", "reset": "X-Reset", "reset_is": reset_is})
    allowed.after_answer({"X-Left": "0", **({} if value is None else {"X-Reset": value})})
    allowed.before_request()
    assert sum(clock.slept) == 0
