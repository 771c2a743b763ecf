"""The schedules of the business-hours oracle as calendar definitions, and where the oracle files lie."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
# Read when the module is imported: tests themselves start without any HANSEI_ variable.
ORACLES = Path(os.environ.get("HANSEI_ORACLES") or REPOSITORY.parent / "shared" / "oracles")
_WEEKDAYS = {
    "mon": "monday",
    "tue": "tuesday",
    "wed": "wednesday",
    "thu": "thursday",
    "fri": "friday",
    "sat": "saturday",
    "sun": "sunday",
}


def oracle(name: str) -> dict[str, Any]:
    """The content of an oracle file; skips the test where there is none."""
    path = ORACLES / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"no oracle: {path} is missing; set HANSEI_ORACLES to the folder of the oracle files")
    return json.loads(path.read_text(encoding="utf-8"))


def calendar_of(name: str, schedule: dict[str, Any]) -> dict[str, Any]:
    """A schedule of the oracle as a calendar definition: shifts are special days, breaks are closures."""
    return {
        "id": name,
        "name": name,
        "zone": schedule["time_zone"],
        "hours": {_WEEKDAYS[day]: _intervals(spans) for day, spans in schedule["hours"].items()},
        "holidays": [{"name": f"holiday {day}", "date": day} for day in schedule["holidays"]],
        "special_days": [
            {"name": f"shift {day}", "date": day, "hours": _intervals(spans)}
            for day, spans in schedule["shifts"].items()
        ],
        "closures": [
            {"name": f"break {day}", "date": day, "hours": _intervals(spans)}
            for day, spans in schedule["breaks"].items()
        ],
    }


def _intervals(spans: list[list[str]]) -> list[str]:
    return [f"{start}-{end}" for start, end in spans]


def write_calendar(overlay: Path, definition: dict[str, Any]) -> Path:
    """Writes a calendar below a directory of definitions; its path."""
    path = overlay / "calendars" / f"{definition['id']}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(definition, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path
