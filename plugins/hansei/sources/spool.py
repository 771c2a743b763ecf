"""Batches on their way from extraction to publication: canonical Parquet, encrypted raw rows, one manifest each.

A batch of one run and source lies in `<spool>/<run>/<source>/`: `<entity>/part-00000.parquet`, `raw-00000.fernet`
and `manifest.json`, which is written last and atomically. A directory without a manifest is no batch.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from hansei.catalog.windows import Window
from hansei.errors import SourceError
from hansei.settings import Settings
from hansei.sources.chunks import CHUNK_ROWS, RECORD, UNREADABLE
from hansei.sources.drift import Drift
from hansei.sources.formats import cell_text
from hansei.sources.privacy import cipher, unseal

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class EntityBatch:
    """What one entity received. `parts`: file names in the batch; `complete_until`: naive UTC, None where unknown."""

    received: int = 0
    parts: tuple[str, ...] = ()
    delivery: str = "changes"
    is_complete_snapshot: bool = False
    complete_until: datetime | None = None
    drift: tuple[Drift, ...] = ()
    ambiguous_times: int = 0
    nonexistent_times: int = 0
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class TallyPart:
    """What the source said of an entity besides its rows. `part` is None where it could not be read."""

    kind: str
    entity: str
    part: str | None
    taken_at: datetime | None
    message: str = ""
    unreadable: int = 0


@dataclass(frozen=True)
class Asked:
    """What a batch cost an interface over HTTP. `quota_left`: requests of its quota that were left, as it said at
    `quota_seen_at` (naive UTC); None where it says nothing of the kind."""

    requests: int
    quota_left: int | None = None
    quota_seen_at: datetime | None = None


@dataclass(frozen=True)
class Manifest:
    """A finished batch. `complete_until` is the earliest of its entities'; None leaves the watermark where it is."""

    location: str
    run_id: str
    source: str
    instance: str
    window: Window
    key_id: str
    complete_until: datetime | None
    entities: dict[str, EntityBatch]
    raw_parts: int
    tallies: tuple[TallyPart, ...] = ()
    asked: Asked | None = None

    @property
    def received(self) -> int:
        return sum(batch.received for batch in self.entities.values())

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=_plain, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, location: str) -> Manifest:
        data = json.loads(text)
        window = Window(_time(data["window"]["start"]), _time(data["window"]["end"]))
        entities = {
            entity: EntityBatch(
                **{
                    **batch,
                    "parts": tuple(batch["parts"]),
                    "files": tuple(batch["files"]),
                    "drift": tuple(Drift(**drift) for drift in batch["drift"]),
                    "complete_until": _time(batch["complete_until"]),
                }
            )
            for entity, batch in data["entities"].items()
        }
        complete_until = _time(data["complete_until"])
        tallies = tuple(
            TallyPart(**{**tally, "taken_at": _time(tally["taken_at"])}) for tally in data.get("tallies", ())
        )
        fixed = {"location": location, "window": window, "complete_until": complete_until, "entities": entities}
        fixed["tallies"] = tallies
        if data.get("asked") is not None:
            fixed["asked"] = Asked(**{**data["asked"], "quota_seen_at": _time(data["asked"]["quota_seen_at"])})
        return cls(**{**data, **fixed})


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def safe_name(run_id: str) -> str:
    """A directory name for an Airflow run id; two run ids never share one."""
    safe = re.sub(r"[^A-Za-z0-9._=-]", "_", run_id)
    return safe if safe == run_id else f"{safe}-{hashlib.sha256(run_id.encode()).hexdigest()[:8]}"


def batch_location(settings: Settings, run_id: str, source: str) -> str:
    """Where the batch of a run and source lies; a path or an fsspec URL."""
    return f"{settings.spool.rstrip('/')}/{safe_name(run_id)}/{source}"


