"""A night in a process of its own that is killed (SIGKILL) at one named call. The product knows nothing of it."""

from __future__ import annotations

import functools
import importlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from support.small_company import Company

# Paid once by the server that processes are forked from; it opens no file and starts no thread.
PRELOADED = ["hansei.pipeline", "great_expectations", "great_expectations.expectations", "support.kill_points"]


@dataclass(frozen=True)
class KillPoint:
    """The call of `target` (`module:name` or `module:Class.name`) before or after which the process dies.

    `ordinal` counts calls from 1; `where` limits them to calls one of whose arguments holds that text.
    """

    moment: str
    target: str
    ordinal: int = 1
    where: str = ""

    def __str__(self) -> str:
        only = f"({self.where})" if self.where else ""
        return f"{self.moment} {self.target.split(':')[1]}{only} {self.ordinal}"

    def set(self) -> None:
        """Lays the trap in this process."""
        module, _, path = self.target.partition(":")
        owner = importlib.import_module(module)
        *parents, name = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        setattr(owner, name, self._trapped(getattr(owner, name)))

    def _trapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        calls = 0

        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += self.where in "|".join(str(argument) for argument in arguments) if self.where else 1
            is_it = calls == self.ordinal
            if is_it and self.moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*arguments, **named)
            if is_it:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call


def night_in_a_process(company: Company, number: int, point: KillPoint | None = None) -> int:
    """Exit code of a process that runs the night: 0, or -9 where it was killed at the point."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=_night, args=(company, number, point))
    process.start()
    process.join(timeout=300)
    assert process.exitcode is not None, "the night did not end"
    return process.exitcode


def _night(company: Company, number: int, point: KillPoint | None) -> None:
    if point is not None:
        point.set()
    company.night(number)
