"""Free text loses what a pattern can find and keeps the rest, to the letter."""

from __future__ import annotations

import pyarrow as pa
import pytest

from hansei.sources.redaction import redact

REDACTED = [
    ("Write to ann.o'neil+x@mail.example.co.uk today", "Write to [e-mail] today"),
    ("<bo@example.com>,cy@example.org", "<[e-mail]>,[e-mail]"),
    ("postgres://admin:hunter2@db.example.com:5432/x fails", "postgres://[credentials]@db.example.com:5432/x fails"),
    ("call +49 40 123 45-67 now", "call [phone] now"),
    ("call 0049 170 1234567", "call [phone]"),
    ("Tel. 040 / 1234567", "Tel. [phone]"),
    ("(212) 555-0142 or 212-555-0142", "[phone] or [phone]"),
    ("手机13812345678,谢谢", "手机[phone],谢谢"),
    ("card 4111 1111 1111 1111, please", "card [card], please"),
    ("card 4111-1111-1111-1111", "card [card]"),
    ("IBAN DE89 3704 0044 0532 0130 00 END", "IBAN [iban] END"),
    ("IBAN GB82WEST12345698765432.", "IBAN [iban]."),
    ("Dear Mr. Smith, the lift is stuck", "Dear Mr. [name], the lift is stuck"),
    ("Hello Ann-Marie Lee,\nno news?", "Hello [name],\nno news?"),
    ("Sehr geehrte Frau Dr. Müller, danke", "Sehr geehrte Frau [name], danke"),
    ("It broke.\nKind regards,\nJohn Smith", "It broke.\nKind regards,\n[name]"),
    ("Mit freundlichen Grüßen\nÖzlem Kaya", "Mit freundlichen Grüßen\n[name]"),
    ("I spoke to Mrs Jones yesterday", "I spoke to Mrs [name] yesterday"),
    ("my name is Peter Pan and", "my name is [name] and"),
    ("王小明先生您好", "[name]先生您好"),
    ("Dear Lee先生,您好", "Dear [name]先生,您好"),
    ("Hello Сергей Иванов,\nno news?", "Hello [name],\nno news?"),
    ("Dear Σοφία Παππά, thank you", "Dear [name], thank you"),
    ("你好,我叫李雷。", "你好,我叫[name]。"),
]

UNCHANGED = [
    "Order 4111111111111112 has not come",  # 16 digits that fail the Luhn test
    "Error 0x80070005 in build 10.0.19045.3693",
    "Meeting on 2024-03-01 10:00, room 3.14",
    "Ticket 123456 and invoice RE-2024-000123",
    "DE00 1234 5678 9012 3456 78 is no account",  # check digits are wrong
    "Price 1.234.567,89 EUR",
    "Server 192.168.100.200 is down",
    "Hello, the printer is broken",
    "Hi there, it works again",
    "dear all: thanks to everybody",
    "The dear old scanner",
    "",
]


@pytest.mark.parametrize(("written", "stored"), REDACTED)
def test_takes_out(written: str, stored: str) -> None:
    assert redact(pa.array([written])).to_pylist() == [stored]


@pytest.mark.parametrize("text", UNCHANGED)
def test_leaves_alone(text: str) -> None:
    assert redact(pa.array([text])).to_pylist() == [text]


def test_works_on_many_texts_and_nulls_at_once() -> None:
    texts = [None, *(written for written, _ in REDACTED), *UNCHANGED, None]
    expected = [None, *(stored for _, stored in REDACTED), *UNCHANGED, None]
    assert redact(pa.array(texts, pa.string())).to_pylist() == expected
    assert redact(pa.array([], pa.string())).to_pylist() == []
    assert redact(pa.array([None], pa.string())).to_pylist() == [None]
