"""A review as it is mailed and said in a chat: golden parts, nothing fetched, small enough, every figure known."""

from __future__ import annotations

import email
import re
from dataclasses import replace
from email import policy
from pathlib import Path
from types import ModuleType

import pytest
from support.golden_modules import golden_module
from support.mail_server import mail_server
from support.review_mails import LINK, told

from hansei.connections import Connection
from hansei.reviews import review_message
from hansei.reviews.mail import open_mail
from hansei.reviews.review_message import CHAT_LINES, MOST_BYTES, review_chat, review_mail

GOLDEN = Path(__file__).with_name("review_mails")
LANGUAGES = ("en", "zh_CN")
PDF = b"%PDF-1.7 not one, but it travels like one"


@pytest.fixture(autouse=True)
def _any_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said does not hang on the fonts of this machine."""
    monkeypatch.setattr(review_message, "writes", lambda language: True)


def test_without_fonts_the_mail_has_no_charts(cases: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_message, "writes", lambda language: False)
    brief, setting = told(cases, "breaching", "en")
    mail = review_mail(brief, setting)
    assert mail.pictures == () and "<img" not in mail.html and brief.decisions[0][0].value in mail.html


def messages(cases: ModuleType, language: str) -> dict[str, str]:
    brief, setting = told(cases, "breaching", language)
    mail = review_mail(brief, setting, {"pdf": PDF})
    return {
        f"{language}.mail.txt": f"{mail.subject}\n\n{mail.text}",
        f"{language}.mail.html": mail.html.replace(brief.hash[:12], "HASH"),
        f"{language}.chat.txt": review_chat(brief, setting) + "\n",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_messages_are_the_golden_ones(cases: ModuleType, language: str) -> None:
    """To accept a change: look at it, then run `python tests/golden/test_review_mail.py`."""
    for name, text in messages(cases, language).items():
        assert text == (GOLDEN / name).read_text("utf-8"), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mail_is_well_made_small_and_fetches_nothing(cases: ModuleType, case: str, language: str) -> None:
    brief, setting = told(cases, case, language)
    mail = review_mail(brief, setting, {"pdf": PDF})
    page = golden_module("page_reader").read(mail.html)
    assert page.faults == []
    assert len(mail.html.encode()) < 60_000 < MOST_BYTES
    assert page.headings[0] == 1 and set(page.headings) <= {1, 2}
    assert not {"script", "link", "iframe", "form", "svg"} & set(page.elements)
    # Nothing hangs on the style sheet but what a telephone leaves out: many mail programs drop it.
    assert re.findall(r"<style>(.*?)</style>", mail.html, re.S) == [
        "@media (max-width:480px){.before{display:none!important}}"
    ]
    shown = [value for element, name, value in page.attributes if (element, name) == ("img", "src")]
    assert shown == [f"cid:{picture.content_id}" for picture in mail.pictures]
    assert [value for _, name, value in page.attributes if name in ("href", "background")] == [LINK]
    alternatives = [value for element, name, value in page.attributes if (element, name) == ("img", "alt")]
    assert len(alternatives) == len(mail.pictures) == len(brief.decisions)
    assert all(len(spoken) > 30 for spoken in alternatives)
    assert all(picture.content.startswith(b"\x89PNG") for picture in mail.pictures)
    assert "\n" not in mail.subject and brief.headline.title in mail.subject
    for decision, _ in brief.decisions:
        assert decision.value in mail.text and decision.limit in mail.text and decision.title in mail.text


def test_what_is_not_ready_is_said_first(cases: ModuleType) -> None:
    brief, setting = told(cases, "waiting", "en")
    mail = review_mail(brief, setting)
    first = brief.headline.not_ready[0]
    for text in (mail.text, mail.html, review_chat(brief, setting)):
        assert first in text
    assert mail.text.index(first) < mail.text.index(brief.headline.title)
    assert mail.html.index(first) < mail.html.index("<h1")
    assert mail.files == () and "attached" not in mail.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_chat_message_has_five_lines(cases: ModuleType, case: str, language: str) -> None:
    brief, setting = told(cases, case, language)
    lines = review_chat(brief, setting).splitlines()
    assert 3 <= len(lines) <= CHAT_LINES and all(lines)
    assert brief.headline.title in lines[0] and lines[-1].endswith(LINK)
    assert [line[0] for line in lines[1 : 1 + len(brief.decisions)]] == [
        {"critical": "▲", "warning": "◆"}[decision.breach.level] for decision, _ in brief.decisions
    ]
    assert len("\n".join(lines)) < 2000


def test_every_figure_of_the_messages_is_in_the_evidence(cases: ModuleType, case: str) -> None:
    brief, setting = told(cases, case, "en")
    mail = review_mail(brief, setting)
    page = golden_module("page_reader").read(mail.html)
    spoken = "\n".join(v for e, n, v in page.attributes if (e, n) == ("img", "alt"))
    for text in (mail.text, page.text, spoken, review_chat(brief, setting)):
        said = text.replace(LINK, "")
        assert golden_module("test_brief").strangers(said, cases.evidence(case)) == []


def test_a_very_long_review_lists_fewer_rows(cases: ModuleType) -> None:
    brief, setting = told(cases, "breaching", "en")
    more = tuple(replace(item, id=f"{item.id}_{n}") for item in brief.indicators for n in range(7))
    mail = review_mail(replace(brief, indicators=(*brief.indicators, *more)), setting)
    assert "64 more indicators are in the review." in mail.text
    assert len(mail.html.encode()) < MOST_BYTES


def lines(part: email.message.EmailMessage) -> str:
    """A part's text with our line ends: those of the wire are CRLF."""
    return part.get_content().replace("\r\n", "\n")


