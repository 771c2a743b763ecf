"""Where the demo lives and what its processes find in their environment, settled before Airflow is imported."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import shlex
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DEFINITIONS = Path(__file__).with_name("definitions")


HOME = REPOSITORY / ".hansei" / "demo"


def enter(home: Path) -> None:
    """This process sees the demo's settings and nobody else's: no other warehouse, no other Airflow."""
    for name in [name for name in os.environ if name.startswith(("HANSEI_", "AIRFLOW_"))]:
        del os.environ[name]
    os.environ.update(settings_of(home))


def settings_of(home: Path) -> dict[str, str]:
    """Everything that `home`'s environment file holds; makes the file, readable by its owner only, at the first call.

    The keys in it are random and stay the same: pseudonyms of one night have to match those of the next.
    """
    file = home / "demo.env"
    kept = _read(file)
    settings = {
        "HANSEI_HOME": str(home),
        "HANSEI_DEFINITIONS": str(DEFINITIONS),
        "HANSEI_IDENTITY_KEY": kept.get("HANSEI_IDENTITY_KEY") or secrets.token_urlsafe(48),
        "HANSEI_QUARANTINE_KEY": kept.get("HANSEI_QUARANTINE_KEY")
        or base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "HANSEI_RETRY_DELAY_SECONDS": "1",
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__API_AUTH__JWT_SECRET": kept.get("AIRFLOW__API_AUTH__JWT_SECRET") or secrets.token_urlsafe(64),
    }
    if settings != kept:
        home.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            os.fchmod(stream.fileno(), 0o600)
            stream.write(text)
    return settings


def _read(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    pairs = (line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    return {name: "".join(shlex.split(value)) for name, value in pairs}


def generator_fingerprint() -> str:
    """Changes when the generator does, so that old exports are not mistaken for new ones."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.name not in ("run.py", "environment.py", "troubles.py", "summary.py"):
            digest.update(path.read_bytes())
    return digest.hexdigest()
