"""Batches in the spool without the persons who were erased: canonical parts, and raw rows of unpublished ones."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hansei.catalog.loader import Catalog
from hansei.settings import Settings
from hansei.sources.chunks import RECORD
from hansei.sources.erasure import Erased
from hansei.sources.privacy import cipher, unseal
from hansei.sources.spool import MANIFEST, Manifest, read_part

_PLACES = ("$row", "$file", "$unreadable")


def spooled(settings: Settings) -> Iterator[Manifest]:
    """Every finished batch that the spool holds."""
    system, root = fsspec.core.url_to_fs(settings.spool)
    for path in sorted(system.glob(f"{root}/*/*/{MANIFEST}")):
        with system.open(path, "rb") as file:
            yield Manifest.from_json(file.read().decode(), path.rpartition("/")[0])


def unlink_batch(manifest: Manifest, erased: Erased, catalog: Catalog, settings: Settings, is_trial: bool) -> int:
    """Rewrites the parts that hold rows of the erased; number of such rows. A trial only counts."""
    count = 0
    raw: dict[int, list[int]] = defaultdict(list)
    for name, batch in manifest.entities.items():
        for part in batch.parts if name in catalog.entities else ():
            rows = read_part(manifest, part)
            cleaned, theirs = erased.apply(rows, catalog.entities[name])
            count += int(theirs.sum())
            if is_trial or cleaned is rows:
                continue
            replace_part(manifest, part, cleaned)
            for row in rows.filter(pa.array(theirs)).select(["raw_part", "raw_row"]).to_pylist():
                raw[row["raw_part"]].append(row["raw_row"])
    for number, places in raw.items():
        _blank_raw(manifest, number, places, settings)
    return count


def replace_part(manifest: Manifest, part: str, rows: pa.Table) -> None:
    """Writes a part anew; it is the old one or the new one at every moment."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd")
    _replace(manifest, part, sink.getvalue().to_pybytes())


def _blank_raw(manifest: Manifest, number: int, places: list[int], settings: Settings) -> None:
    """Empties raw rows that wait for publication; their places stay, so that the others keep their numbers."""
    system, root = fsspec.core.url_to_fs(manifest.location)
    name = f"raw-{number:05d}.fernet"
    if not system.exists(f"{root}/{name}"):
        return
    with system.open(f"{root}/{name}", "rb") as file:
        table = pa.ipc.open_stream(unseal(file.read(), settings)).read_all()
    gone = np.zeros(table.num_rows, dtype=bool)
    gone[places] = True
    for index, field in enumerate(table.schema):
        if field.name in _PLACES:
            continue
        empty = pa.scalar("{}" if field.name == RECORD else None, field.type)
        kept = pc.if_else(pa.array(gone), empty, table.column(index).combine_chunks())
        table = table.set_column(index, field, kept.cast(field.type))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    _replace(manifest, name, cipher(settings).encrypt(sink.getvalue().to_pybytes()))


def _replace(manifest: Manifest, name: str, content: bytes) -> None:
    system, root = fsspec.core.url_to_fs(manifest.location)
    folder, _, file_name = f"{root}/{name}".rpartition("/")
    temporary = f"{folder}/.{file_name}.{uuid.uuid4().hex}"
    with system.open(temporary, "wb") as file:
        file.write(content)
    system.mv(temporary, f"{root}/{name}")
