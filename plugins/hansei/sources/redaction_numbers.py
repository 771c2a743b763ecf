"""Numbers that name a person: identity, tax and insurance numbers of some thirty countries, cards, bank accounts.

Each is found by its shape and, where it has them, by its check digits (python-stdnum), so that order numbers stay. A
shape that one random number in a hundred would pass counts only behind a word that says what it is (`context`).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import pyarrow as pa

from hansei.sources.redaction_steps import any_of, changed_where, each

_IBAN_LENGTHS = (15, 34)


@dataclass(frozen=True)
class NumberKind:
    """One kind of number: `shape` in the syntax that RE2 and Python share, the module of python-stdnum that checks it,
    and the words before it without which it does not count."""

    id: str
    shape: str
    check: str = ""
    context: str = ""

    @cached_property
    def searched(self) -> str:
        """Pattern for RE2: whether a text may hold one."""
        return self._before + rf"\b(?:{self.shape})\b"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Pattern for Python; group 1 is what stays before the number, group 2 the number."""
        # Only letters of ASCII go on a number: Chinese is written without spaces.
        return re.compile(rf"({self._before})(?<![0-9A-Za-z_+])((?:{self.shape}))(?![0-9A-Za-z_])")

    @property
    def _before(self) -> str:
        return rf"(?i:{self.context})[^\d\n]{{0,24}}?" if self.context else ""

    def without(self, text: str) -> str:
        """The text with each such number as a marker."""
        marker = "[card]" if self.id == "card" else "[id number]"
        return self.pattern.sub(lambda match: match[1] + (marker if self.holds(match[2]) else match[2]), text)

    def holds(self, number: str) -> bool:
        """Whether the number passes its check digits, dates and forbidden ranges."""
        return not self.check or _checker(self.check)(number)


@cache
def _checker(name: str) -> Callable[[str], bool]:
    own = {"card": _is_card, "gb.nino": _is_nino}
    return own.get(name) or importlib.import_module(f"stdnum.{name}").is_valid


