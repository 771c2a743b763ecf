"""Comments as terms: words of English, and of Chinese by its dictionary; nobody's name and no marker among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hansei.reviews.quotes import MARKER

_WORD = re.compile(r"[A-Za-z][A-Za-z'’]+")
_BEGINS = re.compile(r"(?:^|[.!?。！？;:\n])[\s\"'“(-]*$")
# Kinds of words (jieba's) that can name what a comment is about: names of things and places of work, doings, states.
_TELLING = ("n", "nz", "v", "vn", "a", "an", "l", "i", "eng")
_HAN = re.compile("[㐀-䶿一-鿿]")
_STOP = re.compile(
    r"a(?:bout|fter|gain|ll|lso|lways|nd|ny|re|s|t)?|be(?:cause|en|fore|ing)?|both|but|by|can|could|d(?:id|o|oes|oing|one)|"
    r"each|even|every(?:thing)?|few|for|from|g(?:et|ets|etting|ive|iven|o|oes|oing|one|ood|ot)|ha(?:d|s|ve|ving)|he(?:r|re)?|"
    r"hi(?:m|s)|how|i(?:f|n|nto|s|t|ts|tself)|just|know|last|like|ma(?:de|ke|ny)|me|more|most|much|must|my|need|never|new|"
    r"no(?:body|r|t|thing|w)?|of|off|on(?:ce|e|ly)?|or|other|our|out|over|own|please|really|same|see|she|should|since|so|"
    r"some(?:thing)?|still|such|take|th(?:an|at|e|eir|em|en|ere|ese|ey|ing|ings|is|ose|ree|rough)|time|to(?:o|ok)?|two|under|"
    r"until|up|us(?:e|ed)?|very|was|way|we(?:ll|re)?|wh(?:at|en|ere|ich|ile|o|y)|will|with(?:out)?|would|yes|yet|your?"
)
_STOP_HAN = re.compile(
    "没有|可以|知道|觉得|感觉|问题|时候|东西|情况|服务|公司|客服|你们|我们|不能|不会|不是|就是|还是|需要|使用|进行"
)


def terms_of(comments: Iterable[str]) -> list[list[str]]:
    """The terms of each comment, in order.

    An English word counts as it is written in small letters; at the beginning of a sentence too, if some comment writes
    it small elsewhere: what is always written large may be somebody's name. Short words in capitals (API) count.
    """
    cleaned = [MARKER.sub(" ", comment) for comment in comments]
    small = {word for comment in cleaned for word in _WORD.findall(comment) if word.islower()}
    return [[*_english(comment, small), *_chinese(comment)] for comment in cleaned]


def _english(comment: str, small: set[str]) -> Iterator[str]:
    for found in _WORD.finditer(comment):
        word = found.group().replace("’", "'")
        is_first = word.istitle() and word.lower() in small and _BEGINS.search(comment[: found.start()])
        term = word.lower() if is_first else word
        is_telling = term.islower() and len(term) > 2 and not _STOP.fullmatch(term.split("'")[0])
        if is_telling or (term.isupper() and 2 <= len(term) <= 5):
            yield term


def _chinese(comment: str) -> Iterator[str]:
    if not _HAN.search(comment):
        return
    import rjieba  # its dictionary takes 40 MB and a seventh of a second

    for word, kind in rjieba.tag(comment):
        if kind in _TELLING and len(word) > 1 and _HAN.search(word) and not _STOP_HAN.fullmatch(word):
            yield word
