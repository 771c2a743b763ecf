"""The evidence object: canonical, hashed, coherent, and able to forget a person without forgetting a figure."""

from __future__ import annotations

import datetime as dt
import hashlib
import math

import pytest
from pydantic import ValidationError

from hansei.reviews.evidence import (
    Evidence,
    EvidenceError,
    IndicatorEvidence,
    Part,
    Point,
    SourceReadiness,
    canonical_json,
    check_parts,
    sha256,
)

SALT = "s" * 32


def evidence(**more: object) -> Evidence:
    return Evidence.model_validate(
        {
            "review_id": "weekly_brief",
            "title": "Weekly brief",
            "service_name": "Desk",
            "reporting_zone": "Europe/Berlin",
            "period_start": "2026-11-02",
            "period_end": "2026-11-08",
            "as_of": dt.datetime(2026, 11, 9, 3),
            "product_version": "0.1.0",
            "definitions_hash": "ab",
        }
        | more
    )


def indicator(**more: object) -> dict:
    base = {"indicator_id": "nps", "version": 1, "title": "NPS", "question": "?", "unit": "points"}
    return base | {"direction": "higher_is_better"} | more


def rows() -> Part:
    return Part(part_id="nps_rows", salt=SALT, columns=("ticket",), rows=(("desk:1",), ("desk:2",)))


def test_canonical_json_is_one_text() -> None:
    point = Point(period_start=dt.date(2026, 11, 2), value=0.1 + 0.2, sample_count=3)
    assert canonical_json(point) == (
        '{"denominator":null,"lower_bound":null,"numerator":null,"period_start":"2026-11-02","sample_count":3,'
        '"state":"ok","upper_bound":null,"value":0.3}'
    )
    assert sha256(point) == hashlib.sha256(canonical_json(point).encode()).hexdigest()


def test_last_bits_and_the_sign_of_zero_do_not_change_the_hash() -> None:
    def hash_of(value: float) -> str:
        return sha256(Point(period_start="2026-11-02", value=value))

    assert hash_of(math.pi * 1e6) == hash_of(math.nextafter(math.pi * 1e6, 9e9))
    assert hash_of(0.0) == hash_of(-0.0)
    assert hash_of(0.5) != hash_of(0.5000001)


def test_json_and_back_is_the_same_evidence() -> None:
    whole = evidence(indicators=[indicator(sample_part="nps_rows")], parts=[rows().reference()])
    assert Evidence.model_validate_json(canonical_json(whole)) == whole


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_figure_is_finite(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Point(period_start="2026-11-02", value=value)


def test_naive_times_are_utc_and_aware_ones_are_brought_there() -> None:
    naive = SourceReadiness(source="s", state="ready", complete_until=dt.datetime(2026, 11, 8, 23))
    zone = dt.timezone(dt.timedelta(hours=1))
    aware = SourceReadiness(source="s", state="ready", complete_until=dt.datetime(2026, 11, 9, tzinfo=zone))
    assert canonical_json(naive) == canonical_json(aware)
    assert "2026-11-08T23:00:00Z" in canonical_json(naive)


def test_text_loses_what_could_turn_or_break_its_surroundings() -> None:
    found = SourceReadiness(source="a\u202eb\x00c\x1b\ud800", state="ready")
    assert found.source == "abc?"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"period_start": "2026-11-03", "period_end": "2026-11-09"}, "is no week"),
        ({"period_end": "2026-11-09"}, "is no week"),
        ({"indicators": [indicator(), indicator()]}, "appears twice"),
        ({"indicators": [indicator(sample_part="nps_rows")]}, "without a reference"),
        ({"surprise": 1}, "Extra inputs"),
    ],
)
def test_incoherent_evidence_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        evidence(**change)


def test_evidence_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        evidence().title = "Another"
    assert isinstance(evidence(indicators=[indicator()]).indicators[0], IndicatorEvidence)


def test_a_part_is_recognised_and_a_forged_one_refused() -> None:
    whole = evidence(parts=[rows().reference()])
    check_parts(whole, {"nps_rows": rows()})
    forged = rows().model_copy(update={"rows": (("desk:3",),)})
    with pytest.raises(EvidenceError, match="not the content"):
        check_parts(whole, {"nps_rows": forged})
    with pytest.raises(EvidenceError, match="does not refer"):
        check_parts(evidence(), {"nps_rows": rows()})


def test_erasing_a_part_leaves_the_evidence_and_its_hash_alone() -> None:
    whole = evidence(parts=[rows().reference()])
    before = sha256(whole)
    erased = rows().erased(dt.date(2026, 12, 1))
    check_parts(whole, {"nps_rows": erased})
    assert sha256(whole) == before
    assert "desk:1" not in canonical_json(erased) and SALT not in canonical_json(erased)


def test_a_guess_at_the_rows_proves_nothing_without_the_salt() -> None:
    reference = rows().reference()
    other = Part(part_id="nps_rows", salt="t" * 32, columns=("ticket",), rows=(("desk:1",), ("desk:2",)))
    assert not other.is_what(reference)


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(EvidenceError, match="at least 32"):
        Part(part_id="nps_rows", salt="abc").reference()
