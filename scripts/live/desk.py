"""The life of a small desk in Request Tracker, through its REST interface, and what it did."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tracker import Tracker

QUEUES = ("Billing", "Terminal", "Access")
AGENTS = ("agnes", "bruno", "clara")
CUSTOMERS = 12
SUBJECTS = ("Invoice is wrong", "No slot for our truck", "Cannot sign in", "Container is missing", "Please call back")
BULK = 20


@dataclass
class Desk:
    """What was made, so that the outcome can be known without asking RT."""

    tracker: Tracker
    chance: random.Random = field(default_factory=lambda: random.Random(20260301))
    alive: list[int] = field(default_factory=list)
    merged: dict[int, int] = field(default_factory=dict)
    deleted: list[int] = field(default_factory=list)
    shredded: list[int] = field(default_factory=list)
    solved: list[int] = field(default_factory=list)

    def found(self) -> None:
        """Queues, agents with a password and the rights of the desk, and customers."""
        for queue in QUEUES:
            self.tracker.ask("POST", "/queue", json={"Name": queue})
        for agent in AGENTS:
            person = {"Name": agent, "EmailAddress": f"{agent}@desk.example", "RealName": f"{agent.title()} Desk"}
            self.tracker.ask("POST", "/user", json={**person, "Privileged": 1, "Password": f"{agent}-secret"})
            self.tracker.ask("PUT", f"/user/{agent}/groups", json=[self._group()])
        for number in range(CUSTOMERS):
            person = {"Name": self._customer(number), "EmailAddress": f"{self._customer(number)}@customer.example"}
            secret = f"{self._customer(number)}-secret"
            self.tracker.ask("POST", "/user", json={**person, "RealName": f"Customer {number}", "Password": secret})

    def _group(self) -> str:
        groups = self.tracker.ask("GET", "/groups", params={"query": '[{"field": "Name", "value": "Desk"}]'})
        return groups["items"][0]["id"]

    def _customer(self, number: int) -> str:
        return f"customer{number}"

    def open_tickets(self, count: int) -> None:
        wanted = [
            {
                "Queue": self.chance.choice(QUEUES),
                "Subject": self.chance.choice(SUBJECTS),
                "Requestor": f"{self._customer(self.chance.randrange(CUSTOMERS))}@customer.example",
                "Content": "It does not work.",
                "Priority": self.chance.choice((0, 50, 100)),
            }
            for _ in range(count)
        ]
        for start in range(0, count, BULK):
            made = self.tracker.ask("POST", "/tickets/bulk", json=wanted[start : start + BULK])
            self.alive += [int(ticket["id"]) for ticket in made]

    def work(self, size: int) -> None:
        """Ordinary work on random living tickets, in proportion to `size`; agents answer as themselves."""
        takes, replies, solutions, priorities = (max(round(size * share), 2) for share in (0.35, 0.3, 0.25, 0.1))
        merges, deletions = max(size // 40, 1), max(size // 60, 1)
        for ticket in self._some(takes):
            agent = self.chance.choice(AGENTS)
            self.change(ticket, {"Owner": agent, "Status": "open"}, agent)
        for ticket in self._some(replies):
            agent = self.chance.choice(AGENTS)
            self._say(ticket, "correspond", "We are looking into it.", agent)
            if self.chance.random() < 0.3:
                self._say(ticket, "comment", "Ask the terminal first.", agent)
        for ticket in self._some(solutions):
            agent = self.chance.choice(AGENTS)
            self._say(ticket, "correspond", "It is done.", agent)
            self.change(ticket, {"Status": "resolved"}, agent)
            self.solved.append(ticket)
        for ticket in self._some(priorities):
            self.change(ticket, {"Priority": self.chance.choice((0, 50, 100))}, self.chance.choice(AGENTS))
        for ticket in self._some(merges):
            other = next(number for number in self.alive if number != ticket and number not in self.solved)
            self.change(ticket, {"MergeInto": str(other)})
            self.merged[ticket] = other
            self.alive.remove(ticket)
        for ticket in self._some(deletions):
            self.change(ticket, {"Status": "deleted"})
            self.deleted.append(ticket)
            self.alive.remove(ticket)

    def reopen(self, count: int) -> None:
        for ticket in self.solved[:count]:
            self.change(ticket, {"Status": "open"}, "bruno")
        self.solved = self.solved[count:]

    def shred(self, count: int) -> None:
        for ticket in self._some(count):
            self.tracker.shred(ticket)
            self.shredded.append(ticket)
            self.alive.remove(ticket)

    def change(self, ticket: int, fields: dict[str, Any], user: str = "root") -> None:
        self.tracker.ask("PUT", f"/ticket/{ticket}", user, json=fields)

    def _say(self, ticket: int, how: str, text: str, user: str) -> None:
        content = {"Content": text, "ContentType": "text/plain"}
        self.tracker.ask("POST", f"/ticket/{ticket}/{how}", user, json=content)

    def _some(self, count: int) -> list[int]:
        free = [ticket for ticket in self.alive if ticket not in self.solved and ticket not in self.merged.values()]
        return self.chance.sample(free, min(count, len(free)))
