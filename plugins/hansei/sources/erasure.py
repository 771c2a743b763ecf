"""Rows without the persons who were erased: a keyed hash stands where a key or an address named somebody.

The hash is the same in every row and at every extraction, so that counts of persons, repeats and links stay what they
were; without the key it leads to nobody. Only hashes are kept, never what they were made of.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog.entities import Entity
from hansei.settings import Settings
from hansei.sources.fields import RAW_ROW
from hansei.sources.keys import content_hashes
from hansei.sources.privacy import keyed_hashes
from hansei.sources.scratch import Scratch, flat, positions

ERASED_TEXT = "[erased]"
TOKEN = r"(^|:)erased-[0-9a-f]{24}$"
# The same for SQL, in which a colon would begin a parameter.
LIKE_TOKEN = "%erased-________________________"


def person_columns(entity: Entity) -> tuple[str, ...]:
    """Key columns that name a customer; `actor_id` does where `actor_kind` is customer."""
    own = [name for name, column in entity.columns.items() if column.references == "customers"]
    own += [entity.key] if entity.id == "customers" else []
    return (*own, *(["actor_id"] if {"actor_id", "actor_kind"} <= set(entity.columns) else []))


def address_columns(entity: Entity) -> tuple[str, ...]:
    """Columns with the pseudonym of a customer's e-mail address."""
    if entity.id == "agents":
        return ()
    return tuple(name for name, column in entity.columns.items() if column.identity == "email")


def text_columns(entity: Entity) -> tuple[str, ...]:
    return tuple(name for name, column in entity.columns.items() if column.personal_class == "free_text")


def ticket_columns(entity: Entity) -> tuple[str, ...]:
    """Columns that say to which ticket a row belongs."""
    own = (entity.key,) if entity.id == "tickets" else ()
    return (*own, *(n for n, c in entity.columns.items() if c.references == "tickets" and n == "ticket_id"))


@dataclass
class Erased:
    """Everybody who was erased. `tokens`: the hashes that stand for their keys and addresses; `tickets`: keys of their
    tickets; `companies`: domains and keys of accounts, which tell of a company and stay."""

    settings: Settings
    tokens: frozenset[str]
    tickets: frozenset[str] = frozenset()
    companies: frozenset[str] = frozenset()
    _scratch: Scratch | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        return bool(self.tokens)

    def tokens_of(self, values: pa.Array) -> pa.Array:
        """What would stand for each value; a value that is such a hash already is its own."""
        if self._scratch is None:
            self._scratch = Scratch()
        distinct = values.dictionary_encode()
        words = distinct.dictionary.cast(pa.string())
        own = pc.binary_join_element_wise("erased:", pc.replace_substring_regex(words, r"^[^:]*:", ""), "")
        system = pc.if_else(pc.match_substring(words, ":"), pc.replace_substring_regex(words, r"(?s):.*", ":"), "")
        hashes = keyed_hashes(own, self.settings.require_quarantine_key(), self._scratch)
        made = pc.binary_join_element_wise(system, "erased-", pc.utf8_slice_codeunits(hashes, 0, 24), "")
        return pc.if_else(pc.match_substring_regex(words, TOKEN), words, made).take(distinct.indices)

    def are_theirs(self, values: pa.Array) -> pa.Array:
        """Whether each value names somebody who was erased, or one of their tickets."""
        known = pa.array(sorted(self.tokens), pa.string())
        named = pc.is_in(self.tokens_of(values), known)
        return pc.or_(named, pc.is_in(values, pa.array(sorted(self.tickets), pa.string()))).fill_null(False)

    def apply(self, rows: pa.Table, entity: Entity) -> tuple[pa.Table, np.ndarray]:
        """Canonical rows in the same order without what names or quotes the erased, and which rows were theirs."""
        if not self.tokens or not rows.num_rows:
            return rows, np.zeros(rows.num_rows, dtype=bool)
        theirs = self._theirs(rows, entity)
        about = theirs.copy()
        for name in ticket_columns(entity) if text_columns(entity) else ():
            about |= _mask(pc.is_in(flat(rows[name]), pa.array(sorted(self.tickets), pa.string())))
        if not about.any():
            return rows, theirs
        changed = self._without(rows.filter(pa.array(about)), theirs[about], entity)
        order = np.argsort(np.concatenate([np.flatnonzero(~about), np.flatnonzero(about)]), kind="stable")
        return pa.concat_tables([rows.filter(pa.array(~about)), changed]).take(pa.array(order)), theirs

    def _theirs(self, rows: pa.Table, entity: Entity) -> np.ndarray:
        known = pa.array(sorted(self.tokens), pa.string())
        theirs = np.zeros(rows.num_rows, dtype=bool)
        for name in (*person_columns(entity), *address_columns(entity)):
            named = _mask(pc.is_in(self.tokens_of(flat(rows[name])), known))
            theirs |= named & _is_customer(rows, name)
        return theirs

    def _without(self, rows: pa.Table, theirs: np.ndarray, entity: Entity) -> pa.Table:
        """The rows with hashes for keys and identifiers, a marker for texts, no unmapped fields, and a fresh hash."""
        mine = pa.array(theirs)
        known = pa.array(sorted(self.tokens), pa.string())
        for name in person_columns(entity):
            values = flat(rows[name])
            tokens = self.tokens_of(values)
            named = pc.and_(pc.is_in(tokens, known), pa.array(_is_customer(rows, name)))
            rows = _set(rows, name, pc.if_else(pc.and_(mine, named), tokens, values))
        for name, column in entity.columns.items():
            values = flat(rows[name])
            if column.personal_class == "free_text":
                marked = pc.if_else(pc.is_valid(values), ERASED_TEXT, pa.scalar(None, pa.string()))
                rows = _set(rows, name, marked)
            elif column.personal_class in ("direct", "quasi") or (entity.id, name) == ("customers", "external_id"):
                rows = _set(rows, name, pc.if_else(mine, self._unrecognisable(values), values))
        rows = _set(rows, "extra", pc.if_else(mine, pa.scalar(None, pa.string()), flat(rows["extra"])))
        numbered = rows.drop_columns([RAW_ROW]) if RAW_ROW in rows.column_names else rows
        numbered = numbered.append_column(RAW_ROW, positions(rows.num_rows))
        return _set(rows, "content_hash", content_hashes(numbered, entity, self._scratch))

    def _unrecognisable(self, values: pa.Array) -> pa.Array:
        if not pa.types.is_string(values.type):
            return pa.nulls(len(values), values.type)
        is_company = pc.is_in(values, pa.array(sorted(self.companies), pa.string()))
        return pc.if_else(is_company, values, self.tokens_of(values))


def tokens_for(settings: Settings, values: Iterable[str]) -> frozenset[str]:
    """The hashes that stand for keys and pseudonyms."""
    found = Erased(settings, frozenset()).tokens_of(pa.array(sorted(set(values)), pa.string()))
    return frozenset(found.to_pylist())


def _is_customer(rows: pa.Table, name: str) -> np.ndarray:
    """Whether the key in the column is a customer's: an actor may be an agent with the same number."""
    if name != "actor_id":
        return np.ones(rows.num_rows, dtype=bool)
    return _mask(pc.equal(flat(rows["actor_kind"]), "customer"))


def _mask(values: pa.Array) -> np.ndarray:
    return values.fill_null(False).to_numpy(zero_copy_only=False)


def _set(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    declared = rows.schema.field(name)
    return rows.set_column(rows.column_names.index(name), declared, values.cast(declared.type))