@pytest.mark.parametrize("case", ["breaching", "hostile"])
def test_the_mail_arrives_with_its_pictures_and_its_file(cases: ModuleType, case: str) -> None:
    brief, setting = told(cases, case, "zh_CN")
    mail = review_mail(brief, setting, {"pdf": PDF})
    with mail_server() as server:
        extra = {"from_email": "hansei@example.org", "to": "vera@example.org", "disable_ssl": True, "disable_tls": True}
        connection = Connection("mail", "smtp", "127.0.0.1", port=server.port, extra=extra)
        open_mail(connection, "vera").send(mail.message("<one@example.org>"))
        (arrived,) = server.taken
    assert arrived["Subject"] == mail.subject and arrived["Message-ID"] == "<one@example.org>"
    assert arrived["Content-Language"] == "zh-CN" and arrived.get_content_type() == "multipart/mixed"
    body, *files = arrived.iter_parts()
    assert body.get_content_type() == "multipart/alternative"
    text, related = body.iter_parts()
    assert text.get_content_type() == "text/plain" and lines(text) == mail.text
    assert related.get_content_type() == "multipart/related"
    page, *pictures = related.iter_parts()
    assert page.get_content_type() == "text/html" and lines(page) == mail.html
    assert [p["Content-ID"].strip("<>") for p in pictures] == [p.content_id for p in mail.pictures]
    assert all(f'src="cid:{p["Content-ID"].strip("<>")}"' in mail.html for p in pictures)
    assert [p.get_content() for p in pictures] == [p.content for p in mail.pictures]
    assert all(p.get_content_disposition() == "inline" for p in pictures)
    (file,) = files
    assert (file.get_filename(), file.get_content_type()) == ("weekly_brief-2026-11-02.pdf", "application/pdf")
    assert file.get_content() == PDF and file.get_content_disposition() == "attachment"


def test_a_mail_on_the_wire_is_ascii_in_short_lines(cases: ModuleType) -> None:
    """RFC 5321: a server that knows no extension takes it all the same."""
    brief, setting = told(cases, "hostile", "zh_CN")
    extra = {"from_email": "hansei@example.org", "to": "vera@example.org"}
    channel = open_mail(Connection("mail", "smtp", "127.0.0.1", extra=extra), "vera")
    wire = channel.compose(review_mail(brief, setting, {"pdf": PDF}).message("<one@example.org>")).as_bytes()
    assert wire.isascii() and max(map(len, wire.split(b"\r\n"))) <= 998
    assert email.message_from_bytes(wire, policy=policy.default)["Subject"] == review_mail(brief, setting).subject


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for one in LANGUAGES:
        for file, content in messages(golden_module("brief_cases"), one).items():
            (GOLDEN / file).write_text(content, encoding="utf-8")


def test_the_mail_has_scorecard_risks_and_outlook_in_short(cases: ModuleType) -> None:
    brief, setting = told(cases, "breaching", "en")
    mail = review_mail(brief, setting)
    heads = [mail.text.index(f"\n{head}\n") for head in ("Scorecard", "Risks", "Outlook")]
    assert heads == sorted(heads) and "66 of 100 points" in mail.text
    assert "extreme, score 20; owner service-desk" in mail.text and "above 99" in mail.text
    bare = review_mail(replace(brief, cards=(), registers=(), outlook=None), setting)
    assert "The wider view" in mail.html and "The wider view" not in bare.html and "Outlook" not in bare.text


def test_an_outlook_without_a_limit_promises_nothing(cases: ModuleType) -> None:
    brief, setting = told(cases, "breaching", "en")
    unlimited = [outlook.model_copy(update={"chances": ()}) for outlook in brief.evidence.outlooks]
    evidence = brief.evidence.model_copy(update={"outlooks": tuple(unlimited)})
    assert "\nOutlook\n" not in review_mail(replace(brief, evidence=evidence), setting).text
