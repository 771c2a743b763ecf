"""Kind `rest` signs in as each interface wants it, renews what runs out, and keeps what it knows to itself."""

from __future__ import annotations

import base64

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError
from support.rest_desk import WINDOW, desk, keys, ticket
from support.rest_server import Asked, Reply, RestServer

from hansei.errors import SourceError

HELD = [ticket(number) for number in range(3)]
BASIC = "Basic " + base64.b64encode(b"robot:s3cret-of-the-desk").decode()
TOKEN_URL = "{connection.host}/token"


def guarded(is_known) -> object:
    return lambda asked: Reply({"data": HELD}) if is_known(asked) else Reply({"error": "no"}, 401)


SIGNED = {
    "basic": ({"kind": "basic"}, lambda asked: asked.headers.get("Authorization") == BASIC),
    "basic with another user": (
        {"kind": "basic", "user": "{connection.login}/token", "password": "{connection.api_key}"},
        lambda asked: base64.b64decode(asked.headers["Authorization"][6:]) == b"robot/token:k-e-y",
    ),
    "bearer": ({"kind": "bearer"}, lambda asked: asked.headers.get("Authorization") == "Bearer s3cret-of-the-desk"),
    "header": (
        {"kind": "header", "name": "X-Token", "prefix": "Token token=", "token": "{connection.api_key}"},
        lambda asked: asked.headers.get("X-Token") == "Token token=k-e-y",
    ),
    "query": (
        {"kind": "query", "name": "api_token"},
        lambda asked: asked.params.get("api_token") == "s3cret-of-the-desk",
    ),
}


@pytest.mark.parametrize("kind", SIGNED)
def test_requests_are_signed(server: RestServer, extract, kind: str) -> None:
    auth, is_known = SIGNED[kind]
    server.reset(guarded(is_known))
    connection = server.connection(extra={"api_key": "k-e-y"})
    _, rows = extract(desk({}, api={"auth": auth}), WINDOW, resolver=lambda _: connection)
    assert len(rows) == 3


def test_a_refused_login_ends_at_once_and_names_the_connection(server: RestServer, extract) -> None:
    server.reset(lambda asked: Reply({"message": "unknown key s3cret-of-the-desk"}, 401))
    with pytest.raises(SourceError, match=r"answers 401.*check connection desk") as caught:
        extract(desk({}, api={"auth": {"kind": "bearer"}}), WINDOW, resolver=lambda _: server.connection())
    assert len(server.asked) == 1
    assert "s3cret" not in str(caught.value)


class Bank:
    """A server whose tokens are good for a number of requests."""

    def __init__(self, uses: int, takes) -> None:
        self.uses, self.takes, self.issued, self.left = uses, takes, 0, 0

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/token":
            if not self.takes(asked):
                return Reply({"error": "invalid_client", "error_description": "secret s3cret-of-the-desk"}, 400)
            self.issued, self.left = self.issued + 1, self.uses
            return Reply({"access_token": f"token-{self.issued}", "expires_in": 3600})
        if asked.headers.get("Authorization") != f"Bearer token-{self.issued}" or not self.left:
            return Reply({}, 401)
        self.left -= 1
        number = int(asked.params["page"])
        return Reply({"data": [ticket(number)] if number < 5 else []})


PAGED = {"params": {"page": "{page.number}"}, "pages": {"by": "page", "first": 0}}


def client(asked: Asked) -> bool:
    return asked.headers.get("Authorization") == BASIC and asked.body == {
        "grant_type": "client_credentials", "scope": "read", "audience": "desk",
    }  # fmt: skip


