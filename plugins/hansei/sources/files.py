"""Kind `files`: which files belong to a window, and their rows, whatever the packing and the format."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import BinaryIO
from zoneinfo import ZoneInfo

import fsspec
import pyarrow as pa

from hansei.catalog.sources import CompleteUntil, Resource, Source
from hansei.catalog.windows import Window
from hansei.errors import SourceError
from hansei.settings import Settings
from hansei.sources import variables
from hansei.sources.chunks import Chunk
from hansei.sources.formats import READERS

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


@dataclass(frozen=True)
class SourceFile:
    """A file that the resource's path matches. `covered_until`: the end of what it covers, if that is declared."""

    system: fsspec.AbstractFileSystem
    path: str
    covered_until: datetime | None

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


def expand(path: str, settings: Settings, place: str) -> str:
    """The path with its ${VARIABLES} filled in: home and archive as settled, all others from the environment."""
    return variables.expand(path, place, {"HANSEI_HOME": str(settings.home), "HANSEI_ARCHIVE": settings.archive})


def find_files(source: Source, name: str, settings: Settings) -> list[SourceFile]:
    """Every file that the resource's path matches, ordered by what it covers, then by path.

    Raises SourceError where none matches, or where a name does not fit `complete_until.pattern`.
    """
    resource = source.resources[name]
    place = f"source {source.id}, resource {name}"
    path = expand(resource.path, settings, place)
    try:
        system, root = fsspec.core.url_to_fs(path)
        has_glob = any(sign in root for sign in "*?[")
        paths = sorted(system.glob(root)) if has_glob else [root] if system.exists(root) else []
        paths = [found for found in paths if not system.isdir(found)]
        files = [SourceFile(system, found, _covered_until(source, resource, system, found)) for found in paths]
    except (OSError, ImportError, ValueError) as error:
        raise SourceError(place, f"{path} cannot be listed ({type(error).__name__})", "check the path") from None
    if not files:
        raise SourceError(place, f"no file matches {path}", "check the path and whether the export has run")
    return sorted(files, key=lambda file: (str(file.covered_until or ""), file.path))


def _covered_until(source: Source, resource: Resource, system: fsspec.AbstractFileSystem, path: str) -> datetime | None:
    rule = resource.complete_until
    if rule is None or rule.by not in ("file_name", "modified"):
        return None
    if rule.by == "modified":
        modified = system.modified(path)
        return modified.astimezone(UTC).replace(tzinfo=None) if modified.tzinfo else modified
    return _named_time(rule, PurePosixPath(path).name, source.zone)


def _named_time(rule: CompleteUntil, name: str, zone: str | None) -> datetime:
    match = re.search(rule.pattern, name)
    if match is None:
        raise SourceError(name, f"the name does not fit the pattern {rule.pattern}", "correct complete_until.pattern")
    try:
        named = datetime.strptime(match[1], rule.format)
    except ValueError:
        found = f"{match[1]!r} in the name is not a time as {rule.format}"
        raise SourceError(name, found, "correct complete_until.format") from None
    # A day has 23 or 25 hours where clocks change, so the span is added on the wall clock, before the zone.
    local = (named + rule.covers).replace(tzinfo=named.tzinfo or ZoneInfo(zone or "UTC"))
    return local.astimezone(UTC).replace(tzinfo=None)


def selects_files(resource: Resource) -> bool:
    """Whether a window chooses among files, rather than among rows."""
    return resource.complete_until is not None and resource.complete_until.by in ("file_name", "modified")


def choose(files: list[SourceFile], resource: Resource, delivery: str, window: Window) -> list[SourceFile]:
    """The files that the window asks for: those whose covered end lies in (start, end].

    A complete snapshot by name is read from its newest night alone; one by modification time is read whole as soon
    as any of its files is new.
    """
    if not selects_files(resource):
        return files
    past = [file for file in files if file.covered_until <= window.end]
    fresh = [file for file in past if window.start is None or file.covered_until > window.start]
    if delivery == "snapshot" and fresh:
        if resource.complete_until.by == "modified":
            return past
        return [file for file in fresh if file.covered_until == fresh[-1].covered_until]
    return fresh


def read_file(file: SourceFile, resource: Resource) -> Iterator[Chunk]:
    """Chunks of the file's rows; each member of a zip archive counts as a file of its own."""
    try:
        with file.system.open(file.path, "rb") as raw:
            yield from read_stream(raw, file.name, resource)
    except OSError as error:
        found = f"cannot be read ({error.strerror or type(error).__name__})"
        raise SourceError(file.name, found, "check the file and its permissions") from None


def read_stream(raw: BinaryIO, name: str, resource: Resource) -> Iterator[Chunk]:
    """Chunks of the rows in a stream that can be rewound, whatever it is packed in."""
    try:
        if not raw.read(1) and resource.format != "jsonl":
            raise SourceError(name, "the file is empty (0 bytes)", "deliver the file again")
        for stream, part in unpacked(raw, name, resource):
            yield from READERS[resource.format](stream, resource, part)
    except UnicodeDecodeError as error:
        found = f"bytes that are not {error.encoding} at byte {error.start} of a block"
        raise SourceError(name, found, "correct `encoding`") from None
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise SourceError(name, f"the archive breaks off or is damaged ({error})", "deliver it again") from None
    except pa.ArrowInvalid as error:
        raise SourceError(name, _arrow_fault(error, resource), "correct the resource or the file") from None


def unpacked(raw: BinaryIO, name: str, resource: Resource) -> Iterator[tuple[BinaryIO, str]]:
    """(stream, name) of what lies inside of gzip or zip, told by the first bytes; else the stream itself."""
    raw.seek(0)
    magic = raw.read(4)
    raw.seek(0)
    if magic[:2] == _GZIP:
        with gzip.GzipFile(fileobj=raw) as stream:
            yield stream, name
    elif magic == _ZIP and resource.format != "excel":
        with zipfile.ZipFile(raw) as archive:
            members = sorted(item.filename for item in archive.infolist() if not item.is_dir())
            if not members:
                raise SourceError(name, "the archive holds no file", "deliver the file again")
            for member in members:
                with archive.open(member) as stream:
                    yield stream, f"{name}/{member}"
    else:
        yield raw, name


def _arrow_fault(error: pa.ArrowInvalid, resource: Resource) -> str:
    message = str(error)
    if "UTF8" in message:
        return f"bytes that are not {resource.encoding}"
    if "straddling" in message:
        return "a quoted value that does not end (a quote is missing, or the file was cut off)"
    return f"not readable as {resource.format} ({message.splitlines()[0][:120]})"