ID_KINDS = (
    NumberKind("us_ssn", r"\d{3}-\d{2}-\d{4}", "us.ssn"),
    NumberKind("us_ssn", r"\d{9}", "us.ssn", r"\bssn\b|social security"),
    NumberKind("gb_nino", r"[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]", "gb.nino"),
    NumberKind("gb_nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb.nhs", r"\bnhs\b"),
    NumberKind("ie_pps", r"\d{7}[A-W][A-IW]?", "ie.pps"),
    NumberKind("de_steuer_id", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "de.idnr"),
    NumberKind("at_svnr", r"\d{4} ?\d{6}", "at.vnr", r"sv-?nr|svnr|sozialversicherungsnummer"),
    NumberKind("ch_ahv", r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}", "ch.ssn"),
    NumberKind("fr_nir", r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", "fr.nir"),
    NumberKind("be_nn", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", "be.nn"),
    NumberKind("nl_bsn", r"\d{9}|\d{4}\.\d{2}\.\d{3}", "nl.bsn", r"\bbsn\b|burgerservicenummer|sofi"),
    NumberKind("es_dni", r"\d{8}[ -]?[A-Z]", "es.dni"),
    NumberKind("es_nie", r"[XYZ][ -]?\d{7}[ -]?[A-Z]", "es.nie"),
    NumberKind("pt_nif", r"\d{3} ?\d{3} ?\d{3}", "pt.nif", r"\bnif\b|contribuinte"),
    NumberKind("it_codice_fiscale", r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", "it.codicefiscale"),
    NumberKind("gr_amka", r"\d{11}", "gr.amka", r"amka|αμκα"),
    NumberKind("pl_pesel", r"\d{11}", "pl.pesel", r"pesel"),
    NumberKind("cz_rodne_cislo", r"\d{6}/\d{3,4}", "cz.rc"),
    NumberKind("ro_cnp", r"\d{13}", "ro.cnp"),
    NumberKind("bg_egn", r"\d{10}", "bg.egn", r"egn|егн"),
    NumberKind("se_personnummer", r"(?:19|20)?\d{6}[-+]\d{4}", "se.personnummer"),
    NumberKind("se_personnummer", r"(?:19|20)?\d{10}", "se.personnummer", r"personnummer"),
    NumberKind("no_fodselsnummer", r"\d{6} ?\d{5}", "no.fodselsnummer"),
    NumberKind("dk_cpr", r"\d{6}-?\d{4}", "dk.cpr", r"\bcpr\b"),
    NumberKind("fi_hetu", r"\d{6}[-+A]\d{3}[0-9A-FHJ-NPR-Y]", "fi.hetu"),
    NumberKind("tr_kimlik", r"[1-9]\d{10}", "tr.tckimlik"),
    NumberKind("il_id", r"\d{8,9}", "il.idnr", r"teudat zehut|israeli id"),
    NumberKind("za_id", r"\d{13}", "za.idnr", r"\bid\b|identity"),
    NumberKind("cn_resident_id", r"\d{17}[\dXx]", "cn.ric"),
    NumberKind("kr_rrn", r"\d{6}-[1-8]\d{6}", "kr.rrn"),
    NumberKind("in_aadhaar", r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", "in_.aadhaar", r"aadhaa?r"),
    NumberKind("in_pan", r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]", "in_.pan"),
    NumberKind("br_cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br.cpf"),
    NumberKind("br_cpf", r"\d{11}", "br.cpf", r"\bcpf\b"),
    NumberKind("mx_curp", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d", "mx.curp"),
    NumberKind("ca_sin", r"\d{3}[ -]?\d{3}[ -]?\d{3}", "ca.sin", r"\bsin\b|social insurance"),
    NumberKind("au_tfn", r"\d{3} ?\d{3} ?\d{3}", "au.tfn", r"\btfn\b|tax file"),
    NumberKind(
        "passport",
        r"[A-Z]{0,3}\d[A-Z0-9]{5,8}",
        "",
        r"passport|passeport|pasaporte|passaporto|reisepass|personalausweis|ausweisnummer|护照",
    ),
)
CARD = NumberKind("card", r"\d(?:[ -]?\d){12,18}", "card")
_CARD_ISSUED = re.compile(
    r"4\d{12}|4\d{15}|4\d{18}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[0689]\d{12,14}|35\d{14}|6\d{15,18}|5[0678]\d{14,17}"
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
IBAN_SEARCHED = r"\b[A-Z]{2}\d{2} ?[A-Z0-9]{2}"
_ANY_ID = any_of(*(kind.searched for kind in ID_KINDS))
# What each shape needs at least: a quick look spares most texts the long one.
_ANY_HINT = (
    r"\d(?:[ ./-]?\d){6}|[A-Z]{4}\S?\d{4}|[A-Z]{6}\d{2}|[A-Z]{2} ?\d{2} ?\d{2}|[XYZ][ -]?\d{7}|"
    r"(?i:pass|pasa|ausweis|护照)"
)


def without_numbers(texts: pa.Array) -> pa.Array:
    """The texts with bank accounts, cards and identity numbers as `[iban]`, `[card]` and `[id number]`."""
    texts = changed_where(texts, IBAN_SEARCHED, each(lambda text: _IBAN.sub(_iban_or_same, text)))
    texts = changed_where(texts, CARD.searched, each(CARD.without))
    return changed_where(texts, _ANY_HINT, lambda maybe: changed_where(maybe, _ANY_ID, _without_ids))


def _without_ids(texts: pa.Array) -> pa.Array:
    for kind in ID_KINDS:
        texts = changed_where(texts, kind.searched, each(kind.without))
    return texts


def id_kinds_in(text: str) -> Iterator[str]:
    """Id of each kind of identity number that the text holds, once per number."""
    for kind in ID_KINDS:
        yield from (kind.id for match in kind.pattern.finditer(text) if kind.holds(match[2]))


def _is_card(number: str) -> bool:
    """Luhn's test, for the beginnings and lengths that card issuers use."""
    digits = [int(sign) for sign in number if sign.isdigit()]
    if not _CARD_ISSUED.fullmatch("".join(map(str, digits))):
        return False
    doubled = [digit if index % 2 == 0 else digit * 2 - 9 * (digit > 4) for index, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _is_nino(number: str) -> bool:
    """A NINO has no check digit, but prefixes that were never given out."""
    return number[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _iban_or_same(match: re.Match[str]) -> str:
    """The text without the longest prefix that is an IBAN: words in capitals may follow it."""
    text = match[0]
    for end in range(len(text), _IBAN_LENGTHS[0] - 1, -1):
        compact = text[:end].replace(" ", "")
        if _IBAN_LENGTHS[0] <= len(compact) <= _IBAN_LENGTHS[1] and not text[end - 1].isspace():
            turned = compact[4:] + compact[:4]
            if int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1:
                return "[iban]" + text[end:]
    return text
