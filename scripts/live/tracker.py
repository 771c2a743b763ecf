"""A Request Tracker of its own: Debian's packages, a fresh SQLite database, its standalone server on loopback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

PACKAGES = ("request-tracker5", "rt5-db-sqlite", "rt5-standalone")
SETUP = "/usr/sbin/rt-setup-database-5"
SHREDDER = "/usr/sbin/rt-shredder-5"
SERVER = "/usr/share/request-tracker5/libexec/rt-server"
ROOT = ("root", "password")  # as its documentation says
HEALTHY_SECONDS = 90
CONFIGURATION = """\
Set($rtname, 'example');
Set($Organization, 'example');
Set($WebDomain, '127.0.0.1');
Set($WebPort, PORT);
Set($WebPath, '');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, 'HOME/rt.sqlite');
Set($DatabaseUser, '');
Set($DatabasePassword, '');
Set($Timezone, 'UTC');
Set($LogToFile, undef);
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'critical');
Set($MailCommand, 'testfile');
1;
"""
# REST 2 grants no rights, so these come as RT's own initial data: agents may do all, customers may write.
RIGHTS = """\
@Groups = ({ Name => 'Desk', Description => 'Everybody who answers' });
@ACL = (
  (map { { GroupDomain => 'UserDefined', GroupId => 'Desk', Right => $_ } }
    qw(SeeQueue ShowTicket CreateTicket ReplyToTicket CommentOnTicket ShowTicketComments ModifyTicket OwnTicket
       TakeTicket DeleteTicket WatchAsAdminCc)),
  (map { { GroupDomain => 'SystemInternal', GroupType => 'Everyone', Right => $_ } }
    qw(SeeQueue CreateTicket ReplyToTicket ShowTicket)),
);
1;
"""


def install() -> None:
    """Debian's packages, where they are not there yet; needs root."""
    if Path(SETUP).exists() and Path(SERVER).exists():
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise SystemExit(f"test-live: install {', '.join(PACKAGES)} first (Debian, as root)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


class Tracker:
    """The running system, asked through REST 2 as one of its users."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port
        self.environment = {
            **os.environ,
            "RT_SITE_CONFIG": str(home / "RT_SiteConfig.pm"),
            "RT_SITE_CONFIG_DIR": str(home / "conf.d"),
        }
        self._clients: dict[str, httpx.Client] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, user: str = "root", **more: Any) -> Any:
        """The JSON answer; raises where RT refuses."""
        if user not in self._clients:
            credentials = ROOT if user == "root" else (user, f"{user}-secret")
            self._clients[user] = httpx.Client(base_url=f"{self.url}/REST/2.0", auth=credentials, timeout=120)
        answer = self._clients[user].request(method, path, **more)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path} as {user}: {answer.status_code} {answer.text[:200]}")
        return answer.json()

    def every(self, path: str, query: str, fields: str) -> list[dict[str, Any]]:
        """All pages of a search."""
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            parameters = {"query": query, "fields": fields, "per_page": 100, "page": page, "orderby": "id"}
            answer = self.ask("GET", path, params=parameters)
            found += answer["items"]
            if len(found) >= answer["total"] or not answer["items"]:
                return found
            page += 1

    def total(self, query: str) -> int:
        """How many tickets RT's own search counts."""
        return self.ask("GET", "/tickets", params={"query": query, "per_page": 1})["total"]

    def shred(self, ticket: int) -> None:
        """Removes a ticket for good, with RT's own tool: nothing tells of it afterwards."""
        command = [SHREDDER, "--force", "--sqldump", str(self.home / f"shredded-{ticket}.sql"), "--plugin"]
        command.append(f"Tickets=query,id = {ticket};limit,1;apply_query_to_linked,0")
        subprocess.run(command, check=True, env=self.environment, cwd=self.home, capture_output=True)


@contextmanager
def running(home: Path) -> Iterator[Tracker]:
    """A fresh system below `home`, up for as long as the block lasts."""
    shutil.rmtree(home, ignore_errors=True)
    (home / "conf.d").mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = CONFIGURATION.replace("PORT", str(port)).replace("HOME", str(home))
    (home / "RT_SiteConfig.pm").write_text(text)
    (home / "rights").write_text(RIGHTS)
    tracker = Tracker(home, port)
    insert = ["--action", "insert", "--datafile", str(home / "rights")]
    for arguments in (["--action", "init", "--skip-create"], insert):
        subprocess.run([SETUP, *arguments], check=True, env=tracker.environment, capture_output=True)
    with (home / "server.log").open("wb") as log:
        command = [SERVER, "--host", "127.0.0.1", "--port", str(port)]
        server = subprocess.Popen(command, env=tracker.environment, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait(tracker, server)
            yield tracker
        finally:
            os.killpg(server.pid, 15)
            server.wait(30)


def _wait(tracker: Tracker, server: subprocess.Popen) -> None:
    until = time.monotonic() + HEALTHY_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            tracker.ask("GET", "/rt")
        except (httpx.TransportError, RuntimeError, json.JSONDecodeError):
            time.sleep(0.5)
        else:
            return
    raise SystemExit(f"test-live: Request Tracker does not answer; see {tracker.home / 'server.log'}")