def pages_location(settings: Settings, run_id: str, source: str) -> str:
    """Where the pages lie that a REST source has read before its batch is finished."""
    return f"{batch_location(settings, run_id, source)}.pages"


def read_manifest(settings: Settings, run_id: str, source: str) -> Manifest | None:
    """The finished batch, or None where there is none (yet)."""
    return _read_manifest(batch_location(settings, run_id, source))


def _read_manifest(location: str) -> Manifest | None:
    try:
        system, root = fsspec.core.url_to_fs(location)
        with system.open(f"{root}/{MANIFEST}", "rb") as file:
            return Manifest.from_json(file.read().decode(), location)
    except FileNotFoundError:
        return None
    except (OSError, ImportError, ValueError) as error:
        raise _fault(location, error) from None


def read_part(manifest: Manifest, part: str) -> pa.Table:
    """One part of `EntityBatch.parts` with its canonical columns."""
    try:
        system, root = fsspec.core.url_to_fs(manifest.location)
        with system.open(f"{root}/{part}", "rb") as file:
            return pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise _fault(f"{manifest.location}/{part}", error) from None


def _fault(location: str, error: Exception) -> SourceError:
    reason = getattr(error, "strerror", None) or type(error).__name__
    next_step = "make room or correct HANSEI_SPOOL; the next attempt starts this batch anew"
    return SourceError(f"spool {location}", f"cannot be used ({reason})", next_step)


def raw_rows(
    manifest: Manifest, raw_part: int, rows: list[int], settings: Settings, mappings: list[int] | None = None
) -> list[dict]:
    """Raw rows as plain data that JSON can hold and `replay.remap` reads, in the order of `rows`.

    Each has `$resource`, `$file`, `$row`, and `$mapping` where `mappings` (column `mapping` of the part) is given;
    an unreadable row has `$unreadable`, a JSON record is an object under `$record`.
    """
    system, root = fsspec.core.url_to_fs(manifest.location)
    try:
        with system.open(f"{root}/raw-{raw_part:05d}.fernet", "rb") as file:
            payload = unseal(file.read(), settings)
    except FileNotFoundError:
        found = f"raw rows of part {raw_part} are no longer there"
        raise SourceError(manifest.location, found, "extract the batch again") from None
    table = pa.ipc.open_stream(payload).read_all()
    resource = table.schema.metadata[b"resource"].decode()
    found = table.take(pa.array(rows, pa.int64())).to_pylist()
    records = [{"$resource": resource, **_plain_row(row)} for row in found]
    for record, mapping in zip(records, mappings or [], strict=False):
        record["$mapping"] = mapping
    return records


def _plain_row(row: dict) -> dict:
    if row.get(UNREADABLE) is None:
        row.pop(UNREADABLE, None)
    if row.get(RECORD) is not None:
        row[RECORD] = json.loads(row[RECORD])
    return {key: value if key in ("$row", RECORD) else _plain_value(value) for key, value in row.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_value(item) for item in value]
    return cell_text(value)


def discard_raw(manifest: Manifest) -> int:
    """Deletes the encrypted raw rows, once what is quarantined has been stored; returns how many files went."""
    system, root = fsspec.core.url_to_fs(manifest.location)
    files = system.glob(f"{root}/raw-*.fernet")
    for file in files:
        system.rm_file(file)
    return len(files)


def discard_batch(settings: Settings, run_id: str, source: str) -> None:
    """Removes a batch; the manifest goes first, so that a half-removed batch is none."""
    _clear(batch_location(settings, run_id, source))
    discard_pages(settings, run_id, source)


def discard_pages(settings: Settings, run_id: str, source: str) -> None:
    """Removes the pages that were kept for another attempt."""
    _clear(pages_location(settings, run_id, source))


