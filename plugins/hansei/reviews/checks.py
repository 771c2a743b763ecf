"""Whether a document is whole before it is kept or leaves: it opens, says its headline, and no section is empty."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

from hansei.catalog.reviews import Format
from hansei.reviews.base import PaperError

SMALLEST, LARGEST = 2_000, 20_000_000  # bytes
_WITHOUT_END = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
_SECTIONS = ("section", "article")
_HEADINGS = ("h1", "h2", "h3", "h4")


def check(form: Format, content: bytes, headline: str, most_sheets: int | None = None) -> None:
    """Raises PaperError for a document that no reader should get. `headline` is what it must say.

    `most_sheets` is how many a PDF may have; a DOCX has none until a program lays it out.
    """
    if not SMALLEST <= len(content) <= LARGEST:
        raise _fault(form, f"{len(content):,} bytes are no document: between {SMALLEST:,} and {LARGEST:,} are")
    {"html": _check_html, "pdf": _check_pdf, "docx": _check_docx}[form](content, headline)
    if form == "pdf" and most_sheets is not None:
        _check_sheets(content, most_sheets)


def _fault(form: str, found: str) -> PaperError:
    return PaperError(f"{form} of the review", found, "nothing was kept; tell who maintains the templates")


def _squeezed(text: str) -> str:
    """Without space, and without the isolates around names: line breaks of a paper are not its text."""
    return re.sub(r"[\s\u2066-\u2069]+", "", text)


class _Page(HTMLParser):
    """Reads a page for what must be true of it: tags that close in order, texts of headings and sections."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, list[str], list[str]]] = []  # tag, its text, its text outside of headings
        self.faults: list[str] = []
        self.titles: list[str] = []

    def handle_starttag(self, tag: str, attributes: list) -> None:
        if tag not in _WITHOUT_END:
            self.open.append((tag, [], []))

    def handle_startendtag(self, tag: str, attributes: list) -> None:
        """A drawing's element that ends where it begins."""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1][0] != tag:
            self.faults.append(f"</{tag}> in line {self.getpos()[0]} closes what is not open")
            return
        _, text, body = self.open.pop()
        if tag == "h1":
            self.titles.append("".join(text))
        if tag in _SECTIONS and not "".join(body).strip():
            self.faults.append(f"an empty {tag} ends in line {self.getpos()[0]}")

    def handle_data(self, data: str) -> None:
        in_heading = any(tag in _HEADINGS for tag, _, _ in self.open)
        for _, text, body in self.open:
            text.append(data)
            if not in_heading:
                body.append(data)


def _check_html(content: bytes, headline: str) -> None:
    page = _Page()
    page.feed(content.decode("utf-8"))
    page.close()
    if page.open:
        page.faults.append(f"<{page.open[-1][0]}> is never closed")
    if page.faults:
        raise _fault("html", page.faults[0])
    if [_squeezed(title) for title in page.titles] != [_squeezed(headline)] or not headline.strip():
        raise _fault("html", "its headline is not there, or not alone")


def _check_pdf(content: bytes, headline: str) -> None:
    import pypdfium2

    try:
        first = pypdfium2.PdfDocument(content)[0].get_textpage().get_text_range()
    except pypdfium2.PdfiumError as error:  # also where there is no page
        raise _fault("pdf", f"cannot be opened again ({str(error).rstrip('.')})") from None
    if not headline.strip() or _squeezed(headline) not in _squeezed(first):
        raise _fault("pdf", "its headline is not on the first page")


def _check_sheets(content: bytes, most: int) -> None:
    import pypdfium2

    count = len(pypdfium2.PdfDocument(content))
    if count > most:
        raise _fault("pdf", f"has {count} sheets where {most} is asked")


def _check_docx(content: bytes, headline: str) -> None:
    import zipfile

    import docx
    from docx.opc.exceptions import PackageNotFoundError

    try:
        paragraphs = docx.Document(io.BytesIO(content)).paragraphs
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise _fault("docx", f"cannot be opened again ({type(error).__name__})") from None
    titles = [_squeezed(one.text) for one in paragraphs if one.style.name == "Title"]
    if titles != [_squeezed(headline)] or not headline.strip():
        raise _fault("docx", "its headline is not there, or not alone")
    levels = [one.style.name for one in paragraphs if one.style.name.startswith("Heading")]
    if "Heading 1" not in levels:
        raise _fault("docx", "has no headings")
