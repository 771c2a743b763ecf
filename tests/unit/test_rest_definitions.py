"""Definitions of kind `rest`: what README shows is valid, and what cannot work is refused where it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from hansei.catalog.loader import examine
from hansei.catalog.rest import Api, Request, parse_size
from hansei.catalog.rest_checks import lead_of
from hansei.catalog.sources import Source
from hansei.settings import load_settings

README = Path(__file__).parents[2] / "docs" / "sources" / "README.md"


def blocks() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def whole() -> dict:
    return yaml.safe_load(next(block for block in blocks() if block.startswith("id: helpdesk")))


def test_the_whole_example_of_the_readme_is_valid():
    source = Source.model_validate(whole())
    assert source.entity_ids == ("tickets", "ticket_events")
    assert source.resources["changes"].format == "json"


def test_the_whole_example_fits_the_entities(tmp_path: Path):
    (tmp_path / "sources").mkdir()
    text = next(block for block in blocks() if block.startswith("id: helpdesk"))
    (tmp_path / "sources" / "helpdesk.yaml").write_text(text)
    catalog, faults = examine(load_settings({"HANSEI_DEFINITIONS": str(tmp_path)}))
    assert faults == []
    assert "helpdesk" in catalog.sources


def test_every_request_and_auth_of_the_readme_is_valid():
    parts = [yaml.safe_load(block) for block in blocks()]
    requests = [part["request"] for part in parts if "request" in part]
    auths = [part["auth"] for part in parts if "auth" in part]
    assert len(requests) == 2
    assert len(auths) == 1
    for request in requests:
        Request.model_validate(request)
    for auth in auths:
        Api.model_validate({"auth": auth})


REQUEST_FAULTS = {
    "unknown part of the window": ({"path": "/x", "params": {"a": "{window.middle}"}}, "window.middle"),
    "page without pages": ({"path": "/x", "params": {"a": "{page.number}"}}, "no pages"),
    "cursor in pages by page": (
        {"path": "/x", "params": {"p": "{page.number}", "c": "{page.cursor}"}, "pages": {"by": "page"}},
        "page.cursor",
    ),
    "cursor never sent": ({"path": "/x", "pages": {"by": "cursor", "at": "next"}}, "page.cursor"),
    "size without size": (
        {"path": "/x", "params": {"s": "{page.size}"}, "pages": {"by": "link"}},
        "pages.size",
    ),
    "export value that nobody takes": (
        {"path": "/x", "method": "POST", "export": {"download": {"path": "/y/{export.file}"}}},
        "export.file",
    ),
    "slices of nothing": ({"path": "/x", "window": {"slice": "1d"}}, "window.slice"),
    "pages before an export": (
        {"path": "/x?c={page.cursor}", "pages": {"by": "cursor", "at": "n"}, "export": {"download": {"path": "/y"}}},
        "download.pages",
    ),
    "unknown format": ({"path": "/x", "window": {"format": "epoch"}}, "format"),
    "unknown key": ({"path": "/x", "query": {"a": 1}}, "query"),
}


@pytest.mark.parametrize("case", REQUEST_FAULTS)
def test_a_request_that_cannot_work_is_refused(case: str):
    request, said = REQUEST_FAULTS[case]
    with pytest.raises(ValidationError, match=re.escape(said)):
        Request.model_validate(request)


SOURCE_FAULTS = {
    "parent that is missing": ({"changes": {"for_each": {"resource": "nothing"}}}, "'nothing'"),
    "parent without for_each": ({"changes": {"for_each": None}}, "belong together"),
    "stands on itself": ({"a": {"pages_of": "b"}, "b": {"pages_of": "a"}}, "stands on itself"),
    "ordered by nothing": ({"tickets": {"cursor": None, "request": {"path": "/", "window": {"ordered": True}}}}, "cur"),
}  # fmt: skip


@pytest.mark.parametrize("case", SOURCE_FAULTS)
def test_resources_that_cannot_stand_together_are_refused(case: str):
    changes, said = SOURCE_FAULTS[case]
    definition = whole()
    for name, change in changes.items():
        definition["resources"][name] = {**definition["resources"].get(name, {}), **change}
    with pytest.raises(ValidationError, match=re.escape(said)):
        Source.model_validate(definition)


def test_a_rest_source_needs_api_and_connection():
    for key in ("api", "connection"):
        definition = {name: value for name, value in whole().items() if name != key}
        with pytest.raises(ValidationError, match=key):
            Source.model_validate(definition)


def test_the_lead_of_nested_lists_is_the_resource_that_asks():
    source = Source.model_validate(
        {
            **whole(),
            "resources": {
                **whole()["resources"],
                "histories": {"pages_of": "tickets", "each": "changelog.histories"},
                "items": {"pages_of": "histories", "each": "items"},
            },
        }
    )
    assert lead_of(source.resources, "items") == "tickets"
    assert lead_of(source.resources, "changes") == "changes"


def test_sizes_are_read_in_decimal_units():
    assert (parse_size("2GB"), parse_size("64kB"), parse_size(7)) == (2_000_000_000, 64_000, 7)
    with pytest.raises(ValueError, match="kB, MB, GB"):
        parse_size("12 bytes")
