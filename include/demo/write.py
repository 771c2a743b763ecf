"""Writes the exports as files, the same bytes for the same seed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from pathlib import Path

from .company import EXPORT_DAYS
from .counting import add_uncounted, report
from .exports import SURVEY_SCALES, collect
from .planting import spoil

SURVEY_QUESTIONS = {
    "CSAT": ("csat", "How satisfied are you with the way we solved your ticket?"),
    "NPS": ("nps", "How likely is it that you would recommend Möwenwerk to a colleague?"),
}
_LINES = ("tickets", "ticket_events", "users", "bot_sessions", "help_sessions")
_LISTS = ("groups", "agents")
_CSV = {"accounts": ("latin-1", ";")}
_COMMAS = ("survey_invitations", "outages", "studies", "contacts", "quality_checks", "costs", "measurements")
_CSV |= dict.fromkeys((*_COMMAS, "ticket_counts"), ("utf-8", ","))


def write_exports(directory: Path, nights: int = len(EXPORT_DAYS)) -> list[Path]:
    """Writes the files of the first `nights` nights into `directory`; returns their paths in order of name."""
    directory.mkdir(parents=True, exist_ok=True)
    exports = collect()
    add_uncounted(exports)
    spoil(exports)
    exports["ticket_counts"] = report(exports["tickets"])
    written = []
    for stem, rows_by_night in exports.items():
        for day, rows in list(zip(EXPORT_DAYS, rows_by_night, strict=True))[:nights]:
            name, content = _content(stem, rows, heading=rows_by_night[0][0])
            path = directory / f"{stem}-{day.isoformat()}{name}"
            path.write_bytes(content)
            written.append(path)
    return sorted(written)


def _content(stem: str, rows: list, heading: dict) -> tuple[str, bytes]:
    """(ending of the file name, bytes)."""
    if stem in _LINES:
        return ".jsonl.gz", _json_lines(rows)
    if stem in _LISTS:
        text = json.dumps({stem: rows, "count": len(rows)}, ensure_ascii=False, indent=1)
        return ".json", text.encode()
    if stem in _CSV:
        encoding, delimiter = _CSV[stem]
        return ".csv", _csv(rows, list(heading), delimiter).encode(encoding)
    return ".xlsx", _workbook(rows, list(heading))


def _json_lines(rows: list) -> bytes:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    text = "".join(f"{line}\n" for line in lines)
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def _csv(rows: list, columns: list[str], delimiter: str) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        if isinstance(row, str):
            stream.write(row + "\r\n")
        else:
            writer.writerow([row[column] for column in columns])
    return stream.getvalue()


def _workbook(rows: list, columns: list[str]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Responses")
    sheet.append(columns)
    for row in rows:
        sheet.append([row[column] for column in columns])
    instruments = book.create_sheet("Instruments")
    instruments.append(["Survey", "Kind", "Question", "Lowest", "Highest", "Higher is better"])
    for survey, (kind, question) in SURVEY_QUESTIONS.items():
        instruments.append([survey, kind, question, *SURVEY_SCALES[survey], "yes"])
    raw = io.BytesIO()
    book.save(raw)
    return _without_clock(raw)


def _without_clock(raw: io.BytesIO) -> bytes:
    """The workbook without the moment of writing, which openpyxl leaves in the archive and its properties."""
    fixed = io.BytesIO()
    moment = EXPORT_DAYS[0].strftime("%Y-%m-%dT%H:%M:%SZ")
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment.encode(), content)
            target.writestr(zipfile.ZipInfo(name, (2026, 9, 12, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
