"""Where requests may go: the interface's own origin with credentials, declared hosts without, nowhere else."""

from __future__ import annotations

import ipaddress
from fnmatch import fnmatchcase
from urllib.parse import urljoin, urlsplit

from hansei.catalog.rest import Api
from hansei.connections import Connection
from hansei.errors import SourceError
from hansei.sources.rest.templates import fill_path

_PORTS = {"http": 80, "https": 443}


class Addresses:
    """Makes whole URLs of paths, and tells which of them may be asked and whether credentials go along."""

    def __init__(self, api: Api, connection: Connection, values: dict, place: str) -> None:
        self.api, self._place = api, place
        base = fill_path(api.base_url, values, place)
        if "://" not in base:
            base = f"{_connection_url(connection, place)}/{base.strip('/')}"
        self.base = base.rstrip("/") + "/"
        self.origin = origin_of(self.base)
        self._demand_tls(self.base)

    def url_of(self, path: str) -> str:
        """The whole URL of a path behind the base, or of a URL."""
        if "://" in path:
            return path
        return self.base + path.lstrip("/")

    def following(self, url: str, link: str) -> str:
        """The URL that a link found in the answer to `url` means."""
        return urljoin(url, link)

    def is_own(self, url: str) -> bool:
        """Whether credentials may go there. Raises SourceError where nothing may."""
        if origin_of(url) == self.origin:
            return True
        host = (urlsplit(url).hostname or "").lower()
        allowed = any(host == name or (name.startswith("*.") and fnmatchcase(host, name)) for name in self._others)
        if not allowed:
            found = f"leads to another host ({host or 'none'}), where credentials must not go"
            raise SourceError(self._place, found, "add it to api.other_hosts; it is then asked without credentials")
        self._demand_tls(url)
        return False

    @property
    def _others(self) -> tuple[str, ...]:
        return tuple(name.lower() for name in self.api.other_hosts)

    def _demand_tls(self, url: str) -> None:
        demand_tls(url, self.api, self._place)


def demand_tls(url: str, api: Api, place: str) -> None:
    """Raises SourceError where a request would travel in clear to another machine."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise SourceError(
            place, f"{parts.scheme or 'no scheme'} is no web address", "give http:// or https:// and a host"
        )
    if parts.scheme == "https" or api.allow_plain_http or _is_loopback(parts.hostname or ""):
        return
    found = f"http without TLS to {parts.hostname}"
    raise SourceError(place, found, "use https, or set api.allow_plain_http: true")


def origin_of(url: str) -> tuple[str, str, int]:
    """(scheme, host, port), with the scheme's own port where none is written."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(scheme, 0)


def _connection_url(connection: Connection, place: str) -> str:
    """Scheme, host and port of an Airflow connection; its schema may name the scheme, as Airflow's HTTP hook has it."""
    host = (connection.host or "").rstrip("/")
    if not host:
        found = f"connection {connection.connection_id} has no host"
        raise SourceError(place, found, "give the connection a host such as https://desk.example.com")
    if "://" not in host:
        scheme = connection.schema if connection.schema in _PORTS else "https"
        host = f"{scheme}://{host}"
    if connection.port and urlsplit(host).port is None:
        parts = urlsplit(host)
        host = parts._replace(netloc=f"{parts.netloc}:{connection.port}").geturl()
    return host


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
