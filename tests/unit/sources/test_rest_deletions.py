"""Deletions that an interface lists apart from its records, over real HTTP."""

from __future__ import annotations

from datetime import datetime

import pytest
from pydantic import ValidationError
from support.rest_desk import WINDOW, desk_definition, ticket
from support.rest_server import Asked, Reply, RestServer

from hansei.catalog.sources import Source
from hansei.errors import SourceError
from hansei.sources.extraction import extract_batch
from hansei.sources.spool import read_manifest, read_part
from hansei.sources.tallies import take_deletions

GRAVES = [{"id": number, "at": f"2026-03-01T0{number}:00:00Z"} for number in range(1, 6)]


def source(**deleted: object) -> Source:
    definition = desk_definition({})
    definition["resources"]["tickets"]["cursor"] = "updated"
    request = {
        "path": "/deleted", "params": {"since": "{window.start}", "after": "{page.cursor}"},
        "pages": {"by": "cursor", "at": "next"},
    }  # fmt: skip
    definition["resources"]["graves"] = {"request": request, "records": "data", "cursor": "at"}
    deletions = {"entity": "tickets", "resource": "graves", "key": {"path": "id"}, "deleted_at": {"path": "at"}}
    definition["deleted_keys"] = [{**deletions, **deleted}]
    return Source.model_validate(definition)


def answer(asked: Asked) -> Reply:
    if asked.path == "/tickets":
        return Reply({"data": [ticket(1), ticket(2)]})
    start = int(asked.params.get("after", 0))
    late = [{"id": 9, "at": "2026-03-02T00:00:00Z"}]  # a moment after the window
    return Reply({"data": (GRAVES + late)[start : start + 2], "next": start + 2 if start < 4 else None})


def batch(declared: Source, server: RestServer, catalog, settings):
    means = (declared, catalog, settings, lambda _: server.connection())
    return extract_batch(*means, "run", WINDOW, tallies=lambda: take_deletions(*means, WINDOW))


def test_every_page_of_the_windows_deletions_travels_with_the_batch(server: RestServer, catalog, settings) -> None:
    server.reset(answer)
    manifest = batch(source(), server, catalog, settings)
    (tally,) = manifest.tallies
    listed = read_part(manifest, tally.part).sort_by("key").to_pylist()
    assert listed == [{"key": f"desk:{number}", "deleted_at": datetime(2026, 3, 1, number)} for number in range(1, 6)]
    assert (tally.kind, tally.entity, tally.unreadable) == ("deletions", "tickets", 0)
    assert {asked.params["since"] for asked in server.asked if asked.path == "/deleted"} == {"2026-03-01T00:00:00Z"}
    assert manifest.complete_until == WINDOW.end
    assert read_manifest(settings, "run", "desk") == manifest


def test_the_newest_deletion_of_a_key_counts_and_one_without_a_time_has_none(
    server: RestServer, catalog, settings
) -> None:
    graves = [*GRAVES[:2], {"id": 1, "at": "2026-03-01T07:00:00Z"}, {"id": 3}]
    server.reset(lambda asked: answer(asked) if asked.path == "/tickets" else Reply({"data": graves}))
    manifest = batch(source(), server, catalog, settings)
    listed = read_part(manifest, manifest.tallies[0].part).sort_by("key").to_pylist()
    assert [row["deleted_at"] for row in listed] == [datetime(2026, 3, 1, 7), datetime(2026, 3, 1, 2), None]


def test_a_list_that_breaks_off_leaves_no_batch_and_rows_are_not_asked_for_again(
    server: RestServer, catalog, settings
) -> None:
    server.reset(lambda asked: answer(asked) if asked.path == "/tickets" else Reply({"message": "no"}, 403))
    with pytest.raises(SourceError, match="answers 403"):
        batch(source(), server, catalog, settings)
    assert read_manifest(settings, "run", "desk") is None
    server.reset(answer)
    manifest = batch(source(), server, catalog, settings)
    assert manifest.received == 2
    assert [asked.path for asked in server.asked] == ["/deleted"] * 3, "the tickets were kept"


def test_the_declaration_is_checked() -> None:
    with pytest.raises(ValidationError, match="deleted_keys names resource 'nowhere'"):
        source(resource="nowhere")
    with pytest.raises(ValidationError, match="deleted_keys names entity 'accounts'"):
        source(entity="accounts")
