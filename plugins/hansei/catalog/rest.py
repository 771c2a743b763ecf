"""Kind `rest`: how an HTTP interface is signed in to, asked, paged and kept from being overrun. All of it is data.

Texts of a request may hold placeholders: `{window.start}`, `{window.end}`, `{page.cursor}`, `{page.number}`,
`{page.offset}`, `{page.size}`, `{page.last}`, `{parent.PATH}`, `{session.token}`, `{export.NAME}`,
`{connection.login}` and what else the connection has. A value that is nothing but a placeholder keeps its type and
is left out while there is none (the first page has no cursor). `${VARIABLES}` come from the environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from hansei.catalog.documents import Definition
from hansei.catalog.durations import Duration
from hansei.catalog.entities import Identifier

PLACEHOLDER = re.compile(r"\{(window|page|parent|session|export|connection)\.([^{}\s]+)\}")
# Names in a connection whose values no message, log or URL may hold.
SECRET_NAME = re.compile(r"token|secret|key|pass", re.IGNORECASE)
_WINDOW_PARTS = ("start", "end")
_PAGE_PARTS = {
    "page": ("number", "size"),
    "offset": ("offset", "size"),
    "cursor": ("cursor", "size"),
    "keyset": ("last", "size"),
    "link": ("size",),
    "next_url": ("size",),
}
_SIZE_UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9}


def parse_size(value: Any) -> int:
    """`250MB`, `2GB`, `64kB` in bytes."""
    match = re.match(r"^(\d+)\s*(kB|MB|GB)$", str(value))
    if isinstance(value, int):
        return value
    if not match:
        raise ValueError("write a number and one of kB, MB, GB, for example 250MB")
    return int(match[1]) * _SIZE_UNITS[match[2]]


Size = Annotated[int, BeforeValidator(parse_size)]
Method = Literal["GET", "POST"]
Params = dict[str, Any]


class Pages(Definition):
    """How one page leads to the next, and what tells that it was the last.

    page: `{page.number}` counts from `first`. offset: `{page.offset}` counts records. cursor: `{page.cursor}` is the
    value `at` a path of the body or in `header`; its absence, an empty one or one of `last` ends. keyset:
    `{page.last}` is `value` of the page's last record. link: the Link header's rel=next. next_url: the URL `at` a path.
    more, done: a boolean path that tells whether there is another page. total: path of the number of all records
    (checked at the end: where fewer came, the pages are read again; where it is not told, nothing proves that all
    came: an error). total_pages: path of the number of pages.
    short_page_ends: a page with fewer records than `size` is the last; without it only an empty one is.
    limit: so many records are the most that one question may answer; behind it is asked again, from the newest cursor.
    """

    by: Literal["page", "offset", "cursor", "keyset", "link", "next_url"]
    size: int | None = Field(default=None, ge=1)
    first: int = 1
    at: str | None = None
    header: str | None = None
    value: str | None = None
    last: tuple[str, ...] = ()
    more: str | None = None
    done: str | None = None
    total: str | None = None
    total_pages: str | None = None
    short_page_ends: bool = False
    limit: int | None = Field(default=None, ge=1)
    max_pages: int = Field(default=100_000, ge=1)

    @model_validator(mode="after")
    def _parts_fit(self) -> Pages:
        if self.by == "cursor" and (self.at is None) == (self.header is None):
            raise ValueError("pages by cursor need exactly one of at, header")
        if self.by == "next_url" and self.at is None:
            raise ValueError("pages by next_url need at, the path of the URL")
        if self.by == "keyset" and self.value is None:
            raise ValueError("pages by keyset need value, the path of what the records are ordered by")
        if self.short_page_ends and self.size is None:
            raise ValueError("short_page_ends needs size")
        return self


class AskedWindow(Definition):
    """How the window is written into a request, and what the interface promises about it.

    format: iso (2026-03-01T00:00:00Z), unix, unix_ms, date, or a strftime pattern; bounds are rounded outwards to it.
    zone: zone of the written times. earliest: the start of a first night. margin: asked for on both sides beyond the
    window; rows outside are filtered. slice: longest span of one question; the window is asked slice by slice.
    ordered: records come in ascending order of the resource's `cursor`, so that what came is free of gaps;
    `descending`: the newest come first, and a page that is older than the window's start is the last that is asked for.
    """

    format: str = "iso"
    zone: str = "UTC"
    earliest: str = "1970-01-01"
    margin: Duration = timedelta(0)
    slice: Duration | None = None
    ordered: bool | Literal["descending"] = False

    @model_validator(mode="after")
    def _format_is_known(self) -> AskedWindow:
        if self.format not in ("iso", "unix", "unix_ms", "date") and "%" not in self.format:
            raise ValueError("format is one of iso, unix, unix_ms, date, or a strftime pattern")
        return self


class Content(Definition):
    """Where the answer is not the content itself: `at` a path of the JSON answer, perhaps in base64."""

    at: str
    encoding: Literal["text", "base64"] = "text"


class Ask(Definition):
    """One HTTP request. `body` is sent as JSON, `form` as a web form; `error_at`: a path that holds something only
    where a request failed although its status is 200."""

    path: str
    method: Method | None = None
    params: Params = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None
    form: Params = Field(default_factory=dict)
    error_at: str | None = None

    @property
    def verb(self) -> str:
        return self.method or ("POST" if self.body is not None or self.form else "GET")

    @property
    def placeholders(self) -> Iterator[tuple[str, str]]:
        """(group, name) of every placeholder that the request holds."""
        yield from placeholders([self.path, self.params, self.headers, self.body, self.form])


class Poll(Ask):
    """Asks how far an export is: done when `status` is one of `done`; `take`: values for later placeholders."""

    status: str
    done: tuple[str, ...]
    failed: tuple[str, ...] = ()
    every: Duration = timedelta(seconds=5)
    take: dict[Identifier, str] = Field(default_factory=dict)


class Download(Ask):
    """Fetches what was exported. `path` may be a whole URL (`{export.url}`); other hosts have to be declared."""

    pages: Pages | None = None


class Export(Definition):
    """An export that the interface prepares: the request starts it, `take` names values of its answer."""

    take: dict[Identifier, str] = Field(default_factory=dict)
    poll: Poll | None = None
    download: Download


class Request(Ask):
    """How a resource is read: one request for each page, slice of the window, and parent."""

    pages: Pages | None = None
    window: AskedWindow = AskedWindow()
    content: Content | None = None
    export: Export | None = None

    @model_validator(mode="after")
    def _placeholders_fit(self) -> Request:
        asks = [self, *self.steps()]
        for ask in asks:
            for group, name in ask.placeholders:
                self._check(ask, group, name)
        if self.pages is not None and self.export is not None:
            raise ValueError("an export is paged where it is downloaded: give export.download.pages")
        if self.window.slice is not None and not self.asks_window:
            raise ValueError("window.slice needs {window.start} or {window.end} in the request")
        for ask, pages in ((self, self.pages), (self.export and self.export.download, self.paging)):
            if pages is not None and pages.by not in ("link", "next_url") and ask is not None:
                wanted = _PAGE_PARTS[pages.by][0]
                if (self.export is None or ask is not self) and ("page", wanted) not in set(ask.placeholders):
                    raise ValueError(f"pages by {pages.by} need {{page.{wanted}}} somewhere in the request")
        return self

    def steps(self) -> list[Ask]:
        """The further requests of an export."""
        if self.export is None:
            return []
        return [step for step in (self.export.poll, self.export.download) if step is not None]

    def _check(self, ask: Ask, group: str, name: str) -> None:
        refuse_secret(group, name)
        if group == "window" and name not in _WINDOW_PARTS:
            raise ValueError(f"{{window.{name}}} is not known, use start or end")
        pages = ask.pages if isinstance(ask, Request | Download) else None
        if group == "page" and (pages is None or name not in _PAGE_PARTS[pages.by]):
            known = ", ".join(_PAGE_PARTS[pages.by]) if pages else "nothing, for the request has no pages"
            raise ValueError(f"{{page.{name}}} is not known here, there is {known}")
        if group == "page" and name == "size" and pages.size is None:
            raise ValueError("{page.size} needs pages.size")
        if group == "export" and (self.export is None or name not in self._taken):
            raise ValueError(f"{{export.{name}}} is taken nowhere: name it under export.take or export.poll.take")

    @property
    def _taken(self) -> set[str]:
        return {*self.export.take, *(self.export.poll.take if self.export.poll else ())}

    @property
    def asks_window(self) -> bool:
        """Whether the window is part of the question."""
        return any(group == "window" for ask in (self, *self.steps()) for group, _ in ask.placeholders)

    @property
    def paging(self) -> Pages | None:
        return self.export.download.pages if self.export else self.pages


class Auth(Definition):
    """How requests are signed. Secrets come from the Airflow connection, by placeholders that only `auth` may use.

    basic: login and password. bearer: `token` in the Authorization header. header, query: `token` under `name`.
    oauth2_client_credentials, oauth2_refresh_token, jwt_bearer: a token is got from `token_url` and renewed. session:
    `login` is asked first, `token_at` is the path of the token in its answer, sent in the header `name` (with
    `prefix`) where one is given, and for `{session.token}`; `logout` is asked at the end.
    """

    kind: Literal[
        "none", "basic", "bearer", "header", "query", "oauth2_client_credentials", "oauth2_refresh_token", "jwt_bearer",
        "session",
    ]  # fmt: skip
    user: str = "{connection.login}"
    password: str = "{connection.password}"
    token: str = "{connection.password}"
    name: str | None = None
    prefix: str = ""
    token_url: str | None = None
    client_authentication: Literal["basic", "body"] = "basic"
    scope: str | None = None
    more: dict[str, str] = Field(default_factory=dict)
    refresh_token: str = "{connection.refresh_token}"
    claims: dict[str, str] = Field(default_factory=dict)
    private_key: str = "{connection.private_key}"
    algorithm: str = "RS256"
    lasts: Duration | None = None
    login: Ask | None = None
    token_at: str | None = None
    logout: Ask | None = None

    @model_validator(mode="after")
    def _parts_fit(self) -> Auth:
        if self.kind in ("header", "query") and self.name is None:
            raise ValueError(f"auth {self.kind} needs name")
        if self.kind.startswith("oauth2") and self.token_url is None:
            raise ValueError(f"auth {self.kind} needs token_url")
        if self.kind == "jwt_bearer" and not self.claims:
            raise ValueError("auth jwt_bearer needs claims, for example {iss: ..., sub: ..., aud: ...}")
        if self.kind == "session" and (self.login is None or self.token_at is None):
            raise ValueError("auth session needs login and token_at")
        return self


class Rate(Definition):
    """How hard the interface may be asked. `remaining`, `reset`: names of headers that tell what is left of a quota and
    when it is full again (in `reset_is`); below `keep` requests wait. Retry-After is always followed."""

    per_minute: int | None = Field(default=None, ge=1)
    remaining: str | None = None
    reset: str | None = None
    reset_is: Literal["seconds", "unix", "unix_ms", "date"] = "seconds"
    keep: int = Field(default=1, ge=0)


class Api(Definition):
    """What all resources of an interface share.

    base_url: prefix of every path; where it has no host, the connection's is put before it. other_hosts: hosts to which
    redirects and downloads may lead, always without credentials; `*.` stands for any subdomain. retries: further
    attempts of one request, the first after `first_wait`, each other after twice as long as the one before. time_out:
    longest silence; request_time_out: longest whole answer; total_time_out: when a batch stops with what it has.
    max_response: largest page; max_download: largest export.
    """

    base_url: str = "/"
    auth: Auth = Auth(kind="none")
    headers: dict[str, str] = Field(default_factory=dict)
    params: Params = Field(default_factory=dict)
    other_hosts: tuple[str, ...] = ()
    allow_plain_http: bool = False
    rate: Rate = Rate()
    retries: int = Field(default=6, ge=0)
    first_wait: Duration = timedelta(seconds=1)
    time_out: Duration = timedelta(seconds=60)
    request_time_out: Duration = timedelta(minutes=10)
    total_time_out: Duration = timedelta(hours=2)
    max_response: Size = 100 * 10**6
    max_download: Size = 5 * 10**9

    @model_validator(mode="after")
    def _no_secret_in_the_open(self) -> Api:
        for group, name in placeholders([self.base_url, self.headers, self.params]):
            refuse_secret(group, name)
        return self


def refuse_secret(group: str, name: str) -> None:
    """Raises ValueError for a secret of the connection outside of `auth`."""
    if group == "connection" and SECRET_NAME.search(name):
        raise ValueError(f"{{connection.{name}}}: secrets belong into api.auth")


def placeholders(part: Any) -> Iterator[tuple[str, str]]:
    """(group, name) of every placeholder in texts, however deep in lists and objects."""
    if isinstance(part, str):
        yield from PLACEHOLDER.findall(part)
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from placeholders([key, value])
    elif isinstance(part, list | tuple):
        for item in part:
            yield from placeholders(item)
