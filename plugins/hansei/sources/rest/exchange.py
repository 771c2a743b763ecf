"""One request and its answer over HTTP: signed, retried, timed, measured, and never redirected with credentials."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

import pyarrow as pa
import requests
from urllib3.exceptions import HTTPError

from hansei import __version__
from hansei.catalog.rest import Ask
from hansei.catalog.sources import Source
from hansei.connections import Connection
from hansei.errors import SourceError
from hansei.sources.redaction import redact
from hansei.sources.rest.addresses import Addresses, demand_tls
from hansei.sources.rest.budget import Budget, retry_after, server_time
from hansei.sources.rest.faults import Again, BrokenAnswer, Refused, first_text
from hansei.sources.rest.signing import Signer, connection_values, plain_json
from hansei.sources.rest.templates import fill, fill_params, fill_path

_READ_BYTES = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_IN_MEMORY_BYTES = 8 << 20
_TOLD_CHARACTERS = 160
Values = Mapping[str, Mapping[str, Any]]


@dataclass
class Answer:
    """An answer with status 200. `body` stands at its beginning; `url`: what was asked, never to be shown."""

    headers: Mapping[str, str]
    url: str
    body: BinaryIO
    size: int

    @property
    def content_type(self) -> str:
        return (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()


class Exchange:
    """All requests of one batch. `server_ahead_of`: the server's clock at the first answer."""

    def __init__(self, source: Source, connection: Connection) -> None:
        self.api, self.place = source.api, f"source {source.id}"
        self._connection = connection
        self.values = {"connection": connection_values(connection, with_secrets=False)}
        self.addresses = Addresses(self.api, connection, self.values, self.place)
        self.budget = Budget(self.api, self.place)
        self.signer = Signer(self.api.auth, connection, self._unsigned, self.place)
        self.server_time: datetime | None = None
        self._own, self._foreign = _session(), _session()
        _hide_queries()

    def close(self) -> None:
        self.signer.close()
        self._own.close()
        self._foreign.close()

    def ask(
        self,
        ask: Ask,
        values: Values,
        place: str,
        link: str | None = None,
        accept: Callable[[Answer], None] | None = None,
        is_download: bool = False,
    ) -> Answer:
        """The answer; `link` is asked instead of the path where one page names the next.

        accept: may raise BrokenAnswer, and the request is repeated. Raises SourceError where the interface refuses or
        keeps failing, BudgetSpent where time is over.
        """
        failures, has_renewed = 0, False
        while True:
            self.budget.before_request()
            try:
                answer = self._once(ask, values, place, link, is_download)
                if accept is not None:
                    accept(answer)
                return answer
            except Refused as refused:
                if has_renewed or not self.signer.can_renew:
                    raise SourceError(place, refused.found, refused.next_step) from None
                has_renewed = True
                self.signer.forget()
            except (Again, BrokenAnswer) as fault:
                is_limit = isinstance(fault, Again) and fault.is_limit
                failures += 1
                if not is_limit and failures > self.api.retries:
                    found = f"{fault}, {failures} times in a row"
                    raise SourceError(
                        place, self.scrub(found), "try again later, or ask the interface's owner"
                    ) from None
                seconds = fault.seconds if isinstance(fault, Again) else None
                self.budget.wait(self.budget.backoff(failures - 1) if seconds is None else seconds, str(fault))

    def scrub(self, text: str) -> str:
        """The text without any secret that was used."""
        for secret in sorted(self.signer.secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def _unsigned(self, ask: Ask, values: Values) -> Any:
        """The JSON of an answer to a request without signature: a login, a token."""

        def read() -> Any:
            url = fill_path(ask.path, values, self.place)
            url = self.addresses.url_of(url)
            demand_tls(url, self.api, self.place)
            prepared = self._prepared(self._own, ask, values, url, {}, None)
            with self._sent(self._own, prepared) as response:
                self._demand_success(response, self.place, is_login=True)
                return plain_json(self._read(response, self.place, is_download=False).read().decode(errors="replace"))

        failures = 0
        while True:
            try:
                return read()
            except Again as fault:
                failures += 1
                if not fault.is_limit and failures > self.api.retries:
                    next_step = "try again later, or check the login"
                    raise SourceError(self.place, f"the login fails: {fault}", next_step) from None
                self.budget.wait(
                    self.budget.backoff(failures - 1) if fault.seconds is None else fault.seconds, str(fault)
                )

    def _once(self, ask: Ask, values: Values, place: str, link: str | None, is_download: bool) -> Answer:
        every = {**self.values, **values, "session": self.signer.session_values()}
        url = link or self.addresses.url_of(fill_path(ask.path, every, place))
        method, params = ask.verb, None if link else fill_params(self.api.params, every, place)
        for _ in range(_MOST_REDIRECTS + 1):
            if self.addresses.is_own(url):
                session, shown = (
                    self._own,
                    ask if method == ask.verb else ask.model_copy(update={"body": None, "form": {}}),
                )
                prepared = self._prepared(session, shown, every, url, params, self.signer.headers(), method)
            else:
                if method != "GET":
                    raise SourceError(
                        place, f"a {method} leads to another host", "ask that host itself in another source"
                    )
                session = self._foreign
                prepared = session.prepare_request(requests.Request("GET", url, headers={"Accept": "*/*"}))
            with self._sent(session, prepared) as response:
                if response.status_code in _REDIRECTS and response.headers.get("Location"):
                    if response.status_code == 303 or (response.status_code in (301, 302) and method == "POST"):
                        method = "GET"
                    url, params = self.addresses.following(url, response.headers["Location"]), None
                    continue
                if self.server_time is None:
                    self.server_time = server_time(response.headers)
                self.budget.after_answer(response.headers)
                self._demand_success(response, place)
                body = self._read(response, place, is_download)
                return Answer(response.headers, url, body, _length(body))
        raise SourceError(place, f"more than {_MOST_REDIRECTS} redirects", "correct the path, or api.base_url")

    def _prepared(
        self,
        session: requests.Session,
        ask: Ask,
        values: Values,
        url: str,
        params: dict[str, Any] | None,
        signature: dict[str, str] | None,
        method: str | None = None,
    ) -> requests.PreparedRequest:
        """The request as it travels. params None: the URL has them already. signature None: it is not signed."""
        query = {} if params is None else {**params, **fill_params(ask.params, values, self.place)}
        query |= {} if signature is None else self.signer.params()
        headers = {"Accept": "application/json, */*;q=0.5", **fill(self.api.headers, values, self.place)}
        headers |= {**fill(ask.headers, values, self.place), **(signature or {})}
        body = {} if ask.body is None else {"json": fill(ask.body, values, self.place)}
        if ask.form:
            body = {"data": fill_params(ask.form, values, self.place)}
        texts = {name: str(value) for name, value in headers.items()}
        request = requests.Request(method or ask.verb, url, headers=texts, params=query, **body)
        try:
            return session.prepare_request(request)
        except (ValueError, requests.RequestException):
            raise SourceError(self.place, "a request cannot be written", "check base_url, path and headers") from None

    @contextlib.contextmanager
    def _sent(self, session: requests.Session, prepared: requests.PreparedRequest):
        seconds = max(min(self.api.time_out.total_seconds(), self.budget.seconds_left), 0.1)
        settings = session.merge_environment_settings(prepared.url, {}, True, None, None)
        try:
            response = session.send(prepared, timeout=seconds, allow_redirects=False, **settings)
        except requests.exceptions.SSLError:
            found = "the TLS certificate cannot be trusted"
            raise SourceError(self.place, found, "name your authority in REQUESTS_CA_BUNDLE") from None
        except requests.Timeout:
            raise Again(f"no answer within {seconds:.0f} s") from None
        except (requests.RequestException, HTTPError, OSError) as error:
            raise Again(f"the connection fails ({type(error).__name__})") from None
        with response:
            yield response

    def _read(self, response: requests.Response, place: str, is_download: bool) -> BinaryIO:
        """The decoded body, at its beginning; in memory if small, else in a temporary file."""
        most = self.api.max_download if is_download else self.api.max_response
        name = "max_download" if is_download else "max_response"
        body = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) if is_download else io.BytesIO()  # noqa: SIM115
        is_late = threading.Event()
        seconds = max(min(self.api.request_time_out.total_seconds(), self.budget.seconds_left), 0.1)
        watch = threading.Timer(seconds, _cut_off, (response, is_late))
        watch.daemon = True
        watch.start()
        size = 0
        try:
            for part in response.iter_content(_READ_BYTES):
                size += len(part)
                if size > most:
                    next_step = f"ask for less at once (a smaller page, a slice), or raise api.{name}"
                    raise SourceError(place, f"an answer of more than {most / 1e6:.0f} MB", next_step)
                body.write(part)
        except (requests.RequestException, HTTPError, OSError) as error:
            if is_late.is_set():
                raise Again(f"an answer that is not there after {seconds:.0f} s") from None
            raise Again(f"the answer breaks off ({type(error).__name__})") from None
        finally:
            watch.cancel()
        if is_late.is_set():
            raise Again(f"an answer that is not there after {seconds:.0f} s")
        body.seek(0)
        return body

    def _demand_success(self, response: requests.Response, place: str, is_login: bool = False) -> None:
        status = response.status_code
        if 200 <= status < 300:
            return
        found = f"answers {status} {response.reason or ''}".rstrip()
        seconds = retry_after(response.headers)
        quota = self.api.rate.remaining
        is_empty = quota is not None and (response.headers.get(quota) or "").strip() == "0"
        if status == 429 or (status in (403, 503) and (seconds is not None or (status == 403 and is_empty))):
            raise Again(found, seconds, is_limit=True)
        if status in (408, 425) or (status >= 500 and status not in (501, 505)):
            raise Again(found, seconds)
        found += self._told(response)
        if status == 401 and not is_login:
            raise Refused(found, f"check connection {self._connection.connection_id} and api.auth")
        next_step = {
            400: "check the parameters of the request",
            401: f"check connection {self._connection.connection_id} and api.auth",
            403: "the account of the connection lacks a permission",
            404: "check base_url and path",
        }
        raise SourceError(
            place, found, next_step.get(status, "check the request against the interface's documentation")
        )

    def _told(self, response: requests.Response) -> str:
        """What the interface says about an error, short, redacted and without secrets; '' where it says nothing."""
        try:
            text = next(response.iter_content(_READ_BYTES), b"").decode(errors="replace")
        except (requests.RequestException, HTTPError, OSError):
            return ""
        said = first_text(plain_json(text))
        if not said:
            return ""
        words = redact(pa.array([self.scrub(" ".join(said.split()))], pa.string()))[0].as_py() or ""
        return f" ({words[:_TOLD_CHARACTERS]})"


def _session() -> requests.Session:
    session = requests.Session()
    session.headers["User-Agent"] = f"hansei/{__version__}"
    # Proxies and authorities come from the environment; a password in ~/.netrc must not.
    session.auth = lambda prepared: prepared
    return session


def _length(body: BinaryIO) -> int:
    size = body.seek(0, io.SEEK_END)
    body.seek(0)
    return size


def _cut_off(response: requests.Response, is_late: threading.Event) -> None:
    """Ends a reading that waits inside of the socket."""
    is_late.set()
    with contextlib.suppress(Exception):
        response.raw.shutdown()


class _WithoutQuery(logging.Filter):
    """Cuts queries off the URLs that the HTTP library writes into its debug log."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
        return True


def _hide_queries() -> None:
    logger = logging.getLogger("urllib3.connectionpool")
    if not any(isinstance(known, _WithoutQuery) for known in logger.filters):
        logger.addFilter(_WithoutQuery())
