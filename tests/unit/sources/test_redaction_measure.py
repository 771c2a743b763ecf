"""How much the redaction finds, held on 342 marked sentences in five languages and a few of ten more."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from hansei.errors import HanseiError
from hansei.sources.redaction import redact
from hansei.sources.redaction_measure import measure, read_sentences, replacements
from hansei.sources.redaction_numbers import ID_KINDS

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "personal_texts.tsv"
# Recall and precision that docs/privacy.md records, rounded down: a rule that loses some shows here.
FLOORS = {
    "e-mail": (1.0, 1.0),
    "credentials": (1.0, 1.0),
    "iban": (1.0, 1.0),
    "card": (1.0, 1.0),
    "id number": (1.0, 1.0),
    "phone": (1.0, 0.94),
    "ip address": (1.0, 1.0),
    "name": (0.89, 1.0),
    "all": (0.95, 0.99),
}


def test_the_redaction_finds_what_the_documentation_says() -> None:
    sentences = read_sentences(SAMPLE)
    assert len(sentences) >= 300 and {"en", "de", "fr", "es", "zh"} <= {one.language for one in sentences}
    found = {row.kind: row for row in measure(sentences)}
    assert found["all"].marked >= 200
    below = {
        kind: (found[kind].recall, found[kind].precision)
        for kind, (recall, precision) in FLOORS.items()
        if found[kind].recall < recall or found[kind].precision < precision
    }
    assert below == {}


def test_the_sample_has_every_kind_and_many_texts_without_any() -> None:
    sentences = read_sentences(SAMPLE)
    assert {span.kind for one in sentences for span in one.spans} == set(FLOORS) - {"all"}
    assert sum(not one.spans for one in sentences) > 120


# Valid numbers as their authorities publish them for examples, or invented with right check digits.
VALID = {
    "us_ssn": "536-90-4399",
    "gb_nino": "JG 10 37 59 A",
    "de_steuer_id": "36 574 261 809",
    "fr_nir": "2 95 10 99 126 111 93",
    "es_dni": "54362315K",
    "es_nie": "X2482300W",
    "it_codice_fiscale": "RCCMNL83S18D969H",
    "nl_bsn": "BSN 111222333",
    "pl_pesel": "PESEL 44051401359",
    "se_personnummer": "880320-0016",
    "cn_resident_id": "11010519491231002X",
    "br_cpf": "390.533.447-05",
    "in_aadhaar": "Aadhaar 2341 2341 2346",
    "in_pan": "ACUPA7085R",
    "be_nn": "85.07.30-033.28",
    "ch_ahv": "756.9217.0769.85",
}


@pytest.mark.parametrize(("kind", "number"), VALID.items())
def test_an_identity_number_goes_and_one_with_a_wrong_digit_stays(kind: str, number: str) -> None:
    assert kind in {one.id for one in ID_KINDS}
    written = f"see {number}, please"
    assert redact(pa.array([written])).to_pylist()[0].endswith("[id number], please")
    if kind in ("us_ssn", "gb_nino", "in_pan"):  # these have no check digits
        return
    last = max(position for position, sign in enumerate(number) if sign.isdigit())
    wrong = number[:last] + str((int(number[last]) + 1) % 10) + number[last + 1 :]
    assert redact(pa.array([f"see {wrong}, please"])).to_pylist() == [f"see {wrong}, please"]


def test_bare_digits_that_many_numbers_would_pass_count_only_behind_their_word() -> None:
    texts = ["Order 111222333", "Order 44051401359", "Order 234123412346"]
    assert redact(pa.array(texts)).to_pylist() == texts


def test_public_addresses_go_and_private_ones_and_versions_stay() -> None:
    texts = ["from 81.2.69.142", "from 10.0.0.7", "version 81.2.69.142", "from 2a02:8071:22d1:8f00::7", "at 10:20:30"]
    assert redact(pa.array(texts)).to_pylist() == [
        "from [ip address]",
        "from 10.0.0.7",
        "version 81.2.69.142",
        "from [ip address]",
        "at 10:20:30",
    ]


def test_a_marker_is_found_where_its_text_stood() -> None:
    (phone,) = replacements("call 040 1234567 now", "call [phone] now")
    assert (phone.kind, phone.start, phone.end) == ("phone", 5, 16)


def test_a_line_without_a_language_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.tsv").write_text("en\tfine\nno tab here\n")
    with pytest.raises(HanseiError, match=r"mine\.tsv:2"):
        read_sentences(tmp_path / "mine.tsv")
