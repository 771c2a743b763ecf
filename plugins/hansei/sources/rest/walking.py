"""The walk over all answers of one resource: slices of the window, parents, pages; kept, resumed, and seen to end.

A position is plain data: `slice` and `parent` count what is asked, `since` is a later start within the slice, `state`
where the paging stands, `pass` how often the pages were read from the start, `export` what an export's answers gave.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hansei.errors import SourceError
from hansei.sources.rest.answers import Asked, Asking
from hansei.sources.rest.budget import BudgetSpent
from hansei.sources.rest.paging import first_state, following, number_of, values_of, watched_paths
from hansei.sources.rest.records import hashes_of, place_of, records_of, values_at
from hansei.sources.rest.store import Page, PageStore
from hansei.sources.rest.windows import slices, written

log = logging.getLogger("hansei")

# So many pages in a row that hold nothing but what came before: the interface goes round in circles.
_MOST_REPEATS = 3
_MOST_PASSES = 3
_BROKEN_OFF = "what was read is kept: the next attempt goes on from there"


@dataclass
class _Leg:
    """What is known of the pages of one question: one slice, one parent, one pass."""

    key: tuple
    count: int = 0
    pages: int = 0
    repeats: int = 0
    states: list[Any] = field(default_factory=list)
    prints: set[int] = field(default_factory=set)
    distinct: set[int] = field(default_factory=set)


class Walk:
    """All answers of a resource that asks. `parents`: JSON objects to ask for, or (None,)."""

    def __init__(
        self, asking: Asking, name: str, store: PageStore, parents: list[str | None], key_path: str | None
    ) -> None:
        self.asking, self.name, self.store, self.parents = asking, name, store, parents
        self.source, self.resource = asking.source, asking.source.resources[name]
        self.request = self.resource.request
        self.place = f"source {self.source.id}, resource {name}"
        self.is_finished = not parents
        self.complete_until: datetime | None = None
        self._slices = slices(self.request, asking.window) if self.request.asks_window else [(None, None)]
        self._key_path = key_path
        self._pages = self.request.paging
        self._leg: _Leg | None = None
        self._noted = 0
        self._extracted: tuple[str, pa.Table] | None = None
        self._newest: datetime | None = None
        self._is_ascending = True

    def pages(self, may_end_early: bool = False) -> Iterator[Page]:
        """Every page, those first that were kept. Time that is over ends the walk where `complete_until` is known then,
        and is a SourceError elsewhere."""
        position: dict | None = self._start(0, 0)
        has_kept = False
        for number, page in enumerate(self.store.pages(self.name)):
            if number >= self._noted:  # what an earlier attempt kept
                self._note(page)
            position, has_kept = page.following, True
            yield page
        if position is None:
            self.is_finished = True
        while not self.is_finished:
            try:
                page = self._step(position)
            except SourceError:
                if not has_kept or not position["state"]:
                    raise
                # What a token of the last attempt meant may be forgotten by now: ask this question from its start.
                log.info("%s: the page where the last attempt broke off is gone, reading this part again", self.place)
                position = self._start(position["slice"], position["parent"], position["since"], position["pass"] + 1)
                has_kept = False
                continue
            except BudgetSpent as spent:
                self._end_early(str(spent), position, may_end_early)
                return
            self._note(page)
            self.store.add(self.name, page)
            position, has_kept = page.following, False
            self.is_finished = position is None
            yield page

    def files(self) -> Iterator[BinaryIO]:
        """Every answer that is no JSON, one after the other; nothing of it is kept."""
        position: dict | None = self._start(0, 0)
        while position is not None and self.parents:
            try:
                asked = self._ask(position)
            except BudgetSpent as spent:
                raise SourceError(
                    self.place, f"stopped, {spent}", "raise api.total_time_out, or ask for less"
                ) from None
            state = following(self._pages, position["state"], {}, asked.headers, 1, 1, None)
            position = self._after(position, state, asked.export)
            yield asked.body
        self.is_finished = True

    def _start(self, slice_number: int, parent: int, since: str | None = None, round_number: int = 1) -> dict:
        state = first_state(self._pages)
        return {
            "slice": slice_number,
            "parent": parent,
            "since": since,
            "state": state,
            "pass": round_number,
            "export": None,
        }

    def _ask(self, position: dict) -> Asked:
        start, end = self._slices[position["slice"]]
        window = {}
        if end is not None:
            if position["since"]:
                start = datetime.fromisoformat(position["since"])
            asked = self.request.window
            window = {"start": written(start, asked, is_end=False), "end": written(end, asked, is_end=True)}
        page = values_of(self._pages, position["state"])
        parent = self.parents[position["parent"]]
        return self.asking.ask(self.name, window, page, parent, position["state"].get("url"), position["export"])

    def _step(self, position: dict) -> Page:
        asked = self._ask(position)
        leg = self._leg_of(position)
        facts = values_at(self.asking.scratch, asked.text, watched_paths(self._pages))
        records = self.records(asked.text)
        last = None
        if self._pages is not None and self._pages.value is not None and records.num_rows:
            last = values_at(self.asking.scratch, records["$record"][-1].as_py(), [self._pages.value])[
                self._pages.value
            ]
        counted = leg.count + records.num_rows
        state = following(self._pages, position["state"], facts, asked.headers, records.num_rows, counted, last)
        if state is not None and "url" in state:
            state = {"url": self.asking.exchange.addresses.following(asked.url, state["url"])}
        if state is not None and self._is_before_window(records):
            state, facts = None, {}
        after = self._after(position, state, asked.export)
        if state is None:
            after = self._read_again(position, facts, records) or after
        elif self._pages.limit is not None and counted >= self._pages.limit:
            after = self._behind_limit(position, records)
        return Page(asked.text, self.parents[position["parent"]], position, after)

    def _after(self, position: dict, state: dict | None, export: dict | None) -> dict | None:
        """The next page of this question, else the next parent, else the next slice."""
        if state is not None:
            return {**position, "state": state, "export": export}
        if position["parent"] + 1 < len(self.parents):
            return self._start(position["slice"], position["parent"] + 1)
        if position["slice"] + 1 < len(self._slices):
            return self._start(position["slice"] + 1, 0)
        return None

    def _note(self, page: Page) -> None:
        """Watches that pages bring something new, and for `ordered` up to when nothing is missing."""
        leg = self._leg_of(page.position)
        records = self.records(page.text)
        leg.count += records.num_rows
        leg.pages += 1
        self._noted += 1
        if self._pages is None:
            return
        if leg.pages > self._pages.max_pages:
            found = f"more than {self._pages.max_pages} pages"
            raise SourceError(self.place, found, "raise pages.max_pages, or ask in slices")
        if self._pages.total is not None:
            leg.distinct.update(hashes_of(self.asking.scratch, records, self._key_path).tolist())
        if records.num_rows:
            self._demand_progress(leg, page, int(np.bitwise_xor.reduce(hashes_of(self.asking.scratch, records))))
        if self.request.window.ordered is True and records.num_rows:
            times = self.asking.cursor_times(self.name, records).drop_null()
            if len(times):
                oldest, newest = pc.min(times).as_py(), pc.max(times).as_py()
                self._is_ascending &= self._newest is None or page.position["pass"] > 1 or oldest >= self._newest
                self._newest = max(newest, self._newest or newest)

    def _demand_progress(self, leg: _Leg, page: Page, fingerprint: int) -> None:
        state = page.position["state"]
        is_known = fingerprint in leg.prints
        if is_known and state in leg.states:
            self._circle(leg.pages)
        leg.repeats = leg.repeats + 1 if is_known else 0
        if leg.repeats >= _MOST_REPEATS:
            self._circle(leg.pages)
        leg.prints.add(fingerprint)
        leg.states.append(state)
        del leg.states[:-1000]

    def _circle(self, number: int) -> None:
        found = f"page {number} repeats what came before, and the pages do not end"
        raise SourceError(self.place, found, "correct pages: what is sent for the next page, and what ends them")

    def _leg_of(self, position: dict) -> _Leg:
        key = (position["slice"], position["parent"], position["since"], position["pass"])
        if self._leg is None or self._leg.key != key:
            distinct = self._leg.distinct if self._leg is not None and self._leg.key[:3] == key[:3] else set()
            self._leg = _Leg(key, distinct=distinct)
        return self._leg

    def _read_again(self, position: dict, facts: dict, records: pa.Table) -> dict | None:
        """The first page once more, where fewer records came than the interface holds; they moved while we read."""
        if self._pages is None or self._pages.total is None or not facts:
            return None
        came = len(self._leg.distinct | set(hashes_of(self.asking.scratch, records, self._key_path).tolist()))
        total = number_of(facts.get(self._pages.total))
        if total is None and came:
            # Some interfaces name neither total nor next page to accounts that may not see everything.
            found = f"{came} records came, and no number of all records at {self._pages.total}"
            raise SourceError(self.place, found, "let the account see everything, or leave out pages.total")
        if came >= (total or 0):
            return None
        if position["pass"] >= _MOST_PASSES:
            found = f"{came} records came, {total} are there, after {_MOST_PASSES} readings"
            raise SourceError(
                self.place, found, "page by cursor or keyset, sort by what does not change, or leave out total"
            )
        log.info("%s: %d of %d records came, reading the pages again", self.place, came, total)
        return self._start(position["slice"], position["parent"], position["since"], position["pass"] + 1)

    def _is_before_window(self, records: pa.Table) -> bool:
        """Of records that come newest first: whether the page, and so every later one, is older than the window."""
        start = self.asking.window.start
        if self.request.window.ordered != "descending" or start is None or not records.num_rows:
            return False
        newest = pc.max(self.asking.cursor_times(self.name, records)).as_py()
        return newest is not None and newest < start - self.request.window.margin

    def _behind_limit(self, position: dict, records: pa.Table) -> dict:
        """The question anew from the newest record, where one answer may not be longer."""
        newest = pc.max(self.asking.cursor_times(self.name, records)).as_py()
        since = newest.isoformat() if newest else None
        before = position["since"] or self._slices[position["slice"]][0].isoformat()
        if since is None or datetime.fromisoformat(since) <= datetime.fromisoformat(before):
            found = f"more than {self._pages.limit} records have the same {self.resource.cursor}"
            raise SourceError(self.place, found, "page by keyset, or ask for fewer records by a filter")
        return self._start(position["slice"], position["parent"], since)

    def _end_early(self, why: str, position: dict, may_end_early: bool) -> None:
        """Settles up to when nothing is missing; raises SourceError where that cannot be said."""
        self.store.flush()
        until = self._slices[position["slice"]][0] if position["slice"] > 0 else None
        if self.request.window.ordered is True and self._is_ascending and self.parents == [None] and self._newest:
            until = max(self._newest, until or self._newest)
        begins = self.asking.window.start
        if not may_end_early or until is None or (begins is not None and until <= begins):
            raise SourceError(self.place, f"stopped before the end, {why}", _BROKEN_OFF)
        log.warning("%s: stopped early, %s; complete until %s UTC", self.place, why, until.isoformat())
        self.complete_until, self.is_finished = until, True

    def records(self, text: str) -> pa.Table:
        """The records of one answer."""
        if self._extracted is None or self._extracted[0] is not text:
            self._extracted = (text, self._extract(text))
        return self._extracted[1]

    def _extract(self, text: str) -> pa.Table:
        is_side = self.resource.records is not None and "*" in place_of(self.resource.records)
        return records_of(self.asking.scratch, text, self.resource.records, self.place, is_optional=is_side)
