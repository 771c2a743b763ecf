"""Which comments may be quoted, and how much of them: nobody's name, no marker of what went, cut at a word's end.

The redaction finds names by their place in a letter. A name within a sentence ("Jessica was rude") it cannot know, so a
comment in which one may stand is passed over here: there are others to quote.
"""

from __future__ import annotations

import re

MOST_QUOTES = 3
LONGEST = 200
# What stands where something was taken out of a comment.
MARKER = re.compile(r"\[[a-z -]+\]")
_SENTENCE = re.compile(r"[.!?。！？;:\n]+\s*")
_CAPITALISED = re.compile(r"[A-Z][a-z'’-]+")
# What begins a sentence about somebody: `Jessica was`, `Jessica never`.
_ABOUT = re.compile(
    r"([A-Z][a-z'’-]+)\s+(?:is|was|did|does|has|had|kept|told|said|helped|knew|knows|could|would|never|always|also|just|"
    r"explained|solved|fixed|sent|called|answered|promised|forgot|and\s+[A-Z])\b"
)
_NOBODY = re.compile(
    r"I|It|This|That|These|Those|He|She|We|You|They|There|Who|What|Which|Nobody|Somebody|Someone|Everybody|Everyone|"
    r"Everything|Something|Nothing|None|No|Not|All|Some|Any|Each|Every|One|Both|Several|Many|Most|Support|Service|Staff|"
    r"Agents?|Colleagues?|Team|Helpdesk|Desk|Hotline|Bot|Chatbot|Answers?|Reply|Response|Problem|Ticket|Issue|Error|System|"
    r"Invoice|Login|Password|Access|Waiting|Communication|Time|Quality|Attitude|Tone"
)
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何罗郑梁谢宋许韩邓冯曹彭曾萧田董潘袁蔡蒋余杜叶苏吕丁卢姚沈钟姜"
_HAN_CALLED = re.compile(f"[小老阿][{_SURNAMES}]|[{_SURNAMES}](?:工|姐|哥|总|师傅|经理|老师|先生|女士|小姐)")
_HAN_ENDS = re.compile(r"[，。；！？、：,;!?]")


def is_quotable(comment: str, language: str) -> bool:
    """Whether a redacted comment may be shown: in English or Chinese, whole, and without what may be a name."""
    if language not in ("en", "zh") or MARKER.search(comment) or _HAN_CALLED.search(comment):
        return False
    for sentence in filter(None, _SENTENCE.split(comment)):
        words = re.findall(r"[A-Za-z'’-]+", sentence)
        if any(_CAPITALISED.fullmatch(word) and not _NOBODY.fullmatch(word) for word in words[1:]):
            return False
        about = _ABOUT.match(sentence.lstrip(" \"'“(-"))
        if about and not _NOBODY.fullmatch(about.group(1)):
            return False
    return True


def cut(comment: str, longest: int = LONGEST) -> str:
    """The comment on one line; a longer one ends at a word's end, in Chinese at a mark if one is near, with `…`."""
    line = " ".join(comment.split())
    if len(line) <= longest:
        return line
    kept = line[: longest - 1]
    if line[longest - 1] != " ":
        whole, _, rest = kept.rpartition(" ")
        marks = [found.end() for found in _HAN_ENDS.finditer(kept)]
        if whole and len(rest) <= 40:
            kept = whole
        elif marks and marks[-1] > longest // 2:
            kept = kept[: marks[-1]]
    return kept.rstrip(" ，、；：,;:-") + "…"
