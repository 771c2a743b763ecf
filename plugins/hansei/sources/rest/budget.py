"""How often, how fast and how long an interface is asked."""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from hansei.catalog.rest import Api

log = logging.getLogger("hansei")

_MINUTE = 60.0
_LONGEST_BACKOFF = 60.0
_WORTH_TELLING = 5.0


class BudgetSpent(Exception):
    """Time or quota is over before the source was read; the message says which."""


class Budget:
    """Waits before requests and between attempts, and says when it is enough. One per batch."""

    def __init__(self, api: Api, place: str) -> None:
        self._api, self._place = api, place
        self._ends = time.monotonic() + api.total_time_out.total_seconds()
        self._asked: deque[float] = deque()
        self._closed_until = 0.0
        self.requests = 0
        self.quota_left: int | None = None
        self.quota_seen_at: datetime | None = None

    @property
    def seconds_left(self) -> float:
        return self._ends - time.monotonic()

    def before_request(self) -> None:
        """Waits for the own ceiling per minute and for a quota that is used up. Raises BudgetSpent."""
        if self._closed_until > time.monotonic():
            self.wait(self._closed_until - time.monotonic(), "the quota is used up")
        ceiling = self._api.rate.per_minute
        if ceiling is not None:
            while self._asked and self._asked[0] <= time.monotonic() - _MINUTE:
                self._asked.popleft()
            if len(self._asked) >= ceiling:
                self.wait(self._asked[0] + _MINUTE - time.monotonic(), f"{ceiling} requests a minute are allowed")
                self._asked.popleft()
            self._asked.append(time.monotonic())
        if self.seconds_left <= 0:
            raise BudgetSpent(f"total_time_out of {self._api.total_time_out} is over")
        self.requests += 1

    def after_answer(self, headers: Mapping[str, str]) -> None:
        """Notes what the quota headers say: `quota_left` of it, as of `quota_seen_at` (naive UTC)."""
        rate = self._api.rate
        left = _number(headers.get(rate.remaining)) if rate.remaining else None
        if left is None:
            return
        self.quota_left, self.quota_seen_at = int(left), datetime.now(UTC).replace(tzinfo=None)
        if left > rate.keep or rate.reset is None:
            return
        seconds = _seconds_until(headers.get(rate.reset), rate.reset_is)
        if seconds is not None:
            self._closed_until = time.monotonic() + seconds

    def wait(self, seconds: float, why: str) -> None:
        """Sleeps; raises BudgetSpent at once where the batch would be over before."""
        if seconds > self.seconds_left:
            raise BudgetSpent(f"{why}, and waiting {seconds:.0f} s would be longer than total_time_out leaves")
        if seconds >= _WORTH_TELLING:
            log.info("%s: waiting %.0f s, for %s", self._place, seconds, why)
        time.sleep(max(seconds, 0.0))

    def backoff(self, attempt: int) -> float:
        """Seconds before the attempt after the `attempt`-th failure: doubled each time, with jitter."""
        seconds = min(self._api.first_wait.total_seconds() * 2 ** min(attempt, 16), _LONGEST_BACKOFF)
        return seconds * random.uniform(0.5, 1.0)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header, whether it counts seconds or names a date; None without a usable one."""
    value = headers.get("Retry-After")
    seconds = _number(value)
    return max(seconds, 0.0) if seconds is not None else _seconds_until(value, "date")


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The Date header as naive UTC."""
    return _date(headers.get("Date"))


def _seconds_until(value: str | None, kind: str) -> float | None:
    if kind == "date":
        at = _date(value)
        return max(at.replace(tzinfo=UTC).timestamp() - time.time(), 0.0) if at else None
    number = _number(value)
    if number is None:
        return None
    if kind != "seconds":
        number = number / (1000 if kind == "unix_ms" else 1) - time.time()
    return max(number, 0.0)


def _date(value: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(value).astimezone(UTC).replace(tzinfo=None) if value else None
    except (ValueError, TypeError):
        return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else None
    except ValueError:
        return None
    return number if number is None or abs(number) < 1e15 else None
