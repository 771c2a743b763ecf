"""Settings of one process: read once from the environment, then frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hansei.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parents[2]
SHIPPED_INCLUDE = PROJECT_ROOT / "include"


@dataclass(frozen=True)
class Settings:
    """Where things are and with which secrets; secrets never show in `repr`."""

    home: Path
    warehouse_url: str = field(repr=False)
    board_url: str = field(repr=False)
    spool: str
    archive: str
    read_copy: Path
    include: Path
    overlays: tuple[Path, ...]
    identity_key: str | None = field(repr=False)
    quarantine_key: str | None = field(repr=False)
    lock_wait_seconds: float
    memory_limit: str = "900MB"

    @property
    def is_embedded(self) -> bool:
        return self.warehouse_url.startswith("duckdb")

    @property
    def warehouse_file(self) -> Path:
        """Path of the DuckDB file; only meaningful for the embedded warehouse."""
        return Path(self.warehouse_url.removeprefix("duckdb:///"))

    def require_identity_key(self) -> str:
        return _require(self.identity_key, "HANSEI_IDENTITY_KEY", "at least 32 characters", 32)

    def require_quarantine_key(self) -> str:
        return _require(self.quarantine_key, "HANSEI_QUARANTINE_KEY", "a Fernet key of 44 characters", 44)


def _require(value: str | None, name: str, shape: str, length: int) -> str:
    if value is None:
        raise SettingsError(name, "not set", f"set it to {shape}; `hansei keys` prints fresh ones")
    if len(value) < length:
        raise SettingsError(
            name, f"only {len(value)} characters", f"set it to {shape}; `hansei keys` prints fresh ones"
        )
    return value


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from `environ` (default: the process's own environment)."""
    env = os.environ if environ is None else environ
    home = Path(env.get("HANSEI_HOME") or ".hansei").absolute()
    warehouse_url = env.get("HANSEI_WAREHOUSE") or f"duckdb:///{home / 'warehouse.duckdb'}"
    if not warehouse_url.startswith(("duckdb:///", "postgresql+psycopg://")):
        scheme = warehouse_url.split(":", 1)[0]
        raise SettingsError("HANSEI_WAREHOUSE", f"scheme {scheme!r}", "use duckdb:///PATH or postgresql+psycopg://...")
    embedded = warehouse_url.startswith("duckdb")
    board_url = env.get("HANSEI_BOARD") or (f"sqlite:///{home / 'board.sqlite'}" if embedded else warehouse_url)
    overlays = tuple(Path(part).absolute() for part in env.get("HANSEI_DEFINITIONS", "").split(os.pathsep) if part)
    return Settings(
        home=home,
        warehouse_url=warehouse_url,
        board_url=board_url,
        spool=env.get("HANSEI_SPOOL") or str(home / "spool"),
        archive=_archive(env.get("HANSEI_ARCHIVE") or str(home / "archive")),
        read_copy=Path(env.get("HANSEI_READ_COPY") or home / "read.duckdb"),
        include=Path(env.get("HANSEI_INCLUDE") or SHIPPED_INCLUDE),
        overlays=overlays,
        identity_key=env.get("HANSEI_IDENTITY_KEY") or None,
        quarantine_key=env.get("HANSEI_QUARANTINE_KEY") or None,
        lock_wait_seconds=_seconds(env, "HANSEI_LOCK_WAIT_SECONDS", 60.0),
        memory_limit=env.get("HANSEI_MEMORY_LIMIT") or "900MB",
    )


def _archive(text: str) -> str:
    """A path or a URL. One that carries a secret is refused, because places are shown in logs and in the board."""
    netloc = text.partition("://")[2].partition("/")[0]
    if ":" in netloc.rpartition("@")[0] or ("://" in text and "?" in text):
        found = "a URL that carries credentials or options (not shown)"
        next_step = "leave them out: give them to the storage's own environment variables"
        raise SettingsError("HANSEI_ARCHIVE", found, next_step)
    return text


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    raw = env.get(name)
    if not raw:
        return default
    try:
        return float(raw)
    except ValueError:
        raise SettingsError(name, f"{raw!r} is not a number", "give seconds, for example 60") from None
