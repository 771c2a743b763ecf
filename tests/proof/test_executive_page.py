"""One page is one sheet of A4, whatever has to go on it. Where Pango or a font is not there, this is skipped."""

from __future__ import annotations

import pypdfium2
import pytest
from support.executive_pages import crowded, on_one_page
from support.golden_modules import golden_module

from hansei.reviews.base import NotInstalled, PaperError
from hansei.reviews.brief import compose
from hansei.reviews.checks import check
from hansei.reviews.papers import make
from hansei.reviews.rendering import review_words

pytestmark = pytest.mark.proof
CASES = ("breaching", "crowded", "hostile", "quiet", "scarce", "waiting")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("case", CASES)
def test_the_pdf_is_one_sheet_that_says_what_it_leaves_out(case: str, language: str) -> None:
    cases = golden_module("brief_cases")
    evidence = crowded(cases) if case == "crowded" else on_one_page(cases.evidence(case))
    words = review_words(evidence, language)
    brief = compose(evidence, {}, words)
    try:
        content = make("pdf", brief, words)
    except (NotInstalled, OSError) as error:
        pytest.skip(str(error))
    document = pypdfium2.PdfDocument(content)
    assert len(document) == 1
    width, height = document[0].get_size()
    assert (round(width), round(height)) == (595, 842)
    text = "".join(document[0].get_textpage().get_text_range().split())
    assert "".join(words.say("executive.in_full").split()) in text
    if case == "crowded":
        assert "".join(words.say("executive.more_decisions", count=17).split()) in text
        with pytest.raises(PaperError, match="has 1 sheets where 0 is asked"):
            check("pdf", content, brief.headline.title, most_sheets=0)
