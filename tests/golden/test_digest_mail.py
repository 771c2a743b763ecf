"""The digest as it is sent, whole, in both languages: mail as text and as HTML, chat."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.digest_cases import SETTING, VERA, WEI, digest
from support.golden_modules import golden_module

from hansei.catalog.recipients import Recipient
from hansei.reviews.digest_message import chat_text, mail_html, mail_text

GOLDEN = Path(__file__).with_name("digests")
page_reader = golden_module("page_reader")


def papers(reader: Recipient) -> dict[str, str]:
    said = digest(reader)
    return {
        f"{reader.language}.mail.txt": mail_text(said, reader, SETTING),
        f"{reader.language}.mail.html": mail_html(said, reader, SETTING),
        f"{reader.language}.chat.txt": chat_text(said, reader, SETTING, 2000),
    }


@pytest.mark.parametrize("reader", [VERA, WEI], ids=lambda reader: reader.language)
def test_the_digest_is_the_golden_one(reader: Recipient) -> None:
    """To accept a change: look at it, then run `python tests/golden/test_digest_mail.py`."""
    for name, text in papers(reader).items():
        assert text == (GOLDEN / name).read_text("utf-8"), name


@pytest.mark.parametrize("reader", [VERA, WEI], ids=lambda reader: reader.language)
def test_the_mail_is_well_made_and_fetches_nothing(reader: Recipient) -> None:
    page = page_reader.read(papers(reader)[f"{reader.language}.mail.html"])
    assert page.faults == []
    assert len(page.elements) > 50
    assert page.headings[0] == 1 and all(
        after - before <= 1 for before, after in zip(page.headings, page.headings[1:], strict=False)
    )
    assert not {"script", "link", "img", "iframe", "form", "style"} & set(page.elements)
    addresses = [value for _, name, value in page.attributes if name in ("href", "src", "background")]
    assert addresses == ["https://desk.example.org/alarms/csat_good-2026-W08?a=1&b=2"]


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for one in (VERA, WEI):
        for file, content in papers(one).items():
            (GOLDEN / file).write_text(content, encoding="utf-8")
