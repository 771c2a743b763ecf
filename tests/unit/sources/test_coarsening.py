"""Values made coarser: expected ones written by hand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from hansei.catalog.privacy import Treatment
from hansei.sources.coarsening import generalised, masked

PHONES = ["+49 170 1234567", "0049 170 1234567", "+1 212 555 0142", "+86 138", "+353 1 234", "+420 1", "040 123", None]


@pytest.mark.parametrize(
    ("values", "how", "expected"),
    [
        ([date(2026, 5, 17), None], {"to": "month"}, [date(2026, 5, 1), None]),
        ([date(2026, 5, 17)], {"to": "quarter"}, [date(2026, 4, 1)]),
        ([datetime(2026, 5, 17, 13, 5)], {"to": "year"}, [datetime(2026, 1, 1)]),
        ([27, 30, -1, None], {"band": 10}, [20, 30, -10, None]),
        ([Decimal("1234.5600")], {"band": 1000}, [Decimal("1000.0000")]),
        (["Ann@Mail.Example.ORG", "<bo@b.example>", "n/a"], {"to": "domain"}, ["mail.example.org", "b.example", None]),
        (PHONES, {"to": "country"}, ["+49", "+49", "+1", "+86", "+353", "+420", None, None]),
        ([" 80331", "SW1A 1AA"], {"first": 3}, ["803", "SW1"]),
    ],
)  # fmt: skip
def test_generalised(values: list[Any], how: dict[str, Any], expected: list[Any]) -> None:
    found = generalised(pa.array(values), Treatment(kind="generalise", **how))
    assert found.to_pylist() == expected
    assert found.type == pa.array(values).type


def test_masked_keeps_the_last_signs_of_what_is_long_enough() -> None:
    texts = pa.array(["DE89 3704 0532", "abc", "Ärzte12", None])
    assert masked(texts, 4).to_pylist() == ["**** **** 0532", "***", "*******", None]
    assert masked(texts, 0).to_pylist() == ["**** **** ****", "***", "*******", None]