def kept_pages(settings: Settings) -> list[tuple[str, str, datetime]]:
    """(directory name of the run, source, naive UTC of the newest write) of all pages that wait for an attempt."""
    system, root = fsspec.core.url_to_fs(settings.spool.rstrip("/"))
    found = []
    for path in sorted(system.glob(f"{root}/*/*.pages")):
        run, source = path.rstrip("/").split("/")[-2:]
        written = [_naive(system.modified(file)) for file in system.find(path)]
        if written:
            found.append((run, source.removesuffix(".pages"), max(written)))
    return found


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def _clear(location: str) -> None:
    system, root = fsspec.core.url_to_fs(location)
    if system.exists(f"{root}/{MANIFEST}"):
        system.rm_file(f"{root}/{MANIFEST}")
    if system.exists(root):
        system.rm(root, recursive=True)


@dataclass
class BatchWriter:
    """Writes one batch; what an earlier attempt left half-written is removed first."""

    settings: Settings
    run_id: str
    source: str
    raw_parts: int = 0
    parts: dict[str, list[str]] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    _waiting: dict[str, list[pa.Table]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.location = batch_location(self.settings, self.run_id, self.source)
        self._seal = cipher(self.settings)
        try:
            _clear(self.location)
            self._system, self._root = fsspec.core.url_to_fs(self.location)
            self._system.makedirs(self._root, exist_ok=True)
        except (OSError, ImportError, ValueError) as error:
            raise _fault(self.location, error) from None

    def write_raw(self, raw: pa.Table, resource: str) -> int:
        """Number of the new raw part: Fernet over an Arrow stream, compressed with zstd."""
        sink = pa.BufferOutputStream()
        schema = raw.schema.with_metadata({"resource": resource})
        with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write_table(raw.cast(schema))
        number = self.raw_parts
        self._write(f"raw-{number:05d}.fernet", self._seal.encrypt(sink.getvalue().to_pybytes()))
        self.raw_parts += 1
        return number

    def add(self, entity: str, rows: pa.Table) -> None:
        """Takes canonical rows; writes a part whenever CHUNK_ROWS have come together."""
        self.received[entity] = self.received.get(entity, 0) + rows.num_rows
        waiting = self._waiting.setdefault(entity, [])
        waiting.append(rows)
        while sum(table.num_rows for table in waiting) >= CHUNK_ROWS:
            together = pa.concat_tables(waiting)
            self._write_part(entity, together.slice(0, CHUNK_ROWS))
            waiting[:] = [together.slice(CHUNK_ROWS)] if together.num_rows > CHUNK_ROWS else []

    def finish(self, manifest: Manifest) -> None:
        """Makes the batch one: the manifest appears whole or not at all. `close_parts` comes first."""
        temporary = f".{MANIFEST}.{uuid.uuid4().hex}"
        self._write(temporary, manifest.to_json().encode())
        self._system.mv(f"{self._root}/{temporary}", f"{self._root}/{MANIFEST}")

    def close_parts(self) -> None:
        """Writes what is still waiting."""
        for entity, waiting in self._waiting.items():
            rows = [table for table in waiting if table.num_rows]
            if rows:
                self._write_part(entity, pa.concat_tables(rows))
        self._waiting.clear()

    def write_tally(self, kind: str, entity: str, rows: pa.Table) -> str:
        """The part that now holds a tally; `read_part` reads it."""
        part = f"{kind}/{entity}.parquet"
        self._write_table(part, rows)
        return part

    def _write_part(self, entity: str, rows: pa.Table) -> None:
        names = self.parts.setdefault(entity, [])
        part = f"{entity}/part-{len(names):05d}.parquet"
        self._write_table(part, rows)
        names.append(part)

    def _write_table(self, part: str, rows: pa.Table) -> None:
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="zstd")
        self._write(part, sink.getvalue())

    def _write(self, name: str, content: bytes | pa.Buffer) -> None:
        path = f"{self._root}/{name}"
        try:
            self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
            with self._system.open(path, "wb") as file:
                file.write(content)
        except OSError as error:
            raise _fault(self.location, error) from None
