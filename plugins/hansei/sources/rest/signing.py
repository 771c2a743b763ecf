"""Signing in: what is added to requests so that the interface knows us, got anew when it runs out."""

from __future__ import annotations

import base64
import contextlib
import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from hansei.catalog.rest import SECRET_NAME, Ask, Auth
from hansei.connections import Connection
from hansei.errors import SourceError
from hansei.sources.rest.budget import BudgetSpent
from hansei.sources.rest.templates import ABSENT, fill

# A token is got anew this long before it ends, so that a request under way still finds it good.
_SPARE_SECONDS = 60.0
_ASSERTION_SECONDS = 300
# (request, values) -> the JSON of its answer, without signature.
Asking = Callable[[Ask, Mapping[str, Mapping[str, Any]]], Any]


def connection_values(connection: Connection, with_secrets: bool) -> dict[str, Any]:
    """What `{connection.NAME}` may stand for; secrets only where requests are signed."""
    values = {"login": connection.login, "host": connection.host, "port": connection.port, "schema": connection.schema}
    for name, value in connection.extra.items():
        if isinstance(value, str | int) and (with_secrets or not SECRET_NAME.search(name)):
            values[name] = value
    if with_secrets:
        values["password"] = connection.password
    return values


def secrets_of(connection: Connection) -> set[str]:
    """Texts of the connection that no message may hold."""
    found = {str(value) for name, value in connection.extra.items() if SECRET_NAME.search(name)}
    return {text for text in found | {connection.password or ""} if len(text) > 3}


class Signer:
    """Headers and parameters that sign a request. `secrets` holds every token that was got."""

    def __init__(self, auth: Auth, connection: Connection, asking: Asking, place: str) -> None:
        self.auth, self.place = auth, place
        self._connection, self._asking = connection, asking
        self._values = {"connection": connection_values(connection, with_secrets=True)}
        self.secrets = secrets_of(connection)
        self._token: str | None = None
        self._ends = 0.0

    def headers(self) -> dict[str, str]:
        auth = self.auth
        if auth.kind == "basic":
            pair = f"{self._given(auth.user)}:{self._given(auth.password, may_be_empty=True)}".encode()
            encoded = base64.b64encode(pair).decode()
            self.secrets.add(encoded)
            return {"Authorization": f"Basic {encoded}"}
        if auth.kind == "header":
            return {auth.name: auth.prefix + self._given(auth.token)}
        if auth.kind == "session":
            token = self.token()
            return {auth.name: auth.prefix + token} if auth.name else {}
        if auth.kind in ("none", "query"):
            return {}
        return {"Authorization": f"Bearer {self.token()}"}

    def params(self) -> dict[str, str]:
        return {self.auth.name: self._given(self.auth.token)} if self.auth.kind == "query" else {}

    def session_values(self) -> dict[str, Any]:
        """What `{session.NAME}` may stand for."""
        return {"token": self.token()} if self.auth.kind == "session" else {}

    @property
    def can_renew(self) -> bool:
        return self.auth.kind in ("oauth2_client_credentials", "oauth2_refresh_token", "jwt_bearer", "session")

    def forget(self) -> None:
        """The token was refused: the next request gets another."""
        self._token = None

    def token(self) -> str:
        """The token in force."""
        if self.auth.kind == "bearer":
            return self._given(self.auth.token)
        if self._token is None or time.monotonic() >= self._ends:
            self._token, lasts = self._fresh()
            self.secrets.add(self._token)
            if self.auth.lasts is not None:
                lasts = self.auth.lasts.total_seconds()
            self._ends = time.monotonic() + max(lasts - _SPARE_SECONDS, lasts / 2)
        return self._token

    def close(self) -> None:
        """Signs out of a session, where the definition says how; that it fails harms nothing."""
        if self.auth.kind == "session" and self.auth.logout is not None and self._token is not None:
            with contextlib.suppress(SourceError, BudgetSpent):
                self._asking(self.auth.logout, {**self._values, "session": {"token": self._token}})
            self._token = None

    def _fresh(self) -> tuple[str, float]:
        if self.auth.kind == "session":
            answer = self._asking(self.auth.login, self._values)
            token = _at(answer, self.auth.token_at)
            if not isinstance(token, str) or not token:
                found = f"the login gave no token at {self.auth.token_at}"
                raise SourceError(self.place, found, f"check {self._told} and auth.token_at")
            return token, float("inf")
        if self.auth.kind == "jwt_bearer":
            assertion = self._assertion()
            if self.auth.token_url is None:
                return assertion, float(_ASSERTION_SECONDS)
            grant = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
            return self._granted(grant, with_client=False)
        if self.auth.kind == "oauth2_refresh_token":
            return self._granted({"grant_type": "refresh_token", "refresh_token": self._given(self.auth.refresh_token)})
        return self._granted({"grant_type": "client_credentials"})

    def _granted(self, grant: dict[str, str], with_client: bool = True) -> tuple[str, float]:
        """The access token of the token endpoint and for how many seconds it is good."""
        auth, headers = self.auth, {}
        form = {**grant, **fill(auth.more, self._values, self.place)}
        if auth.scope:
            form["scope"] = auth.scope
        if with_client and auth.client_authentication == "basic":
            pair = f"{self._given(auth.user)}:{self._given(auth.password)}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        elif with_client:
            form |= {"client_id": self._given(auth.user), "client_secret": self._given(auth.password)}
        self.secrets |= {value for name, value in form.items() if SECRET_NAME.search(name) or name == "assertion"}
        ask = Ask(path=auth.token_url, method="POST", headers=headers, form=form)
        answer = self._asking(ask, {"connection": connection_values(self._connection, with_secrets=False)})
        token = _at(answer, "access_token")
        if not isinstance(token, str) or not token:
            raise SourceError(self.place, "the token endpoint gave no access_token", f"check {self._told} and auth")
        lasts = _at(answer, "expires_in")
        return token, float(lasts) if str(lasts).isdigit() else 3600.0

    def _assertion(self) -> str:
        import jwt

        now = int(time.time())
        claims = {"iat": now, "exp": now + _ASSERTION_SECONDS, "jti": uuid.uuid4().hex}
        claims |= fill(self.auth.claims, self._values, self.place)
        try:
            return jwt.encode(claims, self._given(self.auth.private_key), algorithm=self.auth.algorithm)
        except (ValueError, TypeError, NotImplementedError, jwt.PyJWTError):
            found = f"the private key cannot sign with {self.auth.algorithm}"
            raise SourceError(self.place, found, f"put a PEM key into {self._told}") from None

    def _given(self, text: str, may_be_empty: bool = False) -> str:
        value = fill(text, self._values, self.place)
        if value is ABSENT or value == "":
            if may_be_empty:
                return ""
            raise SourceError(self.place, f"{text} is empty", f"give it to {self._told}")
        return str(value)

    @property
    def _told(self) -> str:
        return f"connection {self._connection.connection_id}"


def _at(answer: Any, path: str) -> Any:
    """The value at a dotted path of plain JSON data, or None."""
    for part in path.removeprefix("$.").split("."):
        answer = answer.get(part) if isinstance(answer, dict) else None
    return answer


def plain_json(text: str) -> Any:
    """The data of a short JSON answer, None where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None
