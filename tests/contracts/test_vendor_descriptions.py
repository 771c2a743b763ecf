"""Definitions against the vendors' own OpenAPI descriptions, where a directory holds them."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest
import yaml

# Read before a test begins: its environment is cleared of HANSEI_.
DIRECTORY = os.environ.get("HANSEI_VENDOR_CONTRACTS")


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    script = Path(__file__).resolve().parents[2] / "scripts" / "check_vendor_contracts.py"
    spec = importlib.util.spec_from_file_location("check_vendor_contracts", script)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_request_and_field_is_described_by_the_vendor(checker: ModuleType) -> None:
    if not DIRECTORY:
        pytest.skip("HANSEI_VENDOR_CONTRACTS is not set: name a directory of the vendors' OpenAPI descriptions")
    checked, unexplained, _ = checker.check(Path(DIRECTORY))
    assert checked
    assert unexplained == []


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A small description of Typeform that calls two things otherwise."""
    token, items = {"type": "string"}, {"type": "object", "properties": {"token": {"type": "string"}}}
    items["properties"] |= dict.fromkeys(("submitted_at", "hidden"), token)
    answer = {"type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/components/item"}}}}
    parameters = [{"name": name, "in": "query"} for name in ("since", "until", "page_size", "before")]
    content = {"application/json": {"schema": answer}}
    operation = {"parameters": parameters, "responses": {"200": {"description": "", "content": content}}}
    document = {
        "openapi": "3.0.0",
        "paths": {"/forms/{form_id}/responses": {"get": operation}},
        "components": {"item": items},
    }
    (tmp_path / "typeform.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return tmp_path


UNKNOWN = "responses: GET /forms/{parent.value}/responses has no parameter response_type"


def test_the_check_finds_what_a_description_does_not_know(checker: ModuleType, small: Path) -> None:
    """Both are told, and nothing else."""
    checked, unexplained, closed = checker.check(small)
    assert checked == ["typeform against typeform.yaml"]
    assert unexplained == [f"typeform: {UNKNOWN}", "typeform: answers: the answer has no items.answers"]
    assert closed == []


def test_a_known_gap_is_explained_and_told_once_a_description_closes_it(
    checker: ModuleType, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "KNOWN_GAPS", {("typeform", UNKNOWN): "", ("typeform", "old"): "", ("jira", "x"): ""})
    _, unexplained, closed = checker.check(small)
    assert unexplained == ["typeform: answers: the answer has no items.answers"]
    assert closed == ["typeform: old"], "Jira was not checked: its gap may still be there"
