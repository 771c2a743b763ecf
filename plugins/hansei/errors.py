"""Errors that people read: each names the place, what was found there, and the next step.

No message may hold a secret or a person's data; whoever raises one is answerable for that.
"""

from __future__ import annotations


class HanseiError(Exception):
    """Anything that a user can mend. The command line prints it as one line, without a traceback."""

    def __init__(self, place: str, found: str, next_step: str) -> None:
        self.place = place
        self.found = found
        self.next_step = next_step
        super().__init__(f"{place}: {found}: {next_step}")


class DefinitionError(HanseiError):
    """One or more definitions are wrong; `faults` holds them all."""

    def __init__(self, faults: list) -> None:
        self.faults = faults
        listing = "\n".join(str(fault) for fault in faults)
        Exception.__init__(self, listing)
        self.place, self.found, self.next_step = "definitions", f"{len(faults)} faults", listing


class SettingsError(HanseiError):
    """An environment variable is missing or cannot be used."""


class SourceError(HanseiError):
    """A source cannot be reached, read or understood as a whole."""


class WarehouseError(HanseiError):
    """The warehouse cannot be opened, or refuses a change."""


class AccountingError(HanseiError):
    """received = accepted + quarantined + duplicate + held does not hold."""
