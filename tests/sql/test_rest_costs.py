"""What the newest batch over HTTP took, and what the interface said to be left, reach `sources status`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from support.few_indicators import few
from support.rest_desk import WINDOW, desk_definition, ticket
from support.rest_server import Asked, Reply, rest_server

from hansei import pipeline
from hansei.pipeline.source_states import source_states
from hansei.settings import Settings
from hansei.sources.report import spent_budget
from hansei.warehouse import open_warehouse

SERVICE = "id: service\nname: Costs\nreporting_zone: UTC\nlanguage: en\n"
HELD = [ticket(number) for number in range(25)]


def test_requests_and_quota_are_kept_with_the_run(tmp_path: Path, settings: Settings) -> None:
    left = iter(range(4990, 0, -1))

    def answer(asked: Asked) -> Reply:
        start = int(asked.params.get("after", 0))
        body = {"data": HELD[start : start + 10], "next": start + 10 if start + 10 < len(HELD) else None}
        return Reply(body, headers={"X-Left": str(next(left)), "X-Reset": "60"})

    request = {"params": {"after": "{page.cursor}"}, "pages": {"by": "cursor", "at": "next"}}
    api = {"rate": {"per_minute": 3000, "remaining": "X-Left", "reset": "X-Reset"}}
    definitions = tmp_path / "definitions"
    (definitions / "sources").mkdir(parents=True)
    (definitions / "service.yaml").write_text(SERVICE)
    (definitions / "sources" / "desk.yaml").write_text(json.dumps(desk_definition(request, api=api)))
    settings = replace(settings, overlays=(definitions,))
    with rest_server() as server:
        server.reset(answer)
        context = pipeline.context(settings, lambda _: server.connection())
        context = replace(context, catalog=replace(context.catalog, indicators=few(context.catalog.indicators)))
        pipeline.open_run(context, "night", WINDOW.start, WINDOW.end)
        begun = datetime.now(UTC).replace(tzinfo=None)
        pipeline.extract(context, "night", "desk")
        pipeline.publish(context, "night", "desk")
    with open_warehouse(settings) as warehouse:
        (state,) = source_states(context, warehouse)
    assert (state.requests, state.quota_left) == (3, 4988)
    assert begun <= state.quota_seen_at <= datetime.now(UTC).replace(tzinfo=None)
    told = spent_budget(context.catalog.sources["desk"], state)
    assert told.startswith(
        "at most 3,000 requests a minute; 3 requests for the newest batch; 4,988 left of the quota at"
    )
