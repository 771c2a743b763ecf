"""No personal value reaches the spool: pseudonyms, redaction, encryption, dropped fields."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from hansei.catalog.windows import Window
from hansei.errors import SettingsError
from hansei.settings import load_settings
from hansei.sources import privacy, spool
from hansei.sources.extraction import extract_batch
from hansei.sources.scratch import Scratch

KEY = "a-key-of-the-tests-that-is-no-secret-at-all"


def by_hand(normal: str, key: str = KEY) -> str:
    return hmac.new(key.encode(), normal.encode(), hashlib.sha256).hexdigest()


SPELLINGS = [
    ("email", "  Ann.Lee@Example.COM ", "ann.lee@example.com"),
    ("email", "STRASSE@Straße.de", "strasse@strasse.de"),
    ("phone", "+49 (40) 123-456", "+4940123456"),
    ("phone", "0049 40 123456", "+4940123456"),
    ("phone", "040/123 456", "040123456"),
    ("name", "  Jürgen   GROẞ ", "jürgen gross"),
    ("name", "Ju\u0308rgen\u3000Gross", "jürgen gross"),
    ("name", "ＡＮＮ", "ann"),
    ("person", "Caller 2403", "caller 2403"),
]


@pytest.mark.parametrize(("kind", "written", "normal"), SPELLINGS)
def test_a_pseudonym_is_the_hmac_of_the_normalised_value(settings, kind: str, written: str, normal: str) -> None:
    with Scratch() as scratch:
        found = privacy.Privacy(settings, scratch).pseudonyms(pa.array([written, None]), kind)
    assert found.to_pylist() == [by_hand(normal), None]


@pytest.mark.parametrize(("kind", "written"), [("email", "  "), ("phone", "n/a"), ("phone", "+"), ("name", "\u3000")])
def test_nothing_has_no_pseudonym(settings, kind: str, written: str) -> None:
    with Scratch() as scratch:
        assert privacy.Privacy(settings, scratch).pseudonyms(pa.array([written]), kind).to_pylist() == [None]


def test_a_key_longer_than_a_block_is_hashed_first_as_rfc_2104_has_it() -> None:
    long_key = "k" * 100
    settings = load_settings({"HANSEI_IDENTITY_KEY": long_key})
    with Scratch() as scratch:
        found = privacy.Privacy(settings, scratch).pseudonyms(pa.array(["a@b.c"]), "email")
    assert found.to_pylist() == [by_hand("a@b.c", long_key)]


@effort(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=20))
def test_pseudonyms_agree_with_python_for_any_text(texts: list[str]) -> None:
    settings = load_settings({"HANSEI_IDENTITY_KEY": KEY})
    with Scratch() as scratch:
        found = privacy.Privacy(settings, scratch).pseudonyms(pa.array(texts, pa.string()), "email").to_pylist()
    for text, pseudonym in zip(texts, found, strict=True):
        normal = text.strip().casefold()
        assert pseudonym == (by_hand(normal) if normal else None)


def test_the_key_id_tells_keys_apart_and_nothing_more(settings) -> None:
    expected = hashlib.sha256(b"hansei-key-id" + KEY.encode()).hexdigest()[:12]
    assert privacy.key_id(settings) == expected
    assert privacy.key_id(load_settings({"HANSEI_IDENTITY_KEY": KEY + "x"})) != expected


def test_a_missing_or_unusable_key_stops_the_batch(inbox: Path, ticket_source, catalog, settings) -> None:
    (inbox / "t.csv").write_text("id,status,created\n1,open,2024-01-01\n")
    source = ticket_source({"path": str(inbox / "t.csv"), "format": "csv"})
    window = Window(None, datetime(2030, 1, 1))
    for field, value, expected in (
        ("identity_key", None, "HANSEI_IDENTITY_KEY"),
        ("quarantine_key", None, "HANSEI_QUARANTINE_KEY"),
        ("quarantine_key", "x" * 44, "not a Fernet key"),
    ):
        broken = replace(settings, **{field: value})
        with pytest.raises(SettingsError, match=expected):
            extract_batch(source, catalog, broken, None, "run", window)


SECRETS = ["ann.lee@example.com", "Ann Lee", "+49 170 1234567", "Kastanienallee"]


@pytest.fixture
def spooled(inbox: Path, ticket_source, extract):
    """A batch of customers and one ticket whose every personal field is filled."""
    (inbox / "t.csv").write_text(
        "id,status,created,subject,requester,phone,street,plan,mother\n"
        "1,open,2024-01-01,Mail ann.lee@example.com or call +49 170 1234567,Ann.Lee@example.com,"
        "+49 170 1234567,Kastanienallee 3,gold,Ann Lee\n"
    )
    columns = {
        "subject": {"path": "subject"},
        "requester_email": {"path": "requester"},
        "brand": {"path": "phone", "policy": "pseudonymise"},
        "topic": {"path": "requester", "policy": "drop"},
    }
    resource = {"path": str(inbox / "t.csv"), "format": "csv", "ignore": ["mother"]}
    return extract(ticket_source(resource, columns, plain_extra=["plan"]))


def test_each_column_is_stored_as_its_class_or_policy_says(spooled) -> None:
    _, (row,) = spooled
    assert row["subject"] == "Mail [e-mail] or call [phone]"
    assert row["requester_email"] == by_hand("ann.lee@example.com")
    assert row["brand"] == by_hand("+49 170 1234567")  # no identity is declared: a person's words
    assert row["topic"] is None


def test_a_redacted_column_may_be_kept_by_a_policy(inbox: Path, ticket_source, extract) -> None:
    (inbox / "t.csv").write_text("id,status,created,subject\n1,open,2024-01-01,a@b.de\n")
    columns = {"subject": {"path": "subject", "policy": "keep"}}
    _, rows = extract(ticket_source({"path": str(inbox / "t.csv"), "format": "csv"}, columns))
    assert rows[0]["subject"] == "a@b.de"


def test_names_that_the_row_carries_are_taken_out_of_its_text(inbox: Path, ticket_source, extract) -> None:
    (inbox / "t.csv").write_text(
        "id,status,created,subject,who,agent\n"
        "1,open,2024-01-01,Can Jessica ring me? JESSICA HALLORAN,Jessica Halloran,Bo Li\n"
        "2,open,2024-01-01,Can Jessica ring me? Pete is away,,Pete Nowak\n"
    )
    columns = {"subject": {"path": "subject", "names": ["who", "agent"]}}
    _, rows = extract(ticket_source({"path": str(inbox / "t.csv"), "format": "csv"}, columns))
    assert [row["subject"] for row in rows] == ["Can [name] ring me? [name]", "Can Jessica ring me? [name] is away"]


def test_unmapped_fields_are_encrypted_unless_declared_plain(spooled, settings) -> None:
    _, (row,) = spooled
    stored = json.loads(row["extra"])
    assert set(stored) == {"plan", "$encrypted"}
    assert stored["plan"] == "gold"
    assert privacy.open_extra(row["extra"], settings) == {"plan": "gold", "street": "Kastanienallee 3"}
    assert Fernet(settings.quarantine_key.encode()).decrypt(stored["$encrypted"].encode())


def test_nothing_in_the_spool_shows_a_personal_value(spooled) -> None:
    manifest, _ = spooled
    files = [path for path in Path(manifest.location).rglob("*") if path.is_file()]
    assert len(files) == 3
    texts = [path.read_bytes() for path in files if path.suffix != ".parquet"]
    texts += [json.dumps(spool.read_part(manifest, p).to_pylist(), default=str).encode() for p in
              manifest.entities["tickets"].parts]  # fmt: skip
    for secret in SECRETS:
        assert not any(secret.encode() in text for text in texts)


def test_ignored_fields_are_kept_nowhere(spooled, settings) -> None:
    manifest, (row,) = spooled
    raw = spool.raw_rows(manifest, row["raw_part"], [row["raw_row"]], settings)[0]
    assert "mother" not in raw
    assert raw["requester"] == "Ann.Lee@example.com"
    assert [drift.field for drift in manifest.entities["tickets"].drift] == ["plan", "street"]


def test_ignored_keys_of_a_json_record_are_kept_nowhere(inbox: Path, ticket_source, extract, settings) -> None:
    record = {"id": 1, "status": "open", "created": "2024-01-01", "body": "secret", "who": {"name": "Ann", "n": 1.5}}
    other = {**record, "id": 2, "who": "nobody", "gone": None}
    (inbox / "t.jsonl").write_text(json.dumps(record) + "\n" + json.dumps(other) + "\n")
    resource = {"path": str(inbox / "t.jsonl"), "format": "jsonl", "ignore": ["body", "who.name", "who.deep.er"]}
    manifest, rows = extract(ticket_source(resource, {"topic": {"path": "who.n"}}))
    raw = spool.raw_rows(manifest, 0, [row["raw_row"] for row in rows], settings)
    assert [item["$record"] for item in raw] == [
        {"id": 1, "status": "open", "created": "2024-01-01", "who": {"n": 1.5}},
        {"id": 2, "status": "open", "created": "2024-01-01", "who": "nobody", "gone": None},
    ]
    assert [row["topic"] for row in rows] == ["1.5", None]
    assert [drift.field for drift in manifest.entities["tickets"].drift] == ["gone"]


def test_raw_rows_need_the_key_that_encrypted_them(spooled) -> None:
    manifest, (row,) = spooled
    other = load_settings({"HANSEI_QUARANTINE_KEY": Fernet.generate_key().decode()})
    with pytest.raises(SettingsError, match="is not the key that encrypted"):
        spool.raw_rows(manifest, row["raw_part"], [row["raw_row"]], other)


def test_a_key_that_is_an_address_is_a_pseudonym_behind_its_prefix(inbox: Path, ticket_source, extract) -> None:
    (inbox / "t.csv").write_text("id,status,created,who\n1,open,2024-01-01,Ann@Example.com\n2,open,2024-01-01,\n")
    columns = {"customer_id": {"path": "who", "policy": "pseudonymise", "instance": "crm"}}
    _, rows = extract(ticket_source({"path": str(inbox / "t.csv"), "format": "csv"}, columns))
    assert [row["customer_id"] for row in rows] == ["crm:" + by_hand("ann@example.com"), None]
