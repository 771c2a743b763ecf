"""The mails and chat messages of hand-made evidence, as they are sent."""

from __future__ import annotations

from types import ModuleType

from hansei.reviews.brief import Brief, compose
from hansei.reviews.rendering import review_words
from hansei.reviews.review_message import ReviewSetting

LINK = "https://desk.example.org/reviews/weekly_brief/2026-11-02/brief.html"
REASONS = {"en": "You get this because you answer for service-desk.", "zh_CN": "您负责service-desk，因此收到本邮件。"}


def told(cases: ModuleType, case: str, language: str) -> tuple[Brief, ReviewSetting]:
    """The brief of a case in a language, and to whom it goes."""
    words = review_words(cases.evidence(case), language)
    parts = {} if case == "hostile" else cases.parts()
    return compose(cases.evidence(case), parts, words), ReviewSetting(words, LINK, REASONS[language])
