"""Treatments of personal data as definitions: what may be asked of a column, and what `hansei check` refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError
from support.definition_faults import faults

from hansei.catalog.loader import load_catalog
from hansei.catalog.privacy import Policy
from hansei.settings import load_settings

SHIPPED = load_catalog(load_settings({})).privacy_rules.model_dump(mode="json")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("redact", {"kind": "redact"}),
        ({"keep": "the works council agreed"}, {"kind": "keep", "because": "the works council agreed"}),
        ({"mask": {"last": 4}}, {"kind": "mask", "last": 4}),
        ({"generalise": "month"}, {"kind": "generalise", "to": "month"}),
        ({"generalise": {"band": 10}}, {"kind": "generalise", "band": 10}),
    ],
)
def test_a_treatment_is_one_word_or_a_word_with_what_it_needs(written: Any, meant: dict) -> None:
    treatment = TypeAdapter(Policy).validate_python(written)
    assert treatment.model_dump(exclude_defaults=True) == meant


@pytest.mark.parametrize("written", ["generalise", {"redact": "month"}, {"generalise": "week"}, {"drop": {"last": 2}}])
def test_a_treatment_without_what_it_needs_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Policy).validate_python(written)


def overlay(path: Path, **changes: Any) -> Path:
    folder = path / "privacy"
    folder.mkdir(parents=True, exist_ok=True)
    definition = {"id": "privacy", "owner": "us", "classes": {k: v["kind"] for k, v in SHIPPED["classes"].items()}}
    (folder / "privacy.yaml").write_text(yaml.safe_dump(definition | changes))
    return path


@pytest.mark.parametrize(
    ("place", "treatment", "complaint"),
    [
        ("tickets.ticket_id", "drop", "takes away what tickets cannot do without"),
        ("tickets.created_at", {"generalise": "month"}, "takes away what tickets cannot do without"),
        ("tickets.solved_at", "drop", "takes away what tickets cannot do without"),
        ("tickets.customer_id", "mask", "would give many rows one key"),
        ("tickets.priority", "redact", "of one of a few listed words"),
        ("tickets.reopen_count", "redact", "works on text, not on integer"),
        ("tickets.reopen_count", "pseudonymise", "a integer has no pseudonym"),
        ("customers.region", {"generalise": "month"}, "a text has no month"),
        ("customers.region", {"generalise": {"band": 5}}, "a text has no bands"),
        ("customers.created_at", {"generalise": "domain"}, "a timestamp has no domain"),
        ("customers.name", "redact", "a name alone has none"),
        ("customers.name", "keep", "without a reason"),
        ("customers.name", {"generalise": "country"}, "a name has no country prefix"),
        ("customers.phone", {"generalise": "domain"}, "a phone has no domain"),
        ("customers.email", {"generalise": "domain"}, "found again by the pseudonym of their address"),
        ("customers.shoe_size", "drop", "customers has no column 'shoe_size'"),
        ("people.name", "drop", "no entity 'people'"),
    ],
)
def test_what_a_column_cannot_bear_is_refused_with_its_line(
    tmp_path: Path, place: str, treatment: Any, complaint: str
) -> None:
    (found,) = faults(overlay(tmp_path, columns={place: treatment}))
    assert found.startswith("privacy/privacy.yaml:") and complaint in found


@pytest.mark.parametrize(
    ("place", "treatment"),
    [
        ("customers.region", "drop"),
        ("customers.region", {"generalise": {"first": 2}}),
        ("customers.created_at", {"generalise": "month"}),
        ("customers.phone", {"generalise": "country"}),
        ("customers.phone", {"mask": {"last": 3}}),
        ("customers.name", {"keep": "asked for by the customers themselves"}),
        ("tickets.customer_id", "pseudonymise"),
        ("accounts.annual_value", {"generalise": {"band": 1000}}),
        ("tickets.subject", "drop"),
    ],
)
def test_sensible_treatments_pass(tmp_path: Path, place: str, treatment: Any) -> None:
    assert faults(overlay(tmp_path, columns={place: treatment})) == []


def test_every_class_needs_its_treatment_and_a_class_one_that_fits_all_its_columns(tmp_path: Path) -> None:
    (missing,) = faults(overlay(tmp_path / "a", classes={"direct": "drop", "none": "keep", "quasi": "keep"}))
    assert "classes lacks free_text" in missing
    classes = {"direct": "redact", "none": "keep", "quasi": "keep", "free_text": "redact"}
    found = faults(overlay(tmp_path / "b", classes=classes))
    assert "customers.email: redaction finds patterns" in "\n".join(found)


def test_retention_of_texts_names_an_entity_with_texts_and_one_of_its_times(tmp_path: Path) -> None:
    texts = [
        {"entity": "accounts", "counted_from": "started_date", "keep": "700d"},
        {"entity": "tickets", "counted_from": "subject", "keep": "700d"},
    ]
    found = "\n".join(faults(overlay(tmp_path, retention={"texts": texts})))
    assert "accounts has no free text" in found
    assert "'subject' is no time of tickets" in found