def test_client_credentials_get_a_token_and_another_when_it_is_refused(server: RestServer, extract) -> None:
    bank = Bank(2, client)
    server.reset(bank)
    auth = {
        "kind": "oauth2_client_credentials", "token_url": f"{server.url}/token", "scope": "read",
        "more": {"audience": "desk"},
    }  # fmt: skip
    _, rows = extract(desk(PAGED, api={"auth": auth}), WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == ["0", "1", "2", "3", "4"]
    assert bank.issued == 3


def test_a_token_that_ends_soon_is_renewed_without_being_refused(server: RestServer, extract) -> None:
    bank = Bank(99, lambda asked: asked.body["client_secret"] == "s3cret-of-the-desk")
    server.reset(bank)
    auth = {
        "kind": "oauth2_client_credentials", "token_url": "/token", "client_authentication": "body", "lasts": "1ms",
    }  # fmt: skip
    extract(desk(PAGED, api={"auth": auth}), WINDOW, resolver=lambda _: server.connection())
    assert bank.issued > 3
    assert not [asked for asked in server.asked if asked.path == "/tickets" and not asked.headers.get("Authorization")]


def test_a_refresh_token_gives_tokens(server: RestServer, extract) -> None:
    bank = Bank(99, lambda asked: asked.body.get("refresh_token") == "refresh-me")
    server.reset(bank)
    auth = {"kind": "oauth2_refresh_token", "token_url": "/token"}
    connection = server.connection(extra={"refresh_token": "refresh-me"})
    _, rows = extract(desk(PAGED, api={"auth": auth}), WINDOW, resolver=lambda _: connection)
    assert len(rows) == 5


def test_an_assertion_is_signed_with_the_private_key(server: RestServer, extract) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()

    def takes(asked: Asked) -> bool:
        claims = jwt.decode(asked.body["assertion"], key.public_key(), algorithms=["RS256"], audience="desk")
        return claims["iss"] == "robot" and claims["exp"] > claims["iat"]

    server.reset(Bank(99, takes))
    auth = {"kind": "jwt_bearer", "token_url": "/token", "claims": {"iss": "{connection.login}", "aud": "desk"}}
    connection = server.connection(extra={"private_key": pem})
    _, rows = extract(desk(PAGED, api={"auth": auth}), WINDOW, resolver=lambda _: connection)
    assert len(rows) == 5
    broken = server.connection(extra={"private_key": "-----BEGIN nonsense"})
    with pytest.raises(SourceError, match="private key cannot sign") as caught:
        extract(desk(PAGED, api={"auth": auth}), WINDOW, "again", lambda _: broken)
    assert "nonsense" not in str(caught.value)


def test_without_a_token_url_the_signed_claims_are_the_token(server: RestServer, extract) -> None:
    """As some interfaces want it: a secret of both sides, an issuer, and an end that lies ahead."""
    secret = "a-secret-of-both-sides-that-is-long-enough"

    def is_known(asked: Asked) -> bool:
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        claims = jwt.decode(token, secret, algorithms=["HS256"], audience="desk")
        return claims["iss"] == "robot" and claims["iat"] < claims["exp"]

    server.reset(guarded(is_known))
    claims = {"iss": "{connection.login}", "aud": "desk"}
    auth = {"kind": "jwt_bearer", "algorithm": "HS256", "private_key": "{connection.api_secret}", "claims": claims}
    connection = server.connection(extra={"api_secret": secret})
    _, rows = extract(desk({}, api={"auth": auth}), WINDOW, resolver=lambda _: connection)
    assert len(rows) == len(HELD)
    assert [asked.path for asked in server.asked] == ["/tickets"], "nothing else is asked"


def test_a_token_endpoint_that_refuses_is_named_without_secrets(server: RestServer, extract) -> None:
    server.reset(Bank(1, lambda asked: False))
    auth = {"kind": "oauth2_client_credentials", "token_url": "/token"}
    with pytest.raises(SourceError, match="answers 400") as caught:
        extract(desk(PAGED, api={"auth": auth}), WINDOW, resolver=lambda _: server.connection())
    assert "s3cret" not in str(caught.value)


class Remote:
    """JSON-RPC with a session key that is good for three requests, as LimeSurvey has it: all with status 200."""

    def __init__(self) -> None:
        self.sessions, self.left, self.released = 0, 0, []

    def __call__(self, asked: Asked) -> Reply:
        method, params = asked.body["method"], asked.body["params"]
        if method == "get_session_key":
            if params != ["robot", "s3cret-of-the-desk"]:
                return Reply({"id": 1, "result": {"status": "Invalid user name or password"}, "error": None})
            self.sessions, self.left = self.sessions + 1, 3
            return Reply({"id": 1, "result": f"key-{self.sessions}", "error": None})
        if method == "release_session_key":
            self.released.append(params[0])
            return Reply({"id": 1, "result": "OK"})
        if params[0] != f"key-{self.sessions}" or self.left == 0:
            return Reply({"id": 1, "result": {"status": "Invalid session key"}, "error": None})
        self.left -= 1
        return Reply({"id": 1, "result": [ticket(params[1])] if params[1] < 5 else [], "error": None})


def rpc(method: str, *params: str) -> dict:
    return {"path": "/remote", "body": {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}}


def remote(**session: object):
    login = rpc("get_session_key", "{connection.login}", "{connection.password}")
    logout = rpc("release_session_key", "{session.token}")
    auth = {"kind": "session", "login": login, "token_at": "result", "logout": logout, **session}
    request = {
        **rpc("list", "{session.token}", "{page.number}"), "error_at": "result.status",
        "pages": {"by": "page", "first": 0},
    }  # fmt: skip
    return desk(request, api={"auth": auth}, resource={"records": "result"})


def test_a_session_is_opened_renewed_and_closed(server: RestServer, extract) -> None:
    held = Remote()
    server.reset(held)
    _, rows = extract(remote(), WINDOW, resolver=lambda _: server.connection())
    assert keys(rows) == ["0", "1", "2", "3", "4"]
    assert held.sessions == 2
    assert held.released == ["key-2"]


def test_a_login_that_gives_no_token_is_an_error(server: RestServer, extract) -> None:
    server.reset(Remote())
    with pytest.raises(SourceError, match="the login gave no token at result"):
        extract(remote(), WINDOW, resolver=lambda _: server.connection(password="wrong"))


def test_a_missing_secret_is_named(server: RestServer, extract) -> None:
    source = desk({}, api={"auth": {"kind": "bearer", "token": "{connection.api_token}"}})
    with pytest.raises(SourceError, match=r"connection\.api_token\} is empty: give it to connection desk"):
        extract(source, WINDOW, resolver=lambda _: server.connection())


def test_secrets_of_the_connection_cannot_be_sent_by_a_request(server: RestServer, extract) -> None:
    for name in ("password", "api_token", "private_key"):
        with pytest.raises(ValidationError, match="belong into"):
            desk({"params": {"a": f"{{connection.{name}}}"}})
        with pytest.raises(ValidationError, match="belong into"):
            desk({}, api={"headers": {"a": f"{{connection.{name}}}"}})
    server.reset(guarded(lambda asked: True))
    source = desk({"params": {"c": "{connection.site}", "d": "{connection.nothing}"}})
    extract(source, WINDOW, resolver=lambda _: server.connection(extra={"api_token": "t0ken", "site": "x"}))
    assert server.asked[0].params == {"c": "x"}
