"""Sample rows and quotes: what can hold a person's words, kept apart from the evidence so that it can be erased.

The evidence knows a part by its id and a salted hash. Erasing somebody replaces the part and its salt; not one figure
or hash of the evidence changes, and the hash that stays proves nothing about anybody.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from hansei.reviews.base import EvidenceError, Frozen, Identifier, Text, dump


class PartReference(Frozen):
    """How the evidence knows a part: by id and salted hash, never by content."""

    part_id: Identifier
    kind: Literal["rows", "quotes"] = "rows"
    row_count: int
    salted_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Part(Frozen):
    """Sample rows or quotes, as text. Erased: no rows, no salt, and the date of the erasure."""

    part_id: Identifier
    kind: Literal["rows", "quotes"] = "rows"
    salt: str = ""
    columns: tuple[Text, ...] = ()
    rows: tuple[tuple[Text, ...], ...] = ()
    erased_on: dt.date | None = None

    @classmethod
    def of_rows(cls, part_id: str, salt: str, rows: Sequence[Mapping[str, Any]]) -> Part:
        """A part of a query's rows, each column as text; there is at least one row."""
        cells = tuple(tuple("" if cell is None else str(cell) for cell in row.values()) for row in rows)
        return cls(part_id=part_id, salt=salt, columns=tuple(rows[0]), rows=cells)

    def reference(self) -> PartReference:
        """The reference that evidence keeps; to be taken before anything is erased."""
        if len(self.salt) < 32:
            raise EvidenceError(f"part {self.part_id}", f"a salt of {len(self.salt)} characters", "give at least 32")
        return PartReference(
            part_id=self.part_id, kind=self.kind, row_count=len(self.rows), salted_sha256=self._salted_hash()
        )

    def erased(self, on: dt.date) -> Part:
        """The part as it stays after an erasure. The salt goes too, so that its hash proves nothing about anybody."""
        return Part(part_id=self.part_id, kind=self.kind, columns=self.columns, erased_on=on)

    def is_what(self, reference: PartReference) -> bool:
        """Whether this is the very part that the reference was taken from."""
        return self.part_id == reference.part_id and self._salted_hash() == reference.salted_sha256

    def _salted_hash(self) -> str:
        content = dump({"kind": self.kind, "columns": self.columns, "rows": self.rows})
        return hashlib.sha256(self.salt.encode() + b"\x00" + content.encode()).hexdigest()
