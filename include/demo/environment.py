"""Where the demo lives and what its processes find in their environment, settled before Airflow is imported."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
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
    """The demo's settings; its secrets are made at the first call and kept in `<home>/keys.env`.

    They stay the same, because pseudonyms of one night have to match those of the next.
    """
    return {
        "HANSEI_HOME": str(home),
        "HANSEI_DEFINITIONS": str(DEFINITIONS),
        "HANSEI_RETRY_DELAY_SECONDS": "1",
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        **_secrets(home / "keys.env"),
    }


def _secrets(file: Path) -> dict[str, str]:
    """`NAME=value` lines of a file that only its owner can read; `scripts/demo-env.sh` shares it."""
    if not file.exists():
        fresh = {
            "HANSEI_IDENTITY_KEY": secrets.token_urlsafe(48),
            "HANSEI_QUARANTINE_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write("".join(f"{name}={value}\n" for name, value in fresh.items()))
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)


def generator_fingerprint() -> str:
    """Changes when the generator does, so that old exports are not mistaken for new ones."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.name not in ("run.py", "environment.py", "troubles.py", "summary.py"):
            digest.update(path.read_bytes())
    return digest.hexdigest()
