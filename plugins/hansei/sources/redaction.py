"""Free text without personal data that a pattern can find; the text stays readable: `[e-mail]`, `[phone]`.

How much it finds is measured on sentences of our own (`hansei privacy measure`, docs/privacy.md). Every step runs in
RE2 over whole columns; Python sees the few texts in which something has to be checked by arithmetic.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from hansei.sources.redaction_names import NAME_HINT, without_names
from hansei.sources.redaction_numbers import without_numbers
from hansei.sources.redaction_steps import any_of, changed_where, each

MARKERS = ("e-mail", "credentials", "iban", "card", "id number", "phone", "ip address", "name")
_MARKER = re.compile(r"\[(" + "|".join(MARKERS) + r")\]")
EMAIL = r"[\p{L}\d._%+'-]+@[\p{L}\d-]+(\.[\p{L}\d-]+)*\.\p{L}{2,}"
_CREDENTIALS = r"\b([a-z][a-z0-9+.-]*://)[^\s/@:]+:[^\s/@]+@"
_SECRETS = (
    r"((?i:password|passwort|kennwort|passwd|mot de passe|contraseña|密码)(?: is| ist| est| es|是)?\s?[:=:]?\s?)"
    r"[!-~]*\d[!-~]*"
)
# International numbers; national ones with a trunk 0 and a separator; French pairs; the North American 3-3-4; mobile
# numbers in one piece; Spanish triples; anything behind a word that says what it is.
PHONES = (
    r"(\+|\b00)[1-9]\d{0,2}[ ./-]?(\(0?\d{1,5}\)[ ./-]?)?\d([ ./-]?\d){5,12}\b",
    r"\(?\b0\d{2,5}\)?[ /-]+\d([ -]?\d){4,9}\b",
    r"\b0[1-9]((?: \d{2}){4}|(?:\.\d{2}){4}|(?:-\d{2}){4})\b",
    r"(\(\d{3}\) ?|\b\d{3}[-.])\d{3}[-.]\d{4}\b",
    r"\b1[3-9]\d([ -]?)\d{4}[ -]?\d{4}\b",
    r"\b(01[5-7]\d{8,9}|0[67]\d{8,9})\b",
    r"\b[679]\d{2}( \d{3} \d{3}|-\d{3}-\d{3}| \d{2} \d{2} \d{2})\b",
    r"\b[89]\d \d{3} \d{2} \d{2}\b",
)
_CALLED = (
    r"((?i:\b(?:tel|phone|telephone|telefon|telefonnummer|mobile|mobil|handy|cell|fax|téléphone|tel[eé]fono|móvil|"
    r"whatsapp|call me (?:on|at))\b|电话|手机|座机|传真)[^\d\n+]{0,12})\(?\d([ ./()-]{0,2}\d){5,13}\b"
)
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]\d|\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_IP_SEARCHED = r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b|[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*[0-9A-Fa-f]"
_DIGITS = r"\d(?:[^\d\n]{0,2}\d){5}|[A-Z]{5}\d{4}[A-Z]"
# One look spares most texts every other: what no part of it finds, no step would change.
_SUSPECT = any_of("@", _SECRETS, _DIGITS, _IP_SEARCHED, NAME_HINT)
# A version number of four parts looks like an address.
_VERSION_BEFORE = re.compile(r"(?i)(?:\bv|versi[oó]n|versione|versie|release|build|firmware|driver|treiber|版本)[ :]?$")


def redact(texts: pa.Array) -> pa.Array:
    """The texts with e-mail addresses, credentials, bank accounts, cards, identity and telephone numbers, public IP
    addresses, and the names that greetings, titles and signatures tell, each replaced by a marker of MARKERS. What has
    check digits has to pass them, so that order numbers stay."""
    return changed_where(texts, _SUSPECT, _redacted)


def _redacted(texts: pa.Array) -> pa.Array:
    digits = pc.match_substring_regex(texts, _DIGITS)  # before an address of many digits has gone
    texts = changed_where(texts, "@", _without_addresses)
    texts = changed_where(texts, _SECRETS, _without_secrets)
    texts = pc.replace_with_mask(texts, digits, _without_digits(texts.filter(digits)))
    texts = changed_where(texts, _IP_SEARCHED, each(lambda text: _IPV6.sub(_ip_or_same, _IPV4.sub(_ip_or_same, text))))
    return without_names(texts)


def _without_addresses(texts: pa.Array) -> pa.Array:
    texts = pc.replace_substring_regex(texts, _CREDENTIALS, r"\1[credentials]@")
    return pc.replace_substring_regex(texts, EMAIL, "[e-mail]")


def _without_secrets(texts: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(texts, _SECRETS, r"\1[credentials]")


def _without_digits(texts: pa.Array) -> pa.Array:
    return changed_where(without_numbers(texts), any_of(*PHONES, _CALLED), _without_phones)


def _without_phones(texts: pa.Array) -> pa.Array:
    for pattern in PHONES:
        texts = pc.replace_substring_regex(texts, pattern, "[phone]")
    return pc.replace_substring_regex(texts, _CALLED, r"\1[phone]")


def _ip_or_same(match: re.Match[str]) -> str:
    """Public addresses go; private ones, and those kept for examples, tell of a network and not of a person."""
    try:
        is_public = ipaddress.ip_address(match[0]).is_global
    except ValueError:
        return match[0]
    is_version = bool(_VERSION_BEFORE.search(match.string[: match.start()]))
    return "[ip address]" if is_public and not is_version else match[0]


def may_hold_personal_data(texts: pa.Array) -> pa.Array:
    """Whether it is worth looking closer: an @, six digits close together, or a greeting, a title or a closing."""
    signs = pc.match_substring_regex(texts, r"@|\d(?:[^\d\n]{0,2}\d){5}|[A-Z]{5}\d{4}[A-Z]| |\p{Han}")
    return signs.fill_null(False)


def findings(texts: pa.Array) -> dict[str, list[str]]:
    """What the redaction would take out of the texts, by kind: the pieces themselves, at most one of a kind per text.

    For counting and shapes only: a piece must be shown to nobody.
    """
    found: dict[str, list[str]] = {kind: [] for kind in MARKERS}
    stored = redact(texts)
    changed = pc.not_equal(texts, stored).fill_null(False)
    for before, after in zip(texts.filter(changed).to_pylist(), stored.filter(changed).to_pylist(), strict=True):
        told = {kind: piece for kind, piece in replaced_pieces(before, after) if piece}
        for kind, piece in told.items():
            found[kind].append(piece)
    return {kind: pieces for kind, pieces in found.items() if pieces}


def replaced_pieces(text: str, stored: str) -> list[tuple[str, str]]:
    """(kind, piece) for every marker that the redaction set; a piece is empty where it cannot be told."""
    pieces = _MARKER.split(stored)
    already = Counter(_MARKER.findall(text))
    literals, kinds = pieces[::2], pieces[1::2]
    match = re.fullmatch("(.+?)".join(re.escape(literal) for literal in literals), text, re.DOTALL)
    told = []
    for number, kind in enumerate(kinds, start=1):
        piece = match[number] if match else "?"
        if piece != f"[{kind}]":  # a marker that stood there before
            told.append((kind, piece))
    return told if match else [(kind, piece) for kind, piece in told if already[kind] < kinds.count(kind)]
