"""Free text without personal data that a pattern can find; the text stays readable: `[e-mail]`, `[phone]`."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

_EMAIL = r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
_CREDENTIALS = r"\b([a-z][a-z0-9+.-]*://)[^\s/@:]+:[^\s/@]+@"
_CARD = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
# International numbers; national ones with a trunk 0 and a separator; the North American 3-3-4.
_PHONES = (
    r"(\+|\b00)[1-9]\d{0,2}[ ./-]?(\(0?\d{1,5}\)[ ./-]?)?\d([ ./-]?\d){5,12}\b",
    r"\(?\b0\d{2,5}\)?[ /-]+\d([ -]?\d){4,9}\b",
    r"(\(\d{3}\) ?|\b\d{3}[-.])\d{3}[-.]\d{4}\b",
    r"\b1[3-9]\d{9}\b",
)
_LATIN_NAME = r"\p{Lu}[\p{L}'’.-]+( \p{Lu}[\p{L}'’.-]+){0,2}"
# (pattern, what stands there afterwards); RE2 has no look-around, so what is kept is captured.
_GREETINGS = (
    # A greeting at the start of a line, up to the comma.
    (
        rf"(?m)^(\s*(?:Dear|Hello|Hi|Hey|Good (?:morning|afternoon|evening)|Hallo|Guten (?:Tag|Morgen|Abend)|Lieber?|"
        rf"Sehr geehrter?|Bonjour|Cher|Chère|Hola|Estimad[oa])"
        rf"(?: (?:Mr|Mrs|Ms|Miss|Dr|Prof|Herr|Frau|Monsieur|Madame)\.?)*) {_LATIN_NAME}",
        r"\1 [name]",
    ),
    # A title before a name, anywhere.
    (rf"\b((?:Mr|Mrs|Ms|Herrn?|Frau)\.?) {_LATIN_NAME}", r"\1 [name]"),
    # A closing formula, then the name on the same line or the next.
    (
        rf"((?:Best|Kind|Warm) regards|Regards|Sincerely|Best wishes|Cheers|Many thanks|Mit freundlichen Grüßen|"
        rf"Freundliche Grüße|Viele Grüße|Beste Grüße|MfG|Cordialement)([,.]?\s+){_LATIN_NAME}",
        r"\1\2[name]",
    ),
    (rf"(my name is|this is|[Mm]ein Name ist|[Ii]ch heiße|je m'appelle|me llamo) {_LATIN_NAME}", r"\1 [name]"),
    (r"\[name\]( \[name\])+", "[name]"),  # a title that was taken for a name
)
_CHINESE_NAME = r"[\p{Han}]{1,3}(先生|女士|小姐|老师|经理)"
_CHINESE_SELF = r"(我叫|我是|我的名字是|姓名[::])\s?[\p{Han}]{2,3}([,。,.!!\s]|$)"


def redact(texts: pa.Array) -> pa.Array:
    """The texts with e-mail addresses, card numbers, IBANs, telephone numbers, credentials in URLs and greeted names
    replaced. Cards have to pass the Luhn test and IBANs their check digits, so that order numbers stay."""
    has_digits = pc.match_substring_regex(texts, r"\d.*\d.*\d.*\d.*\d.*\d").fill_null(False)
    texts = _replace_where(texts, pc.match_substring(texts, "@"), _without_addresses)
    texts = _replace_where(texts, has_digits, _without_numbers)
    return _replace_where(texts, pc.match_substring_regex(texts, _NAME_HINT), _without_names)


_NAME_HINT = (
    r"(?i)dear|hello|hi |hey|good |hallo|guten|liebe|geehrte|bonjour|ch[eè]re?|hola|estimad|mrs?\b|ms\b|herr|frau|"
    r"regards|sincerely|wishes|cheers|thanks|grüße|mfg|cordialement|name|this is|hei[sß]|appelle|llamo|"
    r"先生|女士|小姐|老师|经理|我叫|我是|名"
)


def _replace_where(texts: pa.Array, mask: pa.Array, change) -> pa.Array:
    """Only the texts under the mask pass through `change`: most texts hold nothing to replace."""
    mask = mask.fill_null(False)
    if not pc.any(mask).as_py():
        return texts
    return pc.replace_with_mask(texts, mask, change(texts.filter(mask)))


def _without_addresses(texts: pa.Array) -> pa.Array:
    texts = pc.replace_substring_regex(texts, _CREDENTIALS, r"\1[credentials]@")
    return pc.replace_substring_regex(texts, _EMAIL, "[e-mail]")


def _without_numbers(texts: pa.Array) -> pa.Array:
    texts = _replace_where(texts, pc.match_substring_regex(texts, r"[A-Z]{2}\d{2} ?[A-Z0-9]{2}"), _without_ibans)
    texts = _replace_where(texts, pc.match_substring_regex(texts, r"\d([ -]?\d){12}"), _without_cards)
    for pattern in _PHONES:
        texts = pc.replace_substring_regex(texts, pattern, "[phone]")
    return texts


def _without_ibans(texts: pa.Array) -> pa.Array:
    return pa.array([_IBAN.sub(_iban_or_same, text) for text in texts.to_pylist()], pa.string())


def _without_cards(texts: pa.Array) -> pa.Array:
    return pa.array([_CARD.sub(_card_or_same, text) for text in texts.to_pylist()], pa.string())


def _without_names(texts: pa.Array) -> pa.Array:
    for pattern, replacement in _GREETINGS:
        texts = pc.replace_substring_regex(texts, pattern, replacement)
    texts = pc.replace_substring_regex(texts, _CHINESE_NAME, r"[name]\1")
    return pc.replace_substring_regex(texts, _CHINESE_SELF, r"\1[name]\2")


def _card_or_same(match: re.Match) -> str:
    digits = [int(sign) for sign in match[0] if sign.isdigit()]
    doubled = [digit if index % 2 == 0 else digit * 2 - 9 * (digit > 4) for index, digit in enumerate(reversed(digits))]
    return "[card]" if sum(doubled) % 10 == 0 and len(set(digits)) > 1 else match[0]


def _iban_or_same(match: re.Match) -> str:
    """The text without the longest prefix that is an IBAN: words in capitals may follow it."""
    text = match[0]
    for end in range(len(text), 14, -1):
        compact = text[:end].replace(" ", "")
        if 15 <= len(compact) <= 34 and end and not text[end - 1].isspace():
            turned = compact[4:] + compact[:4]
            if int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1:
                return "[iban]" + text[end:]
    return text
