"""Nights that many tests begin after: run once for all workers of a test session, copied by each test."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from support.databases import create_database
from support.small_company import Company, copy_company, exports, found_company


def after_night(factory: pytest.TempPathFactory, number: int) -> Company:
    """The small company on DuckDB after its first nights; the files of the later ones lie there too."""

    def make(home: Path) -> None:
        if number > 1:
            company = copy_company(after_night(factory, number - 1), home)
        else:
            company = found_company(home)
            exports().write(company.inbox)
        company.night(number)

    return found_company(_made_once(factory, f"after_night_{number}", make))


def first_night_on(server: sa.URL, factory: pytest.TempPathFactory) -> Company:
    """The same on a PostgreSQL server, after its first night; servers are not shared by workers."""
    company = _company_on(server, factory.mktemp("first_night_on_server"))
    exports().write(company.inbox)
    company.night(1)
    return company


def copy_to_server(company: Company, home: Path) -> Company:
    """The company with all that it has so far, in a folder and a database of its own beside that which it has."""
    shutil.copytree(company.home, home, dirs_exist_ok=True)
    url = sa.make_url(company.settings.warehouse_url)
    return _company_on(url, home, template=url.database)


def _company_on(server: sa.URL, home: Path, **database: str) -> Company:
    name = f"company_{uuid.uuid4().hex[:12]}"
    create_database(server, name, **database)
    return found_company(home, server.set(database=name).render_as_string(hide_password=False))


def _made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker makes while the others wait; one that could not be finished is made anew."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    home, made = root / name, root / f"{name}.made"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(home, ignore_errors=True)
            make(home)
            made.touch()
    return home
