"""Pages that were read, kept encrypted until the batch is finished, so that an attempt that broke off goes on.

`<spool>/<run>/<source>.pages/<resource>-00000.fernet` holds some pages each: an Arrow stream, compressed, and
encrypted with the quarantine key. Resources that share pages, and those that ask once per parent, read them from here
a second time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import fsspec
import pyarrow as pa

from hansei.errors import SourceError
from hansei.settings import Settings
from hansei.sources.privacy import cipher, unseal
from hansei.sources.spool import pages_location

_SEGMENT_BYTES = 8 << 20
_SEGMENT_SECONDS = 30.0
_SCHEMA = pa.schema(
    [("text", pa.large_string()), ("parent", pa.string()), ("position", pa.string()), ("following", pa.string())]
)


@dataclass(frozen=True)
class Page:
    """One answer. parent: JSON of the record it was asked for. position, following: where the walk stood before and
    stands after it; following None after the last."""

    text: str
    parent: str | None
    position: dict[str, Any]
    following: dict[str, Any] | None


class PageStore:
    """The pages of one batch; with `settings` None in memory only, for a sample."""

    def __init__(self, settings: Settings | None, run_id: str, source: str, key: str) -> None:
        self._settings = settings
        self._waiting: dict[str, list[Page]] = {}
        self._written: dict[str, int] = {}
        self._since = time.monotonic()
        if settings is None:
            return
        self._seal = cipher(settings)
        self._location = pages_location(settings, run_id, source)
        try:
            self._system, self._root = fsspec.core.url_to_fs(self._location)
            if self._read_key() != key:
                self.discard()
                self._system.makedirs(self._root, exist_ok=True)
                self._put("key", key.encode())
            for path in self._system.glob(f"{self._root}/*.fernet"):
                lead = path.rpartition("/")[2].rpartition("-")[0]
                self._written[lead] = self._written.get(lead, 0) + 1
        except (OSError, ImportError, ValueError) as error:
            raise self._fault(error) from None

    def add(self, lead: str, page: Page) -> None:
        waiting = self._waiting.setdefault(lead, [])
        waiting.append(page)
        if self._settings is None:
            return
        size = sum(len(kept.text) for kept in waiting)
        if size >= _SEGMENT_BYTES or time.monotonic() - self._since > _SEGMENT_SECONDS:
            self.flush()

    def pages(self, lead: str) -> Iterator[Page]:
        """Every page so far, in the order in which they came."""
        for number in range(self._written.get(lead, 0)):
            with self._system.open(f"{self._root}/{lead}-{number:05d}.fernet", "rb") as file:
                table = pa.ipc.open_stream(unseal(file.read(), self._settings)).read_all()
            for row in table.to_pylist():
                following = json.loads(row["following"]) if row["following"] else None
                yield Page(row["text"], row["parent"], json.loads(row["position"]), following)
        yield from tuple(self._waiting.get(lead, ()))

    def flush(self) -> None:
        """Writes what is only in memory."""
        if self._settings is None:
            return
        for lead, pages in self._waiting.items():
            if pages:
                rows = [
                    (
                        page.text,
                        page.parent,
                        json.dumps(page.position),
                        json.dumps(page.following) if page.following else None,
                    )
                    for page in pages
                ]
                number = self._written.get(lead, 0)
                self._put(f"{lead}-{number:05d}.fernet", self._seal.encrypt(_packed(rows)))
                self._written[lead] = number + 1
                pages.clear()
        self._since = time.monotonic()

    def discard(self) -> None:
        """Removes every page."""
        if self._settings is not None and self._system.exists(self._root):
            self._system.rm(self._root, recursive=True)
        self._written.clear()
        self._waiting.clear()

    def _read_key(self) -> str | None:
        try:
            with self._system.open(f"{self._root}/key", "rb") as file:
                return file.read().decode()
        except FileNotFoundError:
            return None

    def _put(self, name: str, content: bytes) -> None:
        """Appears whole or not at all: an attempt may be killed while it writes."""
        try:
            with self._system.open(f"{self._root}/.{name}", "wb") as file:
                file.write(content)
            self._system.mv(f"{self._root}/.{name}", f"{self._root}/{name}")
        except OSError as error:
            raise self._fault(error) from None

    def _fault(self, error: Exception) -> SourceError:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return SourceError(f"spool {self._location}", f"cannot be used ({reason})", "make room or correct HANSEI_SPOOL")


def _packed(rows: list[tuple]) -> bytes:
    columns = [pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), _SCHEMA, strict=True)]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _SCHEMA, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(pa.table(columns, schema=_SCHEMA))
    return sink.getvalue().to_pybytes()
