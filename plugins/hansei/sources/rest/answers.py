"""Questions of one resource: the request with its window, page and parent; the answer unpacked to what it holds."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa

from hansei.catalog.rest import Ask, Request
from hansei.catalog.sources import Source
from hansei.catalog.windows import Window
from hansei.errors import SourceError
from hansei.sources.chunks import FILE, RECORD, ROW, UNREADABLE
from hansei.sources.fields import Fields
from hansei.sources.files import unpacked
from hansei.sources.matrix import cursor_spec
from hansei.sources.rest.exchange import Answer, Exchange
from hansei.sources.rest.faults import BrokenAnswer, Refused
from hansei.sources.rest.records import is_json, values_at
from hansei.sources.scratch import Scratch, positions


@dataclass
class Asked:
    """An answer: `text` of a JSON document, or `body` of anything else. export: values for its next pages.

    url: where it came from, to which a next URL may be relative; it is never shown.
    """

    headers: Any
    url: str
    text: str = ""
    body: BinaryIO | None = None
    export: dict[str, Any] | None = None


class Asking:
    """Asks for the resources of one source within one window."""

    def __init__(self, source: Source, window: Window, exchange: Exchange, scratch: Scratch) -> None:
        self.source, self.window, self.exchange, self.scratch = source, window, exchange, scratch

    def ask(
        self,
        name: str,
        window: dict[str, Any],
        page: dict[str, Any],
        parent: str | None,
        link: str | None,
        export: dict[str, Any] | None,
    ) -> Asked:
        """The answer for one page. Raises SourceError, BudgetSpent."""
        resource = self.source.resources[name]
        request = resource.request
        values = {"window": window, "page": page, "parent": json.loads(parent) if parent else {}}
        if request.export is None:
            answer = self._sent(request, values, name, link)
            taken = None
        else:
            taken = self._prepared(request, values, name) if export is None else export
            values["export"] = taken
            answer = self._sent(request.export.download, values, name, link, is_download=True)
        if request.content is not None:
            answer = self._content(request, answer, name)
        if resource.format != "json":
            return Asked(answer.headers, answer.url, body=answer.body, export=taken)
        return Asked(answer.headers, answer.url, text=self._text(answer, name), export=taken)

    def cursor_times(self, name: str, records: pa.Table) -> pa.ChunkedArray:
        """The resource's cursor of each record, naive UTC; NULL where it cannot be read."""
        resource = self.source.resources[name]
        rows = records.num_rows
        raw = pa.table({RECORD: records[RECORD], ROW: positions(rows, 1), UNREADABLE: pa.nulls(rows, pa.string())})
        raw = raw.append_column(FILE, pa.array([name] * rows, pa.string()))
        fields = Fields(self.scratch, resource, raw, {resource.cursor: None}, True)
        time = fields.time(cursor_spec(self.source, name), self._place(name))
        return fields.table[time.value]

    def _place(self, name: str) -> str:
        return f"source {self.source.id}, resource {name}"

    def _sent(self, ask: Ask, values: dict, name: str, link: str | None = None, is_download: bool = False) -> Answer:
        resource = self.source.resources[name]
        is_text = resource.format == "json" and not is_download
        place = f"{self._place(name)}, {ask.verb} {ask.path}"

        def accept(answer: Answer) -> None:
            if is_text or ask.error_at is not None:
                self._demand_json(answer, resource.encoding)
            if ask.error_at is not None:
                self._demand_no_error(ask, answer, place)

        return self.exchange.ask(ask, values, place, link, accept, is_download)

    def _demand_json(self, answer: Answer, encoding: str) -> None:
        if answer.content_type == "text/html":
            raise BrokenAnswer("answers with a web page (text/html) where JSON is expected")
        text = _decoded(answer, encoding)
        if not text.strip():
            raise BrokenAnswer("answers with nothing where JSON is expected")
        if not is_json(self.scratch, text):
            told = answer.content_type or "no content type"
            raise BrokenAnswer(f"answers with something that is no JSON ({told}, {answer.size} bytes)")

    def _demand_no_error(self, ask: Ask, answer: Answer, place: str) -> None:
        found = values_at(self.scratch, _decoded(answer, "utf-8"), [ask.error_at])[ask.error_at]
        if found in (None, "", [], {}, False):
            return
        if self.exchange.signer.auth.kind == "session":
            next_step = "check the request, and that the session's login may ask it"
            raise Refused(f"the answer tells of an error at {ask.error_at}", next_step)
        raise SourceError(place, f"the answer tells of an error at {ask.error_at}", "check the request")

    def _prepared(self, request: Request, values: dict, name: str) -> dict[str, Any]:
        """Starts the export and waits until it is done; the values that its answers gave."""
        export = request.export
        started = self._json(self._sent(request, values, name), name)
        taken = {key: values_at(self.scratch, started, [path])[path] for key, path in export.take.items()}
        poll = export.poll
        while poll is not None:
            answer = self._json(self._sent(poll, {**values, "export": taken}, name), name)
            status = values_at(self.scratch, answer, [poll.status])[poll.status]
            if str(status) in poll.done:
                taken |= {key: values_at(self.scratch, answer, [path])[path] for key, path in poll.take.items()}
                break
            if str(status) in poll.failed:
                found = f"the export failed ({str(status)[:40]})"
                raise SourceError(self._place(name), found, "look at the export in the source's own pages")
            self.exchange.budget.wait(poll.every.total_seconds(), "the export is not ready")
        return taken

    def _json(self, answer: Answer, name: str) -> str:
        text = _decoded(answer, "utf-8")
        if not is_json(self.scratch, text):
            raise SourceError(self._place(name), "an export's answer is no JSON", "check the paths of the export")
        return text

    def _content(self, request: Request, answer: Answer, name: str) -> Answer:
        """What lies inside a field of the JSON answer, as if it were the answer."""
        content = request.content
        value = values_at(self.scratch, self._json(answer, name), [content.at])[content.at]
        if value is None:
            raise SourceError(self._place(name), f"nothing is at {content.at}", "correct content.at")
        if not isinstance(value, str):
            value = json.dumps(value)
        try:
            raw = base64.b64decode(value, validate=False) if content.encoding == "base64" else value.encode()
        except (binascii.Error, ValueError):
            raise SourceError(self._place(name), f"{content.at} is not base64", "correct content.encoding") from None
        return Answer({}, answer.url, io.BytesIO(raw), len(raw))

    def _text(self, answer: Answer, name: str) -> str:
        """The JSON document, out of a gzip or zip of one file if need be."""
        place, resource = self._place(name), self.source.resources[name]
        try:
            texts = [
                _decoded(Answer({}, "", io.BytesIO(stream.read()), 0), resource.encoding)
                for stream, _ in unpacked(answer.body, place, resource)
            ]
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile):
            raise SourceError(place, "the archive breaks off or is damaged", "try again") from None
        except BrokenAnswer as fault:
            raise SourceError(place, str(fault), "correct `encoding`") from None
        if len(texts) != 1:
            raise SourceError(place, f"the archive holds {len(texts)} files, one is expected", "ask for one at a time")
        if not is_json(self.scratch, texts[0]):
            raise SourceError(place, "the answer is no JSON", "correct `format`")
        return texts[0]


def _decoded(answer: Answer, encoding: str) -> str:
    answer.body.seek(0)
    content = answer.body.read()
    answer.body.seek(0)
    try:
        return content.decode("utf-8-sig" if encoding in ("utf-8", "utf8") else encoding)
    except (UnicodeDecodeError, LookupError):
        raise BrokenAnswer(f"answers with bytes that are not {encoding}") from None
