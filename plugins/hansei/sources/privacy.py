"""Personal data before it is stored: pseudonyms by keyed hash, redacted text, encrypted payloads.

A pseudonym is the HMAC-SHA256 (RFC 2104) of the normalised value, as hex, with one key for all sources. It is
computed inside DuckDB, so that a million addresses cost about a second; the tests hold it against Python's `hmac`.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc
from cryptography.fernet import Fernet, InvalidToken

from hansei.catalog.entities import Column, IdentityKind
from hansei.catalog.privacy import PrivacyRules, Treatment
from hansei.errors import SettingsError
from hansei.settings import Settings
from hansei.sources.coarsening import generalised, masked
from hansei.sources.redaction import redact
from hansei.sources.scratch import Scratch, flat, positions

ENCRYPTED = "$encrypted"
_BLOCK = 64  # block size of SHA-256 in bytes


def key_id(settings: Settings) -> str:
    """Twelve hex digits that tell which identity key was used, and nothing about it."""
    return hashlib.sha256(b"hansei-key-id" + settings.require_identity_key().encode()).hexdigest()[:12]


def cipher(settings: Settings) -> Fernet:
    """The cipher of quarantined payloads and unclassed values; raises SettingsError where the key is no Fernet key."""
    try:
        return Fernet(settings.require_quarantine_key())
    except ValueError:
        found = "not a Fernet key"
        raise SettingsError("HANSEI_QUARANTINE_KEY", found, "`hansei keys` prints a fresh one") from None


class Privacy:
    """Applies the treatment of each column; `rules` are those of the service."""

    def __init__(self, settings: Settings, scratch: Scratch, rules: PrivacyRules | None = None) -> None:
        self._settings, self._scratch, self._rules = settings, scratch, rules

    def treatment(self, entity: str, name: str, column: Column) -> Treatment:
        """What the service does with the column where its source says nothing."""
        return self._rules.treatment(entity, name, column)

    def protect(self, values: pa.ChunkedArray, column: Column, treatment: Treatment) -> pa.ChunkedArray:
        """The values as they may be stored."""
        if treatment.kind == "keep":
            return values
        if treatment.kind == "drop":
            return pa.chunked_array([pa.nulls(len(values), values.type)])
        return pa.chunked_array([self._changed(flat(values), column, treatment)])

    def _changed(self, values: pa.Array, column: Column, treatment: Treatment) -> pa.Array:
        if treatment.kind == "redact":
            return redact(values)
        if treatment.kind == "mask":
            return masked(values, treatment.last)
        if treatment.kind == "generalise":
            return generalised(values, treatment)
        return self.pseudonyms(values, column.identity or "person")

    def pseudonyms(self, values: pa.Array, kind: IdentityKind) -> pa.Array:
        """HMAC-SHA256 of each normalised value in hex; NULL where nothing is left of it."""
        distinct = values.dictionary_encode()
        normal = normalise(distinct.dictionary, kind)
        return keyed_hashes(normal, self._settings.require_identity_key(), self._scratch).take(distinct.indices)


def keyed_hashes(values: pa.Array, secret: str, scratch: Scratch) -> pa.Array:
    """HMAC-SHA256 of each text under the secret, in hex; NULL stays NULL."""
    key = secret.encode()
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    padded = key.ljust(_BLOCK, b"\0")
    outer, inner = (bytes(byte ^ pad for byte in padded) for pad in (0x5C, 0x36))
    table = pa.table({"value": values.cast(pa.string()), "position": positions(len(values))})
    query = (
        "SELECT CASE WHEN value IS NOT NULL THEN"
        " sha256(?::BLOB || unhex(sha256(?::BLOB || encode(value)))) END AS hashed, position FROM raw"
    )
    return flat(scratch.select_ordered(query, "position", [outer, inner], raw=table)["hashed"])


def normalise(values: pa.Array, kind: IdentityKind) -> pa.Array:
    """The form in which two spellings of one identity are equal; NULL where it is empty.

    email: stripped, case-folded. phone: digits, with a leading + where there was one (00 counts as +).
    name, person: NFKC, case-folded, single spaces.
    """
    if kind == "phone":
        digits = pc.replace_substring_regex(values, r"[^\d+]", "")
        digits = pc.replace_substring_regex(digits, r"^00", "+")
        plain = pc.replace_substring_regex(pc.replace_substring_regex(digits, r"^\+", "p"), r"\+", "")
        folded = pc.replace_substring_regex(plain, r"^p", "+")
        return pc.if_else(pc.is_in(folded, pa.array(["", "+"])), None, folded)
    stripped = pc.utf8_trim_whitespace(values)
    if kind != "email":
        stripped = pc.utf8_trim_whitespace(pc.replace_substring_regex(stripped, r"\s+", " "))
    lowered = pc.utf8_lower(stripped)
    is_plain = pc.match_substring_regex(stripped, r"^[\x00-\x7F]*$").fill_null(True)
    if not pc.all(is_plain).as_py():  # Unicode folding costs Python time, so only for what is not ASCII
        odd = stripped.filter(pc.invert(is_plain)).dictionary_encode()
        folded = pa.array([_fold(text, kind) for text in odd.dictionary.to_pylist()], pa.string())
        lowered = pc.replace_with_mask(lowered, pc.invert(is_plain), folded.take(odd.indices))
    return pc.if_else(pc.equal(lowered, ""), None, lowered)


def _fold(text: str, kind: IdentityKind) -> str:
    if kind == "email":
        return text.strip().casefold()
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def seal_extra(private: pa.Array, plain: pa.Array, seal: Fernet) -> pa.Array:
    """Unmapped fields as one JSON object a row: declared plain ones as they are, the others encrypted together.

    private, plain: JSON objects as text, or NULL. Returns NULL where a row has neither.
    """
    sealed = []
    for secret, visible in zip(private.to_pylist(), plain.to_pylist(), strict=True):
        if secret is None:
            sealed.append(visible)
            continue
        token = json.dumps({ENCRYPTED: seal.encrypt(secret.encode()).decode()})
        sealed.append(token if visible is None else visible[:-1] + ", " + token[1:])
    return pa.array(sealed, pa.string())


def open_extra(extra: str, settings: Settings) -> dict:
    """The unmapped fields of one row, decrypted."""
    fields = json.loads(extra)
    token = fields.pop(ENCRYPTED, None)
    return {**fields, **(json.loads(unseal(token.encode(), settings)) if token else {})}


def unseal(token: bytes, settings: Settings) -> bytes:
    """What was encrypted; raises SettingsError where the quarantine key is not the one that encrypted it."""
    try:
        return cipher(settings).decrypt(token)
    except InvalidToken:
        found = "is not the key that encrypted this payload"
        raise SettingsError("HANSEI_QUARANTINE_KEY", found, "restore the key that was in force then") from None
