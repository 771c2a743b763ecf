"""`make test-live`: two nights of Hansei against a real Request Tracker 5, compared with what RT itself says.

Installs Debian's packages where they are missing (root), starts RT's standalone server on loopback with a database of
its own, lets a small desk live in it through REST 2, runs the nightly DAG, changes things, runs it again. After each
night: every ticket and its status, counts by status, merged, deleted and shredded tickets, replies, and RT's own search
counts through the tie-out. Ends with 0 only where all of it agrees.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import yaml
from desk import Desk
from tracker import ROOT, Tracker, install, running

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))
from include.demo import environment  # noqa: E402

EXAMPLE = REPOSITORY / "include/definitions/examples/request_tracker/sources/request_tracker.yaml"
STATUSES = {
    "new": "new",
    "open": "open",
    "stalled": "pending",
    "resolved": "solved",
    "rejected": "closed",
    "deleted": "deleted",
}


class Comparison:
    """Says what agrees and what does not, and remembers whether anything did not."""

    def __init__(self) -> None:
        self.failed = 0

    def __call__(self, what: str, ours: object, theirs: object) -> None:
        agrees = ours == theirs
        self.failed += not agrees
        print(f"    {'agrees' if agrees else 'DIFFERS'}  {what}: {ours}" + ("" if agrees else f", RT says {theirs}"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=REPOSITORY / ".hansei/live", help="where it lives (.hansei/live)")
    parser.add_argument("--tickets", type=int, default=240, help="tickets before the first night")
    options = parser.parse_args()
    home, started = options.home.absolute(), time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {text}", flush=True)

    install()
    say("Request Tracker's packages are there")
    compare = Comparison()
    with running(home / "rt") as tracker:
        say(f"RT {tracker.ask('GET', '/rt')['Version']} answers at {tracker.url}")
        desk = Desk(tracker)
        desk.found()
        desk.open_tickets(options.tickets)
        desk.work(options.tickets)
        say(f"{options.tickets} tickets were opened, taken, answered, solved, merged and deleted")
        prepare(home, tracker)
        night(home, 1)
        say("first night, by the nightly DAG")
        check(home, tracker, desk, compare)
        more = max(options.tickets // 8, 5)
        desk.open_tickets(more)
        desk.work(options.tickets // 3)
        desk.reopen(3)
        desk.shred(2)
        say(f"{more} more tickets, changes to old ones, some reopened, 2 shredded without a trace")
        night(home, 2)
        say("second night")
        check(home, tracker, desk, compare)
        reconcile(home, compare)
    say("everything agrees with RT" if not compare.failed else f"{compare.failed} things differ")
    return 1 if compare.failed else 0


def prepare(home: Path, tracker: Tracker) -> None:
    """A home without a past, the ready definition whose list of keys is asked for every night, and the connection."""
    for name in ("warehouse.duckdb", "read.duckdb", "read.previous.duckdb", "board.sqlite"):
        (home / name).unlink(missing_ok=True)
    subprocess.run(["rm", "-rf", home / "spool", home / "archive", home / "airflow", home / "definitions"], check=True)
    source = yaml.safe_load(EXAMPLE.read_text())
    source["keys"][0]["every"] = "1d"
    path = home / "definitions/sources/request_tracker.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(source, sort_keys=False))
    environment.enter(home)
    connection = {"conn_type": "http", "host": tracker.url, "login": ROOT[0], "password": ROOT[1]}
    os.environ["AIRFLOW_CONN_REQUEST_TRACKER"] = json.dumps(connection)
    os.environ["HANSEI_DEFINITIONS"] = str(home / "definitions")
    os.environ["PATH"] = f"{REPOSITORY / '.venv/bin'}:{os.environ['PATH']}"
    log(home, ["airflow", "db", "migrate"], "airflow.log")


def night(home: Path, number: int) -> None:
    """The nightly DAG by `airflow dags test`. Its interval ends after now, so that today's tickets are in it."""
    at = (datetime.now(UTC) + timedelta(days=number)).replace(hour=12, minute=0, second=0, microsecond=0)
    command = ["airflow", "dags", "test", "nightly_indicators", at.strftime("%Y-%m-%dT%H:%M:%S")]
    log(home, command, f"night-{number}.log")


def log(home: Path, command: list[str], name: str) -> None:
    with (home / name).open("ab") as out:
        if subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False).returncode:
            raise SystemExit(f"test-live: {' '.join(command[:3])} failed; see {home / name}")


def check(home: Path, tracker: Tracker, desk: Desk, compare: Comparison) -> None:
    """Our tables against RT's own answers, and against what the desk did."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as copy:
        rows = copy.execute(
            "SELECT CAST(SPLIT_PART(ticket_id, ':', 2) AS INTEGER), status, is_merged, is_deleted FROM core.tickets"
        ).fetchall()
        quarantined = copy.execute("SELECT COUNT(*) FROM ops.quarantined_rows").fetchone()[0]
        replies = copy.execute(
            "SELECT COUNT(*) FROM staging.ticket_events AS events JOIN core.tickets USING (ticket_id) "
            "WHERE event_type = 'reply' AND NOT is_deleted"
        ).fetchone()[0]
        unexplained = copy.execute(
            "SELECT SUM(ABS(unexplained_count)) FROM ops.reconciliations "
            "WHERE as_of = (SELECT MAX(as_of) FROM ops.reconciliations)"
        ).fetchone()[0]
        lists = copy.execute(
            "SELECT state, deleted_count FROM ops.key_reconciliations ORDER BY as_of DESC LIMIT 1"
        ).fetchone()
    living = {number: status for number, status, is_merged, is_deleted in rows if not is_merged and not is_deleted}
    theirs = {int(item["id"]): STATUSES[item["Status"]] for item in tracker.every("/tickets", "id > 0", "Status")}
    compare("living tickets", len(living), tracker.total("id > 0"))
    compare("tickets whose number and status agree", len(living.items() & theirs.items()), len(theirs))
    counted = {ours: tracker.total(f"Status = '{name}'") for name, ours in STATUSES.items() if name != "deleted"}
    ours = Counter(living.values())
    compare("tickets by status", {status: ours[status] for status in counted}, counted)
    merged = {number for number, _, is_merged, _ in rows if is_merged}
    compare("merged tickets", len(merged), tracker.total("EffectiveId > 0 AND EffectiveId != id"))
    known = {number for number, *_ in rows}
    gone = {number for number, _, _, is_deleted in rows if is_deleted}
    compare("tickets deleted or shredded, that we knew", gone, known & {*desk.deleted, *desk.shredded})
    spoken = "ObjectType = 'RT::Ticket' AND (Type = 'Correspond' OR Type = 'Comment')"
    said = [int(item["ObjectId"]) for item in tracker.every("/transactions", spoken, "ObjectId,Type")]
    compare("replies and notes of tickets that live", replies, sum(number not in {*desk.deleted} for number in said))
    compare("rows in quarantine", quarantined, 0)
    compare("rows that the tie-out cannot explain", unexplained, 0)
    print(f"    the key list was {lists[0]} and buried {lists[1]} tickets")


def reconcile(home: Path, compare: Comparison) -> None:
    """The commands of the source, as a user calls them."""
    for command in (["status"], ["reconcile", "request_tracker", "--all"]):
        answer = subprocess.run(["hansei", "sources", *command], capture_output=True, text=True, check=False)
        print(answer.stdout + answer.stderr)
        compare(f"exit code of hansei sources {command[0]}", answer.returncode, 0)


if __name__ == "__main__":
    sys.exit(main())
